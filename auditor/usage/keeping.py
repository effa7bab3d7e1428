"""Which files stay whatever names them: by pattern, by preset, and because the site's settings name their place."""

import os
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db.models import FilePathField

from auditor import conf
from auditor.orphans.selection import is_like
from auditor.usage import presets
from auditor.usage.sources import lies_in

CODE = ("STATIC_ROOT", "STATICFILES_DIRS")  # where files lie that are the site's own
UNREADABLE = "SECRET_KEY"  # which cannot be read where it is empty
DEEPEST = 6  # of what is nested in a setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A path that a setting names; `is_folder` if all below it is meant, else all files whose path begins so."""

    path: bytes
    setting: str
    is_folder: bool

    def holds(self, path: bytes) -> bool:
        """Whether a file is at that place: in the folder, or it is the file, or lies beside it as `db.sqlite3-wal`."""
        return path.startswith(self.path + b"/" if self.is_folder else self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What stays in one root; `places` are those inside it."""

    patterns: Sequence[str]
    presets: Sequence[tuple[str, re.Pattern[str]]]
    places: Sequence[Place]

    def is_kept(self, name: str) -> bool:
        """Whether a pattern keeps a name that is relative to the root."""
        return any(is_like(name, pattern) for pattern in self.patterns)

    def preset_of(self, name: str) -> str:
        """The preset that a name matches, or nothing."""
        return next((preset for preset, pattern in self.presets if pattern.fullmatch(name)), "")

    def place_of(self, path: bytes) -> str:
        """The setting that names the place of a full path, or nothing."""
        return next((place.setting for place in self.places if place.holds(path)), "")


def rules_for(root: str, roots: Iterable[str], patterns: Sequence[str]) -> Rules:
    """What stays in a root, by the settings; `patterns` are those of the command line."""
    return Rules(
        patterns=(*conf.kept_patterns(), *patterns),
        presets=presets.used(conf.presets()),
        places=[place for place in places_in(root) if place.path.decode(errors="surrogateescape") not in roots],
    )


def own_files(root: str) -> str:
    """Why the root holds files of the site itself, all over, or nothing."""
    for name in CODE:
        for path in _paths(getattr(settings, name, None)):
            if lies_in(root, os.path.realpath(path)):
                return f"{name} is the same folder, or one above it: its files are named by no record"
    for config in apps.get_app_configs():
        if lies_in(os.path.realpath(config.path), root):
            return f"the app {config.label} lies in it: its code is named by no record"
    return ""


def places_in(root: str) -> list[Place]:
    """Every path strictly inside the root that a setting, or a FilePathField, names: of databases, caches and logs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of those that Django will not know any more
        names = (name for name in dir(settings) if name.isupper() and name != UNREADABLE)
        values = {name: getattr(settings, name, None) for name in names}
    values["AUDITOR_STATE_DIR"] = conf.state_dir()
    values |= _choices()
    places = {}
    for name, value in values.items():
        for path in _paths(value):
            real = os.path.realpath(path)
            if real != root and lies_in(real, root):
                places[real] = Place(path=os.fsencode(real), setting=name, is_folder=os.path.isdir(real))
    return list(places.values())


def _choices() -> dict[str, Any]:
    """{field: folder} of those whose files a form offers to choose from, whether a record has chosen them or not."""
    columns = (column for model in apps.get_models() for column in model._meta.local_concrete_fields)
    fields = (field for field in columns if isinstance(field, FilePathField))
    return {str(field): field.path() if callable(field.path) else field.path for field in fields}


def _paths(value: Any, depth: int = 0) -> Iterator[str]:
    """All paths in a setting, however deep: the absolute ones, and the relative ones of what is there."""
    if isinstance(value, str | os.PathLike):
        text = os.fspath(value)
        if isinstance(text, str) and "\0" not in text and len(text) > 1:
            path = text.removeprefix("file:").partition("?")[0]  # as SQLite may have it
            if path.startswith("/") or ("/" in path and os.path.lexists(path)):
                yield path
    elif depth < DEEPEST:
        if isinstance(value, dict):
            value = value.values()
        elif not isinstance(value, list | tuple | set | frozenset):
            return
        for one in value:
            yield from _paths(one, depth + 1)
