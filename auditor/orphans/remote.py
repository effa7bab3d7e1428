"""Judges names through a storage adapter, never trusting it with more than it has proved."""

import posixpath
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import NoReturn
from uuid import UUID, uuid4

from auditor.auditlog import store
from auditor.errors import AuditorError, ExitCode
from auditor.marker import MARKER, BrokenMarkerError, content_of, how_to_register, how_to_replace, uuid_in
from auditor.models import Root
from auditor.orphans.disk import LEAVES_ROOT, NOT_A_NAME, Look, Verdict
from auditor.orphans.registry import AuditedModel
from auditor.orphans.storages import StorageAdapter, reason
from auditor.roots import Registration, adopt

ROUND = 20  # looks per thread, after which a storage that has failed is asked for its marker again
LOOKS_LIKE = (
    "This is what a wrong bucket or endpoint, missing permissions or an outage look like: mend it and run again."
)


def adapters(audited: Iterable[AuditedModel]) -> dict[str, StorageAdapter]:
    """{root: adapter} of all places that are no local folders."""
    fields = [one for model in audited if not model.kept_in for one in model.fields]
    return {one.root: one.adapter for one in reversed(fields) if one.root and one.adapter is not None}


def probe(adapter: StorageAdapter, *, using: str) -> str:
    """The UUID of the marker, once the storage has proved that it is the one we know and can tell what is missing.

    Only reads. Raises AuditorError (refused: root) if it has not.
    """
    known = Root.objects.using(using).filter(path=adapter.root).values_list("marker", flat=True).first()
    found = read_marker(adapter)
    if known is None or found is None:
        is_new = known is None
        refuse(adapter, "is not registered" if is_new else "has lost its marker", _to_register(adapter, using, is_new))
    if found != known:
        refuse(adapter, f"has a foreign marker: it is {found}, and was {known}", how_to_replace(adapter.root, using))
    prove(adapter)
    return str(found)


def _to_register(adapter: StorageAdapter, using: str, is_new: bool) -> str:
    hint = how_to_register(adapter.root, using)
    return hint if is_new else f"{LOOKS_LIKE}\n{hint}"


def read_marker(adapter: StorageAdapter) -> UUID | None:
    """The UUID in the marker, or None if there is surely no marker.

    Raises AuditorError (refused: root) if it cannot be read, BrokenMarkerError if what is there is no marker.
    """
    try:
        content = adapter.read(MARKER)
    except Exception as error:  # whatever an adapter raises
        refuse(adapter, f"cannot be read: {reason(error)}", LOOKS_LIKE, error)
    return None if content is None else uuid_in(adapter.root, content)


def ensure_readable(adapter: StorageAdapter) -> None:
    """Raises AuditorError (refused: root) if it cannot even be told whether there is a marker."""
    with suppress(BrokenMarkerError):
        read_marker(adapter)


def prove(adapter: StorageAdapter) -> None:
    """Raises AuditorError (refused: root) unless the adapter sees the marker, and does not see what never was."""
    seen = _look_safely(adapter, MARKER)
    if seen.verdict is not Verdict.PRESENT:
        refuse(
            adapter, f"has a marker that cannot be looked at: {seen.reason or 'it is said to be missing'}", LOOKS_LIKE
        )
    never = _look_safely(adapter, f"{MARKER}-{uuid4()}")
    if never.verdict is not Verdict.MISSING:
        refuse(
            adapter,
            f"cannot tell a missing file from an error: {never.reason or 'it says that everything is there'}",
            "Give the site the permission to list what is kept there (s3:ListBucket in S3).",
        )


def refuse(adapter: StorageAdapter, what: str, hint: str, error: Exception | None = None) -> NoReturn:
    """Raises AuditorError (refused: root)."""
    raise AuditorError(f"The storage {adapter.root} {what}.", hint=hint, exit_code=ExitCode.REFUSED_ROOT) from error


