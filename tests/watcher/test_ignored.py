"""Which paths are not listened to."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from watchdog.utils.patterns import match_any_paths

from watcher.ignored import matcher, never

pytestmark = pytest.mark.sqlite

PIECES = st.sampled_from(
    ["a", "ab", "A", ".a", "a.tmp", "ä", "[a]", "a\nb", "*", "?", "**", "-", "!", "a b", "\\", "]"]
)
PATHS = st.lists(PIECES, min_size=1, max_size=5).map("/".join)
WILD = st.sampled_from(["**", "*", "*.tmp", "?", "a*", "[ab]", "[!a]", "[a-c]*", "[", "a**", "**b", ".", "..", ""])
PATTERNS = st.tuples(
    st.sampled_from(["/", "", "/m/", "/m/**/", "**/", "//"]), st.lists(st.one_of(PIECES, WILD), max_size=4)
).map(lambda parts: parts[0] + "/".join(parts[1]))


@given(path=PATHS, patterns=st.lists(PATTERNS, min_size=1, max_size=3), root=st.sampled_from(["/m", "/m/a", "/"]))
def test_paths_match_as_in_watchdogs_own_handlers(path: str, patterns: list[str], root: str) -> None:
    absolute = os.path.join(root, path)

    assert matcher(patterns, root)(os.fsencode(path)) == match_any_paths([absolute], included_patterns=patterns)


def test_a_folder_is_found_at_any_depth_and_only_as_a_whole() -> None:
    is_ignored = matcher(["**/cache", "/media/tmp/*", "**/*.part"], "/media")

    paths = [b"cache", b"a/b/cache", b"cache/x.jpg", b"my-cache", b"tmp", b"tmp/x", b"tmp/x/y", b"a.part", b"a.PART"]

    assert [path for path in paths if is_ignored(path)] == [b"cache", b"a/b/cache", b"tmp/x", b"a.part"]


def test_a_name_that_is_not_utf_8_can_be_ignored() -> None:
    is_ignored = matcher(["**/*.tmp"], "/media")

    assert (is_ignored(b"a/\xe4.tmp"), is_ignored(b"a/\xe4.jpg")) == (True, False)


def test_nothing_is_ignored_without_patterns() -> None:
    assert matcher((), "/media") is never
    assert never(b"a") is False
