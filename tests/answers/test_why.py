"""`audit_log why`: the life of a file or a record, in sentences."""

from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import LazySettings

from auditor.auditlog import append_only
from auditor.auditlog.events import (
    DirectoryDeleted,
    DirectoryMoved,
    FileCreated,
    FileDeleted,
    FileMoved,
    FileTrashed,
    RecordDeleted,
    RecordRestored,
)
from auditor.models import Event
from tests.answers.happening import NAME, RUN, UNDONE, append, at, deleted, ran, root_of, watched
from tests.makers import make_file, make_known, make_photo, real
from tests.removal.removing import planned
from tests.running import Ran, run

pytestmark = pytest.mark.django_db
A = "photos/a.jpg"


def why(subject: str = A, *flags: str) -> Ran:
    return run(NAME, "why", subject, *flags, "--log-format", "none")


def told(subject: str = A) -> list[str]:
    """The sentences with a time before them, without it."""
    return [line[21:] for line in why(subject).stdout.splitlines() if line.startswith("2026-")]


def test_folder_that_no_watcher_looked_after_may_have_lost_more(media: Path) -> None:
    append(deleted(root_of(media), A))

    answer = why().stdout

    assert "so there may be more that the log has not heard of." in answer
    assert "knows nothing" not in answer


def test_event_whose_data_were_edited_is_told_in_a_sentence(media: Path) -> None:
    append(deleted(root_of(media), A), deleted(root_of(media), "photos/b.jpg"))
    with append_only.lifted("default"):
        Event.objects.filter(position=1).update(data={})

    answer = why()

    assert (answer.code, answer.stdout) == (
        1,
        "CommandError: An event of the log, file.deleted of 'photos/a.jpg', cannot be read: it was edited.\n"
        "Run: python manage.py audit_log verify --full\n",
    )
    assert told("photos/b.jpg") == ["It was seen vanishing."]


def test_life_of_a_file_that_was_lost_cleaned_up_and_restored(media: Path) -> None:
    root, photo = root_of(media), make_photo()
    watched(root, 0, 500, reason="stopped")
    others = [deleted(root, f"photos/{number}.jpg", 131.1) for number in range(570)]
    folder = DirectoryDeleted(root=root.pk, path="photos", occurred_at=at(131.5), cause="removed")
    append(deleted(root, A, 131.1), *others, folder)
    ran(RUN, "cleanup_orphaned_media", 200)
    ran(UNDONE, "restore_orphaned_media", 300)
    about = {"root": root.pk, "path": A, "model": "gallery.Photo", "key": str(photo.pk), "field": "image"}
    append(RecordDeleted(**about, occurred_at=at(200), run_id=RUN))
    append(RecordRestored(**about, occurred_at=at(300), run_id=UNDONE, deleted_by=str(RUN)))

    answer = why()

    assert answer.code == 0
    assert answer.stdout == (
        f"photos/a.jpg in {real(media)}\n"
        "\n"
        "2026-03-01 10:02:11  It was seen vanishing, with 570 others within 0.4 s, when photos/ was removed.\n"
        f"2026-03-01 10:03:20  Run {RUN} (cleanup_orphaned_media by anna) deleted gallery.Photo:{photo.pk}, "
        "whose image it was.\n"
        f"2026-03-01 10:05:00  Run {UNDONE} (restore_orphaned_media by anna) brought back gallery.Photo:{photo.pk}, "
        f"which run {RUN} had deleted or changed.\n"
        "\n"
        "On disk: no such file now.\n"
        f"gallery.Photo:{photo.pk} names it now, as its image.\n"
        "Nobody has been looking since 2026-03-01 10:08:20 (it was stopped).\n"
    )


