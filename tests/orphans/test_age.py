"""How long files have been missing, by the log and by earlier runs, and what waits for that."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from auditor.auditlog import store
from auditor.auditlog.events import (
    DirectoryDeleted,
    DirectoryFound,
    Event,
    FileCreated,
    FileDeleted,
    FileFound,
    FileMoved,
)
from auditor.models import Absence, ClockReading, Root, Span
from auditor.orphans.age import aged, remember
from auditor.orphans.plan import Deleted, Fate, Orphan, Outcome, Plan
from auditor.orphans.route import RouteKind
from deploy.gallery.models import Photo
from tests.clocks import DAY, SetClocks
from tests.makers import make_file, make_photo, make_video, real
from tests.orphans.planning import finding, planned, watch

pytestmark = pytest.mark.django_db
WEEK = 7 * DAY


@pytest.fixture
def clocks() -> SetClocks:
    return SetClocks()


def scan() -> Plan:
    return planned(wanted=RouteKind.SCAN)


def look(clocks: SetClocks, **options: Any) -> None:
    """A run that is allowed to write and deletes nothing."""
    remember(scan(), using="default", read=clocks, **options)


def ages(clocks: SetClocks, *, minimum: float = WEEK) -> dict[str, float | None]:
    """{name: seconds} of the orphaned photos."""
    plan = aged(scan(), minimum, using="default", read=clocks)
    return {orphan.name: orphan.missing_seconds for orphan in finding(plan, "gallery.Photo").orphans}


def append(media: Path, *makers: Callable[..., Event]) -> None:
    root = store.register_root(real(media), using="default")
    events = [make(root=root.pk, occurred_at=store.database_time("default")) for make in makers]
    store.append(events, using="default")


def event(kind: type[Event], path: str, **facts: Any) -> Callable[..., Event]:
    return lambda **common: kind(path=path, **facts, **common)


def unlinked(path: str) -> Callable[..., Event]:
    return event(FileDeleted, path, cause="unlinked")


def by_census(path: str) -> Callable[..., Event]:
    return event(FileDeleted, path, cause="census")


def test_record_waits_until_its_file_has_been_missing_for_so_long(media: Path, clocks: SetClocks) -> None:
    photo = make_photo("photos/a.jpg")
    look(clocks)
    clocks.let_pass(WEEK - 1)

    early = aged(scan(), WEEK, using="default", read=clocks)
    clocks.let_pass(1)
    late = aged(scan(), WEEK, using="default", read=clocks)

    missing, group = (("image", "photos/a.jpg"),), finding(early, "gallery.Photo").orphans[0].group
    why = "missing for at least 6 d 23 h, 7 d are asked for"
    assert finding(early, "gallery.Photo").orphans == (
        Orphan(photo.pk, missing, group, Fate.WAITING, missing_seconds=WEEK - 1, why=why),
    )
    assert early.to_do == ()
    assert finding(late, "gallery.Photo").orphans == (Orphan(photo.pk, missing, group, missing_seconds=WEEK),)


def test_nothing_is_known_of_the_first_run(media: Path, clocks: SetClocks) -> None:
    make_photo("photos/a.jpg")

    assert ages(clocks) == {"photos/a.jpg": 0.0}
    assert not Absence.objects.exists()


def test_later_run_does_not_make_an_age_shorter(media: Path, clocks: SetClocks) -> None:
    make_photo("photos/a.jpg")
    look(clocks)
    clocks.let_pass(3 * DAY)
    make_photo("photos/b.jpg")
    look(clocks)
    clocks.let_pass(DAY)

    assert ages(clocks) == {"photos/a.jpg": 4 * DAY, "photos/b.jpg": DAY}


def test_fate_that_is_not_deletion_stays(media: Path, clocks: SetClocks) -> None:
    make_photo("photos/a.jpg")
    moved = scan().changed(lambda _, one: Orphan(one.key, one.missing, fate=Fate.MOVED))

    plan = aged(moved, WEEK, using="default", read=clocks)

    assert [(one.fate, one.missing_seconds) for _, one in plan.orphans()] == [(Fate.MOVED, 0.0)]


@pytest.mark.parametrize("years", [-10, 10])
def test_clock_that_jumps_makes_nothing_older(media: Path, clocks: SetClocks, years: int) -> None:
    make_photo("photos/a.jpg")
    look(clocks)
    clocks.let_pass(DAY)
    look(clocks)
    clocks.set_wall(years * 365 * DAY)

    before = ages(clocks)
    look(clocks)
    clocks.let_pass(DAY)
    after = ages(clocks)

    assert before == {"photos/a.jpg": DAY}
    assert after == {"photos/a.jpg": 2 * DAY}


def test_reboot_neither_makes_older_nor_forgets(media: Path, clocks: SetClocks) -> None:
    make_photo("photos/a.jpg")
    look(clocks)
    clocks.let_pass(DAY)
    look(clocks)
    clocks.let_pass(3_600)
    clocks.reboot("second start", up_for=60)

    at_once = ages(clocks)
    look(clocks)
    clocks.let_pass(DAY)

    assert at_once == {"photos/a.jpg": DAY}
    assert ages(clocks) == {"photos/a.jpg": 2 * DAY}


def test_other_machine_that_has_been_up_for_a_year_makes_nothing_older(media: Path, clocks: SetClocks) -> None:
    make_photo("photos/a.jpg")
    look(clocks)
    clocks.let_pass(60)
    clocks.set_wall(10 * 365 * DAY)
    clocks.reboot("other machine", up_for=365 * DAY)

    look(clocks)

    assert ages(clocks) == {"photos/a.jpg": 0.0}


def test_deletion_that_was_seen_ages_from_the_next_reading(media: Path, clocks: SetClocks) -> None:
    make_photo("photos/a.jpg")
    append(media, unlinked("photos/a.jpg"))

    unread = ages(clocks)
    clocks.let_pass(DAY)
    clocks.keep()
    clocks.let_pass(DAY)

    assert (unread, ages(clocks)) == ({"photos/a.jpg": 0.0}, {"photos/a.jpg": DAY})


def test_run_takes_over_what_the_log_knows(media: Path, clocks: SetClocks) -> None:
    make_photo("photos/a.jpg")
    append(media, unlinked("photos/a.jpg"))
    clocks.keep()
    clocks.let_pass(DAY)
    look(clocks)
    clocks.let_pass(DAY)

    assert ages(clocks) == {"photos/a.jpg": 2 * DAY}


def test_file_in_a_removed_directory_has_the_age_of_that(media: Path, clocks: SetClocks) -> None:
    make_photo("photos/2024/may/a.jpg", media=media)
    make_photo("photos/20240/b.jpg", media=media)
    root = watch(media)
    shutil.rmtree(media / "photos")
    append(media, event(DirectoryDeleted, "photos/2024", cause="removed"))
    clocks.keep()
    clocks.let_pass(DAY)

    plan = aged(planned(wanted=RouteKind.LOG), WEEK, using="default", read=clocks)
    by_scan = ages(clocks)
    Span.objects.filter(root=root).update(closed_at=clocks.wall)

    assert [(one.name, one.missing_seconds) for _, one in plan.orphans()] == [("photos/2024/may/a.jpg", DAY)]
    assert by_scan == {"photos/2024/may/a.jpg": 0.0, "photos/20240/b.jpg": 0.0}
    assert ages(clocks) == by_scan


def test_directory_that_was_removed_before_the_last_gap_gives_no_age(media: Path, clocks: SetClocks) -> None:
    """Files may have come back in it, of which nothing is told, and gone again in the gap."""
    make_photo("photos/a.jpg")
    append(media, event(DirectoryDeleted, "photos", cause="removed"))
    clocks.keep()
    clocks.let_pass(3 * DAY)
    watch(media)
    clocks.let_pass(DAY)

    plan = aged(planned(wanted=RouteKind.LOG), WEEK, using="default", read=clocks)

    assert [(one.name, one.missing_seconds) for _, one in plan.orphans()] == [("photos/a.jpg", 0.0)]


def test_file_that_came_back_in_a_removed_directory_has_its_own_age(media: Path, clocks: SetClocks) -> None:
    """The directory's row stays until the next census, and a return of a name that has no row is not told."""
    make_photo("photos/a.jpg", media=media)
    watch(media)
    shutil.rmtree(media / "photos")
    append(media, event(DirectoryDeleted, "photos", cause="removed"))
    clocks.keep()
    clocks.let_pass(3 * DAY)
    append(media, unlinked("photos/a.jpg"))
    clocks.keep()
    clocks.let_pass(DAY)

    plan = aged(planned(wanted=RouteKind.LOG), WEEK, using="default", read=clocks)

    assert [(one.name, one.missing_seconds) for _, one in plan.orphans()] == [("photos/a.jpg", DAY)]


