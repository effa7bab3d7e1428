"""Answers to `audit_log why` as text."""

import shlex
from collections.abc import Iterator, Sequence

from auditor.answers.blind import Interval
from auditor.answers.life import MOST_HOLDERS, Life
from auditor.answers.record import RecordLife
from auditor.answers.sentences import Archive, Told, clock
from auditor.orphans.disk import Verdict
from auditor.wording import safe

MOST_GAPS = 3
MAY_BE_MORE = "No watcher has ever looked after this folder, so there may be more that the log has not heard of."
NEVER_LOOKED = "No watcher has ever looked after this folder, so the log knows nothing of its files."


def of_file(life: Life, gaps: Sequence[Interval], covered: Sequence[Interval]) -> str:
    """The life of a file.

    `gaps` are the times in which it may have gone or come unseen, `covered` those in which the watcher looked.
    """
    lines = [f"{safe(life.name)} in {safe(life.path)}", "", *map(_line, life.told)]
    if not life.told:
        lines += _never_heard(covered, life.archive)
    elif not covered:
        lines.append(MAY_BE_MORE)
    lines += ["", *_now(life), *_unseen(gaps), *life.left_out]
    if life.archive:
        lines.append(str(life.archive))
    return "\n".join(lines)


def of_record(life: RecordLife) -> str:
    """The life of a record, without that of its files."""
    lines = [safe(f"{life.model}:{life.key}"), "", *map(_line, life.told)]
    if not life.told:
        lines.append("No run has deleted or changed it, as far as tombstones tell.")
    lines += ["", "It is in the database now." if life.is_there else "It is not in the database now."]
    if life.waits_in and not life.is_there:
        only = shlex.quote(f"{life.model}:{life.key}")
        lines.append(f"It can be brought back: python manage.py restore_orphaned_media {life.waits_in} --only {only}")
    return "\n".join([*lines, *life.left_out])


def _line(told: Told) -> str:
    return f"{clock(told.at)}  {told.text}"


def _never_heard(covered: Sequence[Interval], archive: Archive | None) -> Iterator[str]:
    behind = f", in its events behind position {archive.until}" if archive else ""
    yield f"The log has never heard of this name{behind}."
    if not covered:
        yield NEVER_LOOKED
        return
    looked = [one for one in covered if not archive or one.until > archive.recorded_at]
    if looked:
        first = max(looked[-1].since, archive.recorded_at) if archive else looked[-1].since
        yield (
            f"So it did not vanish while the watcher looked, first at {clock(first)}: "
            "either it is there, or it went earlier or in a gap, or it never was."
        )


def _now(life: Life) -> Iterator[str]:
    if life.look is not None:
        match life.look.verdict:
            case Verdict.PRESENT:
                yield "On disk: it is there now."
            case Verdict.MISSING:
                yield "On disk: no such file now."
            case Verdict.UNKNOWN:
                yield f"On disk: nobody can say now ({safe(life.look.reason)})."
    if not life.holders:
        yield "No record names it now."
    for one in life.holders:
        yield f"{safe(f'{one.model}:{one.key}')} names it now, as its {one.field}."
    if len(life.holders) >= MOST_HOLDERS:
        yield "There may be more records that name it."


def _unseen(gaps: Sequence[Interval]) -> Iterator[str]:
    for gap in gaps[:MOST_GAPS]:
        yield _gap(gap)
    if len(gaps) > MOST_GAPS:
        yield f"There were {len(gaps) - MOST_GAPS} more such times: python manage.py audit_log spans"


def _gap(gap: Interval) -> str:
    """When nobody looked, and why."""
    if gap.is_now:
        return f"Nobody has been looking since {clock(gap.since)} ({gap.why})."
    return f"Nobody was looking from {clock(gap.since)} to {clock(gap.until)} ({gap.why})."
