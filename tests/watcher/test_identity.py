"""Whether a root is still the folder that was opened, with the same file systems mounted in it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from auditor import mounts as kernel
from auditor.auditlog.coverage import GapReason
from auditor.mounts import Mount
from tests.running import PROJECT
from watcher.identity import Identity, confirm, identify, missing_mounts
from watcher.notices import GapError

pytestmark = pytest.mark.sqlite

DISK = Mount(number=b"26", device=b"254:0", top=b"/", point=b"/", kind="ext4", source=b"/dev/vda")
DISKS_LINE = "26 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "media folder"
    folder.mkdir()
    return folder


@pytest.fixture
def mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that stands in for the kernel's list of mounts; the whole machine is one disk."""
    lines = tmp_path / "mountinfo"
    monkeypatch.setattr(kernel, "LIST", str(lines))
    lines.write_text(DISKS_LINE)
    return lines


def mount(mounts: Path, place: Path | str, kind: str = "ext4", *, number: int = 99, parent: int = 26) -> Mount:
    """Adds a file system that is mounted in the mount `parent`."""
    point = str(place).replace(" ", r"\040")
    with mounts.open("a") as stream:
        stream.write(f"{number} {parent} 254:1 / {point} rw shared:1 - {kind} /dev/vdb rw\n")
    return Mount(str(number).encode(), b"254:1", b"/", str(place).encode(), kind, b"/dev/vdb")


def unmount(mounts: Path, *numbers: int) -> None:
    lines = mounts.read_text().splitlines(keepends=True)
    mounts.write_text("".join(line for line in lines if int(line.split()[0]) not in numbers))


def number_of(folder: Path) -> str:
    found = os.stat(folder)
    return f"{found.st_dev}:{found.st_ino}"


def gap_at(root: Path, opened: Identity | None = None) -> tuple[GapReason, str]:
    with pytest.raises(GapError) as raised:
        confirm(str(root), opened) if opened else identify(str(root))
    return raised.value.reason, raised.value.detail


def test_a_root_is_its_device_and_inode_and_the_file_system_that_holds_it(root: Path, mounts: Path) -> None:
    assert identify(str(root)) == Identity(number=number_of(root), holding=DISK)


def test_file_systems_below_the_root_belong_to_it(root: Path, mounts: Path) -> None:
    at = mount(mounts, root, number=30)
    below = mount(mounts, root / "a disk", "xfs", number=31, parent=30)
    deeper = mount(mounts, root / "a disk/films", "btrfs", number=32, parent=31)
    mount(mounts, root.with_name("media folder 2"), number=33)

    assert identify(str(root)) == Identity(
        number=number_of(root), holding=at, inside=(below, deeper), nested=("a disk", "a disk/films")
    )


def test_what_another_mount_hides_is_not_in_the_root(root: Path, mounts: Path) -> None:
    mount(mounts, root / "films/old", number=30)
    upper = mount(mounts, root / "films", number=31)
    top = mount(mounts, root / "photos", "xfs", number=33, parent=32)
    mount(mounts, root / "photos", "nfs4", number=32)

    assert identify(str(root)) == Identity(
        number=number_of(root), holding=DISK, inside=(upper, top), nested=("films", "photos")
    )


def test_what_was_mounted_in_a_folder_that_is_hidden_now_does_not_count(root: Path, mounts: Path) -> None:
    mount(mounts, root, "nfs4", number=30)
    mount(mounts, root / "films", "nfs4", number=31, parent=30)
    over_all = mount(mounts, root.parent, number=32)

    assert identify(str(root)) == Identity(number=number_of(root), holding=over_all)


def test_a_place_that_is_not_utf_8_is_named_as_text(root: Path, mounts: Path) -> None:
    with mounts.open("ab") as stream:
        place = os.fsencode(root).replace(b" ", rb"\040") + b"/caf\xe9"
        stream.write(b"99 26 254:1 / " + place + b" rw - ext4 /dev/vdb rw\n")

    assert identify(str(root)).nested == ("caf\\xe9",)


def test_a_place_with_no_mount_at_its_top_has_no_holder(root: Path, mounts: Path) -> None:
    unmount(mounts, 26)
    below = mount(mounts, root / "disk")

    assert identify(str(root)) == Identity(number=number_of(root), inside=(below,), nested=("disk",))


def test_a_list_of_mounts_that_cannot_be_read_is_a_gap(root: Path, mounts: Path) -> None:
    mounts.unlink()

    reason, detail = gap_at(root)

    assert reason is GapReason.NOT_WATCHED
    assert detail == f"The list of mounts, {mounts}, cannot be read: No such file or directory."


