"""Lengths of time, read and written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.durations import SECONDS, in_words, seconds_of
from auditor.errors import AuditorError, ExitCode


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("0d", 0), ("90s", 90), ("30m", 1_800), ("12h", 43_200), ("7d", 604_800), ("2w", 1_209_600)],
)
def test_a_number_with_a_unit_is_so_many_seconds(text: str, seconds: int) -> None:
    assert seconds_of(text, of="--min-age") == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7",
        "d",
        "7 d",
        " 7d",
        "7d\n",
        "7D",
        "-7d",
        "+7d",
        "1.5d",
        "1d12h",
        "7days",
        "٧d",
        "7\N{NO-BREAK SPACE}d",
        "1" * 5_000 + "d",
    ],
)
def test_anything_else_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(AuditorError) as refused:
        seconds_of(text, of="--min-age")

    assert (refused.value.message, refused.value.exit_code) == (
        f"--min-age must be a length of time such as 90s, 30m, 12h, 7d or 2w, not {text!r}.",
        ExitCode.USAGE,
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (0.999, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3_599, "59 min 59 s"),
        (3_605, "1 h"),
        (604_799, "6 d 23 h"),
        (604_800, "7 d"),
        (86_400 * 400 + 59, "400 d"),
    ],
)
def test_words_are_never_rounded_up(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


@given(st.integers(0, 999_999_999), st.sampled_from(sorted(SECONDS)))
def test_words_of_what_was_written_say_no_more_and_hardly_less(count: int, unit: str) -> None:
    seconds = seconds_of(f"{count}{unit}", of="--min-age")
    sizes = {"d": 86_400, "h": 3_600, "min": 60, "s": 1}

    parts = in_words(seconds).split()

    said = sum(int(number) * sizes[size] for number, size in zip(parts[::2], parts[1::2], strict=True))
    assert said <= seconds < said + sizes[parts[-1]] * 60 + 1
