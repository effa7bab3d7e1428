"""The halves of a move, put together where they lie side by side."""

from watchdog.observers.inotify_c import Mask, WatchDescriptor

from watcher.source import RawEvent, paired

DELETE, FROM, TO = 0x200, 0x40, 0x80


def raw(mask: int, cookie: int, name: bytes) -> RawEvent:
    return WatchDescriptor(1), Mask(mask), cookie, name


def test_a_departure_and_the_arrival_after_it_are_one_move() -> None:
    departure, arrival = raw(FROM, 7, b"a"), raw(TO, 7, b"b")

    assert list(paired([departure, arrival])) == [(departure, arrival)]


def test_a_departure_without_its_arrival_is_alone() -> None:
    departure, other, stranger = raw(FROM, 7, b"a"), raw(DELETE, 0, b"b"), raw(TO, 8, b"c")

    assert list(paired([departure])) == [(departure, None)]
    assert list(paired([departure, other])) == [(departure, None), (other, None)]
    assert list(paired([departure, stranger])) == [(departure, None), (stranger, None)]


def test_halves_with_something_between_them_are_each_alone() -> None:
    departure, between, arrival = raw(FROM, 7, b"a"), raw(DELETE, 0, b"b"), raw(TO, 7, b"c")

    assert list(paired([departure, between, arrival])) == [(departure, None), (between, None), (arrival, None)]


def test_departures_in_a_row_each_keep_their_place() -> None:
    first, second, arrival = raw(FROM, 7, b"a"), raw(FROM, 8, b"b"), raw(TO, 8, b"c")

    assert list(paired([first, second, arrival])) == [(first, None), (second, arrival)]