def test_name_that_the_log_cannot_follow_has_no_age_by_it(media: Path, clocks: SetClocks) -> None:
    (media / "elsewhere").mkdir()
    (media / "link").symlink_to("elsewhere")
    names = ["link/a.jpg", "link/b.jpg", "x/../c.jpg", "photos//d.jpg", "photos/e.jpg"]
    for name in names:
        make_photo(name)
    watch(media)
    append(media, *(event(DirectoryDeleted, path, cause="removed") for path in ("link", "x", "photos")))
    append(media, unlinked("link/b.jpg"))
    clocks.keep()
    clocks.let_pass(DAY)

    plan = aged(planned(wanted=RouteKind.LOG), WEEK, using="default", read=clocks)

    found = {one.name: one.missing_seconds for _, one in plan.orphans()}
    assert found == dict.fromkeys(names, 0.0) | {"photos/e.jpg": DAY}


def test_name_that_the_log_cannot_follow_ages_by_the_runs(media: Path, clocks: SetClocks) -> None:
    make_photo("x/../c.jpg")
    look(clocks)
    clocks.let_pass(DAY)

    assert ages(clocks) == {"x/../c.jpg": DAY}


def test_run_that_sees_a_file_again_forgets_its_absence(media: Path, clocks: SetClocks) -> None:
    make_photo("photos/a.jpg")
    look(clocks)
    clocks.let_pass(WEEK)
    file = make_file(media, "photos/a.jpg")
    look(clocks)
    file.unlink()
    clocks.let_pass(60)

    assert not Absence.objects.exists()
    assert ages(clocks) == {"photos/a.jpg": 0.0}


