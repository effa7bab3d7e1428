"""Chooses how a root is listened to, and makes sure that it is the root we know."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from auditor import catalogue, conf, roots
from auditor.auditlog.coverage import GapReason
from auditor.errors import AuditorError
from auditor.marker import how_to_register, how_to_replace
from auditor.models import Root
from auditor.orphans.witness import is_witnessed
from auditor.roots import MarkerState
from watcher.identity import Identity, confirm, identify, missing_mounts
from watcher.ignored import matcher
from watcher.inotify import InotifySource
from watcher.listener import Listener
from watcher.notices import GapError
from watcher.polling import PollingSource
from watcher.recorder import Recorder
from watcher.site import Site
from watcher.sources import Observer, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """A root that is listened to; `confirm` raises GapError once it is not the root that was opened.

    `register` gives it a marker, if it was empty before and is not any more.
    """

    observer: Observer
    why: str
    listener: Listener
    identity: Identity
    confirm: Callable[[], None]
    register: Callable[[], None]

    def hindrance(self) -> GapError | None:
        """Why the whole of the root cannot be vouched for, although the rest of it is heard."""
        missing = missing_mounts(self.identity, self.listener.recorder.root.mounts)
        if missing:
            return GapError(GapReason.UNMOUNTED, f"{missing[0]} was a mounted file system, and is not mounted now.")
        return self.listener.source.hindrance()

    def remember_mounts(self, using: str) -> None:
        """Writes down what is mounted in the root: where one of these goes, its files are only out of sight."""
        roots.note_mounts(self.listener.recorder.root, self.identity.nested, using=using)


def observe(recorder: Recorder, site: Site) -> Observation:
    """Begins to listen to the recorder's root; raises GapError if that cannot be done, or if it is another folder."""
    root = recorder.root
    identity = identify(root.path)
    _register(root, site, identity)
    observer, why = _choose(site.observer, identity)

    def is_same() -> None:
        confirm(root.path, identity)
        _refuse_stranger(root, site.using)

    is_ignored = matcher(conf.ignored_patterns(), root.path)
    with site.pulse.paused():  # a large tree takes its time, and nothing is vouched for yet
        source = _source(observer, root, site, is_ignored, is_same)
    return Observation(
        observer=observer,
        why=why,
        listener=Listener(source, recorder, is_ignored=is_ignored, using=site.using),
        identity=identity,
        confirm=is_same,
        register=partial(_register, root, site, identity),
    )


def _choose(wanted: Observer, identity: Identity) -> tuple[Observer, str]:
    """How to listen, and why not as usual."""
    if wanted is Observer.POLLING:
        return Observer.POLLING, "It was asked for with --observer polling."
    if wanted is Observer.INOTIFY and identity.unheard:
        raise GapError(GapReason.NOT_WATCHED, identity.unheard)
    return (Observer.POLLING, identity.unheard) if identity.unheard else (Observer.INOTIFY, "")


def _source(
    observer: Observer, root: Root, site: Site, is_ignored: Callable[[bytes], bool], is_same: Callable[[], None]
) -> Source:
    limit = conf.queue_limit()
    if observer is Observer.POLLING:
        return PollingSource(
            root.path,
            limit=limit,
            wake=site.wake,
            interval=conf.poll_seconds(),
            is_ignored=is_ignored,
            confirm=is_same,
        )
    calls = f"{site.root_folder(root.path)}/calls"
    return InotifySource(root.path, limit=limit, wake=site.wake, calls=calls, is_ignored=is_ignored)


def _register(root: Root, site: Site, identity: Identity) -> None:
    """Registers a root that nobody has met before; refuses one that is not the one we know."""
    try:
        # A wrong folder can hold files as well: one that a record names has to be among them.
        is_ours = roots.check(root) is not MarkerState.UNREGISTERED or is_witnessed(root.path, using=site.using)
        done = roots.register_if_new(root, using=site.using) if is_ours else None
    except AuditorError as error:
        raise _unmarked(error) from error
    if done is not None:
        line = catalogue.RootRegistered(
            root=root.path,
            registration=done,
            mounts=list(identity.nested),
            forgotten=[],
            marker=str(root.marker) if root.marker else None,
        )
        site.log.emit(line)
    _refuse_stranger(root, site.using)


def _refuse_stranger(root: Root, using: str) -> None:
    try:
        state = roots.check(root)
    except AuditorError as error:
        raise _unmarked(error) from error
    if state is MarkerState.GONE:
        hint = f"Mount the volume that belongs there. {how_to_register(root.path, using)}"
        raise GapError(GapReason.MARKER_GONE, f"{root.path} has lost its marker. {hint}")
    if state is MarkerState.FOREIGN:
        raise GapError(GapReason.ROOT_REPLACED, f"{root.path} has another marker. {how_to_replace(root.path, using)}")


def _unmarked(error: AuditorError) -> GapError:
    return GapError(GapReason.MARKER_GONE, f"{error.message} {error.hint}")
