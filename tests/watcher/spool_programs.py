"""What the spool's tests run as programs of their own: one that appends without end, one on a disk of its own."""

import os
import subprocess
import sys
from itertools import count
from uuid import UUID

from tests.running import PROJECT, environment
from tests.watcher.spools import PLENTY, deleted, names, opened
from watcher.notices import GapError
from watcher.spool import Spool

ON_A_DISK_OF_ITS_OWN = ["unshare", "--user", "--map-root-user", "--mount"]


def start(function: str, *arguments: str, through: list[str] | None = None) -> "subprocess.Popen[str]":
    """Runs a function of this file as a program of its own."""
    code = f"import sys; from tests.watcher import spool_programs as own; own.{function}(*sys.argv[1:])"
    return subprocess.Popen(
        [*(through or []), sys.executable, "-c", code, *arguments],
        cwd=PROJECT,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def append_without_end(path: str) -> None:
    """Says the uid of each entry as soon as it is safe."""
    spool = Spool(path, limit_bytes=PLENTY)
    for number in count(spool.count):
        uid = UUID(int=number)
        spool.append(uid, [deleted(f"{number}.jpg")])
        say(uid)


def hold(path: str) -> None:
    """Holds the spool until stdin ends."""
    with opened(path) as spool:
        say("held", spool.count)
        sys.stdin.read()


def mount(folder: str, options: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", folder], check=True)


def fill_the_disk_with_another_file(folder: str) -> None:
    mount(folder, "size=256k")
    spool = Spool(f"{folder}/spool", limit_bytes=PLENTY)
    spool.append(UUID(int=1), [deleted("first.jpg")])
    fill(f"{folder}/other")

    try_to_append(spool, "second.jpg", times=1_000)
    say("kept", names(spool))
    spool.close()
    spool = Spool(f"{folder}/spool", limit_bytes=PLENTY)
    say("kept after opening again", names(spool))
    os.unlink(f"{folder}/other")
    try_to_append(spool, "third.jpg")
    say("kept in the end", names(spool))


def fill_the_disk_with_the_spool(folder: str) -> None:
    """And empty it while not one byte is free."""
    mount(folder, "size=256k")
    spool = Spool(f"{folder}/spool", limit_bytes=PLENTY)
    told = appended = 0
    while not told:
        try:
            spool.append(UUID(int=appended), [deleted(f"{appended:05}.jpg")] * 10)
            appended += 1
        except GapError as gap:
            told += 1
            say(gap)
    fill(f"{folder}/other")
    say("all kept", names(spool) == [f"{number:05}.jpg" for number in range(appended)], spool.count == appended * 10)
    for left in range(appended, 0, -1):
        first = next(spool.entries())
        spool.remove(first.number)
        spool.remove(first.number)
        assert (names(spool), spool.count) == (
            [f"{n:05}.jpg" for n in range(appended - left + 1, appended)],
            left * 10 - 10,
        )
    say("left", spool.count, names(spool), spool.is_empty)
    try_to_append(spool, "next.jpg")
    say("kept in the end", names(spool))


def start_with_a_disk_that_is_full(folder: str) -> None:
    mount(folder, "size=64k")
    fill(f"{folder}/other")
    open_and_say(f"{folder}/spool")


def start_on_a_disk_that_cannot_be_written(folder: str) -> None:
    mount(folder, "ro")
    open_and_say(f"{folder}/state/spool")


def open_and_say(path: str) -> None:
    try:
        Spool(path, limit_bytes=PLENTY)
    except GapError as gap:
        say(gap)


def fill(path: str) -> None:
    """Takes every byte that is left."""
    with open(path, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1_024))
        except OSError:
            pass


def try_to_append(spool: Spool, name: str, *, times: int = 1) -> None:
    try:
        spool.append(UUID(int=spool.count), [deleted(name)] * times)
    except GapError as gap:
        say(gap)
    else:
        say("appended", name)
