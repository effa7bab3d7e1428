"""What only the reading of files shows: bit rot, replaced files, broken images and wrong sizes."""

import errno
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage
from PIL import EpsImagePlugin, ImageFile

from auditor.integrity import checksums, content, shared
from auditor.integrity.content import Asked, Content
from auditor.integrity.findings import Kind
from auditor.integrity.pace import Pace
from auditor.integrity.tree import NAMED, WANTED
from auditor.integrity.walk import walk
from auditor.models import Checksum, Root
from deploy.gallery.models import Photo
from tests.integrity.checking import check, found, healed, kinds, lines, make_sound, picture
from tests.makers import make_file, make_known, make_photo, real
from tests.running import Ran
from tests.shapes.models import Archived, Measured

pytestmark = pytest.mark.django_db
NO_LIMIT = Pace(None, clock=float, sleep=float)


@contextmanager
def unnoticed(path: Path) -> Iterator[Path]:
    """What is written meanwhile leaves the time of the last change as it was."""
    status = path.stat()
    yield path
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def rot(path: Path, content: bytes = b"cOntent") -> None:
    with unnoticed(path):
        path.write_bytes(content)


def of_content(ran: Ran) -> list[tuple[str, str]]:
    return [(kind, path) for kind, path, _ in found(ran)]


def test_first_checksums_are_noted_and_the_next_run_has_nothing_to_say(media: Path) -> None:
    make_sound(media, "photos/a.jpg", "photos/b.jpg")

    first, second = check("--checksums"), check("--checksums")

    assert (kinds(first), kinds(second)) == ({"first_seen": 2}, {})
    assert [first.log[-1][name] for name in ("read", "read_due", "read_bytes", "read_complete")] == [2, 2, 14, True]


def test_content_that_changes_while_its_time_does_not_is_bit_rot_until_a_backup_brings_it_back(media: Path) -> None:
    make_sound(media, "photos/a.jpg", "photos/b.jpg")
    check("--checksums")
    rot(media / "photos/a.jpg")

    first, second = check("--checksums", "--check"), check("--checksums")
    rot(media / "photos/a.jpg", b"content")
    third = check("--checksums")

    assert (first.code, of_content(first)) == (3, [("bit_rot", "photos/a.jpg")])
    assert found(second) == found(first)  # with the day on which it was sound, and not that of the run between
    assert (found(third), healed(third)) == ([], [("bit_rot", "photos/a.jpg")])


def test_file_that_is_cut_under_the_same_time_is_bit_rot_as_well(media: Path) -> None:
    make_sound(media, "photos/a.jpg")
    check("--checksums")
    rot(media / "photos/a.jpg", b"con")

    (kind, path, detail), *_ = found(check("--checksums"))

    assert (kind, path, detail.rpartition(", ")[2]) == ("bit_rot", "photos/a.jpg", "7 bytes then and 3 now")


def test_rotten_file_whose_inode_changed_since_may_have_been_written_and_its_time_put_back(media: Path) -> None:
    make_sound(media, "photos/a.jpg")
    check("--checksums")
    sound = Checksum.objects.get()
    rot(media / "photos/a.jpg")
    seen = checksums.sum_of(str(media / "photos/a.jpg"), lambda _: None)
    assert seen
    assert sound.summed_at

    day = "%Y-%m-%d %H:%M UTC"
    for moved, told in ((-1, ""), (1, ", its inode changed on {}")):
        touched_at = sound.summed_at + timedelta(hours=moved)
        touched = replace(seen, ctime_ns=int(touched_at.timestamp()) * 10**9)
        expected = f"last sound on {sound.summed_at:{day}}{told.format(touched_at.strftime(day))}"
        assert checksums.compare(sound, touched) == (Kind.ROTTEN, expected)


