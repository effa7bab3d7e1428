"""Libraries of photos and videos, a watcher's word on them, and the command as a shell runs it."""

import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import uuid4

from django.db import connections

from auditor.auditlog import store
from auditor.auditlog.coverage import FieldSeen
from auditor.auditlog.events import CheckpointCompleted, FileDeleted, SpanOpened
from auditor.journal import triggers
from auditor.journal.columns import column_of, unique
from auditor.management.commands.cleanup_orphaned_media import Command
from auditor.models import UncheckedReference
from auditor.orphans.registry import audited_models
from auditor.roots import identity
from deploy.gallery.models import Photo, Video
from tests.commands.programs import NAME
from tests.makers import make_album, make_file, make_known, real
from tests.running import Ran

RULE = "=" * 70
UNDO = "To undo this, once the files are back: python manage.py restore_orphaned_media RUN\n"
SCANNED = "Full disk scan: no watcher has ever run for this folder (manage.py watch_media starts one)"


def make_library(media: Path, *, photos: int, videos: int, with_files: bool = False) -> None:
    """Records of one album, named as cameras name them; the folder is never empty, and is registered."""
    album = make_album()
    names = [f"photos/{1000004108 - 3 * number}.jpg" for number in range(photos)]
    films = [f"videos/{1000004108 - 3 * number}.mp4" for number in range(videos)]
    Photo.objects.bulk_create(Photo(image=name, album=album) for name in names)
    Video.objects.bulk_create(Video(video=name, album=album) for name in films)
    for name in ["photos/kept.jpg", *(names + films if with_files else [])]:
        make_file(media, name)
    make_known(media)


def make_watched(media: Path, *deleted: str) -> None:
    """An open span with a checkpoint, after which these names vanished; its watermark is now."""
    root, span, now = store.register_root(real(media), using="default"), uuid4(), store.database_time("default")
    fields = {one.id: column_of(audited.model, one.name) for audited in audited_models() for one in audited.fields}
    seen = triggers.look(unique(list(fields.values())), using="default")
    compared = {field: store.stored_field(FieldSeen(journal=seen[column.id].mark)) for field, column in fields.items()}
    UncheckedReference.objects.all().delete()
    opened = SpanOpened(root=root.pk, occurred_at=now, span=str(span), identity=identity(root.path))
    checked = CheckpointCompleted(
        root=root.pk, occurred_at=now, span=str(span), compared=compared, references=0, missing=0
    )
    gone = [FileDeleted(root=root.pk, path=name, occurred_at=now, cause="unlinked") for name in deleted]
    store.append([opened, checked, *gone], using="default")


def anonymous(text: str) -> str:
    """The text with RUN for the id of any run."""
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "RUN", text)


class Terminal(StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Person(StringIO):
    """Somebody at the prompt, who does something else before answering."""

    def __init__(self, answer: str, meanwhile: Callable[[], object] = lambda: None) -> None:
        super().__init__(answer)
        self.meanwhile = meanwhile

    def readline(self, size: int = -1, /) -> str:
        self.meanwhile()
        return super().readline(size)


def shell(*arguments: str, stderr: StringIO | None = None) -> Ran:
    """Runs the command in this process to the very end: with its checks, and its errors printed by itself."""
    stdout, stderr = StringIO(), stderr or StringIO()
    code: Any = 0
    # The connection and the transaction of the test are to outlive the command.
    with mock.patch.object(connections, "close_all"):
        try:
            Command(stdout=stdout, stderr=stderr).run_from_argv(["manage.py", NAME, *arguments])
        except SystemExit as ended:
            code = ended.code
    return Ran(code=code, stdout=stdout.getvalue(), stderr=stderr.getvalue())
