"""What to say, and which kernel setting to raise, when the kernel will not watch or has lost count."""

import errno
import os

from auditor.auditlog.events import readable

SETTINGS = "/proc/sys/fs/inotify"


def no_watch(path: bytes, number: int) -> str:
    """Why a directory is not watched."""
    if number == errno.ENOSPC:
        return f"{shown(path)} cannot be watched: no watches are left."
    return f"{shown(path)} cannot be watched: {os.strerror(number)}."


def more_watches(missing: int) -> str:
    """The setting that allows so many watches more than now."""
    return _advice("max_user_watches", missing)


def no_list(path: bytes, error: OSError) -> str:
    """Why it is not known what a directory holds."""
    return f"{shown(path)} cannot be listed: {error.strerror}."


def mounted_twice(first: bytes, second: bytes) -> str:
    """Why a directory with two names is not watched under both."""
    return f"{shown(first)} and {shown(second)} are one directory: the kernel tells of it under one name only."


def and_more(sentence: str, more: int) -> str:
    """The sentence of one directory, for it and so many more."""
    if not more:
        return sentence
    return f"{sentence.removesuffix('.')} (and {more} more {'directory' if more == 1 else 'directories'})."


def no_instance(error: OSError) -> str:
    """Why the kernel gives no inotify descriptor."""
    if error.errno == errno.EMFILE:
        return f"No inotify instances are left. {_advice('max_user_instances')}"
    return f"inotify is not to be had: {error.strerror}."


def overflow() -> str:
    """What an overflow of the kernel's queue means."""
    return f"The kernel's queue overflowed. {_advice('max_queued_events')}"


def queue_full(limit: int) -> str:
    """What a full queue of our own means."""
    return f"{limit} notices waited for the database. Raise AUDITOR_QUEUE_LIMIT if memory allows."


def unread_full(limit: int) -> str:
    """What too many events of the kernel mean, read and not yet looked at."""
    return f"{limit} events waited to be looked at. Raise AUDITOR_QUEUE_LIMIT if memory allows."


def shown(path: bytes) -> str:
    """The path as text."""
    return readable(path)[0]


def _advice(setting: str, missing: int = 0) -> str:
    try:
        with open(os.path.join(SETTINGS, setting), encoding="ascii") as stream:
            now = int(stream.read())
    except (OSError, ValueError):
        return f"Raise fs.inotify.{setting}."
    value = max(4 * now, 2 * (now + missing))  # what is needed soon is more than what is missing now
    return f"Raise fs.inotify.{setting}, which is {now}: sysctl fs.inotify.{setting}={value}"
