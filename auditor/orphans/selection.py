"""Which of the orphans a run is about, as its flags say."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from auditor.orphans.plan import Fate, Finding, Orphan, Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What the flags ask for; nothing asked for selects everything.

    `prefixes` and `excluded` (patterns, in which * stands for anything, or whole directories, which end with a
    slash) go for names, `groups` for the groups in the report's brackets, with or without their kind.
    """

    prefixes: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return not (self.prefixes or self.excluded or self.groups)

    def covers_name(self, name: str) -> bool:
        """Whether a name is selected."""
        is_wanted = not self.prefixes or any(name.startswith(prefix) for prefix in self.prefixes)
        return is_wanted and not any(is_like(name, pattern) for pattern in self.excluded)

    def covers(self, orphan: Orphan) -> bool:
        """Whether an orphan is selected: by its group, and by every name in it that is missing."""
        return self._covers_group(orphan) and all(self.covers_name(name) for _, name in orphan.missing)

    def _covers_group(self, orphan: Orphan) -> bool:
        if not self.groups:
            return True
        group = orphan.group
        return group is not None and (group.name in self.groups or str(group) in self.groups)


def is_like(name: str, pattern: str) -> bool:
    """Whether a name is like a pattern, in which * stands for anything, or in a directory, which ends with a slash."""
    return fnmatchcase(name, pattern) or (pattern.endswith("/") and name.startswith(pattern))


def select(plan: Plan, selection: Selection) -> Plan:
    """The plan with what is selected; it remembers how many orphans were left out."""
    if selection.is_everything:
        return plan
    selected = plan.changed(lambda _, orphan: orphan if selection.covers(orphan) else None)
    return replace(
        selected,
        unknown=tuple(one for one in plan.unknown if selection.covers_name(one.name)),
        unselected=plan.orphans_total() - selected.orphans_total(),
        is_selection=True,
    )


def first(plan: Plan, count: int) -> Plan:
    """The plan in which only so many orphans are deleted or relinked, in the order of the report."""
    turns = iter(range(count))

    def take_turn(finding: Finding, orphan: Orphan) -> Orphan:
        if not finding.named or orphan.fate not in (Fate.DELETE, Fate.RELINK) or next(turns, None) is not None:
            return orphan
        return replace(orphan, fate=Fate.NOT_NOW)

    return plan.changed(take_turn)


def faults(selection: Selection) -> Iterator[str]:
    """What cannot be meant: what is empty, and what no name in the database begins with."""
    for flag, values in (
        ("--path", selection.prefixes),
        ("--exclude", selection.excluded),
        ("--album", selection.groups),
    ):
        if "" in values:
            yield f"{flag} is empty."
    for prefix in selection.prefixes:
        if prefix.startswith(("/", "./")):
            yield f"--path {prefix} selects nothing: names are relative to the media folder, such as photos/2024/."
