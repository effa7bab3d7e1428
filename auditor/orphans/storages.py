"""Where a storage keeps its files: in a local folder, in a place that an adapter judges, or nobody knows where."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

from django.core.files.storage import FileSystemStorage, Storage
from django.utils.module_loading import import_string

from auditor.errors import AuditorError, first_line
from auditor.marker import MARKER
from auditor.orphans.disk import Look

# A storage with one of these of its own may open another file than the one that has the name.
TELLING = ("path", "exists", "open", "_open")
NO_ADAPTER = "and no media_audit.py registers a storage adapter for it"


class Listing(Protocol):
    """What the listings of one scan have shown; `unlisted` are those that failed: {prefix: reason}."""

    @property
    def unlisted(self) -> Mapping[str, str]: ...

    def looks(self, names: Collection[str]) -> dict[str, Look]:
        """{name: Look} of the names that a listing settles: present, or unknown where it failed.

        A name without one is looked at by itself: a listing never says missing.
        """


class StorageAdapter(ABC):
    """Judges the names of one storage that keeps its files in no local folder.

    `threads` is how many looks may be under way at once; more than one only where `look_at` may be called so.
    """

    threads: int = 1

    def __init__(self, storage: Any) -> None:
        self.storage = storage

    @property
    @abstractmethod
    def root(self) -> str:
        """Where the files are kept, as reports and logs show it: the same in every process, without a password."""

    @abstractmethod
    def look_at(self, name: str) -> Look:
        """Looks at one object, now.

        MISSING only on the storage's own word that it has no such object; whatever is raised makes the name unknown.
        The name is relative, valid UTF-8 and inside the root.
        """

    @abstractmethod
    def read(self, name: str) -> bytes | None:
        """What is in a small object, or None on the storage's own word that there is none; raises any error."""

    @abstractmethod
    def write(self, name: str, content: bytes) -> None:
        """Writes a small object under exactly this name, in place of one that is there; raises any error."""

    def is_empty(self) -> bool:
        """Whether there is no object but the marker; raises any error."""
        folders, files = self.storage.listdir("")
        return not folders and not set(files) - {MARKER}

    def listing(self) -> Listing | None:
        """A listing for one scan, where the storage can list cheaper than be asked name by name."""
        return None


Factory = Callable[[Any], StorageAdapter]

_factories: dict[str, Factory | str] = {"storages.backends.s3.S3Storage": "auditor.orphans.s3.S3Adapter"}


def register_storage(storage: type[Storage] | str, adapter: Factory | str) -> None:
    """Lets an adapter judge the names of a storage class and of its subclasses.

    To be called in an app's `media_audit.py`.
    `storage` is the class or its dotted path; `adapter` makes a StorageAdapter of a storage, or is the dotted path of
    what does, which is imported when such a storage is met.
    """
    _factories[storage if isinstance(storage, str) else _dotted(storage)] = adapter


def _dotted(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Where a storage keeps its files: a root, with its adapter if that is no local folder, or why nobody knows."""

    root: str | None = None
    adapter: StorageAdapter | None = None
    fault: str = ""


def home_of(storage: Storage) -> Home:
    """Where the storage keeps its files; an adapter is asked for where it is no plain local folder."""
    fault = _local_fault(storage)
    if not fault:
        return Home(root=os.path.realpath(cast("FileSystemStorage", storage).location))
    kind = storage.__class__  # type() would give that of the lazy default storage
    factory = next((_factories[name] for name in map(_dotted, kind.__mro__) if name in _factories), None)
    if factory is None:
        return Home(fault=fault)
    try:
        adapter = (import_string(factory) if isinstance(factory, str) else factory)(storage)
        return Home(root=adapter.root, adapter=adapter)
    except AuditorError as error:
        return Home(fault=error.message.rstrip("."))
    except Exception as error:  # whatever one storage's adapter raises must not end the audit of the others
        return Home(fault=f"{kind.__name__} has an adapter that fails: {reason(error)}")


def reason(error: Exception) -> str:
    """An error in words, without a full stop."""
    return f"{type(error).__name__}: {first_line(error)}".rstrip(". ").removesuffix(":")


def _local_fault(storage: Storage) -> str:
    kind = storage.__class__
    if not isinstance(storage, FileSystemStorage):
        return f"{kind.__name__} keeps its files in no local folder, {NO_ADAPTER}"
    if has_own(storage, TELLING, besides=FileSystemStorage):
        return f"{kind.__name__} may keep a file elsewhere than its name says, {NO_ADAPTER}"
    if not os.path.isabs(storage.base_location):
        return f"its folder {str(storage.base_location)!r} depends on where the command is started: make it absolute"
    return ""


def has_own(storage: Storage, methods: Collection[str], *, besides: type) -> bool:
    """Whether the storage's class has any of these methods from elsewhere than the class besides."""
    return any(getattr(storage.__class__, name) is not getattr(besides, name) for name in methods)
