"""Which files are named: for each folder the names in it, however they were spelled."""

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from stat import S_ISLNK
from unicodedata import normalize

END = b"\0"  # no file's name has it in it
TOLD_APART = "\0"
ODD = ("", ".", "..")
LARGE = 100_000  # bytes of names: more are not searched for each of a million paths
FEW = 64  # names: above it, those of one folder are taken together


def stored(text: str) -> bytes:
    """A name as the file system would hold it."""
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:  # a half that stands for no byte: no file can have that name
        return text.encode(errors="surrogatepass")


def folded(text: str) -> str:
    """A name without what file systems may not tell apart: upper and lower case, and the forms of Unicode."""
    return text.lower() if text.isascii() else normalize("NFD", normalize("NFD", text).casefold())


class Names:
    """The paths that are named, by the real path of their folder; a million take some 20 MB."""

    def __init__(self) -> None:
        self._folders: dict[bytes, bytearray] = {}
        self._real: dict[str, str] = {}
        self._asked: tuple[bytes, set[bytes]] = (b"", set())  # the large folder that was asked for last

    def add(self, root: str, names: Sequence[str]) -> None:
        """Takes names into account that are relative to this folder, or absolute."""
        if len(names) <= FEW:
            self._add_few(root, names)
            return
        head, half = _head_of(names[0]), len(names) // 2
        lasts = _lasts(names, head) if head == _head_of(names[-1]) else None
        if lasts is None:
            self.add(root, names[:half])
            self.add(root, names[half:])
        else:
            self._add(self._folder(root, head), lasts)

    def _add_few(self, root: str, names: Sequence[str]) -> None:
        groups: defaultdict[str, list[str]] = defaultdict(list)
        known_head = None
        for name in names:
            cut = name.rfind("/") + 1
            if name[:cut] != known_head:  # neighbours in the table are mostly neighbours on disk
                known_head = name[:cut]
                group = groups[known_head]
            group.append(name[cut:])
        for head, lasts in groups.items():
            plain = [last for last in lasts if last not in ODD]
            if plain:
                self._add(self._folder(root, head), TOLD_APART.join(plain))
            for last in set(lasts) & set(ODD):
                self._add_odd(root, head + last)
            if "\\" in head or any("\\" in last for last in lasts):  # as Windows wrote them
                self.add(root, [(head + last).replace("\\", "/") for last in lasts])

    def _add(self, folder: str, lasts: str) -> None:
        kept = self._folders.setdefault(stored(folder), bytearray(END))
        kept += stored(lasts) + END
        self._asked = (b"", set())

    def _add_odd(self, root: str, name: str) -> None:
        path = os.path.normpath(os.path.join(root, name))
        if path not in (root, "/"):
            head, last = os.path.split(path)
            self._add(self._real_of(head), last)

    def _folder(self, root: str, head: str) -> str:
        if not head:
            return root
        # Django makes a name plain by its text, before the file system sees it.
        return self._real_of(os.path.normpath(os.path.join(root, head)))

    def _real_of(self, folder: str) -> str:
        """The real path of a folder, each part of which is looked at once; a part that is not there is as it says."""
        known = self._real.get(folder)
        if known is None:
            head, last = os.path.split(folder)
            known = folder if not last else _followed(os.path.join(self._real_of(head), last))
            self._real[folder] = known
        return known

    def paths(self) -> Iterator[bytes]:
        """Every path that is named."""
        for folder in self._folders:
            yield from (folder.rstrip(b"/") + b"/" + name for name in self.named_in(folder))

    def folders(self) -> Iterator[bytes]:
        """The folders in which a name is."""
        yield from self._folders

    def named_in(self, folder: bytes) -> set[bytes]:
        """The names in one folder."""
        kept = self._folders.get(folder)
        return set(bytes(kept).split(END)) - {b""} if kept else set()

    def has(self, path: bytes) -> bool:
        """Whether a path is named; those of one large folder are to be asked for one after the other."""
        folder, _, last = path.rpartition(b"/")
        kept = self._folders.get(folder or b"/")
        if kept is None or len(kept) < LARGE:
            return kept is not None and END + last + END in kept
        if self._asked[0] != folder:
            self._asked = (folder, self.named_in(folder))
        return last in self._asked[1]


def _head_of(name: str) -> str:
    return name[: name.rfind("/") + 1]


def _lasts(names: Sequence[str], head: str) -> str | None:
    """What follows the head in each of the names, told apart; None unless all have it, and are spelled plainly."""
    joined = TOLD_APART + TOLD_APART.join(names)
    lasts = joined.replace(TOLD_APART + head, TOLD_APART) + TOLD_APART
    is_plain = lasts.count(TOLD_APART) == len(names) + 1 and "/" not in lasts and "\\" not in joined
    # All of them had the head if exactly that much is gone.
    is_common = len(joined) + 1 - len(lasts) == len(head) * len(names)
    if not is_plain or not is_common or any(f"{TOLD_APART}{odd}{TOLD_APART}" in lasts for odd in ODD):
        return None
    return lasts[1:-1]


def _followed(path: str) -> str:
    try:
        return os.path.realpath(path) if S_ISLNK(os.lstat(path).st_mode) else path
    except (OSError, ValueError):
        return path
