"""The storage adapter for S3, against a server that speaks S3 over real sockets."""

import socket
from collections.abc import Callable

import pytest

from auditor.errors import AuditorError
from auditor.marker import MARKER
from auditor.orphans import s3 as s3_module
from auditor.orphans.disk import LEAVES_ROOT, MISSING, NOT_A_NAME, PRESENT, Look, Verdict
from auditor.orphans.remote import RemoteDisk, look_now
from auditor.orphans.s3 import S3Adapter
from tests.s3_server import S3, Asked, Failure, cut_short, hang, hang_up, malformed, s3_storage


def adapter_of(s3: S3, **options: object) -> S3Adapter:
    return S3Adapter(s3_storage(s3.url, location="site", **options))


def put(s3: S3, *names: str) -> None:
    """Objects below the location; a marker that can be read, as a registered place has."""
    s3.buckets["media"] |= {f"site/{name}": b"content" for name in (*names, MARKER)}
    s3.buckets["media"][f"site/{MARKER}"] = b"1b4e28ba-2fa1-41d2-883f-0016d3cca427\n"


def only(kind: str, key: str = "", failure: Failure | None = None) -> Callable[[Asked], Failure | None]:
    """Lets requests of one kind fail, and of one key if it is given."""
    return lambda asked: (failure or Failure()) if asked.kind == kind and asked.key in (key or asked.key,) else None


@pytest.mark.parametrize(
    ("options", "root"),
    [
        ({"endpoint_url": None}, "s3://media/"),
        ({"endpoint_url": None, "location": "site/"}, "s3://media/site/"),
        ({"location": "site/uploads"}, "s3+http://127.0.0.1:9000/media/site/uploads/"),
        ({"endpoint_url": "https://user:password@minio:9000/"}, "s3+https://minio:9000/media/"),
    ],
)
def test_root_names_endpoint_bucket_and_prefix_and_no_password(options: dict[str, str], root: str) -> None:
    assert S3Adapter(s3_storage("http://127.0.0.1:9000", **options)).root == root


def test_names_are_told_apart(s3: S3) -> None:
    put(s3, "docs/a.pdf", "docs/ä b+c%20&.pdf", "docs/empty/")
    names = ["docs/a.pdf", "docs/ä b+c%20&.pdf", "docs/gone.pdf", "./docs//a.pdf", "docs/empty/", "docs", MARKER]

    looks = look_now(adapter_of(s3), names)

    assert looks == {name: MISSING if name in ("docs/gone.pdf", "docs") else PRESENT for name in names}


def test_name_that_is_too_long_for_a_key_is_not_missing(s3: S3) -> None:
    put(s3)
    longest, too_long = "x" * (1_024 - len("site/")), "ä" * 510

    looks = look_now(adapter_of(s3), [longest, too_long])

    assert looks == {longest: MISSING, too_long: Look(Verdict.UNKNOWN, "longer than a key can be", True)}


@pytest.mark.parametrize(
    ("name", "look"),
    [
        ("../other/a.pdf", LEAVES_ROOT),
        ("..\\other\\a.pdf", LEAVES_ROOT),
        ("a/../../b", LEAVES_ROOT),
        ("/etc/passwd", LEAVES_ROOT),
        ("", NOT_A_NAME),
        (".", NOT_A_NAME),
        ("a/..", NOT_A_NAME),
        ("a\0b", NOT_A_NAME),
        ("a\ud800b", NOT_A_NAME),
    ],
)
def test_name_that_is_no_objects_is_not_asked_for(name: str, look: Look, s3: S3) -> None:
    put(s3)

    assert look_now(adapter_of(s3), [name]) == {name: look}
    assert s3.asked == []


def test_newlines_and_controls_in_a_name_are_part_of_the_key(s3: S3) -> None:
    put(s3, "a\nb\x1b.pdf")

    looks = look_now(adapter_of(s3), ["a\nb\x1b.pdf", "a\nb.pdf"])

    assert looks == {"a\nb\x1b.pdf": PRESENT, "a\nb.pdf": MISSING}