def test_name_that_the_log_never_heard_of(media: Path) -> None:
    watched(root_of(media), 0, 60, reason="crashed")
    watched(root_of(media), 120, 180, reason="overflow", span=uuid4())

    answer = why("photos/never.jpg", "--root", str(media))

    assert answer.code == 0
    assert answer.stdout == (
        f"photos/never.jpg in {real(media)}\n"
        "\n"
        "The log has never heard of this name.\n"
        "So it did not vanish while the watcher looked, first at 2026-03-01 10:00:00: "
        "either it is there, or it went earlier or in a gap, or it never was.\n"
        "\n"
        "On disk: no such file now.\n"
        "No record names it now.\n"
        "Nobody has been looking since 2026-03-01 10:03:00 (overflow).\n"
        "Nobody was looking from 2026-03-01 10:01:00 to 2026-03-01 10:02:00 (it died).\n"
    )


def test_folder_that_nobody_ever_watched(media: Path) -> None:
    make_file(media, A)

    assert why().stdout.splitlines()[2:] == [
        "The log has never heard of this name.",
        "No watcher has ever looked after this folder, so the log knows nothing of its files.",
        "",
        "On disk: it is there now.",
        "No record names it now.",
    ]


def test_folder_that_is_not_the_one_that_is_known_answers_for_no_file(media: Path) -> None:
    make_file(media, "photos/kept.jpg")
    make_known(media)
    append(deleted(root_of(media), A))

    (media / ".media-root").unlink()
    assert "On disk: nobody can say now (the media folder has lost its marker)." in why().stdout
    media.rename(media.with_name("elsewhere"))
    assert f"On disk: nobody can say now (The media root {real(media)} " in why().stdout


def test_neighbours_of_one_cause_end_where_nothing_vanished_for_two_seconds(media: Path) -> None:
    root = root_of(media)
    append(deleted(root, "early.jpg", 0), deleted(root, "b.jpg", 2.5), deleted(root, A, 4), deleted(root, "c.jpg", 5))
    append(deleted(root, "late.jpg", 8), deleted(root, "census.jpg", 8.5, cause="census"))

    assert told() == ["It was seen vanishing, with 2 others within 2.5 s."]
    assert told("late.jpg") == ["It was seen vanishing."]


def test_what_a_census_finds_gone_vanished_in_an_interval(media: Path) -> None:
    root, since = root_of(media), at(-3_600).isoformat()
    census = {"root": root.pk, "occurred_at": at(0), "cause": "census"}
    append(FileDeleted(path=A, **census, since=since), FileDeleted(path="b.jpg", **census))

    assert told() == [
        "It was found gone, with 1 other within 0.0 s: "
        "it vanished after 2026-03-01 09:00:00, while nobody was looking."
    ]
    assert told("b.jpg")[0].endswith(": nobody had looked before, so it is not known since when.")


def test_moves_are_told_at_both_ends(media: Path) -> None:
    root = root_of(media)
    append(FileMoved(root=root.pk, path="in.jpg", to=A, occurred_at=at(0)))
    append(DirectoryMoved(root=root.pk, path="photos", to="pics", occurred_at=at(10)))
    append(FileMoved(root=root.pk, path="pics/a.jpg", to="out.jpg", occurred_at=at(20)))
    append(FileCreated(root=root.pk, path=A, occurred_at=at(30)))

    assert told() == [
        "It came by this name: until then it was in.jpg.",
        "photos/ was renamed to pics/, with all that was in it.",
        "It was there again.",
    ]
    assert told("pics/a.jpg") == [
        "It came with pics/: until then that was photos/.",
        "It was renamed to out.jpg.",
    ]


def test_file_in_the_trash_is_told_once_with_its_run(media: Path) -> None:
    root = root_of(media)
    ran(RUN, "cleanup_unused_files", 0)
    about = {"root": root.pk, "path": A, "run_id": RUN}
    append(FileTrashed(**about, occurred_at=at(0), to=".media-trash/x", size=1, cause="unused"))
    append(deleted(root, A, 0.1, cause="trashed", run=RUN))

    assert told() == [f"Run {RUN} (cleanup_unused_files by anna) moved it into the trash."]


