"""Whether a root is the one that the database knows, and how it comes to know it."""

import errno
import os
from pathlib import Path
from uuid import UUID

import pytest

from auditor import marker, mounts
from auditor.marker import MARKER, BrokenMarkerError, how_to_replace, read_marker
from auditor.models import Root
from auditor.roots import (
    MarkerState,
    Registration,
    check,
    holds_files,
    identity,
    refuse_stranger,
    register,
    register_if_new,
)
from tests.makers import make_file
from tests.marking import OTHERS, OURS, content_of, fail, put_marker, refusal, refuse_writing, replacing


def make_root(media: Path, known: UUID | None = None, mounted: tuple[str, ...] = ()) -> Root:
    return Root.objects.create(path=str(media), marker=known, mounts=list(mounted))


def kept(root: Root) -> tuple[UUID | None, list[str]]:
    """What the database knows of the root."""
    fresh = Root.objects.get(pk=root.pk)
    assert (fresh.marker, fresh.mounts) == (root.marker, root.mounts)
    return fresh.marker, fresh.mounts


# What counts as a file


def test_a_marker_alone_is_no_file(media: Path) -> None:
    put_marker(media, OURS)
    (media / "photos" / "2024").mkdir(parents=True)

    assert not holds_files(str(media), besides=MARKER)


@pytest.mark.parametrize("name", ["photos/2024/a.jpg", f"photos/{MARKER}", "a.jpg"])
def test_any_other_file_counts(media: Path, name: str) -> None:
    put_marker(media, OURS)
    make_file(media, name)

    assert holds_files(str(media), besides=MARKER)


