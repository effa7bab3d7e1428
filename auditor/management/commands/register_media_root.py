"""Makes the places where media are kept, as they are now, the ones that the database knows."""

import os
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from typing import Any

from auditor import lines
from auditor.auditlog import store
from auditor.errors import AuditorError, ExitCode
from auditor.jsonlog import JsonLog
from auditor.management.base import AuditorCommand, usable
from auditor.models import Root
from auditor.orphans import registry, remote
from auditor.orphans.storages import StorageAdapter
from auditor.roots import Registration, identity, register
from auditor.wording import registered, safe


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
            audited = usable(database, registry.audited_models())
            adapters = remote.adapters(audited)
            for path in chosen(paths, registry.roots(audited), list(adapters)):
                try:
                    self.register(path, adapters.get(path), log, using=database, replace=replace)
                except AuditorError as error:
                    refused.append(error)
            if refused:
                raise together(refused)

    def register(self, path: str, adapter: StorageAdapter | None, log: JsonLog, *, using: str, replace: bool) -> None:
        """Registers one folder, or one place of an adapter, and says what that did."""
        if adapter is None:
            identity(path)  # an absent folder is refused before it has a row
        else:
            remote.ensure_readable(adapter)
        root = store.register_root(path, using=using)
        known = list(root.mounts)
        if adapter is None:
            done = register(root, using=using, replace=replace)
        else:
            done = remote.register(root, adapter, using=using, replace=replace)
        forgotten = [name for name in known if name not in root.mounts]
        for line in sentences(root, done, forgotten):
            self.stdout.write(self.encodable(safe(line)))
        log.emit(lines.root_registered(root, done, forgotten))


def chosen(paths: Sequence[str], folders: Sequence[str], others: Sequence[str] = ()) -> list[str]:
    """The places that are meant, each once; raises AuditorError for a path that is none (usage).

    The `others` are no folders, and are named as they are.
    """
    roots = [*folders, *others]
    if not roots:
        raise AuditorError(
            "No model keeps files in a folder of this machine, so there is nothing to register.",
            hint="Install an app that has a model with a file field, stored by FileSystemStorage.",
            exit_code=ExitCode.REFUSED_ROOT,
        )
    real = [path if path in others else os.path.realpath(path) for path in paths]
    for path, root in zip(paths, real, strict=True):
        if root not in roots:
            raise AuditorError(
                f"{path} is no media folder of this site.",
                hint=f"Its media folders: {', '.join(roots)}",
                exit_code=ExitCode.USAGE,
            )
    return list(dict.fromkeys(real)) or roots


def sentences(root: Root, done: Registration, forgotten: Sequence[str]) -> Iterator[str]:
    """What a registration did, a line each."""
    yield registered(root.path, done, str(root.marker))
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
