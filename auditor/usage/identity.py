"""What tells whether a file is still the same, and has not been touched since it was seen."""

import os
from struct import Struct

# Device, inode, size, and the times of content and inode in nanoseconds: in bytes, as there can be a million.
IDENTITY = Struct("QQqqq")
CHANGED_AT = Struct("q")  # the last of them


def identity(status: os.stat_result) -> bytes:
    """The identity of a file.

    The inode's time is left out of that of a file with several names: moving one of them changes it for all.
    """
    changed_ns = status.st_ctime_ns if status.st_nlink == 1 else 0
    return IDENTITY.pack(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, changed_ns)


def content_of(identity: bytes) -> bytes:
    """What of an identity a rename leaves as it is."""
    return identity[: -CHANGED_AT.size]


def size_of(identity: bytes) -> int:
    """The length of the file in bytes."""
    return int(IDENTITY.unpack(identity)[2])


def modified_ns_of(identity: bytes) -> int:
    """When its content changed last, in nanoseconds since 1970."""
    return int(IDENTITY.unpack(identity)[3])
