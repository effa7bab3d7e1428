"""A small server that speaks S3 over real sockets: HEAD, GET, PUT and LIST of a bucket, and failures on command."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape

import boto3
import pytest
from botocore.config import Config
from storages.backends.s3 import S3Storage

PAGE = 1_000  # keys to a page of a listing, as S3


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: `kind` is HEAD, GET, PUT or LIST; of a LIST, `key` is the prefix."""

    kind: str
    bucket: str
    key: str


@dataclass(frozen=True, slots=True)
class Failure:
    """What is answered instead of the truth: a status and an S3 error code, or whatever else `act` sends."""

    status: int = 500
    code: str = "InternalError"
    act: Callable[["Handler"], None] | None = None


@dataclass(slots=True)
class S3:
    """The server: `buckets` is {bucket: {key: content}}; `fail` may answer a request otherwise."""

    url: str = ""
    buckets: dict[str, dict[str, bytes]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    fail: Callable[[Asked], Failure | None] = lambda _: None
    page: int = PAGE
    latency_seconds: float = 0.0
    closing: threading.Event = field(default_factory=threading.Event)

    def kinds(self) -> list[str]:
        """What was asked since the last call."""
        kinds, self.asked = [one.kind for one in self.asked], []
        return kinds


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    s3: S3

    def do_HEAD(self) -> None:
        self._answer("HEAD")

    def do_GET(self) -> None:
        is_listing = "list-type" in parse_qs(urlsplit(self.path).query)
        self._answer("LIST" if is_listing else "GET")

    def do_PUT(self) -> None:
        self.content = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer("PUT")

    def _answer(self, kind: str) -> None:
        url = urlsplit(self.path)
        bucket, _, key = unquote(url.path.lstrip("/")).partition("/")
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        asked = Asked(kind, bucket, query.get("prefix", "") if kind == "LIST" else key)
        self.s3.asked.append(asked)
        time.sleep(self.s3.latency_seconds)
        failure = self.s3.fail(asked)
        if failure:
            failure.act(self) if failure.act else self.error(failure.status, failure.code)
        elif bucket not in self.s3.buckets:
            self.error(404, "NoSuchBucket")
        elif kind == "LIST":
            self._list(self.s3.buckets[bucket], asked.key, query)
        elif kind == "PUT":
            self.s3.buckets[bucket][key] = self.content
            self.send(200, b"")
        elif not key:  # is the bucket there?
            self.send(200, b"")
        elif key in self.s3.buckets[bucket]:
            self.send(200, self.s3.buckets[bucket][key])
        else:
            self.error(404, "NoSuchKey")

    def _list(self, objects: dict[str, bytes], prefix: str, query: dict[str, str]) -> None:
        after, limit = query.get("continuation-token", ""), int(query.get("max-keys", self.s3.page))
        keys = sorted(key for key in objects if key.startswith(prefix) and key > after)
        if query.get("delimiter"):
            keys = [key for key in keys if "/" not in key[len(prefix) :]]
        here, is_truncated = keys[:limit], len(keys) > limit
        body = "".join(f"<Contents><Key>{quote(key)}</Key></Contents>" for key in here)
        more = f"<NextContinuationToken>{escape(here[-1])}</NextContinuationToken>" if is_truncated else ""
        self.send(
            200,
            f"<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>{str(is_truncated).lower()}</IsTruncated>"
            f"{more}{body}</ListBucketResult>".encode(),
        )

    def error(self, status: int, code: str) -> None:
        """The answer to what went wrong: its body names the code, and a HEAD has no body."""
        self.send(status, f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode())

    def send(self, status: int, body: bytes, *, length: int | None = None) -> None:
        """An answer; with another length than the body's, it is cut short."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.close_connection = self.close_connection or length is not None

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name it has in the library
        """Nothing: a test asks what it wants to know."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 50

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone away is what some tests are about."""


@contextmanager
def s3_server() -> Iterator[S3]:
    """A server on a port of its own, with an empty bucket `media`."""
    s3 = S3(buckets={"media": {}})
    with Server(("127.0.0.1", 0), type("Bound", (Handler,), {"s3": s3})) as server:
        s3.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield s3
        finally:
            s3.closing.set()
            server.shutdown()
            thread.join()


@pytest.fixture
def s3() -> Iterator[S3]:
    with s3_server() as server:
        yield server


def s3_storage(url: str, **options: Any) -> S3Storage:
    """django-storages' own, on the bucket `media` of a server; it does not try twice and waits briefly."""
    config = Config(
        connect_timeout=1,
        read_timeout=0.3,
        retries={"total_max_attempts": 1},
        s3={"addressing_style": "path"},
    )
    known = {"access_key": "key", "secret_key": "secret", "region_name": "us-east-1", "client_config": config}
    storage = S3Storage(**{"bucket_name": "media", "endpoint_url": url, **known, **options})
    storage._create_session = session  # it reads megabytes of descriptions, which all tests can share
    return storage


@cache
def session() -> boto3.Session:
    return boto3.Session(aws_access_key_id="key", aws_secret_access_key="secret")


def hang(handler: Handler) -> None:
    """Answers nothing until the test is over."""
    handler.s3.closing.wait(10)


def cut_short(handler: Handler) -> None:
    """Sends the beginning of an answer, and hangs up."""
    handler.send(200, b"<ListBucketResult><Contents><Key>site/doc", length=1_000)


def malformed(handler: Handler) -> None:
    """Sends half an answer as if it were a whole one."""
    handler.send(200, b"<ListBucketResult><Contents><Key>site/doc")


def hang_up(handler: Handler) -> None:
    """Closes the connection without a word."""
    handler.close_connection = True
