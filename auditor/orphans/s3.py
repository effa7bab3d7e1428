"""The storage adapter for django-storages' S3Storage, by the storage's own connection."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from boto3.s3.transfer import S3Transfer
from botocore.exceptions import BotoCoreError, ClientError
from storages.backends.s3 import S3Storage
from storages.utils import clean_name

from auditor.errors import AuditorError
from auditor.marker import LONGEST_MARKER, MARKER
from auditor.orphans.disk import MISSING, PRESENT, Look, Verdict
from auditor.orphans.storages import NO_ADAPTER, StorageAdapter, has_own

PAGE_PAYS = 50  # names for which one page of a listing, up to 1,000 keys, is cheaper than a look at each
LISTED_KEYS = 1_000_000  # keys kept in memory, about 130 MB
THREADS = 10  # botocore's default number of connections
LONGEST_KEY = 1_024  # bytes, of S3
NOT_FOUND = 404


class S3Adapter(StorageAdapter):
    """Judges names by HEAD, and by the body of a GET where that says "not found".

    A HEAD has no body, and says 404 of a missing bucket too: only a GET tells NoSuchKey from NoSuchBucket.
    """

    def __init__(self, storage: Any) -> None:
        super().__init__(storage)
        if has_own(storage, ("open", "_open"), besides=S3Storage):
            kind = storage.__class__.__name__
            raise AuditorError(
                f"{kind} may keep a file elsewhere than its name says, {NO_ADAPTER}",
                hint="Register one: a subclass of S3Adapter knows most of what it needs.",
            )
        if not storage.bucket_name:
            raise AuditorError("S3Storage has no bucket name", hint="Set AWS_STORAGE_BUCKET_NAME.")
        self.threads = getattr(storage.client_config, "max_pool_connections", THREADS)

    @property
    def root(self) -> str:
        place = f"{self.storage.bucket_name}/{self.prefix}"
        if not self.storage.endpoint_url:
            return f"s3://{place}"
        url = urlsplit(self.storage.endpoint_url)
        return f"s3+{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path.rstrip('/')}/{place}"

    @property
    def prefix(self) -> str:
        """What every key begins with, as the storage itself joins location and name."""
        return self.key("x")[:-1]

    @cached_property
    def client(self) -> Any:
        """One client for all threads: making one is slow, and django-storages makes one for each."""
        return self.storage.connection.meta.client

    def key(self, name: str) -> str:
        """The key under which the storage keeps a name."""
        return str(self.storage._normalize_name(clean_name(name)))

    def look_at(self, name: str) -> Look:
        if len(self.key(name).encode()) > LONGEST_KEY:
            return Look(Verdict.UNKNOWN, "longer than a key can be", True)
        try:
            self.client.head_object(**self._object(name))
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != NOT_FOUND:
                raise
            return MISSING if self._get(name, length=1) is None else PRESENT
        return PRESENT

    def read(self, name: str) -> bytes | None:
        return self._get(name, length=LONGEST_MARKER + 1)

    def write(self, name: str, content: bytes) -> None:
        more = {"ACL": self.storage.default_acl} if self.storage.default_acl else {}
        more |= self.storage.get_object_parameters(name)
        self.client.put_object(Bucket=self.storage.bucket_name, Key=self.key(name), Body=content, **more)

    def is_empty(self) -> bool:
        page = self.client.list_objects_v2(Bucket=self.storage.bucket_name, Prefix=self.prefix, MaxKeys=3)
        # A key that is the prefix itself is what consoles make of an empty folder.
        return not {one["Key"] for one in page.get("Contents", ())} - {self.prefix, self.key(MARKER)}

    def listing(self) -> "S3Listing":
        return S3Listing(self)

    def pages(self, prefix: str, *, delimiter: str = "") -> Iterator[list[str]]:
        """The keys below a prefix, a page at a time."""
        asked = {"Delimiter": delimiter} if delimiter else {}
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.storage.bucket_name, Prefix=prefix, **asked
        )
        return ([one["Key"] for one in page.get("Contents", ())] for page in pages)

    def _get(self, name: str, *, length: int) -> bytes | None:
        """The first bytes of an object, or None if S3 says NoSuchKey."""
        try:
            answer = self.client.get_object(**self._object(name), Range=f"bytes=0-{length - 1}")
        except ClientError as error:
            if error.response["Error"].get("Code") == "NoSuchKey":
                return None
            raise
        with answer["Body"] as body:
            content: bytes = body.read()
        return content

    def _object(self, name: str) -> dict[str, Any]:
        asked = self.storage.get_object_parameters(name)
        known = {key: value for key, value in asked.items() if key in S3Transfer.ALLOWED_DOWNLOAD_ARGS}
        return {"Bucket": self.storage.bucket_name, "Key": self.key(name), **known}


@dataclass(slots=True)
class Folder:
    """What has been listed of one folder at the top: `credit` is how many more pages its names have paid for."""

    pages: Iterator[list[str]]
    keys: set[str] = field(default_factory=set)
    credit: float = 0.0
    fault: Look | None = None


class S3Listing:
    """Lists the folders at the top of a storage as far as the names that are asked for pay for the pages."""

    def __init__(self, adapter: S3Adapter) -> None:
        self.adapter = adapter
        self.unlisted: dict[str, str] = {}
        self._folders: dict[str, Folder] = {}
        self._held = 0

    def looks(self, names: Collection[str]) -> dict[str, Look]:
        """{name: Look} of the names whose key was listed, or whose folder could not be."""
        found: dict[str, Look] = {}
        for top, keys in self._by_folder(names).items():
            folder = self._listed(top, len(keys))
            if folder.fault:
                found |= dict.fromkeys(keys, folder.fault)
            found |= {name: PRESENT for name, key in keys.items() if key in folder.keys}
        return found

    def _by_folder(self, names: Collection[str]) -> dict[str, dict[str, str]]:
        """{folder: {name: key}}; a name that the storage refuses is left to the look at it."""
        folders: defaultdict[str, dict[str, str]] = defaultdict(dict)
        for name in names:
            try:
                key = self.adapter.key(name)
            except Exception:  # noqa: S112 - the look at the name will say why
                continue
            end = key.find("/", len(self.adapter.prefix)) + 1
            folders[key[:end] or self.adapter.prefix][name] = key
        return folders

    def _listed(self, top: str, asked: int) -> Folder:
        folder = self._folders.get(top) or self._folders.setdefault(top, self._new(top))
        folder.credit += asked / PAGE_PAYS
        while folder.credit >= 1 and self._held < LISTED_KEYS and folder.fault is None:
            folder.credit -= 1
            try:
                page = next(folder.pages, None)
            except (ClientError, BotoCoreError) as error:
                reason = f"it cannot be listed: {error}".rstrip(".")
                folder.fault = Look(Verdict.UNKNOWN, reason, True)
                self.unlisted[top.rstrip("/") or "."] = reason
                break
            if page is None:
                break
            self._held += len(page)
            folder.keys.update(page)
        return folder

    def _new(self, top: str) -> Folder:
        # Of the files that are in no folder, only those: the others are listed by folder where they are asked for.
        return Folder(self.adapter.pages(top, delimiter="/" if top == self.adapter.prefix else ""))
