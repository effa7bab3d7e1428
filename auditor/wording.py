"""How things are said to a person: counts, lists, names that a terminal would obey, and short answers."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:  # every command imports this file, and only some of them make a plan
    from auditor.orphans.plan import Along, Loss

T = TypeVar("T")
RULE = "=" * 70
QUESTION = "Are you sure you want to continue? (yes/no): "
SAMPLE = 10  # of a list that can be long
UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")
ROUNDED_UP = 999.95  # which would be shown as 1000.0
REGISTERED = {
    "written": "registered {root} (marker {marker})",
    "adopted": "registered {root} (marker {marker}, which was there already)",
    "unchanged": "already registered: {root} (marker {marker})",
    "restored": "registered {root}: it had lost its marker, which is written again (marker {marker})",
    "replaced": "registered {root}: from now on it is known by another marker (marker {marker})",
    "unmarked": "registered {root} without a marker, as it cannot be written to: device and inode stand in",
}


def safe(text: str) -> str:
    """The text with everything that a terminal would obey, or that is not seen, written out."""
    return "".join(char if char.isprintable() else _written_out(char) for char in text)


def safe_lines(text: str) -> str:
    """The text with what a terminal would obey written out, but for the ends of its lines."""
    return "\n".join(map(safe, text.split("\n")))


def _written_out(char: str) -> str:
    if "\udc80" <= char <= "\udcff":  # a byte of a name that is no text
        return f"\\x{ord(char) - 0xDC00:02x}"
    return char.encode("unicode_escape").decode()


def counted(number: int, noun: str, nouns: str = "") -> str:
    """The number with its noun, in the singular or the plural."""
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"


def sized(count: int) -> str:
    """A number of bytes as a person writes it: '3.1 GB'."""
    size, unit = float(count), 0
    while size >= ROUNDED_UP and unit < len(UNITS) - 1:
        size, unit = size / 1_000, unit + 1
    if unit == 0:
        return "1 byte" if count == 1 else f"{count} bytes"
    return f"{size:.1f} {UNITS[unit]}"


def along(
    taken: "Iterable[Along]", emptied: "Iterable[Along]", *, titles: tuple[str, str] = ("Also deleted", "Set to empty")
) -> str:
    """Which rows go along, and in which a key is set; nothing if there is neither."""
    lines = zip(titles, map(_in_words, (taken, emptied)), strict=True)
    return "\n".join(f"{title}: {text}" for title, text in lines if text)


def _in_words(rows: "Iterable[Along]") -> str:
    """Such as '1 tag link, 3 renditions': what people call the same is counted together."""
    counts: Counter[tuple[str, str]] = Counter()
    for some in rows:
        counts[some.one, some.many] += some.count
    return ", ".join(f"{count:,} {safe(one if count == 1 else many)}" for (one, many), count in sorted(counts.items()))


def heading(title: str, lines: list[str]) -> str:
    """A title and lines between rules."""
    return "\n".join([RULE, title, RULE, *lines, RULE])


def listed(heading: str, items: Sequence[T], line: Callable[[T], str]) -> str:
    """A heading and a sample of a list, a line each, with what is left out counted."""
    more = [f"... and {len(items) - SAMPLE} more"] if len(items) > SAMPLE else []
    bullets = [f"- {line(item)}" for item in items[:SAMPLE]]
    return "\n".join([heading, *(f"  {text}" for text in (*bullets, *more))])


def acknowledged(records: int) -> str:
    """How many losses will not be reported again."""
    return f"Acknowledged: {counted(records, 'record')} will not be reported again. Nothing was deleted."


def unacknowledged(records: int) -> str:
    """How many losses will be reported again."""
    return f"{counted(records, 'record')} will be reported again."


def acknowledged_list(losses: "Sequence[Loss]") -> str:
    """All losses that somebody has acknowledged."""
    lines = [
        f"  - {safe(loss.name)} ({loss.model}:{safe(loss.key)}, {loss.acknowledged_at:%Y-%m-%d %H:%M} UTC, "
        f"{safe(loss.user)})"
        for loss in losses
    ]
    return "\n".join([f"Acknowledged: {counted(len(losses), 'known loss', 'known losses')}", *lines])


def registered(path: str, done: str, marker: str) -> str:
    """What became of a media folder that was registered; `done` is the value of a `roots.Registration`."""
    return safe(REGISTERED[done].format(root=path, marker=marker))
