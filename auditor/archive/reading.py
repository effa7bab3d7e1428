"""Reads what was archived: every segment that the log names, as the log says that it was written."""

import os
from collections.abc import Iterator, Sequence

from auditor import conf
from auditor.archive import form, segment
from auditor.archive.segment import BrokenSegmentError
from auditor.auditlog import pruned
from auditor.auditlog.events import LogPruned, StoredEvent
from auditor.errors import AuditorError, ExitCode


def checked(folder: str, *, using: str) -> list[str]:
    """The paths of all segments, in their order, after each was verified from itself alone and against the log.

    Raises AuditorError: usage, if one is not in the folder; verification failed, if one is not as it was written.
    """
    prunes = pruned.prunes(using)
    paths = [os.path.join(folder, one.segment) for one in prunes]
    ensure_there(folder, paths)
    for one, path in zip(prunes, paths, strict=True):
        _check(one, path)
    return paths


def events_in(paths: Sequence[str]) -> Iterator[tuple[int, StoredEvent]]:
    """The events of segments that were checked, in their order, each with its position."""
    for path in paths:
        for _, events in segment.read(path):
            yield from map(form.read_event, events)


def ensure_there(folder: str, paths: Sequence[str]) -> None:
    """Raises AuditorError (usage) if one of the files is not in the folder."""
    absent = [os.path.basename(path) for path in paths if not os.path.isfile(path)]
    if absent:
        raise AuditorError(
            f"{folder} lacks {len(absent)} of {len(paths)} segments of the archive, {absent[0]} first.",
            hint="Give --segments a folder with all of them.",
            exit_code=ExitCode.USAGE,
        )


def _check(one: LogPruned, path: str) -> None:
    try:
        if segment.sha256_of(path) != one.sha256:
            raise BrokenSegmentError("it has another SHA-256 than the log says")
        contents = segment.verified(path, conf.seal_key())
        if (contents.position, contents.batch, contents.seal) != (one.until, one.batch, one.seal):
            raise BrokenSegmentError("it holds other batches than the log says")
    except (BrokenSegmentError, OSError) as error:
        raise AuditorError(
            f"The segment {path} is not as it was written: {error}.",
            hint="Take it from a backup; if batches are sealed with a key, set AUDITOR_SEAL_KEY_FILE.",
            exit_code=ExitCode.VERIFICATION_FAILED,
        ) from error
