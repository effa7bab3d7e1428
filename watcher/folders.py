"""Which watch stands for which folder, as far as the kernel's queue has been read."""

Folder = bytes  # relative to the root, with a slash at the end; b"" is the root


def on_disk(root: bytes, folder: Folder) -> bytes:
    """The path of a folder, without the slash at the end, which would follow a symlink."""
    return root.rstrip(b"/") + b"/" + folder[:-1] if folder else root


class FolderMap:
    """Watch descriptors and folders, each the key to the other; what is below a folder is found without a search.

    Other threads may take a copy of `folders` and `watches` at any time.
    """

    def __init__(self) -> None:
        self.folders: dict[int, Folder] = {}
        self.watches: dict[Folder, int] = {}
        self._below: dict[Folder, set[Folder]] = {}  # by parent, known or only on the way to a known one

    def __len__(self) -> int:
        return len(self.folders)

    def put(self, watch: int, folder: Folder) -> int | None:
        """Joins a watch and a folder; gives back the watch that the folder had, if that was another one."""
        if self.folders.get(watch) == folder:
            return None
        self.forget(watch)
        replaced = self.watches.get(folder)
        if replaced is not None:
            del self.folders[replaced]
        self.folders[watch] = folder
        self.watches[folder] = watch
        self._link(folder)
        return replaced

    def forget(self, watch: int) -> None:
        """Forgets a watch that the kernel has ended."""
        folder = self.folders.pop(watch, None)
        if folder is not None:
            del self.watches[folder]
            self._unlink(folder)

    def children(self, folder: Folder) -> frozenset[Folder]:
        """The folders right below this one that are known, or hold known ones."""
        return frozenset(self._below.get(folder, ()))

    def drop(self, folder: Folder) -> list[int]:
        """Forgets a folder and all below it; gives back their watches."""
        watches = [watch for watch, _ in self._tree(folder)]
        for watch in watches:
            self.forget(watch)
        return watches

    def rename(self, folder: Folder, to: Folder) -> list[int]:
        """Moves a folder and all below it to another name; gives back the watches known under that name before."""
        tree = self._tree(folder)
        for watch, _ in tree:
            self.forget(watch)
        dropped = self.drop(to)
        for watch, path in tree:
            self.put(watch, to + path[len(folder) :])
        return dropped

    def _tree(self, folder: Folder) -> list[tuple[int, Folder]]:
        found, ahead = [], [folder]
        while ahead:
            folder = ahead.pop()
            ahead.extend(self._below.get(folder, ()))
            watch = self.watches.get(folder)
            if watch is not None:
                found.append((watch, folder))
        return found

    def _link(self, folder: Folder) -> None:
        while folder:
            parent = parent_of(folder)
            siblings = self._below.setdefault(parent, set())
            if folder in siblings:
                return
            siblings.add(folder)
            folder = parent

    def _unlink(self, folder: Folder) -> None:
        while folder and folder not in self._below and folder not in self.watches:
            parent = parent_of(folder)
            siblings = self._below[parent]
            siblings.discard(folder)
            if siblings:
                return
            del self._below[parent]
            folder = parent


def parent_of(folder: Folder) -> Folder:
    """The folder that holds this one."""
    return folder[: folder.rfind(b"/", 0, -1) + 1]