def test_run_that_sees_a_file_again_ends_its_age_by_the_log(media: Path, clocks: SetClocks) -> None:
    """Nobody watches any more, so the log goes on to say that it is missing."""
    make_photo("photos/a.jpg")
    append(media, unlinked("photos/a.jpg"))
    clocks.keep()
    clocks.let_pass(WEEK)
    file = make_file(media, "photos/a.jpg")
    look(clocks)
    file.unlink()
    clocks.let_pass(60)

    assert ages(clocks) == {"photos/a.jpg": 0.0}
    look(clocks)
    clocks.let_pass(DAY)
    assert ages(clocks) == {"photos/a.jpg": DAY}


@pytest.mark.parametrize(
    "sign",
    [
        unlinked("photos/a.jpg"),
        event(FileMoved, "photos/a.jpg", to="photos/b.jpg"),
        event(FileMoved, "photos/b.jpg", to="photos/a.jpg"),
        event(FileCreated, "photos/a.jpg"),
        event(FileFound, "photos/a.jpg", as_of=0),
    ],
)
def test_sign_in_the_log_that_a_file_was_there_ends_its_absence(
    media: Path, clocks: SetClocks, sign: Callable[..., Event]
) -> None:
    make_photo("photos/a.jpg")
    look(clocks)
    clocks.let_pass(WEEK)
    append(media, sign)
    clocks.keep()
    clocks.let_pass(60)

    assert ages(clocks)["photos/a.jpg"] in (0.0, 60.0)


