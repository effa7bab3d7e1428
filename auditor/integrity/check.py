"""One check of the media: the records, the walk, the unused files, and the content of the files."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from auditor.errors import AuditorError, ExitCode
from auditor.integrity import sources
from auditor.integrity.content import Asked, Content
from auditor.integrity.findings import DiskFigures, Finding, Kind, ModelFigures
from auditor.integrity.found import Found, Wanted, without_record
from auditor.integrity.pace import Pace
from auditor.integrity.places import Places, look_at_places
from auditor.integrity.reading import Reader
from auditor.integrity.shared import shared_names, with_holders
from auditor.integrity.sources import Source
from auditor.integrity.tree import ABSENT, LINK, SHIFT, twins
from auditor.integrity.unused import find_unused, narrowed
from auditor.models import Acknowledgement
from auditor.orphans import references
from auditor.orphans.registry import AuditedModel
from auditor.usage.finder import Survey, make_survey
from auditor.usage.plan import UnusedPlan
from auditor.wording import counted, sized

NOT_MOVED = " Nothing was moved."  # what the clean-up says at last, and a check has no use for
Progress = Callable[[int | None, str], AbstractContextManager[Callable[[int], object]]]


@dataclass(slots=True, kw_only=True)
class Check:
    """What a check is asked to do, and what it has found so far."""

    using: str
    wanted: Wanted
    asked: Asked
    pace: Pace
    progress: Progress
    places: Places = field(default_factory=Places)
    found: Found = field(default_factory=Found)
    content: Content | None = None
    models: list[ModelFigures] = field(default_factory=list)
    not_looked_at: dict[str, str] = field(default_factory=dict)
    unused_plan: UnusedPlan | None = None

    def run(self, present: Sequence[AuditedModel]) -> None:
        """Looks at everything that is asked for; changes nothing but the checksums.

        Raises AuditorError (refused: root) if no place can be believed.
        """
        read = sources.judged(present, deep=self.asked.deep)
        survey = self._survey()
        self.places = look_at_places(read, folders=survey.roots if survey else (), using=self.using)
        self._say_what_is_left_out(present)
        self._refuse_if_nothing_is_left()
        self._read(read)
        self._leave_out_unbelievable(read)
        self._refuse_if_nothing_is_left()
        self.unused_plan = self._find_unused(survey) if survey else None
        found = self.found.findings
        found += shared_names(read, self.found.shared, using=self.using)
        on_disk = [*without_record(self.places, self.found)]
        trees = [*self.places.trees, *(place.tree for place in self.places.by_root.values() if place.disk)]
        on_disk += [one for tree in trees for one in twins(tree)]
        if self.asked.sums or self.asked.deep:
            on_disk += self._read_content()
        found += with_holders(map(self.places.at_home, on_disk), read, using=self.using)
        once = {one.digest: one for one in found if self.wanted.covers(one)}
        self.found.findings = sorted(once.values(), key=_order)

    def _refuse_if_nothing_is_left(self) -> None:
        if self.places.refused and not self.places.by_root:
            raise next(iter(self.places.refused.values()))

    def _say_what_is_left_out(self, present: Sequence[AuditedModel]) -> None:
        for root, error in self.places.refused.items():
            self.not_looked_at[root] = error.message.rstrip(".")
        self.not_looked_at.update(self.places.unjudged)
        for one in present:
            if one.kept_in:
                self.not_looked_at[one.id] = f"kept in database {one.kept_in!r}: run with --database {one.kept_in}"

    def _read(self, read: Sequence[Source]) -> None:
        losses = set(Acknowledgement.objects.using(self.using).values_list("model", "key", "field", "name"))
        total = sum(references.counts([source.audited for source in read], self.using).values())
        with self.progress(total, "records") as progress:
            for source in read:
                reader = Reader(source, self.places, self.found, self.wanted, losses)
                figures = reader.read(self.using, progress)
                if reader.is_wanted and any(map(self.places.of, source.audited.fields)):
                    self.models.append(figures)

    def _leave_out_unbelievable(self, read: Sequence[Source]) -> None:
        """Takes nothing for missing in a folder that has changed meanwhile, or that may be an unmounted volume."""
        missing = Counter(one.root for one in self.found.findings if one.kind is Kind.MISSING)
        for root, place in list(self.places.by_root.items()):
            try:
                place.ensure_same(using=self.using)
                if not place.seen.is_known and not place.is_witnessed and missing[root]:
                    raise unproven(root)
            except AuditorError as error:
                self._leave_out(root, error, read)

    def _leave_out(self, root: str, error: AuditorError, read: Sequence[Source]) -> None:
        touched = {one.audited.id for one in read if any(field.root == root for field in one.audited.fields)}
        del self.places.by_root[root]
        self.places.refused[root] = error
        self.not_looked_at[root] = error.message.rstrip(".")
        self.places.trees = [tree for tree in self.places.trees if tree.root != root]
        self.found.findings = [one for one in self.found.findings if one.root != root]
        self.found.shared.pop(root, None)
        self.models = [one for one in self.models if one.model not in touched]

    def _survey(self) -> Survey | None:
        """The folders in which a file can be unused; None where that is not asked for, or nobody can tell."""
        try:
            return None if self.wanted.models else make_survey(using=self.using)
        except AuditorError as error:
            self._say_that_nobody_knows(error)
            return None

    def _find_unused(self, survey: Survey) -> UnusedPlan | None:
        """What the clean-up of unused files would find; None where nobody can tell."""
        try:
            for root in survey.roots:
                if root in self.places.refused:
                    raise self.places.refused[root]
            with self.progress(None, "records") as progress:
                plan = find_unused(survey, using=self.using, progress=progress)
        except AuditorError as error:
            self._say_that_nobody_knows(error)
            return None
        for what, why in (*plan.left_out.items(), *plan.elsewhere.items()):
            if what not in self.not_looked_at:
                self.not_looked_at[f"unused files of {what}"] = why
        return narrowed(plan, self.wanted.covers_name) if self.wanted.prefixes else plan

    def _say_that_nobody_knows(self, error: AuditorError) -> None:
        self.not_looked_at["unused files"] = error.message.removesuffix(NOT_MOVED).rstrip(".")

    def _read_content(self) -> list[Finding]:
        """Reads the files, as far as the time goes."""
        for root in (root for root, place in self.places.by_root.items() if place.disk):
            self.not_looked_at[f"the content of {root}"] = "its files are in no local folder"
        self.content = Content(self.asked, self.found.sizes, self.pace, self.using)
        # In a narrow check, the tree does not know of all records whose file is missing.
        due = self.content.count_due(self.places.trees, forgets=self.wanted.is_everything)
        with self.progress(due, "files") as progress:
            self.content.progress = progress
            self.content.read_all(self.places.trees)
        if self.content.unopened:
            self.not_looked_at[counted(self.content.unopened, "image")] = "Pillow does not know the format"
        return self.content.findings

    def unused(self) -> Iterator[Finding]:
        """The unused files, one by one: there can be many of them."""
        for root in self.unused_plan.roots if self.unused_plan else ():
            for one in root.unused:
                yield Finding(kind=Kind.UNUSED, root=root.path, path=os.fsdecode(one.name), detail=sized(one.size))

    def disk_figures(self) -> DiskFigures | None:
        """How much is in the media folders; None if there are none, and in a check of some models only."""
        if self.wanted.models or not self.places.trees:
            return None
        figures, covers = DiskFigures(), self.wanted.covers_name
        for tree in self.places.trees:
            for head, names in tree.folders.items():
                for last, number in names.items():
                    if not number & (ABSENT | LINK) and covers(head + last):
                        figures.files += 1
                        figures.size += number >> SHIFT
        return figures


def unproven(root: str) -> AuditorError:
    """What is said of a folder that nothing proves, and in which not one file of a record is."""
    return AuditorError(
        f"Not one file that a record names is in {root}: this is what an unmounted volume or a wrong "
        "MEDIA_ROOT looks like.",
        hint="Mount what belongs there, or correct the setting.",
        exit_code=ExitCode.REFUSED_ROOT,
    )


def _order(one: Finding) -> tuple[str, str, str]:
    return one.root, one.path, one.model
