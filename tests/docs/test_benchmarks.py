import pytest

from tests.benchmarks.page import PAGE, renewed
from tests.docs.pages import IS_WRITING, read
from tests.running import PROJECT

pytestmark = pytest.mark.sqlite


def test_page_has_the_rows_and_words_of_the_code_around_its_figures() -> None:
    page = PROJECT / PAGE
    if IS_WRITING:
        page.write_text(renewed(read(page)), encoding="utf-8")

    assert read(page) == renewed(read(page))
