"""Reads the records once, holds each name against the tree, and takes down what is wrong."""

from collections.abc import Callable, Sequence
from typing import Any

from auditor.integrity.findings import Figures, Finding, Kind, ModelFigures
from auditor.integrity.found import Found, Wanted, look_into
from auditor.integrity.places import Place, Places
from auditor.integrity.sources import Source, default_name, is_image
from auditor.integrity.tree import ABSENT, IMAGE, NAMED, SHIFT, TROUBLED, WANTED, inside, real
from auditor.orphans.disk import PRESENT, Look, Verdict, is_plain
from auditor.orphans.groups import groups_by_value
from auditor.orphans.references import Row
from auditor.orphans.registry import AuditedField

MOST_GROUPS = 10_000  # of a model: what has more is hardly a group, and would fill the memory


class Reader:
    """Reads one model."""

    def __init__(
        self,
        source: Source,
        places: Places,
        found: Found,
        wanted: Wanted,
        known_losses: set[tuple[str, str, str, str]],
    ) -> None:
        self.source = source
        self.audited = source.audited
        self.places = places
        self.found = found
        self.wanted = wanted
        self.known_losses = known_losses
        self.figures = Figures()
        self.groups: dict[Any, Figures] = {}  # {(place in the row, value): Figures}
        self.lost: dict[Any, bool] = {}  # {key: whether it is surely an orphan}
        self.is_wanted = wanted.covers_model(self.audited.id)
        self.is_main = source.is_main

    def read(self, using: str, progress: Callable[[int], object]) -> ModelFigures:
        """Reads all of its records."""
        for page in self.source.rows(using):
            groups = self._groups_of(page)
            for at, one in enumerate(self.audited.fields, 1):
                if place := self.places.of(one):
                    self._read_field(at, one, place, page, groups)
            self._count(page, groups)
            progress(len(page))
        self.figures.orphaned = sum(self.lost.values())
        return self._figures(using)

    def _count(self, page: Sequence[Row], groups: Sequence[Figures | None]) -> None:
        end, prefixes = 1 + len(self.audited.fields), self.wanted.prefixes
        if not self.is_wanted:
            return
        for row, group in zip(page, groups, strict=True):
            if not prefixes or any(name and self.wanted.covers_name(name) for name in row[1:end]):
                self.figures.records += 1
                if group:
                    group.records += 1

    def _groups_of(self, page: Sequence[Row]) -> list[Figures | None]:
        """The figures of the group of each record, or None."""
        places = [at for at, _ in self.source.groups]
        if len(self.groups) > MOST_GROUPS or not self.is_main or not self.is_wanted or not places:
            return [None] * len(page)
        return [self._group_of(row, places) for row in page]

    def _group_of(self, row: Row, places: Sequence[int]) -> Figures | None:
        for at in places:
            if row[at] is not None:
                key = (at, row[at])
                return self.groups.get(key) or self.groups.setdefault(key, Figures())
        return None

    def _read_field(
        self, at: int, one: AuditedField, place: Place, page: Sequence[Row], groups: Sequence[Figures | None]
    ) -> None:
        folders, prefix, is_all = place.tree.folders, place.prefix, not self.wanted.prefixes
        bits = NAMED | WANTED | (IMAGE if is_image(self.audited.model, one.name) else 0)
        special = NAMED | WANTED | TROUBLED | (0 if one.name not in self.source.sizes else -1)
        strange: list[tuple[Row, Figures | None]] = []
        head, folder, files, size = None, None, 0, 0
        for row, group in zip(page, groups, strict=True):  # a million times: plain code is worth three calls here
            name = row[at]
            if not name:
                continue
            cut = name.rfind("/") + 1
            if name[:cut] != head:  # neighbours in the table are mostly neighbours on disk
                head = name[:cut]
                folder = folders.get(prefix + head)
            last = name[cut:]
            number = folder.get(last) if folder else None
            if folder is None or number is None or number & ABSENT:
                strange.append((row, group))
                continue
            is_wanted = self.is_wanted and (is_all or self.wanted.covers_name(name))
            folder[last] = number | (bits if is_wanted else NAMED)
            if not is_wanted:
                continue
            if number & special:
                self._note_special(place, one, row, name, number, group)
                continue
            files += 1
            size += number >> SHIFT
            if group:
                group.files += 1
                group.size += number >> SHIFT
        self.figures.files += files
        self.figures.size += size
        place.is_witnessed = place.is_witnessed or bool(files)
        if strange:
            self._read_strange(at, one, place, strange)

    def _note_special(
        self, place: Place, one: AuditedField, row: Row, name: str, number: int, group: Figures | None
    ) -> None:
        """Counts a file, and takes down what there is to say of it, or that another reference was to it."""
        place.is_witnessed = True
        if number & NAMED and name != default_name(self.audited.model, one.name):
            self.found.shared[place.root].add(name)
        for figures in (self.figures, group) if not number & WANTED else ():
            if figures:
                figures.files += 1
                figures.size += number >> SHIFT
        if number & TROUBLED:
            kind, detail = place.tree.troubles[place.prefix + name]
            self._tell(kind, one, row, name, detail)
            self.found.told.add((place.tree.root, place.prefix + name))
        if one.name in self.source.sizes:
            width, height = self.source.sizes[one.name]
            kept = (row[width] if width else None, row[height] if height else None)
            some = self.found.sizes.setdefault((place.tree.root, place.prefix + name), [])
            some.append((self.audited.id, str(row[0]), one.name, *kept))

    def _read_strange(
        self, at: int, one: AuditedField, place: Place, some: Sequence[tuple[Row, Figures | None]]
    ) -> None:
        """The names that the walk has not seen: missing, unknown, spelled oddly, or newer than the walk."""
        looks = place.look_at([row[at] for row, _ in some])
        for row, group in some:
            name, look = row[at], looks.get(row[at], PRESENT)
            is_wanted = self.is_wanted and self.wanted.covers_name(name)
            if look.verdict is Verdict.PRESENT:
                self._note_odd(one, place, row, name, group, is_wanted)
            elif is_wanted:
                self._note_absent(one, place, row, name, look)

    def _note_odd(
        self, one: AuditedField, place: Place, row: Row, name: str, group: Figures | None, is_wanted: bool
    ) -> None:
        path, kind, detail, size = place.prefix + name, None, "", 0
        if place.disk is None:
            kind, detail, size = look_into(f"{place.root}/{name}")
            path = inside(place.tree.root, real(place.root, name)) or path
        number = (place.tree.get(path) or size << SHIFT) & ~ABSENT
        bits = NAMED | WANTED | (IMAGE if is_image(self.audited.model, one.name) else 0)
        if place.disk or kind is None:
            place.tree.set(path, number | (bits if is_wanted else NAMED))
        if is_wanted:
            is_again = NAMED if place.disk else 0  # under another spelling, nobody can tell who else names it
            self._note_special(place, one, row, name, number & ~(TROUBLED | NAMED) | (number & is_again), group)
            if kind:
                self._tell(kind, one, row, name, detail)
                self.found.told.add((place.tree.root, path))

    def _note_absent(self, one: AuditedField, place: Place, row: Row, name: str, look: Look) -> None:
        if look.verdict is Verdict.UNKNOWN:
            self.figures.unknown += 1
            self._tell(Kind.UNKNOWN, one, row, name, look.reason)
            if one.is_primary:
                self.lost[row[0]] = False
            return
        cut = name.rfind("/") + 1
        if is_plain(name[:cut]) and place.tree.get(place.prefix + name) is None:
            place.tree.set(place.prefix + name, ABSENT | NAMED)
        elif name != default_name(self.audited.model, one.name):
            self.found.shared[place.root].add(name)
        if (self.audited.id, str(row[0]), one.name, name) in self.known_losses:
            self.found.acknowledged += 1
            return
        self._tell(Kind.MISSING if one.is_primary else Kind.DERIVED_MISSING, one, row, name, "")
        if one.is_primary:
            self.lost.setdefault(row[0], True)

    def _tell(self, kind: Kind, one: AuditedField, row: Row, name: str, detail: str) -> None:
        self.found.findings.append(
            Finding(
                kind=kind,
                root=one.root or "",
                path=name,
                model=self.audited.id,
                key=str(row[0]),
                field=one.name,
                detail=detail,
            )
        )

    def _figures(self, using: str) -> ModelFigures:
        made = ModelFigures(model=self.audited.id, label=self.audited.label, figures=self.figures)
        made.label_of_one = self.audited.label_of_one
        if len(self.groups) <= MOST_GROUPS:
            made.kind_of_group, made.groups = self._named_groups(using)
        return made

    def _named_groups(self, using: str) -> tuple[str, list[tuple[str, Figures]]]:
        fields, kinds, named = dict(self.source.groups), "", []
        for at, one in fields.items():
            values = {value for place, value in self.groups if place == at}
            for value, group in groups_by_value(one, values, using).items() if values else ():
                kinds = kinds or group.kinds
                named.append((group.name, self.groups[at, value]))
        return kinds, sorted(named, key=lambda one: (-one[1].size, -one[1].records, one[0]))
