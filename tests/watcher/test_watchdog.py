"""The half-public parts of watchdog that the reader is built on, as it finds them."""

import os

import pytest
from watchdog.observers.inotify_c import InotifyConstants, InotifyFD, inotify_add_watch, inotify_rm_watch
from watchdog.utils.backwards_compat import translate  # type: ignore[attr-defined]

from watcher import masks
from watcher.readings import parsed

pytestmark = pytest.mark.sqlite


def test_one_descriptor_with_its_poller_and_its_pipe_is_made_and_freed() -> None:
    before = len(os.listdir("/proc/self/fd"))
    reader = InotifyFD()

    assert reader._poller is not None
    assert reader._poller.poll(0) == []
    os.write(reader._kill_w, b"!")
    assert [descriptor for descriptor, _ in reader._poller.poll(0)] == [reader._kill_r]
    assert reader._read_event_buffer(1000) == b""

    reader._close_resources()
    assert len(os.listdir("/proc/self/fd")) == before


def test_the_bits_of_a_mask_have_the_same_values() -> None:
    bits = {name: value for name, value in vars(masks).items() if name.isupper() and not name.startswith("OF_")}

    assert bits == {name: getattr(InotifyConstants, f"IN_{name}") for name in bits}


def test_watches_are_added_and_removed_by_descriptor() -> None:
    reader = InotifyFD()
    watch = inotify_add_watch(reader._inotify_fd, b"/", InotifyConstants.IN_DELETE)

    assert watch > 0
    assert inotify_rm_watch(reader._inotify_fd, watch) == 0
    ((ended, mask, _, _),) = parsed(reader._read_event_buffer(1000))
    assert (ended, mask) == (watch, masks.IGNORED)
    reader._close_resources()


def test_a_reader_that_was_not_told_to_stop_goes_on() -> None:
    reader = InotifyFD()

    assert (reader._closed, reader.daemon, reader.should_keep_running()) == (False, True, True)
    reader._stopped_event.set()
    assert not reader.should_keep_running()
    reader._close_resources()


def test_a_pattern_is_made_into_the_expression_of_whole_paths() -> None:
    assert translate("/a/**/*.tmp", recursive=True, include_hidden=True, seps="/") == (r"(?s:/a/(?:.+/)?[^/]*\.tmp)\Z")
