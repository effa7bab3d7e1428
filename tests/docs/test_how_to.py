"""The how-to pages: a site that follows them works, and their tables hold what the code holds."""

import errno
import re
import shutil
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest
from django.core.files.base import ContentFile

from auditor.auditlog.coverage import GapReason
from auditor.catalogue import LINES
from auditor.marker import MARKER, content_of
from auditor.orphans import storages
from auditor.orphans.disk import MISSING, PRESENT, Verdict
from auditor.orphans.remote import look_now, prove, read_marker
from deploy.gallery import media_audit
from deploy.gallery.models import Photo
from deploy.gallery.settings import DATABASES
from tests.docs.bare_site import WORLD, add_settings, make_bare_site, run_block
from tests.docs.pages import DOCS, IS_WRITING, fences, marked, table_rows, write
from tests.docs.site import Site, Terminal, call
from tests.docs.worlds import in_world, removed_names
from tests.orphans.looking import broken
from watcher import limits

PIPELINES = DOCS / "how-to/log-pipelines.md"
WATCHING = DOCS / "how-to/run-the-watcher.md"
SETTINGS = [fence for fence in marked("file") if fence.about == "settings.py"]
[SHOWN] = [fence for fence in marked("output") if fence.about == WORLD]
WATCHER_LINES = (
    *("watcher.", "root.registered", "root.waiting", "span.", "checkpoint.", "batch."),
    *("append.", "spool.", "observer.", "report.", "record.orphaned", "journal.failed"),
)


@pytest.mark.sqlite
@pytest.mark.live
def test_a_site_that_follows_the_page_looks_first_and_then_deletes(tmp_path: Path) -> None:
    make_bare_site(tmp_path)
    before = [fence for fence in SETTINGS if fence.line < SHOWN.line]
    for fence in before:
        add_settings(tmp_path, fence)

    looked = run_block(tmp_path, SHOWN.command)
    for fence in SETTINGS[len(before) :]:
        add_settings(tmp_path, fence)
    deleted = run_block(tmp_path, "python manage.py cleanup_orphaned_media --force")

    if IS_WRITING:
        write(SHOWN, looked)
        return
    assert looked == SHOWN.text
    assert "Papers deleted: 1\n" in deleted


@pytest.mark.sqlite
@pytest.mark.skipif(not shutil.which("rsync"), reason="the page copies by rsync")
def test_a_site_that_follows_the_page_on_a_wrong_rm_has_all_again(site: Site, tmp_path: Path) -> None:
    shutil.copytree(site.media, tmp_path / "backup/media")
    records, names = set(Photo.objects.values_list("pk", "image")), removed_names()
    site.remove(*names)
    site.run("python manage.py cleanup_orphaned_media --force")

    for fence in fences(DOCS / "how-to/recover-from-a-wrong-rm.md"):
        if fence.language == "bash":
            site.run(fence.text.replace("/backup/media", f"{tmp_path}/backup/media"), typed="yes\n")

    assert set(Photo.objects.values_list("pk", "image")) == records
    assert [name for name in names if not (site.media / name).exists()] == []


@pytest.mark.sqlite
def test_shown_options_of_sqlite_are_those_of_the_gallery() -> None:
    ours: dict[str, Any] = {"default": {}}
    [block] = [fence.text for fence in SETTINGS if "OPTIONS" in fence.text]

    exec(block, {"DATABASES": ours})

    assert ours["default"]["OPTIONS"] == DATABASES["default"]["OPTIONS"]


@pytest.mark.sqlite
def test_shown_registration_is_that_of_the_gallery() -> None:
    [block] = [fence.text for fence in marked("file") if fence.about == "media_audit.py"]
    assert media_audit.__file__

    assert Path(media_audit.__file__).read_text(encoding="utf-8").endswith(block)


@pytest.mark.parametrize(
    "row", table_rows(PIPELINES, section="Where the lines go"), ids=lambda row: "; ".join(row[:2])
)
def test_streams_carry_what_the_table_says(row: list[str], site: Site) -> None:
    flags, terminal, *expected = row
    given = [] if flags == "none" else flags.strip("`").split()
    stdout, stderr = StringIO(), Terminal() if terminal == "a terminal" else StringIO()

    with in_world("files-removed", site):
        call("cleanup_orphaned_media", ["--dry-run", *given], stdout=stdout, screen=stderr)

    assert [carried(stdout.getvalue()), carried(stderr.getvalue())] == expected


def carried(text: str) -> str:
    """What a stream carried, in the words of the table."""
    if not text:
        return "nothing"
    if text.startswith("Scanning"):
        return "summary"
    return "JSON lines" if text.startswith("{") else "console lines"


@pytest.mark.sqlite
def test_page_of_the_watcher_has_every_line_that_it_writes() -> None:
    rows = table_rows(WATCHING, section="What its lines mean")

    expected = {event for event in LINES if event.startswith(WATCHER_LINES)}
    assert {row[0].strip("`") for row in rows} == expected


@pytest.mark.sqlite
def test_page_of_the_watcher_has_every_reason_that_closes_a_span() -> None:
    rows = table_rows(WATCHING, section="What closes a span")

    assert {row[0].strip("`") for row in rows} == set(GapReason)


@pytest.mark.sqlite
def test_page_of_the_watcher_names_the_limit_that_each_message_names() -> None:
    rows = table_rows(WATCHING, section="Limits of the kernel")

    messages = [
        f"{limits.no_watch(b'/app/media', 28)} {limits.more_watches(1)}",
        limits.no_instance(OSError(24, "Too many open files")),
        limits.overflow(),
    ]
    assert [message for message, (said, _) in zip(messages, rows, strict=True) if said not in message] == []
    named = [re.search(r"fs\.inotify\.\w+", message) for message in messages]
    assert [found[0] for found in named if found] == [re.findall(r"`(.*?)`", raise_)[0] for _, raise_ in rows]


@pytest.mark.sqlite
def test_alerts_are_on_lines_that_exist() -> None:
    rows = table_rows(PIPELINES, section="What to alert on")

    assert {row[0].strip("`") for row in rows} <= set(LINES)


def test_shown_storage_adapter_does_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storages, "_factories", dict(storages._factories))
    shop = ModuleType("shop.storages")
    blocks = {fence.about: fence.text for fence in marked("file")}
    exec(blocks["shop/storages.py"], shop.__dict__)
    exec(blocks["shop/media_audit.py"], {})
    (tmp_path / "media").mkdir()

    adapter = storages.home_of(shop.ShardedStorage(location=tmp_path / "media")).adapter

    assert adapter is not None
    assert adapter.root == f"sharded:{tmp_path}/media"
    assert adapter.is_empty()
    adapter.write(MARKER, content_of(UUID(int=1)))
    adapter.storage.save("docs/a.pdf", ContentFile(b"content"))
    prove(adapter)
    assert (read_marker(adapter), adapter.is_empty()) == (UUID(int=1), False)
    assert look_now(adapter, ["docs/a.pdf", "docs/b.pdf"]) == {"docs/a.pdf": PRESENT, "docs/b.pdf": MISSING}
    with broken("lstat", errno.EIO):
        assert look_now(adapter, ["docs/a.pdf"])["docs/a.pdf"].verdict is Verdict.UNKNOWN
