"""Answers the questions of `audit_log`."""

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from auditor import conf
from auditor.answers import asking, blind, catalogue, lines, rows, telling, verification
from auditor.answers.figures import figures
from auditor.answers.life import Life, archive, life_of
from auditor.answers.listing import Wish, follow, list_events
from auditor.answers.record import life_of_record, model_and_key
from auditor.answers.runs import find_run, list_runs
from auditor.answers.sentences import clock
from auditor.answers.verification import verify_log
from auditor.archive import pruning, reading
from auditor.archive.exporting import exported, in_parts
from auditor.auditlog import pruned, store
from auditor.auditlog.anchors import read_anchors
from auditor.auditlog.events import StoredEvent, readable
from auditor.auditlog.rebuilding import rebuild
from auditor.catalogue import LogLine
from auditor.errors import AuditorError, ExitCode
from auditor.management.base import ensure_log, reader_has_left
from auditor.management.run import CommandRun
from auditor.models import Event, Root

SPANS_READ = 200  # of one root, for the gaps in a life
TAIL_SECONDS = 1.0
MOST_SHOWN = 100_000  # rows
NO_ROOT = 0  # the number of none


class Answer(CommandRun):
    """The answer to one question."""

    def give(self) -> ExitCode:
        """Gives the answer, and the exit code."""
        ensure_log(self.using)
        ensure_limit(self.options)
        getattr(self, self.options["question"])()
        return ExitCode.DONE

    def why(self) -> None:
        """Tells what happened to a file, or to a record and its files."""
        subject, root = self.options["subject"], self.options["root"]
        record = None if root else model_and_key(subject)
        if record is None:
            places = asking.places_of(subject, root, asking.roots_known(self.using))
            lives = [life_of(path, name, using=self.using) for path, name in places]
            self.tell([life for life in lives if life.is_known] or lives)
        else:
            life = life_of_record(*record, using=self.using)
            self.answer(telling.of_record(life), lines.of_record(life))
            self.tell([life_of(path, name, using=self.using) for path, name in life.names], is_more=True)

    def tell(self, lives: Sequence[Life], *, is_more: bool = False) -> None:
        """Tells the lives of files, each after an empty line, but for the first of all."""
        for number, life in enumerate(lives):
            intervals = blind.intervals_of(life.root.pk, using=self.using, limit=SPANS_READ) if life.root else []
            last = max((told.at for told in life.told), default=None)
            gaps = [one for one in intervals if not one.is_covered and (last is None or one.until > last)]
            text = telling.of_file(life, gaps, [one for one in intervals if one.is_covered])
            self.answer(f"\n{text}" if number or is_more else text, lines.of_file(life))

    def show(self) -> None:
        """Shows events, the newest first."""
        paths = dict(Root.objects.using(self.using).values_list("pk", "path"))
        page = list_events(self.wish(paths), using=self.using)
        for row in page.events:
            self.show_event(row, paths)
        if page.next_before is not None:
            more = "There are more" if page.is_full else f"Stopped at position {page.next_before}, as it took too long"
            self.answer(f"{more}: --before {page.next_before}", [catalogue.ListingStopped(before=page.next_before)])
            return
        if not page.events:
            self.answer("No event in the audit log is like that.", [])
        if older := archive(self.using):
            self.answer(str(older), [lines.archived(older)])

    def wish(self, paths: dict[int, str]) -> Wish:
        """The events that the flags ask for; raises AuditorError (usage) for flags that can mean nothing."""
        options, now = self.options, store.database_time(self.using)
        if options["name"] and options["prefix"]:
            raise AuditorError(
                "--name and --prefix contradict each other.", hint="Choose one of them.", exit_code=ExitCode.USAGE
            )
        asking.ensure_type(options["type"], self.using)
        chosen = self.chosen_root()
        among = [key for key, path in paths.items() if not chosen or path == chosen]
        return Wish(
            limit=options["limit"],
            since=asking.moment_of(options["since"], now, of="--since"),
            until=asking.moment_of(options["until"], now, of="--until"),
            before=options["before"],
            kind=options["type"],
            name=readable(os.fsencode(options["name"]))[0],
            prefix=readable(os.fsencode(options["prefix"]))[0],
            run=find_run(options["run"], self.using) if options["run"] else None,
            roots=(among or [NO_ROOT]) if chosen or options["name"] or options["prefix"] else (),
        )

    def chosen_root(self) -> str:
        """The root that `--root` names, or nothing."""
        wanted = self.options["root"]
        return asking.chosen_root(wanted, asking.roots_known(self.using)) if wanted else ""

    def tail(self) -> None:
        """Shows events as they are recorded, until it is interrupted."""
        position = max(0, store.head_position(self.using) - self.options["limit"])
        with suppress(KeyboardInterrupt):  # it has no other end
            while True:
                paths = dict(Root.objects.using(self.using).values_list("pk", "path"))
                for row in follow(position, using=self.using):
                    self.show_event(row, paths)
                    position = row.position
                self.command.stdout.flush()
                if reader_has_left():
                    raise BrokenPipeError
                time.sleep(TAIL_SECONDS)

    def show_event(self, row: Event, paths: dict[int, str]) -> None:
        """Shows one event; with its root, where there are several."""
        root = paths.get(row.root_id or 0)
        path = f"{root}/{row.path}" if root and len(paths) > 1 else row.path
        text = rows.event(row.position, row.occurred_at, row.type, path, row.data)
        self.answer(text, [lines.of_event(row, root)])

    def spans(self) -> None:
        """Shows when each root was covered, and when it was not."""
        known, chosen = Root.objects.using(self.using).order_by("path"), self.chosen_root()
        for root in known.filter(path=chosen) if chosen else known:
            some = blind.intervals_of(root.pk, using=self.using, limit=self.options["limit"])
            self.answer(rows.intervals(root.path, some), lines.intervals(some))
        if not known.exists():
            self.answer("The log knows of no media folder yet.", [])

    def runs(self) -> None:
        """Shows the runs, the newest first."""
        before = find_run(self.options["before"], self.using) if self.options["before"] else None
        found = list_runs(limit=self.options["limit"], before=before, using=self.using)
        text = "\n".join(map(rows.run, found)) or "No run has changed anything."
        self.answer(text, lines.runs(found))

    def verify(self) -> None:
        """Verifies the log, and says what that does not show."""
        given = self.options["anchors"]
        anchors = read_anchors(given) if given else {}
        with self.progress(None, "events") as progress:
            done = verify_log(
                is_full=self.options["full"],
                anchors=anchors,
                segments=self.options["segments"],
                using=self.using,
                progress=progress,
            )
        self.answer("\n".join(verification.sentences(done)), [lines.verified(done)])

    def export(self) -> None:
        """Writes all events and seals to stdout, and nothing else."""
        for part in in_parts(exported(self.options["after"], using=self.using)):
            self.command.stdout.write(part)

    def rebuild(self) -> None:
        """Makes the projections what the events say, and says how they differed."""
        is_dry = self.options["dry_run"]
        found = rebuild(is_dry=is_dry, using=self.using, archived=self.archived())
        text = "\n".join(rows.difference(one, is_dry=is_dry) for one in found)
        self.answer(text, lines.differences(found, is_dry=is_dry))

    def archived(self) -> Iterator[tuple[int, StoredEvent]]:
        """The events that were pruned; raises AuditorError (usage) if it is not said where they are."""
        until, folder = pruned.pruned_until(self.using), self.options["segments"]
        if until and not folder:
            raise AuditorError(
                f"The events up to position {until} are archived, and nothing can be rebuilt without them.",
                hint="Give --segments the folder with the segments.",
                exit_code=ExitCode.USAGE,
            )
        return reading.events_in(reading.checked(folder, using=self.using)) if until else iter(())

    def prune(self) -> None:
        """Archives old events and removes them, or says what would go."""
        before, is_dry = self.pruned_before(), self.options["dry_run"]
        into = "" if is_dry else self.archive_folder()
        many = pruning.plan(before, using=self.using) if is_dry else pruning.prune(before, into=into, using=self.using)
        count = 0
        for count, one in enumerate(many, 1):  # noqa: B007 - it is read behind the loop
            self.answer(rows.pruned(one, is_dry=is_dry), [lines.pruned(one, is_dry=is_dry)])
        if not count:
            self.answer(f"Nothing to prune: no event was recorded before {clock(before)} that can go.", [])

    def pruned_before(self) -> datetime:
        """Before which moment events are pruned; raises AuditorError (usage) if nobody says so."""
        now = store.database_time(self.using)
        given = asking.moment_of(self.options["before"], now, of="--before")
        days = conf.retention_days()
        if given is None and not days:
            raise AuditorError(
                "Nobody says how long events are to be kept. Nothing was pruned.",
                hint="Give --before a time such as 365d, or set AUDITOR_RETENTION_DAYS.",
                exit_code=ExitCode.USAGE,
            )
        return given or now - timedelta(days=days)

    def archive_folder(self) -> str:
        """Where segments go; raises AuditorError (usage) if nobody says so."""
        into = self.options["into"] or conf.archive_dir()
        if not into:
            raise AuditorError(
                "Nobody says where the archive is. Nothing was pruned.",
                hint="Give --into a folder, or set AUDITOR_ARCHIVE_DIR; best on another disk than the database.",
                exit_code=ExitCode.USAGE,
            )
        return os.path.abspath(into)

    def stats(self) -> None:
        """Shows how large the log is."""
        log = figures(store.database_time(self.using), using=self.using)
        self.answer("\n".join(rows.figures(log)), [lines.figures(log)])

    def answer(self, text: str, as_lines: Iterable[LogLine]) -> None:
        """Gives a part of the answer: to the JSON log, and as text unless stdout carries that."""
        self.log.emit_all(as_lines)
        self.say(text)


def ensure_limit(options: dict[str, Any]) -> None:
    """Raises AuditorError (usage) for a --limit that shows nothing, but for a tail, or more than fits into memory."""
    least = 0 if options["question"] == "tail" else 1
    limit = options.get("limit", least)
    if limit > MOST_SHOWN:
        raise AuditorError(
            f"--limit {limit} is more than is shown at once.",
            hint=f"Give it {MOST_SHOWN} or less; export writes everything.",
            exit_code=ExitCode.USAGE,
        )
    if limit < least:
        raise AuditorError(
            f"--limit {limit} leaves nothing to show.",
            hint=f"Give it {least} or more, or leave it out.",
            exit_code=ExitCode.USAGE,
        )
