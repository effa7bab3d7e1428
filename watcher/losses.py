"""Tells of each record whose file is gone, once: pipelines can alert before a user sees the broken page."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.db.models import Max, QuerySet

from auditor.auditlog import store
from auditor.catalogue import RecordOrphaned
from auditor.jsonlog import JsonLog
from auditor.models import Candidate, MissingFile, Root
from auditor.orphans.disk import Verdict, looks_now
from auditor.orphans.groups import groups_of
from watcher.notices import GapError
from watcher.recorder import Recorder
from watcher.root_fields import RootField, names_by_key

TOLD_AT_ONCE = 500  # candidates


class Losses:
    """Those of one root, as they come among its candidates; `confirm` raises GapError if it is not the root."""

    def __init__(
        self,
        recorder: Recorder,
        fields: Sequence[RootField],
        *,
        confirm: Callable[[], None],
        using: str,
        log: JsonLog,
    ) -> None:
        self._recorder = recorder
        self._fields = fields
        self._confirm = confirm
        self._using = using
        self._log = log
        self._told: int | None = None  # the last candidate that was looked at
        self._is_said = False  # whether there were lines of which the database does not know yet

    def tell(self) -> bool:
        """Tells of the next candidates that are orphans now; whether there are more.

        At least once, whenever the watcher dies; and not again at each try while the database is away.
        """
        self._keep()
        told = self._told_until()
        # Read before the candidates: what other roots have up to there need not be passed over again.
        last = Candidate.objects.using(self._using).aggregate(last=Max("id"))["last"] or 0
        page = self._page(told) if last > told else []
        if not page:
            self._told = max(last, told)
            return False
        lines = list(self._orphans(page))
        try:
            self._confirm()
        except GapError:  # it is only out of sight; the next proof fails, and says why
            return False
        self._log.emit_all(lines)
        self._told = page[-1][0] if len(page) == TOLD_AT_ONCE else max(last, page[-1][0])
        self._is_said = True
        self._keep()
        return len(page) == TOLD_AT_ONCE

    def _told_until(self) -> int:
        if self._told is None:
            self._told = self._root().values_list("told_until", flat=True).first() or 0
        return self._told

    def _keep(self) -> None:
        if self._is_said:
            self._write()
            self._is_said = False

    def _write(self) -> None:
        with self._recorder.fenced():
            self._root().update(told_until=self._told)

    def _root(self) -> QuerySet[Root]:
        return Root.objects.using(self._using).filter(pk=self._recorder.root.pk)

    def _page(self, after: int) -> list[tuple[int, str, str]]:
        columns = {one.column.id for one in self._fields}
        rows = Candidate.objects.using(self._using).filter(field__in=columns, id__gt=after)
        return list(rows.order_by("id").values_list("id", "field", "key")[:TOLD_AT_ONCE])

    def _orphans(self, page: Sequence[tuple[int, str, str]]) -> Iterator[RecordOrphaned]:
        told: set[tuple[str, str]] = set()  # a child's record is its parent's as well
        for one in self._fields:
            column = one.column
            numbers = {key: id_ for id_, field, key in page if field == column.id and (field, key) not in told}
            if not numbers or not one.field.is_primary:
                continue
            held = names_by_key(one.audited.model, column, numbers, self._using)
            looks = looks_now(self._recorder.root.path, [name for _, name in held.values()])
            told.update((column.id, text) for text in held)
            lost = [text for text, (_, name) in held.items() if looks[name].verdict is Verdict.MISSING]
            yield from self._lines(one, [(numbers[text], *held[text]) for text in lost])

    def _lines(self, one: RootField, lost: Sequence[tuple[int, Any, str]]) -> Iterator[RecordOrphaned]:
        groups = groups_of(one.audited, [key for _, key, _ in lost], self._using)
        moved = self._moved([name for *_, name in lost])
        for candidate, key, name in lost:
            yield RecordOrphaned(
                root=self._recorder.root.path,
                model=one.audited.id,
                key=str(key),
                field=one.field.name,
                path=name,
                group=str(groups.get(key, "")),
                named=one.audited.named,
                candidate=candidate,
                moved_to=moved.get(name),
            )

    def _moved(self, names: Sequence[str]) -> dict[str, str]:
        """{name: where its file went} as far as that was seen."""
        moved: dict[str, str] = {}
        missing = MissingFile.objects.using(self._using).filter(root=self._recorder.root, is_directory=False)
        for some in store.chunks(names, store.CHUNK):
            moved.update(missing.filter(path__in=some).exclude(moved_to="").values_list("path", "moved_to"))
        return moved
