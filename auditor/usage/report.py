"""The human summary of unused files: what was found, what stays and why, and what was done."""

from collections.abc import Iterator, Sequence

from auditor.usage.bins import Bin
from auditor.usage.plan import WORDS, FilesOutcome, Kept, Moved, RootPlan, UnusedFile, UnusedPlan
from auditor.usage.settling import Settled
from auditor.wording import RULE, heading, listed, safe, sized

SHOWN = 10  # directories and types
OPENING = "Looking for files that no record names..."
WARNING = "⚠️  WARNING: This will move these files out of the media folder, into its trash!"
DELETE_WARNING = "⚠️  WARNING: This will permanently delete these files!"
EMPTY_WARNING = "⚠️  WARNING: What is removed from the trash can never be brought back!"
CANCELLED = "Cancelled. Nothing was moved."
CLEAN = "✓ No unused files found!"
CLEANED = "✓ Media folder cleaned successfully!"
RESTORED = "✓ Files put back!"
NOT_PUT_BACK = "Cancelled. Nothing was put back."
NOT_EMPTIED = "Cancelled. Nothing was deleted."
UNKNOWN_RUN = (
    "Of a run of another database, this one does not know how old it is: --restore puts its files back, "
    "--empty-trash leaves them alone. If nobody needs them, delete their folder in .media-trash by hand."
)
NO_TRASH = "There is nothing in the trash."
UNPROVEN = (
    "Not one file in {root} is named by a record: this is what a wrong database or a wrong media folder looks like."
)


def files(count: int) -> str:
    """A number of files in words."""
    return "1 file" if count == 1 else f"{count:,} files"


def summary(plan: UnusedPlan, *, lists_all: bool = False) -> str:
    """What was found."""
    unused = [(root, one) for root in plan.roots for one in root.unused]
    blocks = [
        heading("UNUSED FILES FOUND:", [_root_line(root) for root in plan.roots]),
        _listing(plan, unused) if lists_all else _sample(plan, unused),
        _grouped("By directory:", [group for root in plan.roots for group in root.by_directory()]),
        _grouped("By type:", _merged([group for root in plan.roots for group in root.by_type()])),
        kept(plan),
        *(_unlisted(root) for root in plan.roots if root.unlisted),
        *(f"Not looked through: {safe(root)}: {safe(reason)}." for root, reason in plan.left_out.items()),
        _elsewhere(plan),
        *(UNPROVEN.format(root=safe(root.path)) for root in plan.roots if root.is_unproven),
        "" if plan.total else CLEAN,
    ]
    return "\n\n".join(block for block in blocks if block)


def _root_line(root: RootPlan) -> str:
    line = f"{safe(root.path)}: {len(root.unused):,} unused out of {files(root.files)}"
    return f"{line}; {sized(root.bytes)} could be freed" if root.unused else line


def _shown(plan: UnusedPlan, root: RootPlan, name: bytes) -> str:
    text = safe(name.decode(errors="backslashreplace"))
    return text if len(plan.roots) == 1 else f"{safe(root.path)}/{text}"


def _sample(plan: UnusedPlan, unused: Sequence[tuple[RootPlan, UnusedFile]]) -> str:
    if not unused:
        return ""
    return listed(
        "Unused files (sample):", unused, lambda one: f"{_shown(plan, one[0], one[1].name)} ({sized(one[1].size)})"
    )


def _listing(plan: UnusedPlan, unused: Sequence[tuple[RootPlan, UnusedFile]]) -> str:
    lines = [f"  - {_shown(plan, root, one.name)} ({sized(one.size)})" for root, one in unused]
    return "\n".join(["Unused files:", *lines]) if lines else ""


def _grouped(title: str, groups: Sequence[tuple[str, int, int]]) -> str:
    if not groups:
        return ""
    lines = [f"  - {safe(name)}: {files(count)}, {sized(freed)}" for name, count, freed in groups[:SHOWN]]
    more = [f"  ... and {len(groups) - SHOWN:,} more"] if len(groups) > SHOWN else []
    return "\n".join([title, *lines, *more])


