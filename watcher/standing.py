"""What the log will be able to say of a name from now on: one judgement, for census, journal and candidates."""

from collections.abc import Collection
from dataclasses import dataclass

from auditor.auditlog.events import is_too_long
from auditor.orphans.disk import PRESENT, Disk, Look, Verdict
from watcher.reach import Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A look at a name, and whether the log can follow it.

    `is_beyond_log`: it is odd, unknown, ignored or too long, so that it has to be looked at each time.
    `is_unheard`: it would not be told if the name vanished, yet.
    """

    look: Look
    is_beyond_log: bool
    is_unheard: bool

    @property
    def is_missing(self) -> bool:
        """Whether there is no such file."""
        return self.look.verdict is Verdict.MISSING

    @property
    def may_be_heard_later(self) -> bool:
        """Whether it is there, and only its folder is not listened to yet."""
        return self.is_unheard and not self.is_beyond_log and self.look.verdict is Verdict.PRESENT


def standings(names: Collection[str], *, disk: Disk, reach: Reach) -> dict[str, Standing]:
    """{name: Standing} of those names that need more than the log: all others are there, and heard of.

    `disk` and `reach` have to be as old as each other: what a listing still shows may have vanished since.
    """
    # Asked before the look: what is heard of by then, and is there, cannot vanish without a word.
    ignored = {name for name in names if reach.is_ignored(name)}
    unheard = {name for name in names if name not in ignored and not reach.is_heard(name)}
    looks = disk.judge(names)
    return {
        name: Standing(
            look=(look := looks.get(name, PRESENT)),
            is_beyond_log=look.is_odd or name in ignored or is_too_long(name),
            is_unheard=name in unheard,
        )
        for name in {*looks, *ignored, *unheard}
    }
