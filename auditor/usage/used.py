"""Asks once more what names files: records, hooks and texts, before the last word on a file."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from auditor import conf
from auditor.usage.mentions import mentioned
from auditor.usage.names import Names
from auditor.usage.reading import read_names
from auditor.usage.walk import base_of

NAMED = "a record names it by now"
MENTIONED = "a text mentions it by now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What is named by now, and the last parts, without case, of what is mentioned."""

    names: Names
    in_texts: Collection[str]

    def reason(self, path: bytes) -> str:
        """Why a file is in use, or nothing."""
        if self.names.has(path):
            return NAMED
        return MENTIONED if base_of(path) in self.in_texts else ""


def used_now(paths: Iterable[bytes], roots: Collection[str]) -> Used:
    """What names these files at this moment; raises AuditorError where something cannot be asked."""
    return Used(names=read_names(roots), in_texts=mentioned_of(paths))


def mentioned_of(paths: Iterable[bytes]) -> set[str]:
    """The last parts, without case, of those paths that a text of any database mentions, if the settings want that."""
    return mentioned({base_of(path) for path in paths}) if conf.searches_texts() else set()
