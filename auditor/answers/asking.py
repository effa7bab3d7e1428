"""What a person means: which name in which media folder, which type of event, and which time."""

import os
from collections.abc import Sequence
from datetime import datetime, timedelta

from auditor.auditlog.events import REGISTRY
from auditor.durations import SECONDS, seconds_of
from auditor.errors import AuditorError, ExitCode
from auditor.models import Event, Root
from auditor.orphans import remote
from auditor.orphans.registry import audited_models, roots


def roots_known(using: str) -> list[str]:
    """All media folders and places that the site uses, or that the log knows."""
    audited = audited_models()
    logged = Root.objects.using(using).order_by("pk").values_list("path", flat=True)
    return list(dict.fromkeys([*roots(audited), *remote.adapters(audited), *logged]))


def chosen_root(wanted: str, known: Sequence[str]) -> str:
    """The root that a person names; raises AuditorError (usage) if it is none."""
    found = wanted if wanted in known else os.path.realpath(wanted)
    if found not in known:
        raise AuditorError(
            f"{wanted} is no media folder that this site uses or that the log knows.",
            hint=f"Its media folders: {', '.join(known) or 'none'}",
            exit_code=ExitCode.USAGE,
        )
    return found


def places_of(name: str, wanted: str, known: Sequence[str]) -> list[tuple[str, str]]:
    """The (root, name) pairs that a name can mean: one of them for an absolute path or a chosen root.

    Raises AuditorError (usage) for an absolute path that lies in no root, and for what is no name of a file.
    """
    if os.path.normpath(name).split("/")[0] in ("", ".", "..") and not name.startswith("/"):
        raise AuditorError(
            f"{name!r} is no name of a file in a media folder.",
            hint="Name it as a record does, such as photos/a.jpg, or by its whole path.",
            exit_code=ExitCode.USAGE,
        )
    among = [chosen_root(wanted, known)] if wanted else list(known)
    if not name.startswith("/"):
        return [(root, os.path.normpath(name)) for root in among]
    for path in (os.path.normpath(name), _real(name)):
        holding = [root for root in among if path.startswith(f"{root.rstrip('/')}/")]
        if holding:
            root = max(holding, key=len)
            return [(root, path[len(root.rstrip("/")) + 1 :])]
    raise AuditorError(
        f"{name} lies in no media folder that this site uses or that the log knows.",
        hint=f"Its media folders: {', '.join(among) or 'none'}",
        exit_code=ExitCode.USAGE,
    )


def _real(path: str) -> str:
    """The path with the symlinks of its folder resolved: the file itself may be gone."""
    folder, name = os.path.split(path)
    return os.path.join(os.path.realpath(folder), name)


def moment_of(text: str, now: datetime, *, of: str) -> datetime | None:
    """The time that a person means: a date, a date with a time, or how long ago; None for no text.

    Raises AuditorError (usage) for anything else; `of` is the option that it was given for.
    """
    if not text:
        return None
    try:
        if text[:1].isdigit() and text[-1:] in SECONDS:
            return now - timedelta(seconds=seconds_of(text, of=of))
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise AuditorError(
            f"{of} must be a time such as 2026-03-01, '2026-03-01 10:00' or 2h, not {text!r}.",
            hint="Write it as year-month-day, with hours and minutes if you like, or as a length of time.",
            exit_code=ExitCode.USAGE,
        ) from None


def ensure_type(kind: str, using: str) -> None:
    """Raises AuditorError (usage) for a type that neither this program nor the log knows."""
    if kind and kind not in REGISTRY and not Event.objects.using(using).filter(type=kind).exists():
        raise AuditorError(
            f"No event has the type {kind!r}.",
            hint=f"The types are: {', '.join(sorted(filter(None, REGISTRY)))}.",
            exit_code=ExitCode.USAGE,
        )
