"""What can be found, how bad it is, and how it is said to a person."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum
from hashlib import blake2b

from auditor.usage.plan import UnusedPlan


class Severity(StrEnum):
    """How bad a finding is: an error is a loss, a warning may become one, a note is only to be known."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Kind(Enum):
    """A kind of finding: its word in JSON and CSV, its severity, and what one and many are called.

    `in_content` is one for which a file has to be read.
    """

    MISSING = ("missing", Severity.ERROR, "record whose file is missing", "records whose file is missing")
    UNREADABLE = (
        "unreadable",
        Severity.ERROR,
        "file or directory that cannot be read",
        "files or directories that cannot be read",
    )
    NOT_A_FILE = (
        "not_a_file",
        Severity.ERROR,
        "record that names a directory, or another thing that is no file",
        "records that name a directory, or another thing that is no file",
    )
    DANGLING = (
        "dangling_symlink",
        Severity.ERROR,
        "symlink that leads to nothing",
        "symlinks that lead to nothing",
    )
    EMPTY = ("empty", Severity.ERROR, "record whose file is empty", "records whose file is empty")
    ROTTEN = (
        "bit_rot",
        Severity.ERROR,
        "file whose content changed though nobody wrote to it (bit rot)",
        "files whose content changed though nobody wrote to them (bit rot)",
        True,
    )
    BROKEN_IMAGE = (
        "broken_image",
        Severity.ERROR,
        "image that cannot be decoded",
        "images that cannot be decoded",
        True,
    )
    UNKNOWN = ("unknown", Severity.WARNING, "name that could not be judged", "names that could not be judged")
    DERIVED_MISSING = (
        "derived_missing",
        Severity.WARNING,
        "record whose optional or derived file is missing",
        "records whose optional or derived file is missing",
    )
    SHARED = (
        "shared",
        Severity.WARNING,
        "name that several records share",
        "names that several records share",
    )
    TWINS = (
        "twins",
        Severity.WARNING,
        "name that differs from another only by case or Unicode form",
        "names that differ from another only by case or Unicode form",
    )
    WRONG_SIZE = (
        "wrong_dimensions",
        Severity.WARNING,
        "image of another width or height than its record says",
        "images of another width or height than their record says",
        True,
    )
    TOO_LARGE = (
        "too_many_pixels",
        Severity.WARNING,
        "image with more pixels than are safe to decode",
        "images with more pixels than are safe to decode",
        True,
    )
    UNUSED = ("unused", Severity.NOTE, "file that nothing names", "files that nothing names")
    REPLACED = (
        "replaced",
        Severity.NOTE,
        "file that was replaced since its last checksum",
        "files that were replaced since their last checksum",
        True,
    )
    FIRST_SEEN = (
        "first_seen",
        Severity.NOTE,
        "file that got its first checksum",
        "files that got their first checksum",
        True,
    )

    def __new__(cls, word: str, *_: object) -> "Kind":
        member = object.__new__(cls)
        member._value_ = word
        return member

    def __init__(self, word: str, severity: Severity, one: str, many: str, in_content: bool = False) -> None:
        self.word = word
        self.severity = severity
        self.one = one
        self.many = many
        self.in_content = in_content

    @property
    def is_kept(self) -> bool:
        """Whether a later run is to know of it: a note is a fact of its run, and nothing to be healed."""
        return self.severity is not Severity.NOTE


# Found once for each record; all others are found once for each file, whichever record is shown with it.
OF_RECORDS = frozenset(
    {Kind.MISSING, Kind.DERIVED_MISSING, Kind.UNKNOWN, Kind.NOT_A_FILE, Kind.EMPTY, Kind.WRONG_SIZE}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not as it should be; `model`, `key` and `field` are those of a record that names the file."""

    kind: Kind
    root: str
    path: str
    model: str = ""
    key: str = ""
    field: str = ""
    detail: str = ""

    @property
    def digest(self) -> str:
        """The same for the same thing in every run, however much there is to say of it."""
        record = (self.model, self.key, self.field) if self.kind in OF_RECORDS else ()
        parts = (self.kind.word, self.root, self.path, *record)
        text = "\0".join(part.replace("\0", "\0\0") for part in parts)
        return blake2b(text.encode(errors="surrogatepass"), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """A finding with its history: `found_at` is when a run found it first, `new_since` the last run without it.

    With neither, this is the first run that has looked for it.
    """

    finding: Finding
    found_at: datetime | None = None
    new_since: datetime | None = None

    @property
    def state(self) -> str:
        """The history in a word."""
        if self.found_at:
            return "open"
        return "new" if self.new_since else "first_look"


@dataclass(slots=True)
class Figures:
    """How much there is: records, the files that they name and that are there, and the bytes of these.

    A file that several records name counts for the first of them.
    """

    records: int = 0
    files: int = 0
    size: int = 0
    orphaned: int = 0
    unknown: int = 0


@dataclass(slots=True, kw_only=True)
class ModelFigures:
    """The figures of one model, and of the groups of its records, the largest first: [(group, Figures)]."""

    model: str
    label: str
    label_of_one: str = ""
    figures: Figures = field(default_factory=Figures)
    kind_of_group: str = ""
    groups: Sequence[tuple[str, Figures]] = ()


@dataclass(slots=True)
class DiskFigures:
    """How many files are in the media folders, and how many bytes that is."""

    files: int = 0
    size: int = 0


@dataclass(slots=True)
class Reading:
    """How far the reading of files came: how many were due and done, and how many bytes that were."""

    due: int = 0
    done: int = 0
    size: int = 0
    is_complete: bool = True
    is_interrupted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that one run has to say; `not_looked_at` is {what: why}, `counts` has every kind that was found.

    `still_open` are findings of earlier checks at which this one has not looked.
    """

    roots: Collection[str]
    findings: Sequence[Reported]
    counts: Mapping[Kind, int]
    models: Sequence[ModelFigures]
    disk: DiskFigures | None
    unused: UnusedPlan | None = None
    reading: Reading | None = None
    healed: Sequence[Reported] = ()
    still_open: Sequence[Reported] = ()
    not_looked_at: Mapping[str, str] = field(default_factory=dict)
    acknowledged: int = 0
    unused_before: tuple[int, datetime] | None = None

    def total(self, severity: Severity) -> int:
        """How many findings of a severity there are."""
        return sum(count for kind, count in self.counts.items() if kind.severity is severity)

    @property
    def is_sound(self) -> bool:
        """Whether there is neither an error nor a warning in what was looked at."""
        return not self.total(Severity.ERROR) and not self.total(Severity.WARNING)
