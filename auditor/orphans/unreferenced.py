"""Finds files on disk that could be missing ones, and tells which of them no record names."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from stat import S_ISDIR

from django.apps import apps
from django.core.files.storage import FileSystemStorage
from django.db import models

from auditor.marker import MARKER
from auditor.orphans import references
from auditor.orphans.leftovers import Leftover
from auditor.orphans.registry import AuditedField, AuditedModel
from auditor.trash import TRASH


@dataclass(frozen=True, slots=True)
class Found:
    """A file below a root; `identity` is its device and inode."""

    name: str
    size: int
    identity: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for: files with one of these base names, or one of these inodes on any device."""

    bases: Collection[str]
    inodes: Collection[int]


def can_hold(root: str, wanted: Wanted, leftovers: Mapping[str, Leftover]) -> bool:
    """Whether a file that is wanted can be in the root, by names alone, and none that a scan found to be named.

    Where a directory has changed since its listing, or was not listed, it is listed now.
    """
    ahead = [""]
    while ahead:
        head = ahead.pop()
        path = f"{root}/{head}"
        known = leftovers.get(head)
        if known is not None and known.is_whole(path):
            is_wanted, below = _among(root, head, known.names, wanted)
        else:
            is_wanted, below = _below(path, wanted)
        if is_wanted:
            return True
        ahead += [f"{head}{name}/" for name in below]
    return False


def _among(root: str, head: str, names: Collection[str], wanted: Wanted) -> tuple[bool, list[str]]:
    """Whether one of these names is wanted, and which of them are directories."""
    below = []
    for name in names:
        try:
            status = os.lstat(f"{root}/{name}")
        except OSError:
            continue
        if S_ISDIR(status.st_mode):
            below.append(name[len(head) :])
        elif name[len(head) :] in wanted.bases or status.st_ino in wanted.inodes:
            return True, []
    return False, below


def _below(path: str, wanted: Wanted) -> tuple[bool, list[str]]:
    below = []
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.name in wanted.bases or (wanted.inodes and entry.inode() in wanted.inodes):
                    return True, []
                if entry.is_dir(follow_symlinks=False):
                    below.append(entry.name)
    except OSError:
        pass
    return False, below


def find_files(root: str, wanted: Wanted) -> list[Found]:
    """The files that are wanted, in one walk; without those that a symlink leads to, for they have another name.

    Symlinks are not followed; a directory that cannot be read is not searched, nor is a trash.
    """
    found: list[Found] = []
    linked: set[str] = set()
    ahead = [""]
    while ahead:
        head = ahead.pop()
        for entry in _entries(f"{root}/{head}"):
            if entry.is_symlink():
                linked.add(os.path.realpath(entry.path))
            elif entry.is_dir(follow_symlinks=False):
                ahead += [f"{head}{entry.name}/"] if entry.name != TRASH else []
            elif (entry.name in wanted.bases or entry.inode() in wanted.inodes) and head + entry.name != MARKER:
                found += _seen(entry, head)
    return [one for one in found if f"{root}/{one.name}" not in linked]


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if _is_text(entry.name)]
    except OSError:
        return []


def _is_text(name: str) -> bool:
    """Whether a record can hold the name: one that is not UTF-8 has surrogates in it."""
    return name.isascii() or not any("\ud800" <= char <= "\udfff" for char in name)


def _seen(entry: os.DirEntry[str], head: str) -> Iterator[Found]:
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return
    if entry.is_file(follow_symlinks=False):
        yield Found(head + entry.name, status.st_size, f"{status.st_dev}:{status.st_ino}")


def referenced(paths: Collection[str], roots: Iterable[str], using: str) -> set[str]:
    """Those of the full paths that any file field of any model in this database names, audited or not."""
    bases = {path.rpartition("/")[2] for path in paths}
    roots, named = list(roots), set[str]()
    for one in references.in_database(_all_models(), using) if paths else ():
        for chunk in references.read_all(one, using):
            for at, field in enumerate(one.fields, 1):
                for name in {row[at] for row in chunk if row[at] and _base(row[at]) in bases}:
                    # A storage without a folder of its own could keep its files in any of them.
                    folders = roots if field.root is None else [field.root]
                    named.update(path for folder in folders if (path := _real(folder, name)) in paths)
    return named


def _base(name: str) -> str:
    return os.path.basename(name.rstrip("/") if name.endswith("/") else name)


def _real(folder: str, name: str) -> str:
    try:
        return os.path.realpath(os.path.join(folder, name))
    except (OSError, ValueError):
        return ""


def _all_models() -> list[AuditedModel]:
    fields = {
        model: [one for one in model._meta.local_concrete_fields if isinstance(one, models.FileField)]
        for model in apps.get_models(include_auto_created=True)
        if not model._meta.proxy
    }
    return [
        AuditedModel(
            model=model,
            label=model._meta.label,
            fields=tuple(_field(model, one) for one in some),
            group=None,
            named=False,
        )
        for model, some in fields.items()
        if some
    ]


def _field(model: type[models.Model], field: models.FileField) -> AuditedField:
    storage = field.storage
    root = os.path.realpath(storage.location) if isinstance(storage, FileSystemStorage) else None
    return AuditedField(model=model._meta.label, name=field.name, is_primary=False, root=root)
