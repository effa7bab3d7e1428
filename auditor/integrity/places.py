"""Where files are kept: the places that can be looked at, each a part of a tree, and why others cannot."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from auditor.errors import AuditorError, ExitCode
from auditor.integrity.findings import Finding
from auditor.integrity.sources import Source
from auditor.integrity.tree import Tree, inside
from auditor.integrity.walk import walk
from auditor.orphans import references
from auditor.orphans.disk import Look, looks_now
from auditor.orphans.plan import RootSeen
from auditor.orphans.registry import AuditedField
from auditor.orphans.remote import RemoteDisk
from auditor.orphans.storages import StorageAdapter
from auditor.orphans.survey import look_at_root


@dataclass(slots=True, kw_only=True)
class Place:
    """A media folder, or a place of an adapter; `prefix` is where it lies in its tree."""

    seen: RootSeen
    tree: Tree
    prefix: str = ""
    is_witnessed: bool = False
    adapter: StorageAdapter | None = None
    disk: RemoteDisk | None = None

    @property
    def root(self) -> str:
        """What it is known by."""
        return self.seen.path

    def look_at(self, names: Sequence[str]) -> dict[str, Look]:
        """{name: Look} of those names that are not plainly present, and of some that are."""
        return self.disk.judge(names) if self.disk else looks_now(self.root, names, self.seen.unmounted)

    def ensure_same(self, *, using: str) -> None:
        """Raises AuditorError (refused: root) unless the place, and what is mounted in it, is as it was seen."""
        now = look_at_root(self.root, self.adapter, using=using)
        before, lost = self.seen, set(self.seen.mounted.inside) - set(now.mounted.inside)
        if lost or (now.identity, now.mounted.holding) != (before.identity, before.mounted.holding):
            raise AuditorError(
                f"The media root {self.root} is not the folder it was a moment ago.",
                hint="Something was mounted, unmounted or moved there: look at it, then run the command again.",
                exit_code=ExitCode.REFUSED_ROOT,
            )


@dataclass(slots=True, kw_only=True)
class Places:
    """All places, {root: Place}; `refused` are those that cannot be believed, `unjudged` the fields without one."""

    by_root: dict[str, Place] = field(default_factory=dict)
    trees: list[Tree] = field(default_factory=list)
    refused: dict[str, AuditorError] = field(default_factory=dict)
    unjudged: dict[str, str] = field(default_factory=dict)

    def of(self, one: AuditedField) -> Place | None:
        """Where the files of a field are, if that can be looked at."""
        return self.by_root.get(one.root or "")

    def at_home(self, finding: Finding) -> Finding:
        """The finding with the innermost media folder that its path is in: a record names the file from there."""
        inner = [one for one in self.by_root.values() if one.tree.root == finding.root and one.prefix]
        homes = sorted((one for one in inner if finding.path.startswith(one.prefix)), key=lambda one: len(one.prefix))
        if not homes:
            return finding
        return replace(finding, root=homes[-1].root, path=finding.path.removeprefix(homes[-1].prefix) or "./")


def look_at_places(sources: Iterable[Source], *, folders: Iterable[str], using: str) -> Places:
    """Makes sure of these folders and of all places with files of records, and walks the folders. Only reads."""
    places = Places()
    wanted: dict[str, Any] = dict.fromkeys(folders)  # {root: its adapter, or None for a folder}
    for source in sources:
        is_empty = not references.rows(source.audited, using).exists()
        for one in source.audited.fields if not is_empty else ():
            if one.root is None:
                places.unjudged[one.id] = one.storage_fault
            else:
                wanted.setdefault(one.root, one.adapter)
    for root, adapter in wanted.items():
        try:
            seen = look_at_root(root, adapter, using=using)
        except AuditorError as error:
            places.refused[root] = error
            continue
        places.by_root[root] = Place(
            seen=seen, tree=Tree(root), adapter=adapter, disk=RemoteDisk(adapter) if adapter else None
        )
    _plant(places)
    return places


def _plant(places: Places) -> None:
    """Walks each outermost folder once, and makes those that lie in it parts of its tree."""
    for root in sorted(places.by_root, key=len):
        place = places.by_root[root]
        if place.disk:
            continue
        around = next((tree for tree in places.trees if inside(tree.root, root)), None)
        if around:
            place.tree, place.prefix = around, f"{inside(around.root, root)}/"
            continue
        inner = [other for other in places.by_root if inside(root, other)]
        hidden = [name for other in inner for name in _below(root, places.by_root[other])]
        hidden += [inside(root, other) for other in places.refused if inside(root, other)]
        place.tree = walk(root, unmounted=(*place.seen.unmounted, *hidden), inner=inner)
        places.trees.append(place.tree)


def _below(root: str, inner: Place) -> list[str]:
    return [f"{inside(root, inner.root)}/{name}" for name in inner.seen.unmounted]
