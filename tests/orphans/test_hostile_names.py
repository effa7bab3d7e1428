"""Names that no careful site holds, and some do: each has its verdict, from a listing as from a look."""

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from auditor.orphans.disk import (
    LEADS_OUT,
    LEAVES_ROOT,
    MISSING,
    NOT_A_NAME,
    ODDLY_PRESENT,
    PRESENT,
    Look,
    look_now,
    looks_now,
)
from tests.makers import make_file, real
from tests.orphans.looking import judge, unknown


def make_hostile_tree(media: Path) -> None:
    for name in ("photos/a.jpg", "photos/line\nbreak.jpg", "photos/Ärger ☃.jpg", "photos/back\\slash.jpg", "photos/-"):
        make_file(media, name)
    make_file(media, "photos/empty.jpg", b"")
    for folder in ("outside", "media-2"):
        make_file(media.with_name(folder), "a.jpg")
    (media / "photos/folder.jpg").mkdir()
    for link, target in {
        "photos/dangling.jpg": "nowhere",
        "photos/leaving.jpg": "../../outside/a.jpg",
        "inside": "photos",
        "outside": "../outside",
        "beside": "../media-2",
        "unmounted": "/nonexistent/volume",
        "empty": "nowhere",
        "loop": "loop",
    }.items():
        (media / link).symlink_to(target)


TOO_LONG = unknown(errno.ENAMETOOLONG)
HOSTILE = {
    "photos/a.jpg": PRESENT,
    "photos/line\nbreak.jpg": PRESENT,
    "photos/Ärger ☃.jpg": PRESENT,
    "photos/back\\slash.jpg": PRESENT,
    "photos/-": PRESENT,
    "photos/empty.jpg": PRESENT,
    "photos/folder.jpg": PRESENT,
    "photos/dangling.jpg": PRESENT,
    "photos/leaving.jpg": PRESENT,
    "photos": PRESENT,
    "inside": PRESENT,
    "outside": PRESENT,
    "loop": PRESENT,
    "photos/b.jpg": MISSING,
    "photos/A.jpg": MISSING,
    "photos\\a.jpg": MISSING,
    "photos/line": MISSING,
    "gone/a.jpg": MISSING,
    "gone/deeper/a.jpg": MISSING,
    "photos/a.jpg/b.jpg": MISSING,
    "photos/a.jpg/b/c.jpg": MISSING,
    "": ODDLY_PRESENT,
    ".": ODDLY_PRESENT,
    "photos/": ODDLY_PRESENT,
    "photos//a.jpg": ODDLY_PRESENT,
    "./photos/a.jpg": ODDLY_PRESENT,
    "photos/./a.jpg": ODDLY_PRESENT,
    "photos/../photos/a.jpg": ODDLY_PRESENT,
    "gone/../photos/a.jpg": ODDLY_PRESENT,
    "photos/a.jpg/": ODDLY_PRESENT,
    "photos/a.jpg/.": ODDLY_PRESENT,
    "inside/a.jpg": ODDLY_PRESENT,
    "inside//a.jpg": ODDLY_PRESENT,
    "inside/": ODDLY_PRESENT,
    "outside/.": ODDLY_PRESENT,
    "photos//b.jpg": MISSING,
    "gone/": MISSING,
    "gone//a.jpg": MISSING,
    "inside/b.jpg": MISSING,
    "empty/a.jpg": MISSING,
    "..": LEAVES_ROOT,
    "../outside/a.jpg": LEAVES_ROOT,
    "../media-2/a.jpg": LEAVES_ROOT,
    "../media/photos/a.jpg": LEAVES_ROOT,
    "photos/../../outside/a.jpg": LEAVES_ROOT,
    "/etc/hostname": LEAVES_ROOT,
    "//etc/hostname": LEAVES_ROOT,
    "/": LEAVES_ROOT,
    "outside/a.jpg": LEADS_OUT,
    "outside/b.jpg": LEADS_OUT,
    "outside//b.jpg": LEADS_OUT,
    "beside/a.jpg": LEADS_OUT,
    "beside/b.jpg": LEADS_OUT,
    "unmounted/a.jpg": LEADS_OUT,
    "photos/\0.jpg": NOT_A_NAME,
    "gone/\0.jpg": NOT_A_NAME,
    "photos/a.jpg/\0.jpg": NOT_A_NAME,
    "\0/a.jpg": NOT_A_NAME,
    "photos//\0.jpg": NOT_A_NAME,
    "photos/\ud800.jpg": NOT_A_NAME,
    "gone/\ud800.jpg": NOT_A_NAME,
    "\ud800/a.jpg": NOT_A_NAME,
    "\ud800//a.jpg": NOT_A_NAME,
    "photos/" + "x" * 300: TOO_LONG,
    "x" * 300 + "/a.jpg": TOO_LONG,
    "gone/" + "x/" * 3000: TOO_LONG,
    "loop/a.jpg": unknown(errno.ELOOP),
}


@pytest.mark.parametrize("exact", [False, True])
def test_hostile_names_have_their_verdicts(exact: bool, media: Path) -> None:
    make_hostile_tree(media)

    looks = judge(media, *HOSTILE, exact=exact)

    assert looks == {name: look for name, look in HOSTILE.items() if look is not PRESENT}


@pytest.mark.parametrize("exact", [False, True])
def test_a_hostile_name_has_the_same_verdict_alone(exact: bool, media: Path) -> None:
    make_hostile_tree(media)

    looks = {name: judge(media, name, exact=exact).get(name, PRESENT) for name in HOSTILE}

    assert looks == HOSTILE


def one_by_one(media: Path) -> dict[str, Look]:
    return {name: look_now(real(media), name) for name in HOSTILE}


def together(media: Path) -> dict[str, Look]:
    return looks_now(real(media), HOSTILE)


@pytest.mark.parametrize("looking", [one_by_one, together])
def test_a_hostile_name_looked_at_now_has_the_same_verdict(
    looking: Callable[[Path], dict[str, Look]], media: Path
) -> None:
    make_hostile_tree(media)

    looks = looking(media)

    assert [(look.verdict, look.reason) for look in looks.values()] == [
        (look.verdict, look.reason) for look in HOSTILE.values()
    ]
