from pathlib import Path

import pytest

from tests.skips import read_allowed

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.sqlite

CHECKOUT = Path(__file__).parents[2]
SKIPPING = """
    import pytest

    def test_passing():
        pass

    @pytest.mark.skip(reason="no server")
    def test_skipped():
        pass

    @pytest.mark.xfail(reason="known bug")
    def test_failing():
        assert False
"""
HEADLINE = "*skipped in CI and not listed in tests/allowed_skips.txt*"


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder for a run of its own, with the plugin and an empty list of allowed skips."""
    package = pytester.mkpydir("tests")
    (package / "skips.py").write_text((CHECKOUT / "tests" / "skips.py").read_text())
    (package / "allowed_skips.txt").touch()
    pytester.makeini("[pytest]\npythonpath = .\naddopts = -p tests.skips -p no:django\n")
    monkeypatch.setenv("CI", "true")
    return pytester


def allow(run: pytest.Pytester, *lines: str) -> None:
    (run.path / "tests" / "allowed_skips.txt").write_text("# a comment\n\n" + "\n".join(lines) + "\n")


def test_unlisted_skip_and_expected_failure_turn_the_run_red(run: pytest.Pytester) -> None:
    run.makepyfile(test_it=SKIPPING)

    result = run.runpytest_subprocess()

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            HEADLINE,
            "test_it.py::test_skipped: Skipped: no server",
            "test_it.py::test_failing: expected to fail: known bug",
        ]
    )
    result.assert_outcomes(passed=1, skipped=1, xfailed=1)


def test_skip_of_a_whole_module_turns_the_run_red(run: pytest.Pytester) -> None:
    run.makepyfile(test_it="import pytest; pytest.importorskip('no_such_module')")
    run.makepyfile(test_other="def test_passing(): pass")

    result = run.runpytest_subprocess()

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([HEADLINE, "test_it.py: Skipped: could not import 'no_such_module'*"])


def test_listed_skips_leave_the_run_green(run: pytest.Pytester) -> None:
    run.makepyfile(test_it=SKIPPING)
    allow(run, "test_it.py::test_skipped no such server for this Python", "test_it.py::test_fail known bug")

    result = run.runpytest_subprocess()

    assert result.ret == pytest.ExitCode.OK
    result.stdout.no_fnmatch_line(HEADLINE)


def test_skips_outside_ci_are_nobodys_business(run: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    run.makepyfile(test_it=SKIPPING)
    monkeypatch.delenv("CI")

    result = run.runpytest_subprocess()

    assert result.ret == pytest.ExitCode.OK
    result.stdout.no_fnmatch_line(HEADLINE)


def test_allowed_skip_needs_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "allowed_skips.txt"
    path.write_text("tests/test_it.py::test_skipped\n")

    with pytest.raises(ValueError, match=r"^allowed_skips.txt: 'tests/\S+' has no reason\.$"):
        read_allowed(path)
