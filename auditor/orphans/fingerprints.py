"""What referenced files were like when they were last seen, so that they are known again under another name."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from stat import S_ISREG

from auditor import models
from auditor.auditlog import store
from auditor.auditlog.events import is_too_long
from auditor.auditlog.store import BATCH, CHUNK, chunks, database_time
from auditor.orphans import references
from auditor.orphans.disk import is_plain
from auditor.orphans.registry import AuditedModel


@dataclass(frozen=True, slots=True)
class Print:
    """The size of a file in bytes, and its device and inode."""

    size: int
    identity: str


def known_prints(root: str, names: Iterable[str], *, using: str) -> dict[str, Print]:
    """{name: Print} of those names in the root at this real path that a census has seen. Only reads."""
    rows = models.Fingerprint.objects.using(using).filter(root__path=root)
    if not rows.exists():
        return {}
    return {
        path: Print(size, identity)
        for some in chunks((name for name in names if not is_too_long(name)), CHUNK)
        for path, size, identity in rows.filter(path__in=some).values_list("path", "size", "identity")
    }


def keep_prints(root: models.Root, names: Iterable[str], *, using: str) -> int:
    """Looks at the names that are there, and writes down what has changed; how many rows that were.

    A file that is not there keeps the fingerprint that it had. Each `BATCH` of names is a transaction of its own.
    """
    written = 0
    for some in chunks(names, BATCH):
        seen = dict(_look(root.path, some))
        known = known_prints(root.path, seen, using=using)
        changed = {name: one for name, one in seen.items() if known.get(name) != one}
        if changed:
            _write(root, changed, using)
        written += len(changed)
    return written


def keep_all_prints(audited: Iterable[AuditedModel], *, using: str) -> int:
    """Does so for all files of these models, in one pass over their records; how many rows have changed."""
    written = 0
    for one in audited:
        roots = {field.root: store.register_root(field.root, using=using) for field in one.fields if field.root}
        for chunk in references.read_all(one, using) if roots else ():
            for at, field in enumerate(one.fields, 1):
                names = [row[at] for row in chunk if row[at]]
                written += keep_prints(roots[field.root], names, using=using) if field.root else 0
    return written


def _look(root: str, names: Iterable[str]) -> Iterator[tuple[str, Print]]:
    for name in names:
        if not is_plain(name[: name.rfind("/") + 1]):
            continue
        try:
            status = os.lstat(f"{root}/{name}")
        except (OSError, ValueError):
            continue
        if S_ISREG(status.st_mode):
            yield name, Print(status.st_size, f"{status.st_dev}:{status.st_ino}")


def _write(root: models.Root, prints: dict[str, Print], using: str) -> None:
    now = database_time(using)
    models.Fingerprint.objects.using(using).bulk_create(
        [
            models.Fingerprint(root=root, path=name, size=one.size, identity=one.identity, seen_at=now)
            for name, one in prints.items()
        ],
        update_conflicts=True,
        unique_fields=["root", "path"],
        update_fields=["size", "identity", "seen_at"],
    )
