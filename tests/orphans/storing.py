"""Files in storages that are no local folders."""

from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage

from auditor.orphans.disk import MISSING, PRESENT, Look
from auditor.orphans.storages import StorageAdapter
from tests.shapes.models import Document


def store_documents(storage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the documents keep their files there."""
    monkeypatch.setattr(Document._meta.get_field("file"), "storage", storage)


class ShelfStorage(InMemoryStorage):
    """Keeps its files in memory."""


class Shelf(StorageAdapter):
    """Judges what is in memory; `broken` is raised instead of any answer, `heard` are the names asked for."""

    root = "shelf://one/"

    def __init__(self, storage: Any) -> None:
        super().__init__(storage)
        self.broken: Exception | None = None
        self.heard: list[str] = []

    def look_at(self, name: str) -> Look:
        self.heard.append(name)
        if self.broken:
            raise self.broken
        return PRESENT if self.storage.exists(name) else MISSING

    def read(self, name: str) -> bytes | None:
        if self.broken:
            raise self.broken
        return self.storage.open(name).read() if self.storage.exists(name) else None

    def write(self, name: str, content: bytes) -> None:
        self.storage.delete(name)
        self.storage.save(name, ContentFile(content))


def make_shelf(*names: str, kind: type[Shelf] = Shelf) -> Shelf:
    """A shelf with these files."""
    shelf = kind(ShelfStorage())
    for name in names:
        shelf.storage.save(name, ContentFile(b"content"))
    return shelf