def test_a_folder_that_cannot_be_listed_counts_as_a_file(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (media / "closed").mkdir()
    fail(monkeypatch, "scandir", errno.EACCES, path=str(media / "closed"))

    assert holds_files(str(media), besides=MARKER)


# What the marker says


@pytest.mark.parametrize(
    ("known", "found", "state"),
    [
        (None, None, MarkerState.UNREGISTERED),
        (None, OTHERS, MarkerState.UNREGISTERED),
        (OURS, OURS, MarkerState.KNOWN),
        (OURS, None, MarkerState.GONE),
        (OURS, OTHERS, MarkerState.FOREIGN),
    ],
)
def test_the_marker_tells_the_root_from_any_other(
    media: Path, known: UUID | None, found: UUID | None, state: MarkerState
) -> None:
    if found:
        put_marker(media, found)

    assert check(Root(path=str(media), marker=known)) is state


def test_a_known_root_with_a_broken_marker_is_refused(media: Path) -> None:
    make_file(media, MARKER, b"")

    assert refusal(lambda: check(Root(path=str(media), marker=OURS))) == (
        f"{media}/{MARKER} is no marker: it does not begin with a line that is a UUID.",
        replacing(media),
    )


# The first one that meets a root


@pytest.mark.django_db
def test_a_new_root_with_files_gets_a_marker(media: Path) -> None:
    make_file(media, "a.jpg")
    root = make_root(media)

    assert register_if_new(root, using="default") is Registration.WRITTEN

    assert root.marker is not None
    assert kept(root) == (read_marker(str(media)), [])
    assert check(root) is MarkerState.KNOWN


@pytest.mark.django_db
def test_a_new_root_adopts_the_marker_that_is_there(media: Path) -> None:
    put_marker(media, OTHERS)
    root = make_root(media)

    assert register_if_new(root, using="default") is Registration.ADOPTED

    assert (kept(root), (media / MARKER).read_text()) == ((OTHERS, []), content_of(OTHERS))


@pytest.mark.django_db
def test_an_empty_root_is_not_registered_by_itself(media: Path) -> None:
    root = make_root(media)

    assert register_if_new(root, using="default") is None

    assert (kept(root), os.listdir(media)) == ((None, []), [])


@pytest.mark.django_db
def test_of_a_read_only_root_device_and_inode_are_known_and_it_is_said_once(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_file(media, "a.jpg")
    root = make_root(media)
    refuse_writing(monkeypatch, errno.EROFS)

    assert register_if_new(root, using="default") is Registration.UNMARKED
    assert register_if_new(root, using="default") is None

    assert (kept(root), os.listdir(media)) == ((None, []), ["a.jpg"])
    assert (check(root), Root.objects.get().identity) == (MarkerState.KNOWN, identity(str(media)))


@pytest.mark.django_db
def test_another_folder_in_the_place_of_a_read_only_root_is_not_taken_for_it(media: Path) -> None:
    make_file(media, "a.jpg")
    root = make_root(media)
    Root.objects.update(identity="1:2")
    root.refresh_from_db()

    assert register_if_new(root, using="default") is None

    assert (check(root), os.listdir(media)) == (MarkerState.EXCHANGED, ["a.jpg"])
    assert refusal(lambda: refuse_stranger(root, using="default")) == (
        f"The media root {media} has another device or inode than the one that is known: "
        "this is what another volume looks like.",
        f"Mount what belongs there. If this folder is meant, run: python manage.py register_media_root {media}",
    )


@pytest.mark.django_db
def test_a_read_only_root_that_can_be_written_to_by_now_gets_its_marker(media: Path) -> None:
    make_file(media, "a.jpg")
    root = make_root(media)
    Root.objects.update(identity=identity(str(media)))
    root.refresh_from_db()

    assert register_if_new(root, using="default") is Registration.WRITTEN

    assert kept(root) == (read_marker(str(media)), [])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("found", "fault", "looks_like", "flag"),
    [
        (None, "has lost its marker", "an unmounted volume", "--replace "),
        (OTHERS, "has the marker of another folder", "a wrong mount", "--replace "),
    ],
)
def test_a_stranger_is_refused_with_the_command_that_confirms_it(
    media: Path, found: UUID | None, fault: str, looks_like: str, flag: str
) -> None:
    if found:
        put_marker(media, found)
    root = make_root(media, OURS)

    assert refusal(lambda: refuse_stranger(root, using="default")) == (
        f"The media root {media} {fault}: this is what {looks_like} looks like.",
        f"Mount what belongs there. If this folder is meant, run: python manage.py register_media_root {flag}{media}",
    )


@pytest.mark.django_db
@pytest.mark.parametrize("found", [None, OTHERS])
def test_a_known_root_is_never_registered_anew_by_itself(media: Path, found: UUID | None) -> None:
    make_file(media, "a.jpg")
    if found:
        put_marker(media, found)
    root = make_root(media, OURS)

    assert register_if_new(root, using="default") is None

    assert (kept(root), read_marker(str(media))) == ((OURS, []), found)


@pytest.mark.django_db
def test_of_two_that_meet_a_root_the_quicker_one_writes(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_file(media, "a.jpg")
    root = make_root(media)
    let_another_be_quicker(monkeypatch, media)

    assert register_if_new(root, using="default") is Registration.ADOPTED

    assert (kept(root), read_marker(str(media))) == ((OTHERS, []), OTHERS)


@pytest.mark.django_db
def test_a_root_that_was_registered_meanwhile_keeps_what_is_known(media: Path) -> None:
    put_marker(media, OTHERS)
    root = make_root(media)
    Root.objects.update(marker=OURS)

    assert register_if_new(root, using="default") is None

    assert (kept(root), check(root)) == ((OURS, []), MarkerState.FOREIGN)


def let_another_be_quicker(monkeypatch: pytest.MonkeyPatch, media: Path) -> None:
    """Lets another process write its marker just before ours."""
    honest = marker._create

    def create(folder: int, content: bytes) -> None:
        monkeypatch.setattr(marker, "_create", honest)
        put_marker(media, OTHERS)
        honest(folder, content)

    monkeypatch.setattr(marker, "_create", create)


# A person's word


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("known", "found", "replace", "done", "now"),
    [
        (None, OTHERS, False, Registration.ADOPTED, OTHERS),
        (None, OTHERS, True, Registration.ADOPTED, OTHERS),
        (OURS, OURS, False, Registration.UNCHANGED, OURS),
        (OURS, OURS, True, Registration.UNCHANGED, OURS),
        (OURS, None, False, Registration.RESTORED, OURS),
        (OURS, None, True, Registration.RESTORED, OURS),
        (OURS, OTHERS, True, Registration.REPLACED, OTHERS),
    ],
)
def test_a_person_registers_the_folder_as_it_is(
    media: Path, known: UUID | None, found: UUID | None, replace: bool, done: Registration, now: UUID
) -> None:
    make_file(media, "a.jpg")
    if found:
        put_marker(media, found)
    root = make_root(media, known)

    assert register(root, using="default", replace=replace) is done

    assert (kept(root), read_marker(str(media))) == ((now, []), now)


@pytest.mark.django_db
@pytest.mark.parametrize(("is_empty", "replace"), [(False, False), (True, True)])
def test_a_person_registers_a_new_folder(media: Path, is_empty: bool, replace: bool) -> None:
    if not is_empty:
        make_file(media, "a.jpg")
    root = make_root(media)

    assert register(root, using="default", replace=replace) is Registration.WRITTEN

    assert kept(root) == (read_marker(str(media)), [])
    assert check(root) is MarkerState.KNOWN


@pytest.mark.django_db
def test_another_marker_is_refused(media: Path) -> None:
    put_marker(media, OTHERS)
    root = make_root(media, OURS, mounted=("videos",))

    assert refusal(lambda: register(root, using="default")) == (
        f"The marker in {media} is not the one this database knows: it is {OTHERS}, and was {OURS}.",
        replacing(media),
    )
    assert (kept(root), read_marker(str(media))) == ((OURS, ["videos"]), OTHERS)


@pytest.mark.django_db
@pytest.mark.parametrize("known", [None, OURS])
def test_an_empty_folder_is_refused(media: Path, known: UUID | None) -> None:
    (media / "photos").mkdir()
    root = make_root(media, known)

    assert refusal(lambda: register(root, using="default")) == (
        f"There is not a single file in {media}: this is what an unmounted volume looks like.",
        replacing(media),
    )
    assert (kept(root), os.listdir(media)) == ((known, []), ["photos"])


@pytest.mark.django_db
def test_a_hint_names_the_database_and_quotes_the_folder(media: Path) -> None:
    folder = media / "it's here"
    folder.mkdir()

    _, hint = refusal(lambda: register(make_root(folder), using="default"))

    assert hint == replacing(Path(f"'{media}/it'\"'\"'s here'"))
    assert how_to_replace("/srv/media", "archive") == (
        "If this folder is meant, run: python manage.py register_media_root --database archive --replace /srv/media"
    )


@pytest.mark.django_db
@pytest.mark.parametrize(("known", "done"), [(None, Registration.WRITTEN), (OURS, Registration.RESTORED)])
def test_a_broken_marker_is_replaced_only_if_a_person_says_so(
    media: Path, known: UUID | None, done: Registration
) -> None:
    make_file(media, "elsewhere.txt")
    (media / MARKER).symlink_to("elsewhere.txt")
    root = make_root(media, known)

    with pytest.raises(BrokenMarkerError):
        register(root, using="default")
    assert register(root, using="default", replace=True) is done

    assert kept(root) == (read_marker(str(media)), [])
    assert check(root) is MarkerState.KNOWN
    assert (media / "elsewhere.txt").read_bytes() == b"content"


@pytest.mark.django_db
@pytest.mark.parametrize("replace", [False, True])
def test_a_marker_that_cannot_be_read_is_not_replaced(
    media: Path, monkeypatch: pytest.MonkeyPatch, replace: bool
) -> None:
    put_marker(media, OTHERS)
    root = make_root(media)
    fail(monkeypatch, "open", errno.EIO, path=MARKER)

    message, _ = refusal(lambda: register(root, using="default", replace=replace))

    monkeypatch.undo()
    assert message == f"{media}/{MARKER} cannot be read: Input/output error."
    assert (kept(root), read_marker(str(media))) == ((None, []), OTHERS)


@pytest.mark.django_db
@pytest.mark.parametrize(("known", "replace"), [(None, False), (None, True), (OURS, True)])
def test_a_read_only_folder_is_registered_without_a_marker(
    media: Path, monkeypatch: pytest.MonkeyPatch, known: UUID | None, replace: bool
) -> None:
    make_file(media, "a.jpg")
    root = make_root(media, known, mounted=("videos",))
    refuse_writing(monkeypatch, errno.EROFS)

    assert register(root, using="default", replace=replace) is Registration.UNMARKED

    assert Root.objects.get().identity == identity(str(media))
    assert (kept(root), os.listdir(media)) == ((None, []), ["a.jpg"])


@pytest.mark.django_db
def test_a_lost_marker_that_cannot_be_written_is_refused(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_file(media, "a.jpg")
    root = make_root(media, OURS)
    refuse_writing(monkeypatch, errno.EACCES)

    assert refusal(lambda: register(root, using="default")) == (
        f"The marker in {media} is missing, and the folder cannot be written to.",
        f"Run this as the owner of the folder.\n{replacing(media)}",
    )
    assert kept(root) == (OURS, [])


@pytest.mark.django_db
@pytest.mark.parametrize("replace", [False, True])
def test_a_person_who_is_overtaken_adopts_the_marker_of_the_quicker_one(
    media: Path, monkeypatch: pytest.MonkeyPatch, replace: bool
) -> None:
    make_file(media, "a.jpg")
    root = make_root(media)
    let_another_be_quicker(monkeypatch, media)

    assert register(root, using="default", replace=replace) is Registration.ADOPTED

    assert (kept(root), read_marker(str(media))) == ((OTHERS, []), OTHERS)


@pytest.mark.django_db
def test_what_is_mounted_now_is_what_is_known_afterwards(
    media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_marker(media, OURS)
    listed = tmp_path / "mountinfo"
    listed.write_text(f"26 1 254:0 / / rw - ext4 /dev/vda rw\n27 26 254:1 / {media}/films rw - ext4 /dev/vdb rw\n")
    monkeypatch.setattr(mounts, "LIST", str(listed))
    root = make_root(media, OURS, mounted=("videos", "films"))

    register(root, using="default")

    assert kept(root) == (OURS, ["films"])


@pytest.mark.django_db
def test_without_the_list_of_mounts_nothing_is_registered(
    media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_marker(media, OTHERS)
    root = make_root(media)
    monkeypatch.setattr(mounts, "LIST", str(tmp_path / "nowhere"))

    assert refusal(lambda: register(root, using="default")) == (
        f"The list of mounts, {tmp_path}/nowhere, cannot be read: No such file or directory.",
        "Run this where /proc is mounted.",
    )
    assert kept(root) == (None, [])
