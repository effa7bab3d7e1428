"""The daemon as a user has it: a program of its own, its signals and its exit codes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from auditor.models import Event, Span
from tests.makers import make_file, make_photo, real
from tests.running import PROJECT, manage, run
from tests.watcher.conftest import ALONE, Launch
from tests.watcher.waiting import wait_until

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]


def deletions() -> list[str]:
    return list(Event.objects.filter(type="file.deleted").order_by("position").values_list("path", flat=True))


def spans() -> list[str]:
    return list(Span.objects.order_by("opened_position").values_list("closed_reason", flat=True))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_records_a_deletion_and_leaves_cleanly(media: Path, start_watcher: Launch, number: signal.Signals) -> None:
    make_photo("photos/a.jpg", media=media)
    watcher = start_watcher()

    (media / "photos/a.jpg").unlink()
    wait_until(deletions)

    assert watcher.end(number) == 0
    assert (deletions(), spans()) == (["photos/a.jpg"], ["stopped"])
    assert watcher.events[0] == "watcher.started"
    assert real(media) in watcher.lines[0]["roots"]
    assert watcher.events[-2:] == ["span.closed", "watcher.stopped"]
    assert watcher.lines[-1]["reason"] == number.name


def test_after_kill_9_the_next_start_closes_the_span_and_finds_what_vanished(
    media: Path, start_watcher: Launch
) -> None:
    make_photo("photos/a.jpg", media=media)
    start_watcher().end(signal.SIGKILL)
    watermark = Span.objects.get().covered_until
    (media / "photos/a.jpg").unlink()

    start_watcher().end(signal.SIGTERM)

    assert (deletions(), spans()) == (["photos/a.jpg"], ["crashed", "stopped"])
    assert Span.objects.order_by("opened_position")[0].covered_until == watermark


def test_a_second_watcher_stands_by_and_takes_the_place_of_one_that_was_killed(
    media: Path, launch: Launch, start_watcher: Launch
) -> None:
    first, second = start_watcher(), launch()
    second.wait_for("root.waiting")
    assert second.lines[-1]["detail"].startswith(f"It is watched by process {first.program.pid} on ")

    first.end(signal.SIGKILL)
    second.wait_for("checkpoint.completed")

    assert second.end(signal.SIGTERM) == 0
    assert spans() == ["crashed", "stopped"]


def test_sighup_begins_anew_with_settings_and_code_as_they_are_now(start_watcher: Launch) -> None:
    watcher = start_watcher()

    watcher.program.send_signal(signal.SIGHUP)
    wait_until(lambda: watcher.events.count("checkpoint.completed") == 2, seconds=60)

    assert watcher.events.count("watcher.started") == 2
    assert watcher.end(signal.SIGTERM) == 0
    assert spans() == ["stopped", "stopped"]


def test_once_compares_everything_and_leaves(media: Path) -> None:
    make_photo("photos/gone.jpg")
    make_file(media, "photos/there.jpg")

    ran = manage("watch_media", "--once", **ALONE)

    assert (ran.code, ran.events[-1]) == (0, "watcher.stopped")
    assert (deletions(), spans()) == (["photos/gone.jpg"], ["stopped"])


def test_once_says_which_folder_could_not_be_compared(media: Path) -> None:
    media.rmdir()

    ran = manage("watch_media", "--once", "--log-format", "none", **ALONE)

    assert (ran.code, ran.stderr) == (
        5,
        f"CommandError: {real(media)} was not compared: {real(media)} is not there.\n"
        "Mend that, then run the command again.\n",
    )


def test_once_leaves_the_work_to_a_watcher_that_is_running(media: Path, start_watcher: Launch) -> None:
    watcher = start_watcher()

    ran = manage("watch_media", "--once", "--log-format", "none", **ALONE)

    assert ran.code == 7
    assert f"{real(media)} was not compared: It is watched by process {watcher.program.pid} on " in ran.stderr
    assert watcher.end(signal.SIGTERM) == 0


def test_health_says_how_the_running_watcher_is(media: Path, start_watcher: Launch) -> None:
    make_file(media, "a.jpg")
    without = manage("watch_media", "--health", **ALONE)
    watcher = start_watcher()
    wait_until(lambda: manage("watch_media", "--health", **ALONE).code == 0, seconds=60)

    covered = manage("watch_media", "--health", **ALONE)
    watcher.end(signal.SIGKILL)
    killed = manage("watch_media", "--health", **ALONE)

    assert (without.code, without.stdout.split(":")[0]) == (1, "blind       No watcher has said how it is")
    assert covered.stdout.startswith(f"covered     {real(media)}, up to ")
    assert (killed.code, killed.stdout) == (1, f"blind       The watcher (process {watcher.program.pid}) has ended.\n")


def test_a_database_that_is_not_there_yet_is_waited_for(
    media: Path, tmp_path: Path, launch: Launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "TEST_POSTGRES_URL", "postgres://postgres@127.0.0.1:1/postgres")
    if connection.vendor == "sqlite":
        monkeypatch.setitem(connection.settings_dict, "NAME", str(tmp_path / "not there" / "site.sqlite3"))
    watcher = launch()

    watcher.wait_for("root.waiting")

    assert (watcher.lines[-1]["reason"], watcher.end(signal.SIGTERM)) == ("database", 0)


def test_an_unknown_database_is_a_usage_error(media: Path) -> None:
    ran = run("watch_media", "--database", "archive")

    assert (ran.code, ran.events) == (2, ["watcher.failed"])
    assert ran.log[0]["message"] == "There is no database 'archive' in DATABASES."


def test_a_database_without_tables_says_what_to_run(media: Path) -> None:
    call_command("migrate", "auditor", "zero", verbosity=0)
    try:
        ran = run("watch_media", "--log-format", "none")
    finally:
        call_command("migrate", "auditor", verbosity=0)

    assert (ran.code, ran.stdout) == (
        1,
        "CommandError: The database 'default' has no table auditor_root: it has not been migrated.\n"
        "Run: python manage.py migrate --database default\n",
    )


def test_a_site_without_media_folders_has_nothing_to_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditor.orphans.registry.roots", lambda _: [])

    ran = run("watch_media", "--log-format", "none")

    assert (ran.code, ran.stdout) == (
        5,
        "CommandError: No model keeps files in a folder of this machine, so there is nothing to watch.\n"
        "Install an app that has a model with a file field, stored by FileSystemStorage.\n",
    )


def test_without_settings_there_is_one_sentence() -> None:
    without = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}

    done = subprocess.run(
        [sys.executable, "-m", "watcher"], cwd=PROJECT, env=without, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (
        2,
        "",
        "DJANGO_SETTINGS_MODULE is not set: it must name the settings of your project.\n",
    )


def test_a_root_that_is_not_there_yet_is_waited_for(media: Path, tmp_path: Path, launch: Launch) -> None:
    make_file(media, "a.jpg")
    media.rename(tmp_path / "elsewhere")
    watcher = launch()
    watcher.wait_for("root.waiting")

    (tmp_path / "elsewhere").rename(media)
    watcher.wait_for("checkpoint.completed")

    assert watcher.end(signal.SIGTERM) == 0
    assert {"reason": "root_gone", "detail": f"{real(media)} is not there."}.items() <= next(
        line for line in watcher.lines if line.get("root") == real(media)
    ).items()