STATUSES = {301: "PermanentRedirect", 400: "BadRequest", 403: "AccessDenied", 409: "Conflict", 410: "Gone"} | {
    429: "TooManyRequests",
    500: "InternalError",
    502: "BadGateway",
    503: "SlowDown",
    504: "GatewayTimeout",
}


@pytest.mark.parametrize(("status", "code"), STATUSES.items())
def test_no_status_but_404_is_missing(status: int, code: str, s3: S3) -> None:
    put(s3)
    s3.fail = only("HEAD", "site/a.pdf", Failure(status, code))

    look = look_now(adapter_of(s3), ["a.pdf"])["a.pdf"]

    assert look.verdict is Verdict.UNKNOWN
    assert look.reason.startswith(f"ClientError: An error occurred ({status}) when calling the HeadObject operation")


@pytest.mark.parametrize("code", ["NoSuchBucket", "NoSuchVersion", "NotFound", "AccessDenied"])
def test_404_of_another_thing_than_a_key_is_not_missing(code: str, s3: S3) -> None:
    put(s3)
    s3.fail = only("GET", "site/gone.pdf", Failure(404, code))

    assert look_now(adapter_of(s3), ["gone.pdf"])["gone.pdf"].verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("act", [hang, hang_up])
@pytest.mark.parametrize("kind", ["HEAD", "GET"])
def test_silence_is_not_missing(kind: str, act: Callable[..., None], s3: S3) -> None:
    put(s3)
    s3.fail = only(kind, "site/gone.pdf", Failure(act=act))

    assert look_now(adapter_of(s3), ["gone.pdf"])["gone.pdf"].verdict is Verdict.UNKNOWN


def test_404_without_an_s3_error_is_not_missing(s3: S3) -> None:
    put(s3)
    page = Failure(act=lambda handler: handler.send(404, b"<html><h1>404 Not Found</h1></html>"))
    s3.fail = only("GET", "site/gone.pdf", page)

    assert look_now(adapter_of(s3), ["gone.pdf"])["gone.pdf"].verdict is Verdict.UNKNOWN


def test_storage_that_goes_away_in_a_scan_is_refused_instead_of_asked_for_each_name(s3: S3) -> None:
    put(s3)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        away = S3Adapter(s3_storage(f"http://127.0.0.1:{taken.getsockname()[1]}"))

        with pytest.raises(AuditorError) as caught:
            look_now(away, [f"{number}.pdf" for number in range(1_000)])

    assert caught.value.message.startswith(f"The storage {away.root} cannot be read: EndpointConnectionError: Could")


def scan(s3: S3, names: list[str]) -> tuple[dict[str, Look], RemoteDisk, list[str]]:
    """The looks of a scan, its disk, and what the server was asked."""
    s3.kinds()
    disk = RemoteDisk(adapter_of(s3))
    return disk.judge(names), disk, s3.kinds()


def test_many_names_are_listed_and_only_those_not_listed_are_looked_at(s3: S3) -> None:
    names = [f"docs/{number:04}.pdf" for number in range(2_000)]
    put(s3, *names[:-1])

    looks, _, asked = scan(s3, names)

    assert looks == {names[-1]: MISSING}
    assert asked == ["LIST", "LIST", "HEAD", "GET"]


def test_few_names_are_looked_at_one_by_one(s3: S3) -> None:
    put(s3, "docs/a.pdf")

    looks, _, asked = scan(s3, ["docs/a.pdf", "docs/b.pdf"])

    assert looks == {"docs/b.pdf": MISSING}
    assert sorted(asked) == ["GET", "HEAD", "HEAD"]


def test_few_names_at_a_time_pay_for_a_page_together(s3: S3) -> None:
    names = [f"docs/{number:04}.pdf" for number in range(100)]
    put(s3, *names)
    disk = RemoteDisk(adapter_of(s3))

    for name in names:
        assert disk.judge([name]) == {}

    assert s3.kinds() == ["HEAD"] * 49 + ["LIST"]


def test_large_folder_is_listed_no_further_than_its_names_pay_for(s3: S3) -> None:
    put(s3, *(f"docs/{number:05}.pdf" for number in range(10_000)))
    names = [f"docs/{number:05}.pdf" for number in range(0, 10_000, 100)]

    looks, _, asked = scan(s3, names)

    assert looks == {}
    assert asked == ["LIST"] * 2 + ["HEAD"] * 80