class RemoteDisk:
    """Judges many names in one place, as `Disk` does in a folder: by listing where that is cheaper, else one by one.

    `unlisted` keeps what could not be listed: {prefix: reason}.
    """

    def __init__(self, adapter: StorageAdapter) -> None:
        self.adapter = adapter
        self.listing = adapter.listing()

    @property
    def unlisted(self) -> dict[str, str]:
        return dict(self.listing.unlisted) if self.listing else {}

    def judge(self, names: Iterable[str]) -> dict[str, Look]:
        """{name: Look} of those names that are not plainly present.

        Raises AuditorError (refused: root) where looks have failed and the storage cannot be read any more.
        """
        looks, valid = _sorted_out(names)
        settled = self.listing.looks(valid) if self.listing else {}
        looks |= settled | look_at_all(self.adapter, [name for name in valid if name not in settled])
        return {name: look for name, look in looks.items() if look.verdict is not Verdict.PRESENT}


def look_now(adapter: StorageAdapter, names: Iterable[str]) -> dict[str, Look]:
    """{name: Look} of all names, each looked at by itself, now: what single records' fates depend on."""
    looks, valid = _sorted_out(names)
    return looks | look_at_all(adapter, valid)


def look_afar(adapter: StorageAdapter, name: str) -> Look:
    """Looks at one name, now."""
    return look_now(adapter, [name])[name]


def _sorted_out(names: Iterable[str]) -> tuple[dict[str, Look], list[str]]:
    """The looks of those names that no storage is asked for, and the other names, each once."""
    faults = {name: fault for name in dict.fromkeys(names) if (fault := name_fault(name))}
    return faults, [name for name in dict.fromkeys(names) if name not in faults]


def name_fault(name: str) -> Look | None:
    """Why a name is no object's, or None."""
    path = posixpath.normpath(name.replace("\\", "/"))  # as storages do
    if path.startswith(("/", "../")) or path == "..":
        return LEAVES_ROOT
    if path == "." or "\0" in name:
        return NOT_A_NAME
    try:
        name.encode()
    except UnicodeEncodeError:
        return NOT_A_NAME
    return None


def look_at_all(adapter: StorageAdapter, names: Sequence[str]) -> dict[str, Look]:
    """{name: Look}, several at once where the adapter allows it."""
    looks: dict[str, Look] = {}
    for some in store.chunks(names, adapter.threads * ROUND if names else 1):
        found = _look_at_some(adapter, some)
        if any(look.verdict is Verdict.UNKNOWN for look in found.values()):
            ensure_readable(adapter)  # or each of a million names would wait for a storage that is away
        looks |= found
    return looks


def _look_at_some(adapter: StorageAdapter, names: Collection[str]) -> dict[str, Look]:
    if adapter.threads == 1 or len(names) == 1:
        return {name: _look_safely(adapter, name) for name in names}
    with ThreadPoolExecutor(adapter.threads) as pool:
        return dict(zip(names, pool.map(lambda name: _look_safely(adapter, name), names), strict=True))


def _look_safely(adapter: StorageAdapter, name: str) -> Look:
    try:
        return adapter.look_at(name)
    except Exception as error:  # whatever an adapter raises, it is not "missing"
        return Look(Verdict.UNKNOWN, reason(error), True)


def register(root: Root, adapter: StorageAdapter, *, using: str, replace: bool = False) -> Registration:
    """Makes the place, as it is now, the one that the database knows: a person has said so.

    Raises AuditorError (refused: root) as `probe` does, and if the place has a foreign marker or is empty, unless it
    is to replace what is known.
    """
    found = None
    try:
        found = read_marker(adapter)
    except BrokenMarkerError:
        if not replace:
            raise
    done = adopt(root, found, using, replace) if found else _mark(root, adapter, using, replace)
    prove(adapter)
    if read_marker(adapter) != root.marker:
        refuse(adapter, "does not give back the marker that was written", LOOKS_LIKE)
    root.mounts = []
    root.save(using=using, update_fields=["marker", "mounts"])
    return done


def _mark(root: Root, adapter: StorageAdapter, using: str, replace: bool) -> Registration:
    try:
        if not replace and adapter.is_empty():
            looks_like = "has not a single file: this is what a wrong bucket or prefix looks like"
            refuse(adapter, looks_like, how_to_replace(root.path, using))
        done = Registration.RESTORED if root.marker else Registration.WRITTEN
        root.marker = root.marker or uuid4()
        adapter.write(MARKER, content_of(root.marker))
    except AuditorError:
        raise
    except Exception as error:  # whatever an adapter raises
        refuse(adapter, f"cannot be written to: {reason(error)}", LOOKS_LIKE, error)
    return done