@pytest.mark.parametrize(
    "sign",
    [
        by_census("photos/a.jpg"),
        event(DirectoryDeleted, "photos", cause="removed"),
        event(DirectoryFound, "photos", as_of=0),
        unlinked("photos/b.jpg"),
        event(FileCreated, "photos/a.jp"),
    ],
)
def test_what_says_nothing_of_a_file_leaves_its_absence(
    media: Path, clocks: SetClocks, sign: Callable[..., Event]
) -> None:
    make_photo("photos/a.jpg")
    look(clocks)
    clocks.let_pass(WEEK)
    append(media, sign)
    clocks.keep()
    clocks.let_pass(60)

    assert ages(clocks) == {"photos/a.jpg": WEEK + 60}


def test_event_of_another_root_leaves_an_absence(media: Path, clocks: SetClocks) -> None:
    make_photo("photos/a.jpg")
    look(clocks)
    clocks.let_pass(DAY)
    append(media / "other", unlinked("photos/a.jpg"))

    assert ages(clocks) == {"photos/a.jpg": DAY}


def test_census_that_sees_a_file_again_ends_its_absence(media: Path, clocks: SetClocks) -> None:
    make_photo("photos/a.jpg")
    make_photo("photos/b.jpg")
    look(clocks)
    clocks.let_pass(WEEK)
    file = make_file(media, "photos/a.jpg")
    watch(media)
    file.unlink()

    assert ages(clocks) == {"photos/a.jpg": 0.0, "photos/b.jpg": WEEK}


def test_record_with_two_missing_files_has_the_age_of_the_first_that_went(media: Path, clocks: SetClocks) -> None:
    make_file(media, "photos/b.jpg")
    first = make_photo("photos/a.jpg")
    look(clocks)
    clocks.let_pass(DAY)
    both = scan().changed(lambda _, one: Orphan(one.key, (("image", "photos/b.jpg"), *one.missing)))

    plan = aged(both, WEEK, using="default", read=clocks)

    assert [(one.key, one.missing_seconds) for _, one in plan.orphans()] == [(first.pk, DAY)]


def test_file_that_two_records_name_has_one_age(media: Path, clocks: SetClocks) -> None:
    make_photo("photos/a.jpg")
    look(clocks)
    clocks.let_pass(DAY)
    make_photo("photos/a.jpg")

    plan = aged(scan(), WEEK, using="default", read=clocks)

    assert [one.missing_seconds for _, one in plan.orphans()] == [DAY, DAY]


def test_name_that_cannot_be_judged_for_once_keeps_its_age(media: Path, clocks: SetClocks) -> None:
    make_photo("photos/a.jpg")
    look(clocks)
    clocks.let_pass(DAY)
    (media / "photos").symlink_to("/")
    look(clocks)
    (media / "photos").unlink()
    clocks.let_pass(DAY)

    assert ages(clocks) == {"photos/a.jpg": 2 * DAY}


def test_record_that_is_gone_takes_the_absence_along(media: Path, clocks: SetClocks) -> None:
    make_photo("photos/a.jpg")
    make_photo("photos/b.jpg", media=media)
    look(clocks)
    Photo.objects.filter(image="photos/a.jpg").delete()

    look(clocks)

    assert not Absence.objects.exists()


