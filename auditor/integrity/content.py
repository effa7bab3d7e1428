"""Reads files: their checksums, and whether their images can be opened; what was looked at longest ago comes first."""

import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from auditor.auditlog import store
from auditor.auditlog.events import is_too_long
from auditor.auditlog.store import CHUNK, chunks
from auditor.integrity import images
from auditor.integrity.checksums import compare, sum_of
from auditor.integrity.findings import Finding, Kind, Reading
from auditor.integrity.pace import Pace
from auditor.integrity.tree import IMAGE, KNOWN, SHIFT, WANTED, Tree
from auditor.models import Checksum, OpenFinding, Root
from auditor.orphans.disk import in_words

KEPT_SECONDS = 5.0  # of work that a kill would cost at most, beside the file at hand
Work = Iterator[tuple[str, Checksum | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the reading is to do, and at which moment of its clock it has to end."""

    sums: bool = False
    deep: bool = False
    until: float | None = None


@dataclass(slots=True)
class Content:
    """The reading of one run; `looked_at` are the files that were read to their end, {root: paths}."""

    asked: Asked
    sizes: dict[tuple[str, str], list[tuple[str, str, str, int | None, int | None]]]
    pace: Pace
    using: str
    clock: Callable[[], float] = time.monotonic
    progress: Callable[[int], object] = lambda _: None
    reading: Reading = field(default_factory=Reading)
    looked_at: dict[str, set[str]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    first_seen: int = 0  # counted only: in the first run, that is every file
    unopened: int = 0  # images of formats that Pillow does not know
    _rows: list[Checksum] = field(default_factory=list)
    _kept_at: float = 0.0

    def count_due(self, trees: Sequence[Tree], *, forgets: bool = False) -> int:
        """How many files there are to read; those that were read before are marked.

        `forgets` drops the checksums of files that are neither on disk nor in a record: a record's can come back.
        """
        for tree in trees:
            rows, gone = Checksum.objects.using(self.using).filter(root__path=tree.root), array("q")
            for key, path, moment in rows.values_list("pk", "path", self._moment).iterator(store.BATCH):
                if not tree.mark(path, KNOWN if moment else 0) and not tree.is_hidden(path):
                    gone.append(key)
            for keys in chunks(gone, CHUNK) if forgets else ():
                rows.filter(pk__in=keys).delete()
            self.reading.due += sum(
                1 for path, number in tree.files() if self._is_due(number) and not is_too_long(path)
            )
        return self.reading.due

    def read_all(self, trees: Sequence[Tree]) -> None:
        """Reads the files that this run is about, until all are read, the time is up, or somebody interrupts.

        What was done until then is kept in any case.
        """
        self._kept_at = self.clock()
        try:
            for tree, path, row in self._in_order(trees, started_at=store.database_time(self.using)):
                if self.asked.until is not None and self.clock() >= self.asked.until:
                    self.reading.is_complete = False
                    break
                self._read(tree, path, row)
        except KeyboardInterrupt:
            self.reading.is_complete, self.reading.is_interrupted = False, True
        finally:
            self._keep()

    def _in_order(self, trees: Sequence[Tree], *, started_at: datetime) -> Iterator[tuple[Tree, str, Checksum]]:
        """What was never read, then what was read longest ago, and last what could not be read before.

        A dying disk takes its time over each of those, and would leave none for the others.
        """
        failing, last = self._failing(), []
        roots = [(tree, store.register_root(tree.root, using=self.using)) for tree in trees]
        for work_of in (self._never_read, partial(self._read_before, started_at=started_at)):
            for tree, root in roots:
                for path, known in work_of(tree, root):
                    row = known or Checksum(root=root, path=path, digest="", size=0, mtime_ns=0)
                    if failing and f"{tree.root}/{path}" in failing:
                        last.append((tree, path, row))
                    else:
                        yield tree, path, row
        yield from last

    @property
    def _moment(self) -> str:
        """The column that says when the work of this run was last done to a file."""
        return "summed_at" if self.asked.sums else "opened_at"

    def _is_due(self, number: int) -> bool:
        return bool(number & WANTED and (self.asked.sums or number & IMAGE) and number >> SHIFT)

    def _failing(self) -> set[str]:
        """The full paths of the files that earlier checks could not read."""
        rows = OpenFinding.objects.using(self.using).filter(kind=Kind.UNREADABLE.word)
        return {f"{root}/{path}" for root, path in rows.values_list("root", "path")}

    def _never_read(self, tree: Tree, root: Root) -> Work:
        new = (path for path, number in tree.files() if self._is_due(number) and not number & KNOWN)
        rows = Checksum.objects.using(self.using).filter(root=root)
        for some in chunks((path for path in new if not is_too_long(path)), CHUNK):
            known = {row.path: row for row in rows.filter(path__in=some)}  # of the other kind of work
            yield from ((path, known.get(path)) for path in some)

    def _read_before(self, tree: Tree, root: Root, started_at: datetime) -> Work:
        rows = Checksum.objects.using(self.using).filter(root=root)
        due = rows.filter(**{f"{self._moment}__lt": started_at}).order_by(self._moment, "pk")
        # The keys at once: a row that is read moves to the end of this order.
        for keys in chunks(array("q", due.values_list("pk", flat=True).iterator(store.BATCH)), CHUNK):
            found = rows.in_bulk(keys)
            for row in (found[key] for key in keys if key in found):
                if self._is_due(tree.get(row.path) or 0):
                    yield row.path, row

    def _read(self, tree: Tree, path: str, row: Checksum) -> None:
        size = (tree.get(path) or 0) >> SHIFT
        try:
            is_settled = self._sum(tree, path, row) if self.asked.sums else True
            if self.asked.deep and (tree.get(path) or 0) & IMAGE:
                if not self.asked.sums:
                    self.pace.take(size)
                self._open(tree, path)
        except FileNotFoundError:
            pass  # it went since the walk: the next run will say of which record
        except OSError as error:
            self._tell(Kind.UNREADABLE, tree, path, in_words(error))
        else:
            self.reading.size += size
            if is_settled:
                self.looked_at.setdefault(tree.root, set()).add(path)
                self._rows.append(row)
        self.reading.done += 1
        self.progress(1)
        if len(self._rows) >= CHUNK or self.clock() - self._kept_at >= KEPT_SECONDS:
            self._keep()

    def _sum(self, tree: Tree, path: str, row: Checksum) -> bool:
        """Compares a file with its known checksum; False if somebody writes to it."""
        seen = sum_of(f"{tree.root}/{path}", self.pace.take)
        if seen is None:
            return False
        kind, detail = compare(row, seen)
        if kind is Kind.FIRST_SEEN:
            self.first_seen += 1
        elif kind:
            self._tell(kind, tree, path, detail)
        if kind is not Kind.ROTTEN:  # the sound one is kept, to tell when a backup has brought it back
            row.digest, row.size, row.mtime_ns = seen.digest, seen.size, seen.mtime_ns
        return True

    def _open(self, tree: Tree, path: str) -> None:
        """Opens an image, and compares it with what its records say of it."""
        if not images.is_known_format(path):
            self.unopened += 1
            return
        opened = images.open_image(f"{tree.root}/{path}")
        if opened.kind:
            self._tell(opened.kind, tree, path, opened.detail)
        for model, key, name, *kept in self.sizes.get((tree.root, path), ()) if opened.size else ():
            if opened.size and any(one not in (None, true) for one, true in zip(kept, opened.size, strict=True)):
                detail = f"it is {_by(opened.size)}, its record says {_by(kept)}"
                self._tell(Kind.WRONG_SIZE, tree, path, detail, model=model, key=key, field=name)

    def _tell(self, kind: Kind, tree: Tree, path: str, detail: str, **record: str) -> None:
        self.findings.append(Finding(kind=kind, root=tree.root, path=path, detail=detail, **record))

    def _keep(self) -> None:
        """Writes down what was read since the last time."""
        self._kept_at = self.clock()
        if not self._rows:
            return
        now = store.database_time(self.using)
        for row in self._rows:
            if self.asked.sums:
                row.summed_at = now
            if self.asked.deep:
                row.opened_at = now
        Checksum.objects.using(self.using).bulk_create(
            [Checksum(**{name: getattr(row, name) for name in KEPT}) for row in self._rows],
            batch_size=CHUNK // len(KEPT),
            update_conflicts=True,
            unique_fields=["root", "path"],
            update_fields=["size", "mtime_ns", "digest", "summed_at", "opened_at"],
        )
        self._rows = []


def _by(size: Sequence[int | None]) -> str:
    return "×".join("?" if one is None else str(one) for one in size)


KEPT = ("root_id", "path", "size", "mtime_ns", "digest", "summed_at", "opened_at")
