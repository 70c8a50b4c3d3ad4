"""Files in a bucket of S3, of IBM Cloud Object Storage, or of whatever else speaks S3's protocol.

An object is called PREFIX + key. Who may read it and whether it is encrypted is the bucket's own business: no access
control and no encryption is ever set here.
"""

import io
import re
import secrets
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from tasks.errors import FilesAway
from tasks.storage import CHUNK
from workers.bucket_door import Door

PART = 8 << 20  # bytes of one request and in memory at once; a bucket takes 10,000 parts of 5 MB or more
PAGE = 1000  # keys of one answer, the most that there is
KEY = re.compile(r"[0-9a-f]{40}")  # whatever else stands in the bucket is not ours, and never swept


class BucketStorage:
    """Storage in a bucket; a file is seen when it is whole."""

    def __init__(self, door: Door) -> None:
        self.door = door

    def put(self, source: BinaryIO) -> tuple[str, int]:
        key = secrets.token_hex(20)
        return key, self.keep(key, source)

    def keep(self, key: str, source: BinaryIO) -> int:
        """Keep a stream under this key; its size."""
        first = _full(source)
        if len(first) == PART:
            return self._in_parts(key, first, source)
        self._ask("put_object", key, Body=first)
        return len(first)

    def _in_parts(self, key: str, piece: bytes, source: BinaryIO) -> int:
        upload = self._ask("create_multipart_upload", key)["UploadId"]
        try:
            parts: list[dict[str, Any]] = []
            size = 0
            while piece:
                number, size = len(parts) + 1, size + len(piece)
                answer = self._ask("upload_part", key, UploadId=upload, PartNumber=number, Body=piece)
                parts.append({"PartNumber": number, "ETag": answer["ETag"]})
                piece = _full(source)
            self._ask("complete_multipart_upload", key, UploadId=upload, MultipartUpload={"Parts": parts})
        except BaseException:  # whatever broke it off: nobody sees the parts, and they would be paid for
            with suppress(FilesAway, FileNotFoundError):
                self._ask("abort_multipart_upload", key, UploadId=upload)
            raise
        return size

    def copy(self, key: str) -> str:
        """Within the bucket; what a schedule keeps is an upload, and these are below S3's 5 GB for one request."""
        new = secrets.token_hex(20)
        self.copy_as(key, new)
        return new

    def copy_as(self, key: str, new: str) -> None:
        """The same bytes under that key."""
        self._ask("copy_object", new, CopySource={"Bucket": self.door.bucket, "Key": self._name(key)})

    def open(self, key: str) -> BinaryIO:
        return io.BufferedReader(_Object(self.door, self._name(key)), CHUNK)

    def fetch(self, key: str, target: Path) -> None:
        with self.open(key) as source, target.open("wb") as file:
            shutil.copyfileobj(source, file, CHUNK)

    def delete(self, key: str) -> None:
        with suppress(FileNotFoundError):  # S3 itself minds nothing; others say that it is gone
            self._ask("delete_object", key)

    def room(self) -> tuple[int, int] | None:
        return None

    def listed(self) -> Iterable[tuple[str, float]]:
        more: dict[str, str] = {}
        while True:
            page = self.door.ask("list_objects_v2", Prefix=self.door.prefix, MaxKeys=PAGE, **more)
            for each in page.get("Contents", ()):
                key = each["Key"].removeprefix(self.door.prefix)
                if KEY.fullmatch(key):
                    yield key, each["LastModified"].timestamp()
            if not page.get("IsTruncated"):
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def _ask(self, deed: str, key: str, **given: Any) -> dict[str, Any]:
        return self.door.ask(deed, Key=self._name(key), **given)

    def _name(self, key: str) -> str:
        return self.door.prefix + key


class _Object(io.RawIOBase):
    """An object while it is read. A look elsewhere in it is a new request, made when something is read there."""

    def __init__(self, door: Door, name: str) -> None:
        self._door, self._name = door, name
        answer = door.ask("get_object", Key=name)
        self._body, self._size = answer["Body"], int(answer["ContentLength"])
        self._at = self._came = 0  # where the reader is, and where the body is

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise ValueError("a place before the first byte")
        self._at = start + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        with memoryview(buffer) as view:
            if self._at >= self._size or not len(view):
                return 0
            if self._at != self._came:
                self._from_here()
            with self._door.plainly():
                data: bytes = self._body.read(len(view))
            view[: len(data)] = data
        self._at = self._came = self._at + len(data)
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._body.close()
        super().close()

    def _from_here(self) -> None:
        self._body.close()
        answer = self._door.ask("get_object", Key=self._name, Range=f"bytes={self._at}-")
        self._body, self._came = answer["Body"], self._at


def _full(source: BinaryIO) -> bytes:
    """A part's bytes; fewer at the end alone, whatever pieces a stream gives."""
    pieces, left = [], PART
    while left and (piece := source.read(min(left, CHUNK))):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)
