"""Which files are unused: the word of `cleanup_unused_files`, and no other one."""

import os
from collections.abc import Callable
from dataclasses import replace

from auditor import conf
from auditor.durations import seconds_of
from auditor.usage.finder import Survey, Wanted, find
from auditor.usage.plan import RootPlan, UnusedPlan
from auditor.usage.reading import Progress


def find_unused(survey: Survey, *, using: str, progress: Progress) -> UnusedPlan:
    """What a clean-up without flags would find. Only reads.

    Raises AuditorError where something that names files cannot be asked.
    """
    min_age = conf.unused_min_age()
    wanted = Wanted(min_age_seconds=seconds_of(min_age, of=conf.UNUSED_MIN_AGE.name))
    return find(survey, wanted, min_age=min_age, using=using, progress=progress)


def narrowed(plan: UnusedPlan, covers: Callable[[str], bool]) -> UnusedPlan:
    """The plan with names that are covered; why others stay is only known of all together."""
    return replace(plan, roots=tuple(_covered(root, covers) for root in plan.roots))


def _covered(root: RootPlan, covers: Callable[[str], bool]) -> RootPlan:
    return replace(root, unused=tuple(one for one in root.unused if covers(os.fsdecode(one.name))), kept={})