def test_the_same_folder_is_confirmed(root: Path, mounts: Path) -> None:
    mount(mounts, root / "disk")

    confirm(str(root), identify(str(root)))


def test_a_file_system_that_becomes_read_only_is_still_the_same(root: Path, mounts: Path) -> None:
    mount(mounts, root / "disk")
    opened = identify(str(root))

    mounts.write_text(mounts.read_text().replace("rw shared:1", "ro shared:7"))

    confirm(str(root), opened)


def test_a_root_that_is_gone_is_a_gap(root: Path) -> None:
    root.rmdir()

    assert gap_at(root) == (GapReason.ROOT_GONE, f"{root} is not there.")


def test_a_file_in_its_place_is_a_gap(root: Path) -> None:
    root.rmdir()
    root.touch()

    assert gap_at(root) == (GapReason.ROOT_GONE, f"{root} is not a folder.")


def test_a_root_that_cannot_be_looked_at_is_a_gap(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")

    assert gap_at(tmp_path / "loop") == (
        GapReason.NOT_WATCHED,
        f"{tmp_path}/loop: Too many levels of symbolic links.",
    )


def test_another_folder_of_the_same_name_is_a_gap(root: Path, mounts: Path) -> None:
    opened = identify(str(root))
    root.rename(root.with_name("old"))
    root.mkdir()

    assert gap_at(root, opened) == (GapReason.ROOT_REPLACED, f"{root} is another folder than before.")


def test_a_mount_that_goes_is_a_gap_that_names_it(root: Path, mounts: Path) -> None:
    mount(mounts, root / "photos", number=30)
    mount(mounts, root / "videos", number=31)
    opened = identify(str(root))

    unmount(mounts, 31)

    assert gap_at(root, opened) == (
        GapReason.UNMOUNTED,
        "videos was a mounted file system, and is not mounted now.",
    )


def test_of_many_mounts_that_go_the_first_are_named(root: Path, mounts: Path) -> None:
    for number in range(30, 35):
        mount(mounts, root / f"disk {number}", number=number)
    opened = identify(str(root))

    unmount(mounts, *range(30, 35))

    is_gone = "was a mounted file system, and is not mounted now."
    assert gap_at(root, opened) == (
        GapReason.UNMOUNTED,
        f"disk 30 {is_gone} disk 31 {is_gone} disk 32 {is_gone} So it is with 2 more.",
    )


def test_a_mount_that_comes_is_a_gap_that_names_it(root: Path, mounts: Path) -> None:
    opened = identify(str(root))
    mount(mounts, root / "videos")

    assert gap_at(root, opened) == (GapReason.MOUNTS_CHANGED, "videos was mounted.")


def test_another_file_system_in_the_same_place_is_a_gap(root: Path, mounts: Path) -> None:
    mount(mounts, root / "videos", number=30)
    opened = identify(str(root))

    mount(mounts, root / "videos", number=31, parent=30)

    assert gap_at(root, opened) == (
        GapReason.MOUNTS_CHANGED,
        f"{root}/videos is another mounted file system than before.",
    )


def test_a_root_that_is_mounted_over_itself_is_a_gap(root: Path, mounts: Path) -> None:
    opened = identify(str(root))

    mount(mounts, root)

    assert gap_at(root, opened) == (
        GapReason.MOUNTS_CHANGED,
        f"The file system that holds {root} was mounted anew.",
    )


@pytest.mark.parametrize(
    "kind", ["nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "fuse", "9p", "virtiofs", "ceph", "ocfs2"]
)
def test_a_file_system_on_which_others_delete_unheard_is_named(root: Path, mounts: Path, kind: str) -> None:
    mount(mounts, root.parent, kind)

    assert identify(str(root)).unheard == (
        f"{root.parent} is {kind}: the kernel does not tell of all that is deleted there."
    )


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "fuseblk", "nfsd"])
def test_a_file_system_of_this_machine_alone_is_heard(root: Path, mounts: Path, kind: str) -> None:
    mount(mounts, root.parent, kind)

    assert identify(str(root)).unheard == ""


def test_such_a_file_system_inside_the_root_is_named_too(root: Path, mounts: Path) -> None:
    mount(mounts, root / "far", "nfs")

    assert identify(str(root)).unheard == (
        f"{root}/far is nfs: the kernel does not tell of all that is deleted there."
    )


def test_a_hidden_file_system_is_not_named(root: Path, mounts: Path) -> None:
    mount(mounts, root.parent, "nfs4", number=30)
    mount(mounts, root.parent, "ext4", number=31, parent=30)

    assert identify(str(root)).unheard == ""


