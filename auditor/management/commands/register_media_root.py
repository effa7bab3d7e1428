"""Makes the media folders, as they are now, the ones that the database knows."""

import os
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from typing import Any

from auditor.auditlog import store
from auditor.catalogue import RootRegistered
from auditor.errors import AuditorError, ExitCode
from auditor.jsonlog import JsonLog
from auditor.management.base import AuditorCommand, usable
from auditor.models import Root
from auditor.orphans import registry
from auditor.orphans.disk import identity
from auditor.report import safe
from auditor.roots import Registration, register

SENTENCES = {
    Registration.WRITTEN: "registered {root} (marker {marker})",
    Registration.ADOPTED: "registered {root} (marker {marker}, which was there already)",
    Registration.UNCHANGED: "already registered: {root} (marker {marker})",
    Registration.RESTORED: "registered {root}: it had lost its marker, which is written again (marker {marker})",
    Registration.REPLACED: "registered {root}: from now on it is known by another marker (marker {marker})",
    Registration.UNMARKED: "registered {root} without a marker, as it cannot be written to: device and inode stand in",
}


class Command(AuditorCommand):
    help = (
        "Makes the media folders, as they are now, the ones that the database knows: "
        "each holds a marker file, and what is mounted in it is written down."
    )
    state = "The folders that are named above are registered, and no others."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "paths", nargs="*", metavar="PATH", help="only this media folder (default: all of the audited models)"
        )
        parser.add_argument(
            "--replace",
            action="store_true",
            help="also a folder that is empty, or holds another marker than the one that is known",
        )
        self.add_log_arguments(parser)

    def handle(
        self, *, paths: list[str], replace: bool, database: str, log_format: str, json_into: str, **_: Any
    ) -> None:
        with self.opened_log(log_format=log_format, json_into=json_into) as log:
            refused = []
            for path in chosen(paths, registry.roots(usable(database, registry.audited_models()))):
                try:
                    self.register(path, log, using=database, replace=replace)
                except AuditorError as error:
                    refused.append(error)
            if refused:
                raise together(refused)

    def register(self, path: str, log: JsonLog, *, using: str, replace: bool) -> None:
        """Registers one folder and says what that did."""
        identity(path)  # an absent folder is refused before it has a row
        root = store.register_root(path, using=using)
        known = list(root.mounts)
        done = register(root, using=using, replace=replace)
        forgotten = [name for name in known if name not in root.mounts]
        for line in sentences(root, done, forgotten):
            self.stdout.write(self.encodable(safe(line)))
        log.emit(
            RootRegistered(
                root=path,
                registration=done,
                mounts=root.mounts,
                forgotten=forgotten,
                marker=str(root.marker) if root.marker else None,
            )
        )


def chosen(paths: Sequence[str], roots: Sequence[str]) -> list[str]:
    """The media folders that are meant, each once; raises AuditorError for a path that is none (usage)."""
    if not roots:
        raise AuditorError(
            "No model keeps files in a folder of this machine, so there is nothing to register.",
            hint="Install an app that has a model with a file field, stored by FileSystemStorage.",
            exit_code=ExitCode.REFUSED_ROOT,
        )
    for path in paths:
        if os.path.realpath(path) not in roots:
            raise AuditorError(
                f"{path} is no media folder of this site.",
                hint=f"Its media folders: {', '.join(roots)}",
                exit_code=ExitCode.USAGE,
            )
    return list(dict.fromkeys(os.path.realpath(path) for path in paths)) or list(roots)


def sentences(root: Root, done: Registration, forgotten: Sequence[str]) -> Iterator[str]:
    """What a registration did, a line each."""
    yield SENTENCES[done].format(root=root.path, marker=root.marker)
    if root.mounts:
        yield f"  mounted in it: {', '.join(root.mounts)}"
    if forgotten:
        yield f"  not mounted any more, and forgotten: {', '.join(forgotten)}"


def together(refused: Sequence[AuditorError]) -> AuditorError:
    """One error that says all of several."""
    return AuditorError(
        " ".join(error.message for error in refused),
        hint="\n".join(dict.fromkeys(error.hint for error in refused)),
        exit_code=refused[0].exit_code,
    )
