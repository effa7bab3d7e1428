"""The confirmation: exactly `yes` deletes, and nothing else does."""

import sys
from io import StringIO
from pathlib import Path

import pytest

from auditor import wording
from deploy.gallery.models import Photo
from tests.commands.library import RULE, SCANNED, UNDO, Person, anonymous, make_library
from tests.commands.programs import CONFIRMED, NAME, at_terminal, program
from tests.makers import make_photo
from tests.running import manage, run

ASKED = f"""\
Scanning for orphaned media records...
Checking 1 photos...
Checking 0 videos...

{SCANNED}

{RULE}
ORPHANED RECORDS FOUND:
{RULE}
Photos: 1 orphaned out of 1 total
Videos: 0 orphaned out of 0 total
{RULE}

Orphaned Photos (sample):
  - photos/1000004108.jpg (Album: Evan Photos)

Affected albums:
  - Evan Photos: 1 photo

⚠️  WARNING: This will permanently delete these database records!
Are you sure you want to continue? (yes/no): \

"""
CLEANED = f"""
{RULE}
CLEANUP COMPLETE
{RULE}
Photos deleted: 1
Videos deleted: 0
Total deleted: 1
{RULE}

{UNDO}
✓ Database cleaned successfully!
"""
CANCELLED = "Cancelled. Nothing was deleted.\n"


@pytest.mark.django_db
@pytest.mark.parametrize("answer", ["yes\n", "yes"])
def test_yes_deletes(media: Path, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    make_library(media, photos=1, videos=0)
    monkeypatch.setattr(sys, "stdin", StringIO(answer))

    ran = run(NAME)

    assert (ran.code, anonymous(ran.stdout), Photo.objects.count()) == (0, ASKED + CLEANED, 0)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "answer", ["no\n", "YES\n", "Yes\n", "yes \n", " yes\n", "y\n", "yes yes\n", "\n", "\nyes\n", "yes\x00\n", ""]
)
def test_any_other_answer_deletes_nothing(media: Path, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    make_library(media, photos=1, videos=0)
    monkeypatch.setattr(sys, "stdin", StringIO(answer))

    ran = run(NAME)

    assert (ran.code, ran.stdout, Photo.objects.count()) == (1, ASKED + CANCELLED, 1)
    assert (ran.log[-1]["event"], ran.log[-1]["exit_code"]) == ("run.completed", 1)


@pytest.mark.django_db
def test_nobody_is_asked_when_there_is_nothing_to_delete(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_library(media, photos=1, videos=0, with_files=True)
    monkeypatch.setattr(sys, "stdin", Person("yes\n", meanwhile=lambda: pytest.fail("somebody was asked")))

    assert wording.QUESTION not in run(NAME).stdout


@pytest.mark.django_db
def test_empty_media_folder_is_shown_for_what_it_looks_like_and_a_yes_still_deletes(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_photo("photos/1000004108.jpg")
    monkeypatch.setattr(sys, "stdin", StringIO("yes\n"))

    ran = run(NAME)

    looks_like = "this is what an unmounted volume or a wrong MEDIA_ROOT looks like."
    warning = f"There is not a single file in {media}: {looks_like}\n\n⚠️"
    assert (ran.code, anonymous(ran.stdout)) == (0, ASKED.replace("⚠️", warning) + CLEANED)
    assert not Photo.objects.exists()


@pytest.mark.django_db
def test_input_that_is_closed_deletes_nothing(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_library(media, photos=1, videos=0)
    monkeypatch.setattr(sys, "stdin", None)  # as Python has it after `<&-`

    ran = run(NAME)

    assert (ran.code, ran.stdout, Photo.objects.count()) == (1, ASKED + CANCELLED, 1)


@pytest.mark.live
@pytest.mark.django_db(transaction=True)
def test_no_input_at_all_deletes_nothing(media: Path) -> None:
    make_library(media, photos=1, videos=0)

    ran = manage(NAME, stdin="")

    assert (ran.code, ran.stdout, Photo.objects.count()) == (1, ASKED + CANCELLED, 1)


@pytest.mark.live
@pytest.mark.django_db(transaction=True)
def test_interrupt_at_the_prompt_deletes_nothing(media: Path, tmp_path: Path) -> None:
    make_library(media, photos=1, videos=0)

    with program(NAME, stderr=tmp_path / "stderr") as asking:
        asking.wait_for(CONFIRMED)
        asking.interrupt()
        code = asking.end()

    sentence = "CommandError: Interrupted. Nothing was deleted.\nRun the command again when it suits you.\n"
    assert (code, asking.said, Photo.objects.count()) == (130, ASKED + sentence, 1)


@pytest.mark.live
@pytest.mark.django_db(transaction=True)
def test_whole_conversation_at_a_terminal(media: Path) -> None:
    make_library(media, photos=1, videos=0)

    with at_terminal(NAME) as asking:
        asking.wait_for(CONFIRMED)
        asking.answer("yes\n")
        code = asking.end()

    # The terminal would have shown the "yes" and its newline: it does not echo here.
    assert (code, anonymous(asking.said), Photo.objects.count()) == (0, ASKED.removesuffix("\n") + CLEANED, 0)


@pytest.mark.live
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("key", "code", "end"),
    [
        ("\x04", 1, CANCELLED),
        ("\x03", 130, "CommandError: Interrupted. Nothing was deleted.\nRun the command again when it suits you.\n"),
    ],
    ids=["end of input", "interrupt"],
)
def test_leaving_the_prompt_of_a_terminal_deletes_nothing(media: Path, key: str, code: int, end: str) -> None:
    make_library(media, photos=1, videos=0)

    with at_terminal(NAME) as asking:
        asking.wait_for(CONFIRMED)
        asking.interrupt(lambda: asking.answer(key))
        ended = asking.end()

    assert (ended, asking.said, Photo.objects.count()) == (code, ASKED + end, 1)
