"""Sees to it that the triggers of the reference journal stand, and finds out whether they stood all the time."""

from collections.abc import Mapping, Sequence

from auditor import catalogue, conf
from auditor.errors import first_line
from auditor.journal import triggers
from auditor.journal.columns import Column
from auditor.orphans.journaled import audited_columns, lacking
from watcher.database import AWAY, drop_if_broken
from watcher.pace import Pace
from watcher.site import Site

LOOK_SECONDS = 5.0
INSTALL_SECONDS = 60.0  # after a failure: each try locks the tables of the host


class Journaling:
    """The triggers of the columns of one root."""

    def __init__(self, columns: Sequence[Column], site: Site, *, root: str) -> None:
        self._columns = columns
        self._site = site
        self._root = root
        self._told = ""
        self._looking = Pace(LOOK_SECONDS)
        self._installing = Pace(0.0)

    @property
    def is_due(self) -> bool:
        """Whether it is time to look again."""
        return self._looking.is_due

    def install(self) -> None:
        """Makes the triggers that are missing, of all roots, if that is wanted and possible; says so once if not."""
        if not conf.keeps_journal() or not self._installing.is_due:
            return
        with self._installing.kept():
            why = self._try_to_install()
        if why:
            self._installing.rest(INSTALL_SECONDS)
        if why and why != self._told:
            self._site.log.emit(catalogue.JournalFailed(root=self._root, error=why))
        self._told = why

    def have_changed(self, marks: Mapping[str, str]) -> bool:
        """Whether any of the triggers is not as it was by these marks, {column id: mark}; mends those it can."""
        with self._looking.kept():
            seen = triggers.look(self._columns, using=self._site.using)
            if lacking(seen):
                self.install()
                seen = triggers.look(self._columns, using=self._site.using)
            return any(seen[column].mark != mark for column, mark in marks.items() if column in seen)

    def _try_to_install(self) -> str:
        """Why not all could be made, or nothing."""
        try:
            seen = triggers.install(audited_columns(self._site.using), using=self._site.using)
        except AWAY as error:
            drop_if_broken(self._site.using)
            return first_line(error)
        return next((one.why for one in lacking(seen).values()), "")
