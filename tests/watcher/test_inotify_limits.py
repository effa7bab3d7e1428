"""What cannot be watched is said, with what to do about it; each case runs as a program of its own."""

import os
import re
import stat
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import PROJECT

pytestmark = [pytest.mark.live, pytest.mark.sqlite]
IN_A_NAMESPACE = ["unshare", "--user", "--map-root-user"]
LISTEN = """
import atexit, os, shutil, subprocess, sys, tempfile, time
from threading import Event
from uuid import uuid4
from watcher.inotify import InotifySource
from watcher.notices import GapError

def listen(root):
    calls = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, calls)
    try:
        source = InotifySource(root, limit=1000, wake=Event(), calls=calls)
    except GapError as gap:
        print("no source", gap.reason, gap.detail, sep="|")
    else:
        atexit.register(source.close)
        print(source.directories, said(source), source.differences(), sep="|")
        return source

def said(source):
    hindrance = source.hindrance()
    return "" if hindrance is None else f"{hindrance.reason}: {hindrance.detail}"

def heard(source):
    token, paths = uuid4().hex, []
    source.call(token)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for notice in source.take(1000):
            if notice.path == token.encode():
                return paths
            paths.append(notice.path.decode())
        time.sleep(0.01)
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


def test_a_directory_that_may_not_be_read_hinders_and_the_rest_is_heard(root: Path) -> None:
    (root / "closed").mkdir(mode=0)
    (root / "open").mkdir()
    root.chmod(stat.S_IRWXU | stat.S_IRWXG | stat.S_IRWXO)
    (root / "open").chmod(stat.S_IRWXU | stat.S_IRWXG | stat.S_IRWXO)
    script = """
    source = listen(sys.argv[1])
    open(os.path.join(sys.argv[1], "open/a.jpg"), "w").close()
    print(heard(source))
    os.seteuid(0)
    os.chmod(os.path.join(sys.argv[1], "closed"), 0o755)
    os.mkdir(os.path.join(sys.argv[1], "closed/below"))
    os.seteuid(65_534)
    print(said(source), heard(source), source.directories, source.differences(), sep="|")
    """

    assert listen(AS_NOBODY + textwrap.dedent(script), root).splitlines() == [
        f"2|not_watched: {root}/closed cannot be watched: Permission denied.|[]",
        "['open/a.jpg']",
        "|['closed/below']|4|[]",
    ]


def test_a_directory_that_is_closed_while_it_is_made_hinders_until_it_is_gone(root: Path) -> None:
    root.chmod(stat.S_IRWXU | stat.S_IRWXG | stat.S_IRWXO)
    script = """
    source = listen(sys.argv[1])
    for name in ("a", "b", "c"):
        os.mkdir(os.path.join(sys.argv[1], name), 0)
    print(heard(source), said(source), sep="|")
    os.rmdir(os.path.join(sys.argv[1], "a"))
    print(heard(source), said(source), sep="|")
    os.rename(os.path.join(sys.argv[1], "b"), os.path.join(sys.argv[1], "d"))
    os.rmdir(os.path.join(sys.argv[1], "c"))
    print(heard(source), said(source), sep="|")
    os.rmdir(os.path.join(sys.argv[1], "d"))
    print(heard(source), said(source), source.differences(), sep="|")
    """

    assert listen(AS_NOBODY + textwrap.dedent(script), root).splitlines() == [
        "1||[]",
        f"['a', 'b', 'c']|not_watched: {root}/a cannot be watched: Permission denied (and 2 more directories).",
        f"['a']|not_watched: {root}/b cannot be watched: Permission denied (and 1 more directory).",
        f"['b', 'c']|not_watched: {root}/d cannot be watched: Permission denied.",
        "['d']||[]",
    ]


def test_a_root_that_may_not_be_read_is_a_gap(root: Path) -> None:
    root.chmod(0)

    assert (
        listen(AS_NOBODY + "listen(sys.argv[1])", root)
        == f"no source|not_watched|{root} cannot be watched: Permission denied."
    )


@needs_namespaces
def test_a_watch_limit_names_the_setting_and_a_value_that_suffices(root: Path) -> None:
    for number in range(10):
        (root / str(number) / "below").mkdir(parents=True)
    limit = kernel("max_user_watches")
    script = """
    def allow(watches):
        with open("/proc/sys/user/max_inotify_watches", "w") as limit:
            limit.write(str(watches))

    allow(5)
    source = listen(sys.argv[1])
    allow(100)
    print(said(source), source.directories, source.differences(), sep="|")
    """

    first, second = listen(script, root, through=tuple(IN_A_NAMESPACE)).splitlines()

    directories, said, differences = first.split("|")
    assert directories == "4"  # and one for the calls
    assert re.fullmatch(
        rf"not_watched: {root}/\d(/below)? cannot be watched: no watches are left \(and 16 more directories\)\. "
        rf"Raise fs\.inotify\.max_user_watches, which is {limit}: sysctl fs\.inotify\.max_user_watches={4 * limit}",
        said,
    )
    assert differences == "[]"
    assert second == "|21|[]"


@needs_namespaces
def test_a_root_without_a_watch_is_a_gap(root: Path) -> None:
    limit = kernel("max_user_watches")

    assert limit_to(root, "max_inotify_watches", 1) == (
        f"no source|not_watched|{root} cannot be watched: no watches are left. "
        f"Raise fs.inotify.max_user_watches, which is {limit}: sysctl fs.inotify.max_user_watches={4 * limit}"
    )


@needs_namespaces
def test_an_instance_limit_names_the_setting_and_a_value(root: Path) -> None:
    limit = kernel("max_user_instances")

    assert limit_to(root, "max_inotify_instances", 0) == (
        f"no source|not_watched|No inotify instances are left. Raise fs.inotify.max_user_instances, which is {limit}: "
        f"sysctl fs.inotify.max_user_instances={4 * limit}"
    )


def test_a_root_that_is_not_there_is_a_gap(root: Path) -> None:
    assert listen("listen(sys.argv[1])", root / "gone") == (
        f"no source|root_gone|{root}/gone cannot be watched: No such file or directory."
    )


@needs_namespaces
def test_a_directory_that_is_mounted_twice_in_the_root_hinders(root: Path) -> None:
    (root / "a/below").mkdir(parents=True)
    (root / "b").mkdir()
    script = """
    a, b = (os.path.join(sys.argv[1], name) for name in "ab")
    subprocess.run(["mount", "--bind", a, b], check=True)
    listen(sys.argv[1])
    """

    said = listen(script, root, through=(*IN_A_NAMESPACE, "--mount"))

    assert said in {
        f"3|not_watched: {root}/{first} and {root}/{second} are one directory: "
        "the kernel tells of it under one name only.|[]"
        for first, second in ("ab", "ba")
    }


@needs_namespaces
def test_an_unmounted_directory_is_a_gap(root: Path) -> None:
    (root / "disk").mkdir()
    script = """
    disk = os.path.join(sys.argv[1], "disk")
    subprocess.run(["mount", "-t", "tmpfs", "none", disk], check=True)
    source = listen(sys.argv[1])
    subprocess.run(["umount", disk], check=True)
    try:
        heard(source)
    except GapError as gap:
        print(gap)
    """

    assert listen(script, root, through=(*IN_A_NAMESPACE, "--mount")).splitlines() == [
        "2||[]",
        f"unmounted: {root}/disk was unmounted.",
    ]
