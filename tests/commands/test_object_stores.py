"""Media in an object store: registered, judged and cleaned up by commands, and nothing deleted whatever fails."""

import socket
from collections.abc import Callable
from itertools import count
from pathlib import Path
from uuid import UUID

import pytest

from auditor.marker import MARKER, content_of
from auditor.models import Event, Root
from auditor.orphans.finder import find
from auditor.orphans.proposals import propose
from auditor.orphans.registry import audited_models
from auditor.orphans.survey import make_survey
from auditor.removal.restore_plan import Wish
from tests.makers import make_file
from tests.orphans.storing import store_documents
from tests.removal.removing import planned
from tests.removal.restoring import restored
from tests.running import Ran, run
from tests.s3_server import S3, Asked, Failure, cut_short, hang, hang_up, s3_storage
from tests.shapes.models import Document

pytestmark = pytest.mark.django_db

OTHERS = UUID("6ba7b810-9dad-41d1-80b4-00c04fd430c8")
MENDING = "This is what a wrong bucket or endpoint, missing permissions or an outage look like: mend it and run again."


def clean_up(*flags: str) -> Ran:
    return run("cleanup_orphaned_media", "--model", "shapes.Document", *(flags or ("--force",)))


def titles() -> list[str]:
    return sorted(Document.objects.values_list("title", flat=True))


@pytest.fixture
def root(s3: S3, monkeypatch: pytest.MonkeyPatch) -> str:
    """A registered place with the file of one of three documents."""
    store_documents(s3_storage(s3.url, location="site"), monkeypatch)
    for title in ("here", "gone", "lost"):
        Document.objects.create(title=title, file=f"documents/{title}.pdf")
    s3.buckets["media"] = {"site/documents/here.pdf": b"content"}
    root = f"s3+{s3.url}/media/site/"
    assert run("register_media_root", root).code == 0
    return root


def test_orphans_go_and_the_others_stay(root: str) -> None:
    done = clean_up()

    assert (done.code, titles()) == (0, ["here"])
    assert "Documents: 2 orphaned out of 3 total" in done.stdout
    assert "Full disk scan: its storage is no folder of this machine, so no watcher can tell of it" in done.stdout
    events = Event.objects.filter(type="record.deleted").values_list("root__path", "path")
    assert sorted(events) == [(root, "documents/gone.pdf"), (root, "documents/lost.pdf")]


def test_dry_run_only_reads(root: str, s3: S3) -> None:
    objects = dict(s3.buckets["media"])
    s3.kinds()

    assert clean_up("--dry-run").code == 0

    assert titles() == ["gone", "here", "lost"]
    assert s3.buckets["media"] == objects
    assert "PUT" not in s3.kinds()


def test_log_route_is_refused(root: str) -> None:
    done = clean_up("--dry-run", "--route", "log")

    assert done.code == 1
    assert "The audit log cannot answer for shapes.Document.file: its storage is no folder" in done.stdout


def test_record_whose_file_is_back_can_be_brought_back(root: str, s3: S3) -> None:
    planned("shapes.Document").execute()
    s3.buckets["media"]["site/documents/lost.pdf"] = b"content"

    done = restored(Wish())

    assert titles() == ["here", "lost"]
    assert [one.reason for one in done.plan.away] == ["documents/gone.pdf: the file is missing"]