def test_names_that_no_record_can_hold_are_told_of(media: Path) -> None:
    root, long = root_of(media), "x" * 600 + "/" + "y" * 2_000
    about = {"root": root.pk, "occurred_at": at(0), "cause": "moved_out"}
    append(FileDeleted(path="photos/\\xff.jpg", path_bytes=b"photos/\xff.jpg", **about))
    append(FileDeleted(path=long, **about), FileDeleted(path=f"{long}z", **about))

    assert told("photos/\udcff.jpg") == ["It was moved out of the media folder, with 2 others within 0.0 s."]
    assert told("photos/\\xff.jpg") == []
    assert told(long) == ["It was moved out of the media folder, with 2 others within 0.0 s."]


def test_name_can_be_given_as_a_path_or_with_its_root(media: Path, tmp_path: Path) -> None:
    append(deleted(root_of(media), A))
    (tmp_path / "link").symlink_to(media)

    shown = why().stdout

    assert shown.startswith(f"{A} in {real(media)}\n")
    assert why(f"{real(media)}/{A}").stdout == shown
    assert why(f"{tmp_path}/link/{A}").stdout == shown
    assert why(A, "--root", str(media)).stdout == shown


def test_name_that_two_roots_have_is_told_of_both(media: Path, tmp_path: Path) -> None:
    other = root_of(tmp_path / "other")
    append(deleted(root_of(media), A), deleted(other, A))

    assert [line for line in why().stdout.splitlines() if " in /" in line] == [
        f"{A} in {real(media)}",
        f"{A} in {other.path}",
    ]
    assert why(A, "--root", other.path).stdout.startswith(f"{A} in {other.path}\n")


def test_path_outside_every_root_is_refused(media: Path) -> None:
    root_of(media)

    answer = why("/etc/passwd")

    assert answer.code == 2
    assert answer.stdout == (
        "CommandError: /etc/passwd lies in no media folder that this site uses or that the log knows.\n"
        f"Its media folders: {real(media)}, /nonexistent/elsewhere\n"
    )


def test_life_of_a_record_has_its_runs_and_its_files(media: Path) -> None:
    photo = make_photo()
    make_file(media, "photos/kept.jpg")
    make_known(media)
    outcome = planned().execute()

    lines = why(f"gallery.Photo:{photo.pk}").stdout.splitlines()

    assert len(outcome.deleted) == 1
    assert lines[0] == f"gallery.Photo:{photo.pk}"
    assert "deleted it, because its file was gone." in lines[2]
    assert lines[3:6] == [
        "",
        "It is not in the database now.",
        "It can be brought back: "
        f"python manage.py restore_orphaned_media {lines[2].split()[3]} --only gallery.Photo:{photo.pk}",
    ]
    assert f"{A} in {real(media)}" in lines


def test_record_that_no_run_touched(media: Path) -> None:
    photo = make_photo()

    lines = why(f"gallery.Photo:{photo.pk}").stdout.splitlines()

    assert lines[2:5] == [
        "No run has deleted or changed it, as far as tombstones tell.",
        "",
        "It is in the database now.",
    ]
    assert f"gallery.Photo:{photo.pk} names it now, as its image." in lines
    assert "It is not in the database now." in why("gallery.Photo:no-number").stdout


def test_json_lines_carry_the_same(media: Path) -> None:
    append(deleted(root_of(media), A))

    lines = run(NAME, "why", A, "--json").stdout.splitlines()

    assert ['"event": "life.told"' in lines[0], '"event": "life.seen"' in lines[1]] == [True, True]
    assert ['"position": 1' in lines[0], '"verdict": "missing"' in lines[1]] == [True, True]


def test_names_are_shown_without_what_a_terminal_obeys(media: Path, settings: LazySettings) -> None:
    append(deleted(root_of(media), "photos/\x1b[31m.jpg"))

    assert why("photos/\x1b[31m.jpg").stdout.startswith("photos/\\x1b[31m.jpg in ")
