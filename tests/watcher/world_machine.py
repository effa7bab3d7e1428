"""A state machine: what can happen to a media folder, its records and its watcher, with the truth kept beside it."""

import os
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from django.test import override_settings
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from auditor.auditlog import store
from auditor.auditlog.events import DirectoryDeleted, DirectoryMoved, FileDeleted, FileMoved
from auditor.models import Event, Span
from auditor.orphans.route import RouteKind
from deploy.gallery.models import Photo
from tests.makers import make_photo, real
from tests.watcher.breaking import crash, lose_what_comes
from tests.watcher.captured import CapturedLog
from tests.watcher.finding import is_proven_since, open_span, orphans_by, some
from tests.watcher.media_world import MediaWorld
from tests.watcher.waiting import wait_until
from watcher.daemon import Daemon
from watcher.site import Site
from watcher.status import State

PATIENCE_SECONDS = 10.0
QUEUE_LIMIT = 60  # notices: one storm is more than that
TAKING = [kind.type for kind in (FileDeleted, FileMoved, DirectoryDeleted, DirectoryMoved)]

# Few names, so that they meet: files and folders of one name, and neighbours that sort around a folder's slash.
PATHS = st.sampled_from(["a", "d", "d/a", "d/b", "d/e", "d/e/a", "d/e/b", "d-/a", "d.a", "d0/a", "f/a", "f/e/a", "f"])
ANY = st.integers(0, 11)  # which of those that there are