def test_file_that_grows_faster_than_it_is_read_is_left_to_the_next_run(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_sound(media, "photos/a.jpg")
    honest = os.read

    def read_after_a_write(file: int, size: int) -> bytes:
        with (media / "photos/a.jpg").open("ab") as growing:
            growing.write(b"x")
        return honest(file, size)

    monkeypatch.setattr(checksums.os, "read", read_after_a_write)
    ran = check("--checksums")

    assert (ran.code, found(ran), Checksum.objects.count()) == (0, [], 0)


def test_file_that_somebody_wrote_to_was_replaced_and_its_checksum_is_renewed(media: Path) -> None:
    make_sound(media, "photos/a.jpg")
    check("--checksums")
    make_file(media, "photos/a.jpg", b"another")
    os.utime(media / "photos/a.jpg", (1_800_000_000, 1_800_000_000))

    first, second = check("--checksums", "--check"), check("--checksums")

    assert (first.code, of_content(first), found(second)) == (0, [("replaced", "photos/a.jpg")], [])


def test_file_that_was_only_touched_is_no_finding(media: Path) -> None:
    make_sound(media, "photos/a.jpg")
    check("--checksums")
    os.utime(media / "photos/a.jpg", (1, 1))

    assert found(check("--checksums")) == []
    assert Checksum.objects.get().mtime_ns == 1_000_000_000


def test_file_to_which_somebody_writes_is_left_to_the_next_run(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_sound(media, "photos/a.jpg")
    honest, seconds = os.read, count()

    def read_and_write(file: int, size: int) -> bytes:
        piece = honest(file, size)
        os.utime(media / "photos/a.jpg", (1, next(seconds)))
        return piece

    monkeypatch.setattr(checksums.os, "read", read_and_write)
    ran = check("--checksums")

    assert (found(ran), Checksum.objects.count()) == ([], 0)


def test_bit_rot_of_a_file_that_no_record_names_any_more_is_settled(media: Path) -> None:
    make_sound(media, "photos/a.jpg", "photos/b.jpg")
    check("--checksums")
    rot(media / "photos/a.jpg")
    check("--checksums")
    Photo.objects.filter(image="photos/a.jpg").delete()

    ran = check("--checksums", "--check")

    assert (ran.code, healed(ran), kinds(ran)) == (0, [("bit_rot", "photos/a.jpg")], {"unused": 1})


def test_known_bit_rot_that_the_time_was_too_short_for_is_still_an_error(media: Path) -> None:
    make_sound(media, "photos/a.jpg")
    check("--checksums")
    rot(media / "photos/a.jpg")
    check("--checksums")

    codes = [check("--check", *flags).code for flags in (("--checksums", "--for", "0"), ())]

    assert codes == [3, 0]


def test_checksum_of_a_file_that_is_gone_is_forgotten_once_no_record_names_it(media: Path) -> None:
    make_sound(media, "photos/a.jpg", "photos/b.jpg", "volume/c.jpg", "photos/d.jpg")
    check("--checksums")
    for name in ("photos/a.jpg", "photos/b.jpg", "photos/d.jpg"):
        (media / name).unlink()
    Photo.objects.filter(image__in=["photos/a.jpg", "volume/c.jpg"]).delete()
    Root.objects.update(mounts=["volume"])

    check("--checksums", "--model", "gallery.Video")
    narrowed = paths_with_checksum()
    check("--checksums")

    assert narrowed == ["photos/a.jpg", "photos/b.jpg", "photos/d.jpg", "volume/c.jpg"]
    assert paths_with_checksum() == ["photos/b.jpg", "photos/d.jpg", "volume/c.jpg"]


def test_file_that_comes_back_from_a_backup_is_held_against_its_checksum(media: Path) -> None:
    make_sound(media, "photos/a.jpg", "photos/b.jpg")
    check("--checksums")
    before = (media / "photos/a.jpg").stat().st_mtime_ns
    (media / "photos/a.jpg").unlink()
    check("--checksums")
    os.utime(make_file(media, "photos/a.jpg", b"cOntent"), ns=(before, before))

    assert of_content(check("--checksums")) == [("bit_rot", "photos/a.jpg")]


def paths_with_checksum() -> list[str]:
    return list(Checksum.objects.order_by("path").values_list("path", flat=True))


def test_time_box_of_nothing_reads_nothing_and_says_so(media: Path) -> None:
    make_sound(media, "photos/a.jpg")

    ran = check("--checksums", "--for", "0")

    assert (ran.code, Checksum.objects.count()) == (0, 0)
    assert "Read: 0 of 1 file, 0 bytes (the time is up; the next run goes on with the rest)\n" in ran.stdout


def test_records_of_many_rotten_files_are_found_by_one_more_reading(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "ASKED_FOR", 1)
    make_sound(media, "photos/a.jpg", "photos/b.jpg")
    check("--checksums")
    for name in ("a", "b"):
        rot(media / f"photos/{name}.jpg")

    ran = check("--checksums")

    models = [line["model"] for line in ran.log if line["event"] == "finding.found"]
    assert (kinds(ran), models) == ({"bit_rot": 2}, ["gallery.Photo", "gallery.Photo"])


def test_files_that_no_record_names_get_no_checksum(media: Path) -> None:
    make_sound(media, "photos/a.jpg")
    make_file(media, "tmp/a.bin")

    check("--checksums")

    assert [one.path for one in Checksum.objects.all()] == ["photos/a.jpg"]


def clock(*, until: int) -> Callable[[], float]:
    """A clock that has moved by one at each look."""
    ticks = count()
    return lambda: float(next(ticks)) if until else 0.0


def read(media: Path, *, looks: float | None = None) -> Content:
    """Reads the files of the photos until the clock was looked at so often."""
    tree = walk(real(media))
    for path, _ in list(tree.files()):
        tree.mark(path, NAMED | WANTED)
    reading = Content(Asked(sums=True, until=looks), {}, NO_LIMIT, "default", clock=clock(until=1))
    reading.count_due([tree])
    reading.read_all([tree])
    return reading


def test_time_box_ends_the_reading_and_the_next_run_goes_on_with_the_rest(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content, "KEPT_SECONDS", 1e9)
    make_sound(media, *(f"photos/{number}.jpg" for number in range(5)))

    first = read(media, looks=5.0)
    second = read(media)

    done, rest = (set(one.looked_at[real(media)]) for one in (first, second))
    assert (first.reading.due, first.reading.done, first.reading.is_complete) == (5, 2, False)
    assert done == {"photos/0.jpg", "photos/1.jpg"}
    assert (first.first_seen, second.first_seen) == (2, 3)
    assert rest == {f"photos/{number}.jpg" for number in range(5)}


def test_what_was_read_longest_ago_is_read_first(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "KEPT_SECONDS", 1e9)
    make_sound(media, "photos/a.jpg", "photos/b.jpg", "photos/c.jpg")
    read(media)
    for age, name in enumerate(("b", "c", "a")):
        Checksum.objects.filter(path=f"photos/{name}.jpg").update(summed_at=f"2026-01-0{age + 1}T00:00Z")
    make_photo("photos/new.jpg", media=media)

    reading = read(media, looks=5.0)

    assert reading.looked_at[real(media)] == {"photos/new.jpg", "photos/b.jpg"}


def test_file_whose_reading_failed_is_read_last(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dying disk takes its time over such a file, and may leave none for the others."""
    monkeypatch.setattr(content, "KEPT_SECONDS", 1e9)
    make_sound(media, "photos/a.jpg", "photos/b.jpg", "photos/c.jpg")
    with monkeypatch.context() as patched:
        patched.setattr(content, "sum_of", failing)
        check("--checksums", "--path", "photos/a.jpg")

    short, whole = read(media, looks=5.0), read(media)

    assert short.looked_at[real(media)] == {"photos/b.jpg", "photos/c.jpg"}
    assert whole.looked_at[real(media)] == {"photos/a.jpg", "photos/b.jpg", "photos/c.jpg"}


def failing(_path: str, _take: object) -> checksums.Sum:
    raise OSError(errno.EIO, "Input/output error")


def test_interrupt_keeps_what_was_read(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_sound(media, "photos/a.jpg", "photos/b.jpg")
    honest = checksums.sum_of

    def interrupted(path: str, take: Callable[[int], object]) -> checksums.Sum | None:
        if path.endswith("b.jpg"):
            raise KeyboardInterrupt
        return honest(path, take)

    monkeypatch.setattr(content, "sum_of", interrupted)
    ran = check("--checksums")

    assert (ran.code, [one.path for one in Checksum.objects.all()]) == (130, ["photos/a.jpg"])
    assert "Read: 1 of 2 files, 7 bytes (interrupted; the next run goes on with the rest)" in ran.stdout


def test_rotten_file_in_a_folder_inside_another_is_told_with_its_record(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = media / "private"
    monkeypatch.setattr(Archived._meta.get_field("file"), "storage", FileSystemStorage(location=inner))
    make_sound(media)
    rotten = make_file(inner, "papers/a.txt")
    Archived._base_manager.create(file="papers/a.txt")
    make_known(inner)
    check("--checksums")
    rot(rotten)

    whole, narrow = check("--checksums"), check("--checksums", "--path", "papers/")

    for ran in (whole, narrow):
        assert [(line["kind"], line["root"], line["path"], line["model"]) for line in lines(ran, "finding.found")] == [
            ("bit_rot", real(inner), "papers/a.txt", "shapes.Archived")
        ]
    assert f"  - {real(inner)}/papers/a.txt (shapes.Archived:" in whole.stdout


def test_file_whose_reading_failed_heals_only_when_it_was_read(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_sound(media, "photos/a.jpg")

    with monkeypatch.context() as patched:
        patched.setattr(content, "sum_of", failing)
        sick = check("--checksums")
    plain, mended = check(), check("--checksums")

    assert found(sick) == [("unreadable", "photos/a.jpg", "EIO: Input/output error")]
    assert (healed(plain), plain.log[-1]["still_open"]) == ([], 1)
    assert healed(mended) == [("unreadable", "photos/a.jpg")]


def test_deep_look_finds_images_that_are_cut_or_no_images(media: Path) -> None:
    make_sound(media)
    for name, bytes_ in {
        "photos/kept.jpg": picture(),
        "photos/sound.png": picture(form="PNG"),
        "photos/cut.jpg": picture(400, 300)[:-200],
        "photos/text.jpg": b"not an image",
        "photos/drawing.svg": b"<svg/>",
    }.items():
        make_file(media, name, bytes_)
        if name != "photos/kept.jpg":
            make_photo(name)

    ran = check("--deep")

    assert [(kind, path) for kind, path, _ in found(ran)] == [
        ("broken_image", "photos/cut.jpg"),
        ("broken_image", "photos/text.jpg"),
    ]
    assert "  - 1 image: Pillow does not know the format" in ran.stdout
    assert found(ran)[1][2] == "cannot identify image file"


def test_image_that_another_program_would_decode_is_not_decoded(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its name says: Pillow would give what anybody has uploaded to Ghostscript."""
    make_sound(media)
    make_file(media, "photos/kept.jpg", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n%%EOF\n")
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *_, **__: pytest.fail("it was run"))

    ran = check("--deep")

    assert (ran.code, found(ran), ran.log[-1]["read"]) == (0, [], 1)


def test_cut_image_is_broken_on_a_site_that_shows_what_is_left_of_one(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    make_sound(media)
    make_file(media, "photos/kept.jpg", picture(400, 300)[:-200])

    assert kinds(check("--deep")) == {"broken_image": 1}
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True


def test_image_that_would_fill_the_memory_is_not_decoded(media: Path) -> None:
    make_sound(media)
    make_file(media, "photos/kept.jpg", picture())
    make_photo("photos/bomb.png")
    make_file(media, "photos/bomb.png", a_png_that_claims(60_000, 60_000))

    (kind, path, detail), *_ = found(check("--deep"))

    assert (kind, path) == ("too_many_pixels", "photos/bomb.png")
    assert detail.startswith("Image size (3600000000 pixels) exceeds limit of ")


def a_png_that_claims(width: int, height: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


def test_image_of_another_size_than_its_record_says_is_a_warning(media: Path) -> None:
    make_sound(media)
    make_file(media, "photos/kept.jpg", picture())
    for name in ("right", "wrong", "unknown"):
        make_file(media, f"measured/{name}.jpg", picture(40, 30))
    Measured.objects.bulk_create(
        [
            Measured(image="measured/right.jpg", width=40, height=30),
            Measured(image="measured/wrong.jpg", width=40, height=33),
            Measured(image="measured/unknown.jpg", width=40, height=30),
        ]
    )
    Measured._base_manager.filter(image="measured/unknown.jpg").update(width=None, height=None)

    assert found(check("--deep")) == [
        ("wrong_dimensions", "measured/wrong.jpg", "it is 40×30, its record says 40×33"),
    ]


def test_broken_image_stays_open_until_it_was_opened_again(media: Path) -> None:
    make_sound(media)
    make_file(media, "photos/kept.jpg", b"broken")

    found_it, blind = check("--deep"), check()
    make_file(media, "photos/kept.jpg", picture())
    mended = check("--deep")

    assert (kinds(found_it), kinds(blind), blind.log[-1]["still_open"]) == ({"broken_image": 1}, {}, 1)
    assert (
        "Found by earlier checks, and not looked at by this one:\n  - 1 image that cannot be decoded (--deep)\n"
        in (blind.stdout)
    )
    assert healed(mended) == [("broken_image", "photos/kept.jpg")]


def test_checksums_and_deep_look_keep_their_times_apart(media: Path) -> None:
    make_sound(media)
    make_file(media, "photos/kept.jpg", picture())

    check("--deep")
    opened = Checksum.objects.get()
    ran = check("--checksums")

    assert (opened.digest, opened.summed_at, opened.opened_at is None) == ("", None, False)
    assert kinds(ran) == {"first_seen": 1}
    assert Checksum.objects.get().opened_at == opened.opened_at


def test_rate_limits_the_bytes_of_a_second() -> None:
    now, waited = [0.0], []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        now[0] += seconds

    pace = Pace(100, clock=lambda: now[0], sleep=sleep)
    for size in (100, 50, 250):
        pace.take(size)
    now[0] += 60
    pace.take(100)

    assert waited == [0.5, 2.5]
    assert now[0] == 63.0


def test_without_a_rate_nobody_waits() -> None:
    Pace(None, clock=lambda: 0.0, sleep=lambda _: pytest.fail("it waited")).take(10**12)