def test_no_files_are_proposed_for_those_of_an_object_store(
    root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make_file(tmp_path, f"{root}others/gone.pdf")  # the place, taken for a folder of the current one
    audited = audited_models(["shapes.Document"])
    plan = find(audited, make_survey(audited, using="default"))

    assert propose(plan, audited, using="default") == plan


def test_file_that_comes_back_meanwhile_saves_its_record(root: str, s3: S3) -> None:
    gets = count()

    def restore(asked: Asked) -> None:
        if asked == Asked("GET", "media", "site/documents/lost.pdf") and next(gets) == 0:
            s3.buckets["media"]["site/documents/lost.pdf"] = b"content"  # the scan still hears "not found"
        if asked.kind == "GET" and asked.key.endswith("lost.pdf"):
            return

    s3.fail = lambda asked: (
        restore(asked)
        or (Failure(404, "NoSuchKey") if asked.kind == "GET" and asked.key.endswith("lost.pdf") else None)
    )

    done = clean_up()

    assert (done.code, titles()) == (0, ["here", "lost"])
    assert "documents/lost.pdf (the file is back)" in done.stdout


def unregistered(s3: S3) -> None:
    Root.objects.all().delete()


def without_marker(s3: S3) -> None:
    del s3.buckets["media"][f"site/{MARKER}"]


def with_foreign_marker(s3: S3) -> None:
    s3.buckets["media"][f"site/{MARKER}"] = content_of(OTHERS)


def with_broken_marker(s3: S3) -> None:
    s3.buckets["media"][f"site/{MARKER}"] = b"\xff"


def without_bucket(s3: S3) -> None:
    del s3.buckets["media"]


def with_another_bucket(s3: S3) -> None:
    s3.buckets["media"] = {}


def forbidden_to_list(s3: S3) -> None:
    missing = lambda asked: asked.key not in s3.buckets["media"]  # noqa: E731
    s3.fail = lambda asked: Failure(403, "AccessDenied") if missing(asked) else None


def failing(failure: Failure) -> Callable[[S3], None]:
    def fail(s3: S3) -> None:
        s3.fail = lambda _: failure

    return fail


@pytest.mark.parametrize(
    ("befalls", "message"),
    [
        (unregistered, "The storage {root} is not registered."),
        (without_marker, "The storage {root} has lost its marker."),
        (with_foreign_marker, f"The storage {{root}} has a foreign marker: it is {OTHERS}, and was {{marker}}."),
        (with_broken_marker, "{root}.media-root is no marker: it does not begin with a line that is a UUID."),
        (with_another_bucket, "The storage {root} has lost its marker."),
        (without_bucket, "The storage {root} cannot be read: NoSuchBucket: An error occurred (NoSuchBucket)"),
        (forbidden_to_list, "The storage {root} cannot tell a missing file from an error: ClientError: An error"),
        (
            failing(Failure(403, "AccessDenied")),
            "The storage {root} cannot be read: AccessDenied: An error occurred (Acc",
        ),
        (failing(Failure(500)), "The storage {root} cannot be read: ClientError: An error occurred (InternalError)"),
        (failing(Failure(act=hang)), "The storage {root} cannot be read: ReadTimeoutError: Read timeout"),
        (failing(Failure(act=hang_up)), "The storage {root} cannot be read: ConnectionClosedError: Connection"),
    ],
)
def test_storage_that_has_not_proved_itself_is_refused(
    befalls: Callable[[S3], None], message: str, root: str, s3: S3
) -> None:
    marker = Root.objects.get(path=root).marker
    befalls(s3)

    forced, dry = clean_up(), clean_up("--dry-run")

    assert (forced.code, dry.code) == (5, 5)
    assert titles() == ["gone", "here", "lost"]
    sentence = "CommandError: " + message.format(root=root, marker=marker)
    assert sentence in forced.stdout
    assert sentence in dry.stdout


def test_connection_that_is_refused_deletes_nothing(root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        store_documents(s3_storage(url, location="site"), monkeypatch)

        done = clean_up()

    assert (done.code, titles()) == (5, ["gone", "here", "lost"])
    assert "cannot be read: EndpointConnectionError" in done.stdout
    assert MENDING in done.stdout


@pytest.mark.parametrize("befalls", [without_bucket, with_another_bucket])
def test_storage_that_changes_at_any_request_deletes_nothing(befalls: Callable[[S3], None], root: str, s3: S3) -> None:
    s3.kinds()
    clean_up("--dry-run")
    dry = len(s3.kinds())
    before = dict(s3.buckets["media"])
    codes = set()
    for at in range(200):
        s3.buckets["media"], s3.fail, numbers = dict(before), lambda _: None, count()

        def change(_: Asked, at: int = at, numbers: "count[int]" = numbers) -> None:
            if next(numbers) == at:
                befalls(s3)

        s3.fail = change
        if (done := clean_up()).code == 0:
            break
        codes.add(done.code)
        assert titles() == ["gone", "here", "lost"]

    assert at > 3 * dry / 2  # each request of the plan, and those inside the transaction
    assert titles() == ["here"]
    assert codes <= {4, 5}


def test_folder_that_cannot_be_listed_deletes_nothing(root: str, s3: S3) -> None:
    names = [f"documents/{number}.pdf" for number in range(100)]
    Document.objects.bulk_create(Document(title=name, file=name) for name in [*names, "others/gone.pdf"])
    s3.fail = lambda asked: Failure(act=cut_short) if asked.kind == "LIST" else None

    done = clean_up()

    assert (done.code, Document.objects.count()) == (5, 104)
    assert f"The directory site/documents in {root} could not be read (it cannot be listed: " in done.stdout


def test_names_of_which_the_storage_tells_nothing_are_unknown(root: str, s3: S3) -> None:
    s3.fail = lambda asked: Failure(403, "AccessDenied") if asked.key.endswith("gone.pdf") else None

    done = clean_up()

    assert (done.code, titles()) == (4, ["gone", "here"])
    assert "documents/gone.pdf (ClientError: An error occurred (403)" in done.stdout


def test_outage_after_the_plan_deletes_nothing(root: str, s3: S3) -> None:
    """Each name fails in the last look: the records stay, and are listed."""
    heads = count()

    def fail(asked: Asked) -> Failure | None:
        is_name = asked.kind == "HEAD" and asked.key.startswith("site/documents/")
        return Failure(503, "SlowDown") if is_name and next(heads) >= 3 else None

    s3.fail = fail

    done = clean_up()

    assert (done.code, titles()) == (4, ["gone", "here", "lost"])
    assert "Kept: 2 records" in done.stdout
