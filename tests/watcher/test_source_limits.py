"""What cannot be watched is said, with what to do about it; each case runs as a program of its own."""

import os
import stat
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import PROJECT

pytestmark = pytest.mark.live
IN_A_NAMESPACE = ["unshare", "--user", "--map-root-user"]
LISTEN = """
import atexit, os, sys
from threading import Event
from watcher.notices import GapError
from watcher.source import Source

def listen(root):
    try:
        source = Source(root, limit=1000, wake=Event())
    except GapError as gap:
        print(gap.reason, gap.detail, sep="|")
    else:
        atexit.register(source.close)
        print(source.directories)
        return source
"""

AS_NOBODY = """
if os.geteuid() == 0:
    atexit.register(os.seteuid, 0)  # what measures the coverage writes to the project at the end
    os.seteuid(65_534)
"""


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder that other users can reach, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Path(os.path.realpath(folder))


def listen(script: str, root: Path, *, through: tuple[str, ...] = ()) -> str:
    done = subprocess.run(
        [*through, sys.executable, "-c", LISTEN + textwrap.dedent(script), str(root)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.strip()


def limit_to(root: Path, limit: str, value: int) -> str:
    """What is heard where the kernel allows so many; as root of a namespace, the machine's own limits stay."""
    script = f"open('/proc/sys/user/{limit}', 'w').write('{value}'); listen(sys.argv[1])"
    return listen(script, root, through=tuple(IN_A_NAMESPACE))


def kernel(setting: str) -> int:
    return int(Path(f"/proc/sys/fs/inotify/{setting}").read_text())


needs_namespaces = pytest.mark.skipif(
    subprocess.run([*IN_A_NAMESPACE, "true"], capture_output=True, check=False).returncode != 0,
    reason="this machine does not let its users make user namespaces",
)


def test_a_directory_that_may_not_be_read_is_a_gap(root: Path) -> None:
    closed = root / "closed"
    closed.mkdir(mode=0)

    assert (
        listen(AS_NOBODY + "listen(sys.argv[1])", root)
        == f"not_watched|{closed} cannot be watched: Permission denied."
    )


def test_a_directory_that_is_closed_while_it_is_made_is_a_gap(root: Path) -> None:
    root.chmod(stat.S_IRWXU | stat.S_IRWXG | stat.S_IRWXO)
    script = """
    source = listen(sys.argv[1])
    os.mkdir(os.path.join(sys.argv[1], "closed"), 0)
    source.join(10)
    try:
        print([notice.path for notice in source.take(10)])
        source.take(10)
    except GapError as gap:
        print(gap)
    """

    assert listen(AS_NOBODY + textwrap.dedent(script), root).splitlines() == [
        "1",
        "[b'closed']",
        f"not_watched: {root}/closed cannot be watched: Permission denied.",
    ]


@needs_namespaces
def test_a_watch_limit_names_the_setting_and_a_value(root: Path) -> None:
    for number in range(10):
        (root / str(number)).mkdir()
    limit = kernel("max_user_watches")

    reason, detail = limit_to(root, "max_inotify_watches", 5).split("|")

    assert reason == "not_watched"
    assert detail.startswith(str(root))
    assert detail.endswith(
        f" cannot be watched: no watches are left. Raise fs.inotify.max_user_watches, which is {limit}: "
        f"sysctl fs.inotify.max_user_watches={4 * limit}"
    )


@needs_namespaces
def test_an_instance_limit_names_the_setting_and_a_value(root: Path) -> None:
    limit = kernel("max_user_instances")

    assert limit_to(root, "max_inotify_instances", 0) == (
        f"not_watched|No inotify instances are left. Raise fs.inotify.max_user_instances, which is {limit}: "
        f"sysctl fs.inotify.max_user_instances={4 * limit}"
    )


def test_a_root_that_is_not_there_is_a_gap(root: Path) -> None:
    assert listen("listen(sys.argv[1])", root / "gone") == (
        f"root_gone|{root}/gone cannot be watched: No such file or directory."
    )


@needs_namespaces
def test_a_directory_that_is_mounted_twice_in_the_root_is_a_gap(root: Path) -> None:
    (root / "a").mkdir()
    (root / "b").mkdir()
    mounting = f"import subprocess; subprocess.run(['mount', '--bind', '{root}/a', '{root}/b'], check=True)"

    said = listen(f"{mounting}\nlisten(sys.argv[1])", root, through=(*IN_A_NAMESPACE, "--mount"))

    assert said in {
        f"not_watched|{root}/{first} and {root}/{second} are one directory: "
        "the kernel tells of it under one name only."
        for first, second in ("ab", "ba")
    }


@needs_namespaces
def test_an_unmounted_directory_is_a_gap(root: Path) -> None:
    (root / "disk").mkdir()
    script = """
    import subprocess
    disk = os.path.join(sys.argv[1], "disk")
    subprocess.run(["mount", "-t", "tmpfs", "none", disk], check=True)
    source = listen(sys.argv[1])
    subprocess.run(["umount", disk], check=True)
    source.join(10)
    try:
        source.take(10)
    except GapError as gap:
        print(gap)
    """

    assert listen(script, root, through=(*IN_A_NAMESPACE, "--mount")).splitlines() == [
        "2",
        f"unmounted: {root}/disk was unmounted.",
    ]