def test_known_mounts_are_missed(root: Path, mounts: Path) -> None:
    mount(mounts, root / "photos")

    assert missing_mounts(identify(str(root)), ["photos", "videos", "films"]) == ["videos", "films"]


# The same with real mounts.


@contextmanager
def mounted(place: Path, *arguments: str) -> Iterator[None]:
    """A tmpfs, or what the arguments of mount say, at a place until the end of the block."""
    what = arguments or ("-t", "tmpfs", "tests")
    subprocess.run(["mount", *what, place], check=True, capture_output=True)
    try:
        yield
    finally:  # quietly, as the test may have unmounted it
        subprocess.run(["umount", "--lazy", place], check=False, capture_output=True)


real_mounts = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")


@pytest.fixture
def disk(root: Path) -> Path:
    folder = root / "videos"
    folder.mkdir()
    return folder


@pytest.mark.live
def test_the_real_list_of_mounts_is_understood(root: Path) -> None:
    found, above = identify(str(root)), identify("/")

    assert (found.inside, found.nested) == ((), ())
    assert found.holding is not None
    assert "proc" in above.nested
    assert above.holding is not None
    assert above.holding.point == b"/"


@pytest.mark.live
@real_mounts
def test_a_real_file_system_in_the_root_is_seen_and_missed(root: Path, disk: Path) -> None:
    with mounted(disk):
        opened = identify(str(root))
        confirm(str(root), opened)

    assert opened.nested == ("videos",)
    assert [mount.kind for mount in opened.inside] == ["tmpfs"]
    assert gap_at(root, opened) == (
        GapReason.UNMOUNTED,
        "videos was a mounted file system, and is not mounted now.",
    )


@pytest.mark.live
@real_mounts
def test_a_lazily_unmounted_file_system_in_use_is_missed(root: Path, disk: Path) -> None:
    with ExitStack() as stack:
        stack.enter_context(mounted(disk))
        opened = identify(str(root))
        stack.enter_context((disk / "in-use").open("w"))

        subprocess.run(["umount", "--lazy", disk], check=True)

        assert gap_at(root, opened)[0] is GapReason.UNMOUNTED


@pytest.mark.live
@real_mounts
def test_a_real_file_system_that_comes_is_seen(root: Path, disk: Path) -> None:
    opened = identify(str(root))

    with mounted(disk):
        assert gap_at(root, opened) == (GapReason.MOUNTS_CHANGED, "videos was mounted.")
    confirm(str(root), opened)


@pytest.mark.live
@real_mounts
def test_a_root_that_is_mounted_over_is_another_folder(root: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    opened = identify(str(root))

    with mounted(root, "--bind", str(tmp_path / "other")):
        seen = gap_at(root, opened)

    assert seen == (
        GapReason.ROOT_REPLACED,
        f"{root} is another folder than before: another file system is mounted at {root}.",
    )
    confirm(str(root), opened)


@pytest.mark.live
@real_mounts
@pytest.mark.parametrize("how", [["umount"], ["umount", "--lazy"]], ids=" ".join)
def test_a_root_that_is_unmounted_is_another_folder(root: Path, how: list[str]) -> None:
    with mounted(root):
        opened = identify(str(root))
        subprocess.run([*how, root], check=True)

        seen = gap_at(root, opened)

    assert seen == (
        GapReason.ROOT_REPLACED,
        f"{root} is another folder than before: what was mounted at {root} is not mounted now.",
    )


@pytest.mark.live
@real_mounts
def test_a_root_that_is_bound_over_itself_is_a_gap(root: Path) -> None:
    opened = identify(str(root))

    with mounted(root, "--bind", str(root)):
        seen = gap_at(root, opened)

    assert seen == (GapReason.MOUNTS_CHANGED, f"The file system that holds {root} was mounted anew.")


@pytest.mark.live
@real_mounts
def test_a_file_system_made_read_only_is_still_the_same(root: Path, disk: Path) -> None:
    with mounted(disk):
        opened = identify(str(root))
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)

        confirm(str(root), opened)


IN_A_NAMESPACE = """
import subprocess, sys
import django
django.setup()
from watcher.identity import confirm, identify
root = sys.argv[1]
subprocess.run(["mount", "-t", "tmpfs", "tests", f"{root}/videos"], check=True)
opened = identify(root)
confirm(root, opened)
print(*opened.nested, opened.unheard)
"""


@pytest.mark.live
def test_a_file_system_of_another_namespace_is_seen_there_only(root: Path, disk: Path) -> None:
    seen = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", sys.executable, "-c", IN_A_NAMESPACE, root],
        cwd=PROJECT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (seen.returncode, seen.stdout, seen.stderr) == (0, "videos \n", "")
    assert identify(str(root)).nested == ()
