"""Whether a root is still the folder that was opened."""

import os
from pathlib import Path

import pytest

from auditor.auditlog.coverage import GapReason
from watcher import identity
from watcher.identity import Identity, confirm, identify
from watcher.notices import GapError

DISK = "26 1 254:0 / / rw,relatime - ext4 /dev/vda rw"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "media folder"
    folder.mkdir()
    return folder


@pytest.fixture
def mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that stands in for the kernel's list of mounts."""
    lines = tmp_path / "mountinfo"
    monkeypatch.setattr(identity, "MOUNTS", str(lines))
    lines.write_text(f"{DISK}\n")
    return lines


def mount(mounts: Path, place: Path, kind: str = "ext4") -> str:
    line = f"99 26 254:1 / {str(place).replace(' ', chr(92) + '040')} rw shared:1 - {kind} /dev/vdb rw"
    with mounts.open("a") as stream:
        stream.write(f"{line}\n")
    return line


def gap_at(root: Path, opened: Identity | None = None) -> tuple[GapReason, str]:
    with pytest.raises(GapError) as raised:
        confirm(str(root), opened) if opened else identify(str(root))
    return raised.value.reason, raised.value.detail


def test_a_root_is_its_device_and_inode(root: Path, mounts: Path) -> None:
    found = os.stat(root)

    assert identify(str(root)) == Identity(number=f"{found.st_dev}:{found.st_ino}", mounts=())


def test_the_real_list_of_mounts_is_understood(root: Path) -> None:
    assert identify(str(root)).mounts == ()
    assert identify("/").mounts != ()


def test_mounts_at_and_below_the_root_belong_to_it(root: Path, mounts: Path) -> None:
    at, below = mount(mounts, root), mount(mounts, root / "disk")
    mount(mounts, root.with_name("media folder 2"))

    assert identify(str(root)).mounts == (at.encode(), below.encode())


def test_the_same_folder_is_confirmed(root: Path, mounts: Path) -> None:
    confirm(str(root), identify(str(root)))


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


def test_another_folder_of_the_same_name_is_a_gap(root: Path) -> None:
    opened = identify(str(root))
    root.rename(root.with_name("old"))
    root.mkdir()

    assert gap_at(root, opened) == (GapReason.ROOT_REPLACED, f"{root} is another folder than before.")


def test_a_mount_that_comes_is_a_gap(root: Path, mounts: Path) -> None:
    opened = identify(str(root))
    mount(mounts, root / "disk")

    assert gap_at(root, opened) == (GapReason.MOUNTS_CHANGED, f"Something was mounted or unmounted in {root}.")


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs", "fuse", "9p", "virtiofs"])
def test_a_file_system_on_which_others_delete_unheard_is_never_vouched_for(
    root: Path, mounts: Path, kind: str
) -> None:
    mount(mounts, root.parent, kind)

    assert gap_at(root) == (
        GapReason.NOT_WATCHED,
        f"{root.parent} is {kind}: the kernel does not tell of all that is deleted there.",
    )


def test_such_a_file_system_inside_the_root_is_not_vouched_for_either(root: Path, mounts: Path) -> None:
    mount(mounts, root / "far", "nfs")

    assert gap_at(root)[0] is GapReason.NOT_WATCHED


def test_only_the_mount_on_top_counts(root: Path, mounts: Path) -> None:
    mount(mounts, root.parent, "nfs4")
    mount(mounts, root.parent, "ext4")

    assert identify(str(root)).mounts == ()