def test_what_the_run_deletes_is_not_noted(media: Path, clocks: SetClocks) -> None:
    make_photo("photos/a.jpg")
    make_photo("photos/b.jpg")
    look(clocks)
    plan = scan()
    deleted, kept = finding(plan, "gallery.Photo").orphans
    outcome = Outcome(deleted=(Deleted(model="gallery.Photo", orphan=deleted, position=1),))

    remember(plan, outcome, using="default", read=clocks)

    assert list(Absence.objects.values_list("path", flat=True)) == [kept.name]


def test_run_with_a_selection_leaves_the_rest_alone(media: Path, clocks: SetClocks) -> None:
    for name in ("photos/a.jpg", "photos/b.jpg", "scans/c.jpg"):
        make_photo(name)
    append(media, unlinked("scans/d.jpg"))
    clocks.keep()
    look(clocks)
    make_photo("scans/d.jpg")
    make_file(media, "photos/b.jpg")
    clocks.let_pass(DAY)
    chosen = scan().changed(lambda _, one: one if one.name.startswith("photos/") else None)

    remember(
        chosen, using="default", is_judged=lambda root, name: (root, name[:7]) == (real(media), "photos/"), read=clocks
    )

    assert ages(clocks) == {"photos/a.jpg": DAY, "scans/c.jpg": DAY, "scans/d.jpg": 0.0}


def test_run_with_a_selection_does_not_end_ages_by_the_log(media: Path, clocks: SetClocks) -> None:
    make_photo("photos/a.jpg")
    append(media, unlinked("photos/a.jpg"))
    clocks.keep()
    nothing = scan().changed(lambda _, one: None)

    remember(nothing, using="default", is_judged=lambda root, name: False, read=clocks)
    clocks.let_pass(DAY)

    assert ages(clocks) == {"photos/a.jpg": DAY}


def test_second_run_leaves_a_note_as_it_is(media: Path, clocks: SetClocks) -> None:
    make_photo("photos/a.jpg")
    plan = scan()
    remember(plan, using="default", read=clocks)
    before = list(Absence.objects.values())
    clocks.let_pass(DAY)

    remember(plan, using="default", read=clocks)

    assert list(Absence.objects.values()) == before


def test_name_too_long_for_an_index_waits_for_ever(media: Path, clocks: SetClocks) -> None:
    make_photo("photos/a.jpg")
    long = scan().changed(lambda _, one: Orphan(one.key, (("image", "/".join(["x" * 200] * 11)),)))
    remember(long, using="default", read=clocks)
    clocks.let_pass(WEEK)

    plan = aged(long, 1, using="default", read=clocks)

    assert [(one.fate, one.missing_seconds) for _, one in plan.orphans()] == [(Fate.WAITING, 0.0)]


def test_telling_ages_only_selects(media: Path, clocks: SetClocks) -> None:
    make_photo("photos/a.jpg")
    make_video("videos/a.mp4")
    append(media, event(DirectoryDeleted, "videos", cause="removed"))
    look(clocks)
    plan, asked = scan(), []

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        asked.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        aged(plan, WEEK, using="default")  # by the real clocks

    assert [sql for sql in asked if not sql.startswith("SELECT") or "FOR UPDATE" in sql] == []
    assert len(asked) > 0


def test_root_that_the_database_does_not_know_has_no_ages(media: Path, clocks: SetClocks) -> None:
    make_photo("photos/a.jpg")

    aged(scan(), WEEK, using="default", read=clocks)

    assert not Root.objects.exists()


def test_real_clocks_tell_that_hardly_any_time_has_passed(media: Path) -> None:
    make_photo("photos/a.jpg")
    remember(scan(), using="default")
    first = ClockReading.objects.get()

    remember(scan(), using="default")
    [orphan] = [one for _, one in aged(scan(), 60, using="default").orphans()]

    second = ClockReading.objects.get(pk__gt=first.pk)
    assert (second.boot, second.uptime_ms >= first.uptime_ms) == (first.boot, True)
    assert orphan.missing_seconds is not None
    assert 0 <= orphan.missing_seconds < 60
    assert os.path.exists("/proc/uptime")
