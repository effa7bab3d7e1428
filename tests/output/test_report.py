"""The report's rarer blocks, from plain values, and the rule that keeps names from being obeyed."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor import report
from auditor.orphans.plan import Along, Deleted, Finding, Group, Kept, Orphan, Outcome, Plan, RootSeen, Unknown
from auditor.orphans.route import Route, RouteKind, RouteReason
from auditor.wording import safe
from tests.commands.library import RULE

pytestmark = pytest.mark.sqlite
NOW = datetime(2026, 3, 1, 10, 2, 11, tzinfo=UTC)
LOG = Route(kind=RouteKind.LOG, reason=RouteReason.COVERED, now=NOW, age_seconds=2.4, deletions=1_571)
ASKED = Route(kind=RouteKind.SCAN, reason=RouteReason.ASKED, now=NOW)
NEVER = Route(kind=RouteKind.SCAN, reason=RouteReason.NEVER_WATCHED, now=NOW)


def found(model: str = "gallery.Photo", label: str = "Photos", *, named: bool = True, **rest: Any) -> Finding:
    one = {"label": label, "label_of_one": label.removesuffix("s"), "total": 1}
    return Finding(model=model, named=named, has_primary=True, **(one | rest))


def orphan(name: str, group: Group | None = None, key: int = 1) -> Orphan:
    return Orphan(key, (("image", name),), group)


def summarised(*findings: Finding, **rest: Any) -> list[str]:
    """The blocks of a summary."""
    return report.summary(Plan(findings=findings, **rest)).split("\n\n")


def routed(routes: Mapping[str, Mapping[str, Route]]) -> str:
    return summarised(found(), found("gallery.Video", "Videos"), routes=routes)[0]


def test_one_route_for_all_is_one_line() -> None:
    fields = dict.fromkeys(("gallery.Photo.image", "gallery.Photo.thumbnail", "gallery.Video.video"), LOG)

    shown = routed({"/srv/media": fields})

    assert shown == "Audit log: complete up to 2 s ago, 1,571 deletions since the last checkpoint"


def test_fields_that_take_different_routes_are_told_apart() -> None:
    shown = routed({"/srv/media": {"gallery.Photo.image": LOG, "gallery.Video.video": ASKED}})

    assert shown == (
        "Audit log of gallery.Photo.image: complete up to 2 s ago, 1,571 deletions since the last checkpoint\n"
        "Full disk scan of gallery.Video.video: asked for with --route scan"
    )


def test_roots_are_told_apart_and_their_names_written_out() -> None:
    shown = routed({"/srv/a": {"gallery.Photo.image": ASKED}, "/srv/\x1bb": {"gallery.Video.video": ASKED}})

    assert shown == (
        "Full disk scan (/srv/a): asked for with --route scan\n"
        "Full disk scan (/srv/\\x1bb): asked for with --route scan"
    )


def test_route_of_a_model_that_is_only_mentioned_is_not_shown() -> None:
    shown = routed({"/srv/media": {"gallery.Photo.image": ASKED, "shapes.Profile.avatar": NEVER}})

    assert shown == "Full disk scan: asked for with --route scan"


def test_groups_of_different_kinds_and_more_than_twenty_of_one() -> None:
    albums = [Group(kind="Album", kinds="Albums", name=f"{number:02}") for number in range(22)]
    shop = Group(kind="Shop", kinds="Shops", name="Aix")
    photos = found(orphans=tuple(orphan("a.jpg", group, key) for key, group in enumerate([*reversed(albums), shop])))

    blocks = summarised(photos, found("gallery.Video", "Videos", orphans=(orphan("b.mp4", shop),)))

    twenty = "\n".join(f"  - {number:02}: 1 photo" for number in range(20))
    assert blocks[3:] == [
        f"Affected albums:\n{twenty}\n  ... and 2 more",
        "Affected shops:\n  - Aix: 1 photo, 1 video",
    ]


def test_fields_that_could_not_be_checked_are_listed_and_nothing_is_called_clean() -> None:
    blocks = summarised(found(unchecked={"image": "S3Storage keeps its files in no local folder"}))

    assert blocks[1:] == ["Not checked:\n  - gallery.Photo.image: S3Storage keeps its files in no local folder"]


def test_unknown_names_are_listed_and_nothing_is_called_clean() -> None:
    unknown = tuple(Unknown("gallery.Photo", key, "image", f"{key}.jpg", "EIO: I/O error") for key in range(11))

    blocks = summarised(found(), unknown=unknown)

    ten = "\n".join(f"  - {key}.jpg (EIO: I/O error)" for key in range(10))
    head = "Unknown: 11 names could not be judged; the records stay"
    assert blocks[1:] == [f"{head}\n{ten}\n  ... and 1 more"]


@pytest.mark.parametrize(
    ("is_empty", "what"), [(True, "There is not a single file"), (False, "Not one file that a record names is")]
)
def test_root_that_nothing_proves_is_shown_for_what_it_looks_like(is_empty: bool, what: str) -> None:
    root = RootSeen(path="/srv/\nmedia", identity="8:1", is_unproven=True, is_empty=is_empty)
    route = Route(kind=RouteKind.SCAN, reason=RouteReason.ASKED, now=datetime(2026, 1, 1, tzinfo=UTC))

    blocks = summarised(
        found(orphans=(orphan("a.jpg"),)), roots=(root,), routes={root.path: {"gallery.Photo.image": route}}
    )

    looks_like = "this is what an unmounted volume or a wrong MEDIA_ROOT looks like."
    assert blocks[-1] == f"{what} in /srv/\\nmedia: {looks_like}"


def test_completion_tells_what_went_what_went_along_and_what_stayed() -> None:
    plan = Plan(findings=(found(), found("gallery.Video", "Videos"), found("shapes.Pair", "Pairs", named=False)))
    outcome = Outcome(
        deleted=(Deleted(model="gallery.Photo", orphan=orphan("a.jpg"), position=1),),
        kept=(Kept(model="gallery.Photo", orphan=orphan("\x1bb.jpg"), reason="the file is back", is_settled=True),),
        taken=(
            Along(what="gallery.Photo_tags", one="tag link", many="tag links", count=1),
            Along(what="gallery.Rendition", one="rendition", many="renditions", count=1_204),
        ),
        emptied=(Along(what="gallery.Album.cover", one="album cover", many="album covers", count=3),),
    )

    assert report.completion(plan, outcome) == (
        f"{RULE}\nCLEANUP COMPLETE\n{RULE}\n"
        "Photos deleted: 1\n"
        "Videos deleted: 0\n"
        "Total deleted: 1\n"
        f"{RULE}\n\n"
        "Also deleted: 1,204 renditions, 1 tag link\n"
        "Set to empty: 3 album covers\n\n"
        "Kept: 1 record\n"
        "  - \\x1bb.jpg (the file is back)"
    )


# All of Unicode, halves of characters too.
texts = st.text(st.characters(exclude_categories=()))


@given(texts)
def test_safe_text_holds_nothing_that_a_terminal_obeys(text: str) -> None:
    shown = safe(text)

    assert shown.isprintable()
    assert "\x1b" not in shown
    shown.encode()


@given(texts)
def test_safe_text_is_safe_already(text: str) -> None:
    assert safe(safe(text)) == safe(text)


@given(texts)
def test_what_can_be_printed_is_left_as_it_is(text: str) -> None:
    printable = "".join(filter(str.isprintable, text))

    assert safe(printable) == printable


@given(texts, texts)
def test_each_character_is_written_out_for_itself(one: str, two: str) -> None:
    assert safe(one + two) == safe(one) + safe(two)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Évian – 北京 😀.jpg", "Évian – 北京 😀.jpg"),
        ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
        ("\x1b[31m\x9b31m\x7f\x00", "\\x1b[31m\\x9b31m\\x7f\\x00"),
        ("\u202e\u2066\u200b\ufeff\u2028", "\\u202e\\u2066\\u200b\\ufeff\\u2028"),
        ("\xa0\u3000", "\\xa0\\u3000"),
        ("\udcff", "\\xff"),
        ("\ud800", "\\ud800"),
        ("\U000e0001", "\\U000e0001"),
    ],
    ids=ascii,
)
def test_safe_text(text: str, shown: str) -> None:
    assert safe(text) == shown
