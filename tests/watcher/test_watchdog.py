"""The half-public parts of watchdog that the source is built on, as it finds them."""

import os
import struct

from watchdog.observers.inotify_c import InotifyConstants, InotifyFD, inotify_add_watch, inotify_rm_watch


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


def test_a_buffer_is_parsed_into_watch_mask_cookie_and_name() -> None:
    buffer = struct.pack("iIII8s", 3, 0x40, 77, 8, b"a.jpg") + struct.pack("iIII", -1, 0x4000, 0, 0)

    assert list(InotifyFD._parse_event_buffer(buffer)) == [(3, 0x40, 77, b"a.jpg"), (-1, 0x4000, 0, b"")]


def test_watches_are_added_and_removed_by_descriptor() -> None:
    reader = InotifyFD()
    watch = inotify_add_watch(reader._inotify_fd, b"/", InotifyConstants.IN_DELETE)

    assert watch > 0
    assert inotify_rm_watch(reader._inotify_fd, watch) == 0
    ((ended, mask, _, _),) = InotifyFD._parse_event_buffer(reader._read_event_buffer(1000))
    assert (ended, mask) == (watch, InotifyConstants.IN_IGNORED)
    reader._close_resources()


def test_a_reader_that_was_not_told_to_stop_goes_on() -> None:
    reader = InotifyFD()

    assert (reader._closed, reader.should_keep_running()) == (False, True)
    reader._stopped_event.set()
    assert not reader.should_keep_running()
    reader._close_resources()
