"""Which file systems are mounted in a folder, by the kernel's list of mounts."""

import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from auditor.auditlog.events import readable
from auditor.errors import AuditorError, ExitCode

LIST = "/proc/self/mountinfo"
LISTS_KEPT = 8  # one for each root, and a list of 2,000 mounts has some 300 kB


class Mount(NamedTuple):
    """A mounted file system; `number` is the kernel's, `top` the path inside it that is seen at `point`."""

    number: bytes
    device: bytes
    top: bytes
    point: bytes
    kind: str
    source: bytes


Children: TypeAlias = Mapping[bytes, Sequence[Mount]]


class Mounted(NamedTuple):
    """The file system that holds a folder, None where a chroot hides it, and those seen strictly inside the folder.

    `names` are the mount points inside, as relative paths in text, sorted.
    """

    holding: Mount | None
    inside: tuple[Mount, ...]
    names: tuple[str, ...]


NOTHING_MOUNTED = Mounted(None, (), ())


def mounted_in(root: str) -> Mounted:
    """What holds the folder at this real path, and what is mounted in it.

    Raises AuditorError (refused: root) if the kernel's list cannot be read.
    """
    try:
        with open(LIST, "rb", buffering=0) as stream:
            kernels_list = stream.read()
    except OSError as error:
        raise AuditorError(
            f"The list of mounts, {LIST}, cannot be read: {error.strerror}.",
            hint="Run this where /proc is mounted.",
            exit_code=ExitCode.REFUSED_ROOT,
        ) from error
    return _mounted_in(os.fsencode(root), kernels_list)


@lru_cache(maxsize=LISTS_KEPT)
def _mounted_in(root: bytes, kernels_list: bytes) -> Mounted:
    children = _children(kernels_list)
    holding = _holding(root, children)
    inside = tuple(_seen_in(root, holding.number if holding else b"", children))
    cut = len(root.rstrip(b"/")) + 1
    return Mounted(holding, inside, tuple(sorted({readable(mount.point[cut:])[0] for mount in inside})))


def _children(kernels_list: bytes) -> Children:
    """{number: what is mounted in that mount}; what has no parent in the list is in that of b""."""
    lines = [line.split(b" ") for line in kernels_list.splitlines()]
    numbers = {parts[0] for parts in lines}
    children: defaultdict[bytes, list[Mount]] = defaultdict(list)
    for parts in lines:
        has_parent = parts[1] in numbers and parts[1] != parts[0]
        children[parts[1] if has_parent else b""].append(_mount(parts))
    return children


def _mount(parts: list[bytes]) -> Mount:
    kind, source = parts[parts.index(b"-", 6) + 1 :][:2]  # between them, as many optional fields as there are
    return Mount(parts[0], parts[2], parts[3], _unescaped(parts[4]), kind.decode(), source)


def _unescaped(path: bytes) -> bytes:
    if b"\\" not in path:
        return path
    return re.sub(rb"\\([0-7]{3})", lambda match: bytes([int(match[1], 8)]), path)


def _holding(root: bytes, children: Children) -> Mount | None:
    """Walks the path to the root: of several mounts that lie on it, the one it comes to first hides the others."""
    holding = None
    while on_the_way := [
        mount for mount in children.get(holding.number if holding else b"", ()) if lies_in(root, mount.point)
    ]:
        holding = min(on_the_way, key=lambda mount: len(mount.point))
    return holding


def _seen_in(root: bytes, number: bytes, children: Children) -> Iterator[Mount]:
    below = [mount for mount in children.get(number, ()) if mount.point != root and lies_in(mount.point, root)]
    hiding = b""
    for mount in sorted(below, key=lambda mount: mount.point + b"/"):
        if hiding and mount.point != hiding and lies_in(mount.point, hiding):
            continue
        hiding = mount.point
        if all(upper.point != mount.point for upper in children.get(mount.number, ())):
            yield mount
        yield from _seen_in(root, mount.number, children)


def lies_in(path: bytes, folder: bytes) -> bool:
    """Whether a path is the folder or lies in it."""
    return path == folder or path.startswith(folder.rstrip(b"/") + b"/")
