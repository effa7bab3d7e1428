"""Files that nobody names are proposed for missing ones, where only one of them can be meant."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.files.storage import FileSystemStorage
from django.db import connection, transaction
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from auditor.auditlog import store
from auditor.models import Fingerprint
from auditor.orphans import registry
from auditor.orphans.fingerprints import keep_all_prints, keep_prints
from auditor.orphans.plan import Evidence, Fate, Finding, Move, Orphan, Plan
from auditor.orphans.proposals import propose
from auditor.orphans.registry import Registration, audited_models
from auditor.orphans.route import RouteKind
from deploy.gallery.models import Photo
from tests.makers import make_file, make_photo, make_video, real, settle
from tests.orphans.looking import without_privileges
from tests.orphans.planning import planned, watch
from tests.shapes.models import Archived, Pair, Passport, Profile

pytestmark = pytest.mark.django_db
NAME, SIZE, INODE = Evidence.SAME_NAME, Evidence.SAME_SIZE, Evidence.SAME_INODE


def proposed(plan: Plan | None = None) -> list[tuple[str, str, Evidence]]:
    """Each proposal as (missing name, file, evidence); the fates of all orphans are as before."""
    made = propose(plan or planned(wanted=RouteKind.SCAN), audited_models(), using="default")
    assert {orphan.fate for _, orphan in made.orphans()} <= {Fate.DELETE, Fate.MOVED}
    return [(move.name, move.to, move.evidence) for _, orphan in made.orphans() for move in orphan.moves]


def remember(media: Path, *names: str) -> None:
    keep_prints(store.register_root(real(media), using="default"), names, using="default")


def test_only_file_of_the_name_is_proposed(media: Path) -> None:
    make_photo("photos/a.jpg")
    make_file(media, "sorted/2024/a.jpg")
    make_file(media, "sorted/2024/b.jpg")

    assert proposed() == [("photos/a.jpg", "sorted/2024/a.jpg", NAME)]


def test_file_of_the_size_is_told_from_others_of_the_name(media: Path) -> None:
    photo = make_photo("photos/a.jpg", media=media)
    remember(media, photo.image.name)
    make_file(media, "x/a.jpg", (media / "photos/a.jpg").read_bytes())
    make_file(media, "y/a.jpg", b"of another size")
    (media / "photos/a.jpg").unlink()

    assert proposed() == [("photos/a.jpg", "x/a.jpg", SIZE)]


def test_file_of_another_size_is_not_proposed(media: Path) -> None:
    photo = make_photo("photos/a.jpg", media=media)
    remember(media, photo.image.name)
    make_file(media, "x/a.jpg", b"of another size")
    (media / "photos/a.jpg").unlink()

    assert proposed() == []


@pytest.mark.parametrize("to", ["x/a.jpg", "x/another.jpg"])
def test_file_moved_while_nobody_watched_is_known_by_its_inode(media: Path, to: str) -> None:
    photo = make_photo("photos/a.jpg", media=media)
    remember(media, photo.image.name)
    make_file(media, "y/a.jpg", (media / "photos/a.jpg").read_bytes())
    (media / "x").mkdir()
    (media / "photos/a.jpg").rename(media / to)

    assert proposed() == [("photos/a.jpg", to, INODE)]


def test_inode_that_another_file_has_got_is_not_believed(media: Path) -> None:
    photo = make_photo("photos/a.jpg", media=media)
    remember(media, photo.image.name)
    (media / "photos/a.jpg").rename(media / "other.bin")
    (media / "other.bin").write_bytes(b"of another size")

    assert proposed() == []


def test_file_that_was_moved_and_then_changed_is_known_by_name_and_inode(media: Path) -> None:
    photo = make_photo("photos/a.jpg", media=media)
    remember(media, photo.image.name)
    (media / "photos/a.jpg").rename(media / "a.jpg")
    (media / "a.jpg").write_bytes(b"of another size")

    assert proposed() == [("photos/a.jpg", "a.jpg", INODE)]


def test_two_files_of_the_name_are_ambiguous(media: Path) -> None:
    make_photo("photos/a.jpg")
    make_file(media, "x/a.jpg")
    make_file(media, "y/a.jpg")

    assert proposed() == []


def test_file_that_two_missing_names_fit_is_not_proposed(media: Path) -> None:
    make_photo("photos/a.jpg")
    make_photo("pictures/a.jpg")
    make_file(media, "x/a.jpg")

    assert proposed() == []


def test_name_that_two_records_miss_is_not_looked_for(media: Path) -> None:
    make_photo("photos/a.jpg")
    make_photo("photos/a.jpg")
    make_file(media, "x/a.jpg")

    assert proposed() == []


def test_file_that_a_record_names_is_never_proposed(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left_out = Registration(model="shapes.Pair", primary=("left",))  # its other field is not audited
    monkeypatch.setitem(registry._registrations, "shapes.Pair", left_out)
    (media / "d").mkdir()
    (media / "l").symlink_to("d")
    (media / "link").symlink_to("d/linked.jpg")
    holders = {
        "photo": lambda name: make_photo(name, media=media),
        "thumbnail": lambda name: make_photo("b.jpg", thumbnail=name),
        "avatar": lambda name: Profile.objects.create(avatar=name),
        "left_out": lambda name: Pair.objects.create(left="b.jpg", right=name),
        "odd": lambda name: make_video(f"./d/../{name}"),
        "through_symlink": lambda name: make_video(f"l/{name}"),
        "linked": lambda name: make_video("link"),
    }
    make_file(media, "b.jpg")
    for holder, hold in holders.items():
        folder = "d/" if holder in ("through_symlink", "linked") else ""
        make_file(media, f"{folder}{holder}.jpg")
        hold(f"{holder}.jpg")
        make_photo(f"photos/{holder}.jpg")

    assert proposed() == []


def test_file_that_a_field_of_another_root_names_is_never_proposed(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Archived._meta.get_field("file"), "storage", FileSystemStorage(location=media / "archive"))
    make_file(media, "archive/a.jpg")
    Archived.objects.create(file="a.jpg", is_sealed=True)
    make_photo("photos/a.jpg")

    assert proposed() == []


def test_file_in_two_roots_is_not_proposed_for_both(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Archived._meta.get_field("file"), "storage", FileSystemStorage(location=media / "archive"))
    make_file(media, "archive/x/a.jpg")
    Archived.objects.create(file="a.jpg")
    make_photo("photos/a.jpg")

    assert proposed() == []


def test_file_of_which_a_move_was_seen_is_not_proposed_for_another(media: Path) -> None:
    make_photo("photos/a.jpg", pk=1)
    make_photo("photos/b.jpg", pk=2)
    make_file(media, "b.jpg")

    def see(_: Finding, orphan: Orphan) -> Orphan:
        seen = (Move("image", "photos/a.jpg", "b.jpg", Evidence.SEEN),)
        return replace(orphan, moves=seen, fate=Fate.MOVED) if orphan.key == 1 else orphan

    plan = planned(wanted=RouteKind.SCAN).changed(see)

    assert proposed(plan) == [("photos/a.jpg", "b.jpg", Evidence.SEEN)]


def test_what_is_no_file_of_ours_is_not_proposed(media: Path) -> None:
    for name in (".media-root", "folder.jpg", "link.jpg", "long.jpg"):
        make_photo(f"photos/{name}")
    make_file(media, ".media-root")
    (media / "folder.jpg").mkdir()
    make_file(media.with_name("outside"), "link.jpg")
    (media / "link.jpg").symlink_to(media.with_name("outside") / "link.jpg")
    (media / "outside").symlink_to(media.with_name("outside"))
    make_file(media, f"{'x' * 100}/long.jpg")
    os.makedirs(os.fsencode(media) + b"/\xff")
    (media / os.fsdecode(b"\xff") / "a.jpg").touch()
    make_photo("photos/a.jpg")

    assert proposed() == []


def test_name_that_another_record_took_is_not_proposed_where_only_one_may(media: Path) -> None:
    Passport.objects.create(scan="x/a.pdf")
    make_file(media, "y/a.pdf")
    Passport.objects.create(scan="a.pdf")
    make_file(media, "a.pdf")

    assert proposed() == [("x/a.pdf", "y/a.pdf", NAME)]


@pytest.mark.parametrize("mode", [0o000, 0o444])
def test_folder_that_cannot_be_read_is_not_searched(mode: int) -> None:
    with tempfile.TemporaryDirectory() as folder, override_settings(MEDIA_ROOT=f"{folder}/media"):
        os.chmod(folder, 0o755)
        media = Path(folder, "media")
        make_file(media, "closed/a.jpg")
        make_file(media, "open/b.jpg")
        for name in ("a.jpg", "b.jpg"):
            make_photo(f"photos/{name}")
        plan = planned(wanted=RouteKind.SCAN)
        (media / "closed").chmod(mode)
        try:
            with without_privileges():
                assert proposed(plan) == [("photos/b.jpg", "open/b.jpg", NAME)]
        finally:
            (media / "closed").chmod(0o755)


def test_proposing_only_reads(media: Path) -> None:
    make_photo("photos/a.jpg")
    make_file(media, "a.jpg")
    remember(media, "a.jpg")
    plan = planned(wanted=RouteKind.SCAN)

    with CaptureQueriesContext(connection) as queries:
        assert len(proposed(plan)) == 1

    assert {query["sql"].split()[0] for query in queries.captured_queries} == {"SELECT"}


PLACES = st.lists(
    st.builds("{}{}".format, st.sampled_from(["", "d/", "d/e/", "f/"]), st.sampled_from("ab")), max_size=8, unique=True
)

NAMES = st.lists(st.sampled_from(["a", "d/a", "d/e/a", "f/b", "g/a", "g/b", "./a", "d//b"]), max_size=8)


@hypothesis_settings(max_examples=60, deadline=None)
@given(
    PLACES, st.lists(st.sampled_from(["a", "d/a", "d/e/a", "f/b", "g/a", "g/b", "./a", "d//b"]), max_size=8), st.data()
)
def test_no_proposal_is_a_file_of_a_record_and_none_is_made_twice(
    files: list[str], names: list[str], data: st.DataObject
) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        override_settings(MEDIA_ROOT=f"{folder}/media"),
        transaction.atomic(),
    ):
        media = Path(folder, "media")
        media.mkdir()
        for name in files:
            make_file(media, name, b"x" * data.draw(st.integers(1, 2)))
        for name in names:
            make_photo(name)
        remember(media, *(name for name in names if data.draw(st.booleans())))
        for name in files:
            if data.draw(st.booleans()) and (media / name).exists():
                os.replace(media / name, media / "moved")
                make_file(media, "x", b"")

        settle(media)
        plan = planned(wanted=RouteKind.SCAN)
        made = proposed(plan)

        assert made == proposed(walked(plan))
        targets = [to for _, to, _ in made]
        held = {os.path.realpath(media / name) for name in Photo.objects.values_list("image", flat=True)}
        assert len(set(targets)) == len(targets)
        assert not {os.path.realpath(media / to) for to in targets} & held
        assert all((media / to).is_file() for to in targets)
        transaction.set_rollback(True)


def walked(plan: Plan) -> Plan:
    """The plan of a scan that left nothing over: every directory has to be listed again."""
    return replace(plan, roots=tuple(replace(root, leftovers={}) for root in plan.roots))


def test_what_the_scan_has_listed_and_found_named_is_not_listed_again(media: Path) -> None:
    make_photo("photos/2024/a.jpg", thumbnail="thumbnails/a.jpg", media=media)
    make_file(media, "thumbnails/a.jpg")
    make_photo("photos/2024/gone.jpg", thumbnail="thumbnails/b.jpg")
    make_file(media, "thumbnails/b.jpg")
    settle(media)
    plan = planned(wanted=RouteKind.SCAN)

    with listed() as folders, CaptureQueriesContext(connection) as queries:
        assert proposed(plan) == []
    assert folders == [f"{real(media)}/", f"{real(media)}/photos/"]
    assert not [query for query in queries.captured_queries if "gallery_photo" in query["sql"]]


def test_file_that_came_after_the_scan_is_proposed(media: Path) -> None:
    make_photo("photos/a.jpg", media=media)
    make_photo("photos/2024/b.jpg")
    settle(media)
    plan = planned(wanted=RouteKind.SCAN)
    make_file(media, "photos/b.jpg")

    assert proposed(plan) == [("photos/2024/b.jpg", "photos/b.jpg", NAME)]


def test_folders_that_a_record_names_are_searched(media: Path) -> None:
    make_photo("photos/a.jpg", media=media)
    make_file(media, "photos/folder/b.jpg")
    make_photo("photos/folder")
    make_photo("photos/b.jpg")
    settle(media)

    assert proposed() == [("photos/b.jpg", "photos/folder/b.jpg", NAME)]


def test_file_that_was_moved_while_nobody_watched_is_found_among_what_is_left_over(media: Path) -> None:
    photo = make_photo("photos/a.jpg", media=media)
    make_photo("photos/b.jpg", media=media)
    remember(media, photo.image.name)
    (media / "photos/a.jpg").rename(media / "photos/renamed.jpg")
    settle(media)

    assert proposed() == [("photos/a.jpg", "photos/renamed.jpg", INODE)]


@contextmanager
def listed() -> Iterator[list[str]]:
    """The folders whose entries are asked for."""
    folders: list[str] = []
    scandir = os.scandir

    def noting(folder: str) -> object:
        folders.append(folder)
        return scandir(folder)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "scandir", noting)
        yield folders


def test_fingerprints_are_written_only_where_they_changed(media: Path) -> None:
    for name in ("a", "b"):
        make_file(media, name)
    root = store.register_root(real(media), using="default")
    written = [keep_prints(root, ["a", "b", "gone", "d\0"], using="default")]
    make_file(media, "b", b"another content")
    (media / "a").unlink()

    written += [keep_prints(root, ["a", "b"], using="default") for _ in range(2)]

    assert written == [2, 1, 0]
    assert dict(Fingerprint.objects.values_list("path", "size")) == {"a": 7, "b": 15}


def test_clean_up_can_keep_the_fingerprints_of_all_files(media: Path, archive: Path) -> None:
    make_photo("photos/a.jpg", thumbnail="thumbnails/a.jpg", media=media)
    make_file(media, "thumbnails/a.jpg")
    make_photo("photos/gone.jpg")
    make_photo("./photos/a.jpg")
    make_file(archive, "b.pdf")
    Archived.objects.create(file="b.pdf")

    written = keep_all_prints(audited_models(), using="default")

    kept = {(one.root.path, one.path) for one in Fingerprint.objects.all()}
    assert kept == {(real(media), "photos/a.jpg"), (real(media), "thumbnails/a.jpg"), (real(archive), "b.pdf")}
    assert written == 3


@pytest.mark.parametrize("is_on", [False, True])
def test_census_keeps_fingerprints_where_the_project_wants_them(
    media: Path, settings: LazySettings, is_on: bool
) -> None:
    settings.AUDITOR_FINGERPRINTS = is_on
    make_photo("photos/a.jpg", media=media)
    watch(media)
    (media / "photos/a.jpg").rename(media / "renamed.jpg")  # while nobody watches

    assert proposed() == ([("photos/a.jpg", "renamed.jpg", INODE)] if is_on else [])
    assert Fingerprint.objects.count() == is_on
