"""Keeps the candidates of a root: every reference whose file is gone, or of whose name the log cannot speak.

The order that makes it true at each moment, whoever reads: first a reference becomes a candidate, then it leaves the
journal, or the log is called resolved; and it leaves the candidates only after a look at its file, of which the
watcher heard before that look. What vanishes later is told, and is resolved then.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.db.models import QuerySet

from auditor.auditlog import store
from auditor.auditlog.events import FileDeleted
from auditor.journal import entries
from auditor.journal.columns import Column, unique
from auditor.models import Candidate, Root, UncheckedReference
from auditor.orphans.disk import Disk, Verdict, looks_now
from watcher.naming import keys_naming
from watcher.reach import Reach
from watcher.recorder import Recorder
from watcher.root_fields import RootField, names_by_key
from watcher.standing import Standing, standings

BATCH = 2_000  # entries, or candidates


class Candidates:
    """Those of one root; only the watcher with its open span may write them, and the recorder's fence sees to that.

    `make_reach` gives what is listened to now. All raise GapError as the recorder does, and what the database raises:
    then nothing was lost, and it is done later.
    """

    def __init__(
        self, recorder: Recorder, fields: Sequence[RootField], *, make_reach: Callable[[], Reach], using: str
    ) -> None:
        self.columns = unique([one.column for one in fields])
        self._recorder = recorder
        self._make_reach = make_reach
        self._using = using
        self._drained = self._reviewed = 0  # the last ids of the pages before
        self.has_unheard = False  # whether an entry had to stay in the journal

    def drain(self) -> int:
        """Looks at the oldest references in the journal, and takes out those that it can judge; how many it read.

        An entry stays while its file is there and not heard of yet. A page that is not full is the last one.
        """
        entry_rows = self._page(UncheckedReference, self._drained)
        self.has_unheard = self.has_unheard and self._drained > 0
        self._drained = entry_rows[-1][0] if len(entry_rows) == BATCH else 0
        judged: list[int] = []
        found: list[tuple[Column, list[str]]] = []
        disk, reach = Disk(self._recorder.root.path, exact=True), self._make_reach()
        for column, ids in self._by_column(entry_rows):
            names = names_by_key(column.model, column, ids, self._using)
            beyond = standings([name for _, name in names.values()], disk=disk, reach=reach)
            looks = {key: beyond.get(names[key][1]) if key in names else None for key in ids}
            judged += [one for key, look in looks.items() if not _has_to_wait(look) for one in ids[key]]
            found.append((column, [key for key, look in looks.items() if look and not _has_to_wait(look)]))
        self.has_unheard = self.has_unheard or len(judged) < len(entry_rows)
        if judged:
            with self._recorder.fenced():
                for column, keys in found:
                    entries.add_candidates_anew(column, keys, using=self._using)
                entries.remove(judged, using=self._using)  # exactly these: others may have been written meanwhile
        return len(entry_rows)

    def resolve(self) -> bool:
        """Makes candidates of all records that name what vanished since it was last done; whether anything came back.

        A record that names it later is in the journal.
        """
        root = self._recorder.root
        until = store.head_position(self._using)  # before the records are read: what vanishes meanwhile is for later
        known = Root.objects.using(self._using).filter(pk=root.pk)
        since = known.values_list("resolved_until", flat=True).first() or 0
        if since >= until:
            return False
        vanished = store.deletions_between(since, until, root=root.pk, using=self._using)
        # A census has made candidates of all that it met.
        vanished = vanished.exclude(type=FileDeleted.type, data__cause="census")
        if vanished.exists():
            for column in self.columns:
                for keys in store.chunks(keys_naming(column, vanished, using=self._using), 5 * BATCH):
                    with self._recorder.fenced():
                        entries.add_candidates(column, keys, using=self._using)
        with self._recorder.fenced():
            known.filter(resolved_until__lt=until).update(resolved_until=until)
        return store.arrivals_between(since, until, root=root.pk, using=self._using).exists()

    def review(self) -> bool:
        """Drops those of a page of candidates whose record is gone, or whose file is there and heard of.

        Whether there are more pages.
        """
        candidate_rows = self._page(Candidate, self._reviewed)
        self._reviewed = candidate_rows[-1][0] if len(candidate_rows) == BATCH else 0
        root = self._recorder.root.path
        settled: list[int] = []
        disk, reach = Disk(root, exact=True), self._make_reach()
        for column, ids in self._by_column(candidate_rows):
            names = names_by_key(column.model, column, ids, self._using)
            # Most are missing, and that is told without a listing.
            looks = looks_now(root, [name for _, name in names.values()])
            there = {name for name, look in looks.items() if look.verdict is Verdict.PRESENT}
            vouched = there - standings(there, disk=disk, reach=reach).keys()
            settled += [one for key in ids if key not in names or names[key][1] in vouched for one in ids[key]]
        if settled:
            with self._recorder.fenced():
                entries.drop_candidates(settled, using=self._using)
        return self._reviewed > 0

    def _page(self, model: type[UncheckedReference] | type[Candidate], after: int) -> list[tuple[int, str, str]]:
        rows: QuerySet[Any] = QuerySet(model=model, using=self._using)
        mine = rows.filter(field__in=[column.id for column in self.columns], id__gt=after)
        return list(mine.order_by("id").values_list("id", "field", "key")[:BATCH])

    def _by_column(self, rows: Iterable[tuple[int, str, str]]) -> list[tuple[Column, dict[str, list[int]]]]:
        """(column, {key: ids}) of a page: a key may be in the journal more than once."""
        ids: dict[str, dict[str, list[int]]] = {}
        for number, field, key in rows:
            ids.setdefault(field, {}).setdefault(key, []).append(number)
        return [(column, ids[column.id]) for column in self.columns if column.id in ids]


def _has_to_wait(standing: Standing | None) -> bool:
    return standing is not None and standing.may_be_heard_later