class WatcherMachine(RuleBasedStateMachine):
    """What can happen to a media folder, its records and its watcher, in any order."""

    make_world: type[MediaWorld] = MediaWorld

    def __init__(self) -> None:
        super().__init__()
        self._ending = ExitStack()
        folder = self._ending.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        self.world = self.make_world(Path(real(Path(folder))))
        self._ending.callback(self.world.close)
        self._ending.enter_context(
            override_settings(
                MEDIA_ROOT=str(self.world.root),
                AUDITOR_MODELS=["gallery.Photo"],
                AUDITOR_QUEUE_LIMIT=QUEUE_LIMIT,
                AUDITOR_STATE_DIR=f"{folder}/state",
                AUDITOR_WATERMARK_SECONDS=0.02,
            )
        )
        self.log = CapturedLog()
        self.daemons: list[Daemon] = []  # the one that runs, if one does
        self.records: dict[int, str] = {}
        self.doomed: set[str] = set()  # spans that must not be open at the next rest
        self.hidden_at = store.database_time("default")
        self.is_broken = False
        Photo.objects.all().delete()  # of the example before this one
        self.world.create("kept")  # a folder without any file could as well be a disk that is not mounted
        self.world.make_tree("d")
        for path in ("d/a", "d/d/a", "d/e/a", "f/a"):
            self.make_record(path)
        self.come_to_rest()

    def teardown(self) -> None:
        try:
            if not self.is_broken:
                self.come_to_rest()
        finally:
            for daemon in self.daemons:
                crash(daemon)
            self._ending.close()

    @rule(path=PATHS)
    def create_file(self, path: str) -> None:
        self.world.create(path)

    @rule(path=PATHS)
    def upload(self, path: str) -> None:
        if self.world.create(path):
            self.make_record(path)

    @rule(path=PATHS)
    def make_record(self, path: str) -> None:
        self.records[make_photo(path).pk] = path

    @rule(record=ANY, path=PATHS)
    def name_another(self, record: int, path: str) -> None:
        for key in some(list(self.records), record):
            Photo.objects.filter(pk=key).update(image=path)
            self.records[key] = path

    @rule(record=ANY)
    def delete_record(self, record: int) -> None:
        for key in some(list(self.records), record):
            Photo.objects.filter(pk=key).delete()
            del self.records[key]

    @rule(which=ANY)
    def delete_file(self, which: int) -> None:
        for path in some(self.world.files(), which):
            self.world.remove(path)

    @rule(which=ANY)
    def delete_tree(self, which: int) -> None:
        for path in some(self.world.folders(), which):
            self.world.remove(path)

    @rule(path=PATHS)
    def make_tree(self, path: str) -> None:
        self.world.make_tree(path)

    @rule(which=ANY, to=PATHS)
    def move_file(self, which: int, to: str) -> None:
        for path in some(self.world.files(), which):
            self.world.move(path, to)

    @rule(which=ANY, to=PATHS)
    def move_folder(self, which: int, to: str) -> None:
        for path in some(self.world.folders(), which):
            self.world.move(path, to)

    @rule(one=ANY, other=ANY)
    def exchange_folders(self, one: int, other: int) -> None:
        for path, second in zip(some(self.world.folders(), one), some(self.world.folders(), other), strict=True):
            self.world.exchange(path, second)

    @rule(which=ANY)
    def move_out(self, which: int) -> None:
        for path in some(self.world.folders(), which) or some(self.world.files(), which):
            self.world.move_out(path)

    @rule(path=PATHS)
    def move_in(self, path: str) -> None:
        self.world.move_in(path)

    @rule()
    def empty_outside(self) -> None:
        self.world.empty_outside()

    @rule(which=ANY)
    def delete_after_a_storm(self, which: int) -> None:
        self.world.storm(QUEUE_LIMIT)
        self.delete_file(which)

    @precondition(lambda self: not self.world.is_hidden)
    @rule(how=ANY)
    def hide_root(self, how: int) -> None:
        self.world.hide(how)
        self.hidden_at = store.database_time("default")

    @precondition(lambda self: self.world.is_hidden)
    @rule()
    def show_root(self) -> None:
        self.world.show()

    @precondition(lambda self: not self.daemons)
    @rule()
    def start(self) -> None:
        self.daemons = [Daemon([str(self.world.root)], Site(using="default", log=self.log))]

    @precondition(lambda self: self.daemons)
    @rule(count=st.integers(1, 4))
    def tick(self, count: int) -> None:
        for _ in range(count):
            self.daemons[0].tick()

    @precondition(lambda self: self.daemons)
    @rule(which=ANY)
    def delete_unheard(self, which: int) -> None:
        self.doomed.add(open_span(str(self.world.root)))
        lose_what_comes(self.daemons[0])
        self.delete_file(which)

    @precondition(lambda self: self.daemons)
    @rule()
    def crash(self) -> None:
        crash(self.daemons.pop())

    @precondition(lambda self: self.daemons)
    @rule()
    def stop(self) -> None:
        self.daemons.pop().stop("asked")

    @rule()
    def come_to_rest(self) -> None:
        """Lets the watcher do all that it would do by itself, and holds it to the truth."""
        self.is_broken = True  # unless it ends well
        if not self.daemons:
            self.start()
        if self.world.is_hidden:
            self.wait_until_blind()
        else:
            self.wait_until_proven()
            self.assert_law()
            assert open_span(str(self.world.root)) not in self.doomed
        self.assert_nothing_invented()
        self.is_broken = False

    def wait_until_proven(self) -> None:
        """Until a proof that was begun after now is in the log, and a checkpoint before it."""
        asked = store.database_time("default")
        self.tick_until(lambda: is_proven_since(str(self.world.root), asked))

    def wait_until_blind(self) -> None:
        """Until the watcher says so, and for some rounds more; no proof may be of a time after the root went."""
        self.tick_until(self.is_blind)
        for _ in range(4):
            self.daemons[0].tick()
            assert self.is_blind()
            assert not Span.objects.filter(root__path=str(self.world.root), covered_until__gt=self.hidden_at).exists()

    def is_blind(self) -> bool:
        return self.daemons[0].status().state is State.BLIND

    def tick_until(self, is_so: Callable[[], bool]) -> None:
        try:
            wait_until(lambda: (self.daemons[0].tick(), is_so())[1], seconds=PATIENCE_SECONDS)
        except AssertionError:
            note(self.log.stream.getvalue())
            raise

    def assert_law(self) -> None:
        assert self.world.on_disk() == self.world.entries()
        truth = [key for key, name in sorted(self.records.items()) if name not in self.world.entries()]

        assert orphans_by(RouteKind.SCAN) == truth
        assert orphans_by(RouteKind.LOG) == truth

    def assert_nothing_invented(self) -> None:
        """A census may tell once more of what is gone; the kernel's word stands for one call each.

        It says the last part of a name; before it stands where the folder was when the watcher looked for it.
        """
        told = Event.objects.filter(root__path=str(self.world.root), type__in=TAKING).exclude(data__cause="census")

        assert Counter(map(os.path.basename, told.values_list("path", flat=True))) <= self.world.takings
