import pytest

from tests.answers.happening import NAME
from tests.benchmarks import answers, logs
from tests.benchmarks.cases import CASES, EVERYTHING, groups
from tests.benchmarks.page import known_by
from tests.benchmarks.table import Figures, Row, Table, Target, fixed_cells, verdict
from tests.running import run

pytestmark = pytest.mark.sqlite


def row(size: int, *, what: str = "scan", target: Target | None = None, grows_whole: bool = False) -> Row:
    return Row(what=what, size=size, database="SQLite", target=target, grows_whole=grows_whole)


@pytest.mark.parametrize(
    ("target", "figures", "growth", "expected"),
    [
        (None, Figures(seconds=9.0), None, ""),
        (Target(ratio=1.5), Figures(seconds=9.0, ratio=1.5), None, "met"),
        (Target(ratio=1.5), Figures(seconds=9.0, ratio=1.51), None, "missed"),
        (Target(ratio=1.5, peak_mb=100), Figures(seconds=9.0, ratio=1.0, peak_mb=101.0), None, "missed"),
        (Target(ratio_at_least=16), Figures(seconds=9.0, ratio=15.9), None, "missed"),
        (Target(ratio_at_least=16), Figures(seconds=9.0, ratio=16.0), None, "met"),
        (Target(seconds=0.15), Figures(seconds=0.2), None, "missed"),
        (Target(seconds=0.0), Figures(seconds=0.0), None, "met"),
        (Target(growth=1.2), Figures(seconds=9.0), None, ""),
        (Target(growth=1.2), Figures(seconds=9.0), 1.3, "missed"),
        (Target(lost=0), Figures(seconds=9.0, lost=1), None, "missed"),
        (Target(lost=0), Figures(seconds=9.0), None, "met"),
    ],
)
def test_a_target_is_met_only_if_every_part_of_it_is(
    target: Target | None, figures: Figures, growth: float | None, expected: str
) -> None:
    assert verdict(target, figures, growth) == expected


def test_growth_is_from_the_next_smaller_size_of_the_same_measurement() -> None:
    table = Table()
    table.add(row(10), Figures(seconds=1.0))
    table.add(row(100), Figures(seconds=8.0))
    table.add(row(500, what="another"), Figures(seconds=50.0))

    cells = table.add(row(1000), Figures(seconds=60.0))

    assert cells["growth"] == "× 7.50"


def test_growth_of_a_whole_command_counts_its_start() -> None:
    table = Table()
    table.add(row(10, grows_whole=True), Figures(seconds=1.0, start_up=9.0))

    cells = table.add(row(100, grows_whole=True), Figures(seconds=2.0, start_up=10.0))

    assert cells["growth"] == "× 1.20"


def test_a_row_that_could_not_be_measured_says_why_and_lends_no_growth() -> None:
    table = Table()

    failed = table.add(row(10, target=Target(ratio=1.5)), "no PostgreSQL answers")
    cells = table.add(row(100), Figures(seconds=8.0))

    assert failed == {
        "what": "scan",
        "records": "10",
        "layout": "-",
        "database": "SQLite",
        "seconds": "-",
        "start-up": "-",
        "ratio": "-",
        "to": "-",
        "peak MB": "-",
        "growth": "-",
        "runs": "-",
        "target": "ratio ≤ 1.5",
        "result": "not measured: no PostgreSQL answers",
    }
    assert cells["growth"] == "-"


def test_missed_targets_are_counted() -> None:
    table = Table()
    table.add(row(10, target=Target(seconds=1.0)), Figures(seconds=2.0, note="slow"))
    table.add(row(100, target=Target(seconds=1.0)), Figures(seconds=0.5))

    assert table.missed() == 1


@pytest.mark.django_db
def test_questions_are_about_what_is_in_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "build", lambda fill: fill())
    logs.main(1_000)

    answered = {name: run(NAME, *arguments, *answers.QUIET) for name, arguments in answers.questions(1_000).items()}

    assert all(answer.code == 0 for answer in answered.values())
    said = "\n".join(answer.stdout for answer in answered.values())
    assert "No event in the audit log" not in said
    assert "never heard of this name" not in said
    assert run(NAME, "verify", "--full").code == 0


def test_no_two_rows_look_the_same() -> None:
    rows = [known_by(fixed_cells(row)) for group in groups(list(CASES), EVERYTHING) for row in group.rows]

    assert len(set(rows)) == len(rows)
