"""Which watch stands for which folder, as far as the kernel's queue has been read."""

Folder = bytes  # relative to the root, with a slash at the end; b"" is the root


class FolderMap:
    """Watch descriptors and folders, each the key to the other."""

    def __init__(self) -> None:
        self._folders: dict[int, Folder] = {}
        self._watches: dict[Folder, int] = {}

    def __len__(self) -> int:
        return len(self._folders)

    def get(self, watch: int) -> Folder | None:
        """The folder of a watch, or None if it is not known, or not known any more."""
        return self._folders.get(watch)

    def put(self, watch: int, folder: Folder) -> None:
        """Joins a watch and a folder; whatever either was joined with before is forgotten."""
        self.forget(watch)
        replaced = self._watches.get(folder)
        if replaced is not None:
            self._folders.pop(replaced, None)
        self._folders[watch] = folder
        self._watches[folder] = watch

    def forget(self, watch: int) -> None:
        """Forgets a watch that the kernel has ended."""
        folder = self._folders.pop(watch, None)
        if folder is not None:
            del self._watches[folder]

    def drop(self, folder: Folder) -> list[int]:
        """Forgets a folder and all below it; gives back their watches."""
        watches = [watch for watch, path in self._folders.items() if path.startswith(folder)]
        for watch in watches:
            self.forget(watch)
        return watches

    def rename(self, folder: Folder, to: Folder) -> None:
        """Moves a folder and all below it to another name; what was known under that name is forgotten."""
        self.drop(to)
        below = [(watch, path) for watch, path in self._folders.items() if path.startswith(folder)]
        for watch, path in below:
            self.put(watch, to + path[len(folder) :])