def _merged(groups: Sequence[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    sums: dict[str, tuple[int, int]] = {}
    for name, count, freed in groups:
        before = sums.get(name, (0, 0))
        sums[name] = before[0] + count, before[1] + freed
    order = sorted(sums.items(), key=lambda one: (-one[1][1], -one[1][0], one[0]))
    return [(name, count, freed) for name, (count, freed) in order]


def kept(plan: UnusedPlan) -> str:
    """How many files stay that no record names, by reason."""
    counts = plan.kept()
    if not counts:
        return ""
    settings = sorted({name for root in plan.roots for name in root.settings})
    presets = sorted({name for root in plan.roots for name in root.presets})
    words = {"min_age": plan.min_age, "settings": ", ".join(settings), "presets": ", ".join(presets)}
    lines = [f"  - {counts[kind]:,} {WORDS[kind].format(**words)}" for kind in Kept if counts[kind]]
    return "\n".join([f"Kept, though no record names them: {files(counts.total())}", *lines])


def _unlisted(root: RootPlan) -> str:
    lines = [f"  - {safe(folder)} ({safe(reason)})" for folder, reason in root.unlisted.items()]
    return "\n".join([f"Could not be read in {safe(root.path)}:", *lines])


def _elsewhere(plan: UnusedPlan) -> str:
    if not plan.elsewhere:
        return ""
    lines = [f"  - {field}: {safe(reason)}" for field, reason in plan.elsewhere.items()]
    return "\n".join(["Not looked through (only local folders are):", *lines])


def completion(outcome: FilesOutcome, *, next_steps: Sequence[str] = (), is_certain: bool = True) -> str:
    """What was done, and what stayed after all."""
    blocks = [
        heading("CLEANUP COMPLETE", list(_done(outcome))),
        _stayed(outcome),
        "\n".join(next_steps),
        CLEANED if is_certain and not outcome.kept else "",
    ]
    return _joined(blocks)


def put_back(outcome: FilesOutcome) -> str:
    """What came back from the trash, and what did not."""
    line = f"Files put back: {len(outcome.untrashed):,}"
    return _joined([heading("RESTORE COMPLETE", [line]), _stayed(outcome), "" if outcome.kept else RESTORED])


def emptied(outcome: FilesOutcome) -> str:
    """What was removed from the trash, and what was not."""
    line = f"Files deleted: {len(outcome.freed):,} ({_total(outcome.freed)})"
    return _joined([heading("TRASH EMPTIED", [line]), _stayed(outcome)])


def _joined(blocks: Sequence[str]) -> str:
    return "\n\n".join(block for block in blocks if block)


def _done(outcome: FilesOutcome) -> Iterator[str]:
    if outcome.trashed or not outcome.freed:
        yield f"Files moved to the trash: {len(outcome.trashed):,} ({_total(outcome.trashed)})"
    if outcome.freed:
        yield f"Files deleted: {len(outcome.freed):,} ({_total(outcome.freed)})"


def _total(moved: Sequence[Moved]) -> str:
    return sized(sum(one.size for one in moved))


def _stayed(outcome: FilesOutcome) -> str:
    if not outcome.kept:
        return ""
    return listed(f"Kept: {files(len(outcome.kept))}", outcome.kept, lambda one: f"{_name(one)} ({safe(one.reason)})")


def _name(one: Moved) -> str:
    return safe(one.name.decode(errors="backslashreplace"))


def trash(bins: Sequence[Bin], *, next_steps: Sequence[str] = ()) -> str:
    """What is in the trashes, run by run."""
    if not bins:
        return NO_TRASH
    is_known = all(one.finished_at for one in bins)
    return _joined(
        [
            "\n".join([RULE, "IN THE TRASH:", RULE, *(_bin_line(one) for one in bins), RULE]),
            "" if is_known else UNKNOWN_RUN,
            "\n".join(next_steps),
        ]
    )


def _bin_line(one: Bin) -> str:
    when = one.finished_at.strftime("%Y-%m-%d %H:%M UTC") if one.finished_at else "of another database"
    return f"{one.run}  {when}  {files(one.files)}, {sized(one.bytes)}  {safe(one.root)}"


def restoring(bins: Sequence[Bin]) -> str:
    """What would come back."""
    return heading("FILES TO PUT BACK:", [f"{safe(one.root)}: {files(one.files)}, {sized(one.bytes)}" for one in bins])


def emptying(bins: Sequence[Bin], *, older_than: str) -> str:
    """What would be removed from the trash."""
    title = f"IN THE TRASH FOR LONGER THAN {older_than}:" if older_than != "0" else "IN THE TRASH:"
    return heading(title, [_bin_line(one) for one in bins] or ["None"])


def settled(runs: Sequence[Settled]) -> str:
    """Which earlier runs did not reach their end, and what that left."""
    return "\n".join(
        f"An earlier run, {one.run}, did not reach its end: of {files(one.told)} that it was to move, "
        f"{one.corrected:,} had not been moved. The audit log says so now."
        + (f" A record names {files(one.put_back)} of the others by now: put back." if one.put_back else "")
        for one in runs
    )