def test_files_in_no_folder_are_listed_without_the_folders(s3: S3) -> None:
    names = [f"{number:04}.pdf" for number in range(100)]
    put(s3, *names, *(f"docs/{number:05}.pdf" for number in range(3_000)))

    looks, _, asked = scan(s3, names)

    assert (looks, asked) == ({}, ["LIST"])


def test_keys_kept_in_memory_are_limited(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_module, "LISTED_KEYS", 50)
    names = [f"{folder}/{number:03}.pdf" for folder in "ab" for number in range(100)]
    put(s3, *names)
    s3.page = 10

    looks, disk, asked = scan(s3, names)

    assert looks == {}
    assert (asked.count("LIST"), asked.count("HEAD")) == (4, 160)
    assert isinstance(disk.listing, s3_module.S3Listing)


@pytest.mark.parametrize("failure", [Failure(500), Failure(403), Failure(act=cut_short), Failure(act=malformed)])
def test_folder_that_cannot_be_listed_makes_its_names_unknown(failure: Failure, s3: S3) -> None:
    names = [f"docs/{number:04}.pdf" for number in range(2_000)]
    put(s3, "other.pdf")
    s3.fail = only("LIST", failure=failure)

    looks, disk, asked = scan(s3, [*names, "other.pdf", "gone.pdf"])

    assert {look.verdict for name, look in looks.items() if name in names} == {Verdict.UNKNOWN}
    assert looks["gone.pdf"] == MISSING
    assert list(disk.unlisted) == ["site/docs"]
    assert looks[names[0]].reason == disk.unlisted["site/docs"]
    assert asked.count("LIST") == 1


def test_folder_whose_second_page_fails_is_believed_in_what_it_showed(s3: S3) -> None:
    names = [f"docs/{number:04}.pdf" for number in range(2_000)]
    put(s3, *names)
    pages = iter([None, Failure(500)])
    s3.fail = lambda asked: next(pages) if asked.kind == "LIST" else None

    looks, disk, _ = scan(s3, names)

    assert list(looks) == names[1_000:]
    assert {look.verdict for look in looks.values()} == {Verdict.UNKNOWN}
    assert list(disk.unlisted) == ["site/docs"]


def test_listing_that_ends_too_early_condemns_nobody(s3: S3) -> None:
    names = [f"docs/{number:04}.pdf" for number in range(200)]
    put(s3, *names)
    empty = Failure(act=lambda handler: handler.send(200, b"<ListBucketResult></ListBucketResult>"))
    s3.fail = only("LIST", failure=empty)

    looks, _, asked = scan(s3, names)

    assert looks == {}
    assert asked == ["LIST"] + ["HEAD"] * 200


def test_encryption_keys_of_the_storage_are_sent_along() -> None:
    storage = s3_storage("http://127.0.0.1:9000", object_parameters={"ExpectedBucketOwner": "1", "ContentType": "x"})

    assert S3Adapter(storage)._object("a.pdf") == {"Bucket": "media", "Key": "a.pdf", "ExpectedBucketOwner": "1"}


@pytest.mark.parametrize(
    ("keys", "is_empty"),
    [
        ([], True),
        ([f"site/{MARKER}", "site/", "other/a.pdf"], True),  # consoles make "site/" for an empty folder
        ([f"site/{MARKER}", "site/", "site/a.pdf"], False),
    ],
)
def test_empty_place_holds_nothing_but_its_marker(keys: list[str], is_empty: bool, s3: S3) -> None:
    s3.buckets["media"] = dict.fromkeys(keys, b"")

    assert adapter_of(s3).is_empty() is is_empty


def test_marker_is_written_as_the_storage_writes(s3: S3) -> None:
    adapter = adapter_of(s3, default_acl="private", object_parameters={"CacheControl": "no-store"})

    adapter.write(MARKER, b"first")
    adapter.write(MARKER, b"second")

    assert s3.buckets["media"] == {f"site/{MARKER}": b"second"}
    assert adapter.read(MARKER) == b"second"
