"""Files in a folder and in a bucket: the same promises, kept by both, and what a bucket alone can do wrong."""

import errno
import io
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, BinaryIO, cast

import boto3
import botocore.session
import pytest
from botocore.loaders import Loader

from deploy import trim
from deploy.settings import ROOT
from tasks.errors import FilesAway
from tasks.storage import FolderStorage, Storage, answers, drop
from tests.buckets import SECRET, Moto, bucket, in_a_bucket
from tests.conftest import at_once, free_port
from tests.listening import Silent, listening, of_handler
from workers import bucket as buckets
from workers.bucket import PART, BucketStorage

PATTERN = bytes(range(251)) * 290


@pytest.fixture(params=["folder", "bucket"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "folder":
        return FolderStorage(tmp_path / "files")
    return bucket(in_a_bucket(request.getfixturevalue("moto")))


class Stream(io.RawIOBase):
    """As a zip that is made while it is read: in small pieces, never back, and perhaps never to its end."""

    def __init__(self, size: int, breaks_at: int = -1) -> None:
        self.left, self.breaks_at, self.came = size, breaks_at, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if 0 <= self.breaks_at <= self.came:
            raise KeyboardInterrupt
        count = min(len(buffer), self.left, 70_001)
        buffer[:count] = PATTERN[self.came % 251 :][:count]
        self.left -= count
        self.came += count
        return count


def kept(storage: Storage, data: bytes) -> str:
    key, size = storage.put(io.BytesIO(data))
    assert size == len(data)
    return key


def read(storage: Storage, key: str) -> bytes:
    with storage.open(key) as stream:
        return stream.read()


@pytest.mark.parametrize("size", [0, 1, 70_002, PART - 1, PART, PART + 1])
def test_what_was_put_is_read_whatever_its_size(storage: Storage, tmp_path: Path, size: int) -> None:
    key, told = storage.put(cast(BinaryIO, Stream(size)))
    assert told == size
    storage.fetch(key, tmp_path / "fetched")
    assert read(storage, key) == (tmp_path / "fetched").read_bytes() == Stream(size).read()


def test_a_file_is_read_in_pieces_and_from_anywhere(storage: Storage) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        made.writestr("a", b"first" * 1000)
        made.writestr("b", b"second")
    with storage.open(kept(storage, packed.getvalue())) as stream:
        assert stream.read(2) == b"PK"
        assert stream.tell() == 2
        assert stream.seek(0, io.SEEK_END) == len(packed.getvalue())
        assert stream.read() == b""
        assert zipfile.ZipFile(stream).read("b") == b"second"
        assert zipfile.ZipFile(stream).read("a") == b"first" * 1000


def test_a_key_that_is_gone_is_not_found_and_may_be_deleted_again(storage: Storage, tmp_path: Path) -> None:
    key = kept(storage, b"bytes")
    storage.delete(key)
    storage.delete(key)
    for deed in (storage.open, storage.copy, lambda key: storage.fetch(key, tmp_path / "x")):
        with pytest.raises(FileNotFoundError):
            deed(key)
    assert answers(storage)


def test_a_copy_lives_by_itself(storage: Storage) -> None:
    first = kept(storage, b"bytes")
    second = storage.copy(first)
    storage.delete(first)
    assert read(storage, second) == b"bytes"
    assert [key for key, _ in storage.listed()] == [second]


@pytest.mark.parametrize("breaks_at", [0, 80_000, PART + 80_000])
def test_what_breaks_off_while_it_is_put_leaves_nothing(storage: Storage, breaks_at: int) -> None:
    with pytest.raises(KeyboardInterrupt):
        storage.put(cast(BinaryIO, Stream(3 * PART, breaks_at)))
    assert list(storage.listed()) == []
    if isinstance(storage, BucketStorage):
        assert not storage.door.ask("list_multipart_uploads").get("Uploads")


def test_all_keys_are_listed_with_the_time_of_their_writing(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buckets, "PAGE", 2)
    keys = {kept(storage, bytes(number)) for number in range(5)}
    found = dict(storage.listed())
    assert set(found) == keys
    assert all(abs(at - time.time()) < 60 for at in found.values())


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")  # of others' tests, from Python 3.12 on
def test_many_threads_and_a_forked_child_share_one_storage(storage: Storage) -> None:
    keys: list[str] = []
    at_once(*[lambda number=number: keys.append(kept(storage, bytes([number]) * 9)) for number in range(8)])
    child = os.fork()
    if not child:
        os._exit(0 if read(storage, keys[0]) == read(storage, keys[0]) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert sorted(read(storage, key) for key in keys) == [bytes([number]) * 9 for number in range(8)]


def test_what_else_stands_in_the_bucket_is_neither_listed_nor_swept(moto: Moto) -> None:
    storage = bucket(in_a_bucket(moto))
    for name in ("other", "some/where/notes.txt", f"some/where/deeper/{'a' * 40}", "b" * 40):
        storage.door.ask("put_object", Key=name, Body=b"")
    assert list(storage.listed()) == []
    storage.door.prefix = ""
    assert [key for key, _ in storage.listed()] == ["b" * 40]


CHILD = """
import io, resource, sys
from workers.bucket import BucketStorage
from workers.bucket_door import Door
storage = BucketStorage(Door({0.bucket!r}, {0.prefix!r}, {0.endpoint!r}, "", {0.key_id!r}, {0.secret!r}))
key, _ = storage.put(io.BytesIO(b"kept"))
with storage.open(key) as stream:
    assert stream.read() == b"kept"
"""
MEMORY = """
class Zeros:
    left = 50_000_000
    def read(self, count):
        count = min(count, self.left)
        self.left -= count
        return bytes(count)
def most():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
before = most()
key, size = storage.put(Zeros())
with storage.open(key) as stream:
    while piece := stream.read(1 << 20):
        size -= len(piece)
sys.exit(f"{size} bytes are missing, {most() - before} MB were taken" if size or most() - before > 32 else 0)
"""


def test_fifty_megabytes_go_there_and_back_in_little_memory(moto: Moto) -> None:
    words = [sys.executable, "-c", CHILD.format(bucket(in_a_bucket(moto)).door) + MEMORY]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_a_bucket_that_is_not_there_is_away_and_so_is_a_server(moto: Moto, capsys: pytest.CaptureFixture[str]) -> None:
    chosen = in_a_bucket(moto)
    nowhere = {**chosen, "s3_endpoint": f"http://127.0.0.1:{free_port()}"}
    for wrong in ({**chosen, "files_url": "s3://never-made"}, nowhere):
        storage, began = bucket(wrong), time.monotonic()
        put: Callable[[], object] = partial(storage.put, io.BytesIO(b"x"))
        for deed in (put, partial(list, storage.listed()), partial(storage.copy, "k")):
            with pytest.raises(FilesAway):
                deed()
        drop(storage, ["a", "b"])
        assert not answers(storage)
        assert time.monotonic() - began < 3
    began = time.monotonic()
    for _ in range(100):
        assert not answers(storage)
    assert time.monotonic() - began < 0.2, "one that did not answer just now is left alone for a while"
    assert nowhere["s3_endpoint"] not in capsys.readouterr().out


def test_a_full_bucket_is_a_full_disk_and_a_refused_key_is_told_without_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = {"/full/": (507, "XMinioStorageFull"), "/locked/": (403, "SignatureDoesNotMatch")}

    class Refusing(Silent):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            status, code = said[self.path[: self.path.index("/", 1) + 1]]
            self.rfile.read(int(self.headers["Content-Length"]))
            words = f"<Error><Code>{code}</Code></Error>".encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(words)))
            self.end_headers()
            self.wfile.write(words)

    with listening(of_handler(cast(type[BaseHTTPRequestHandler], Refusing))) as server:
        chosen = {"s3_endpoint": f"http://127.0.0.1:{server.server_port}", "s3_key_id": "i", "s3_secret": SECRET}
        with pytest.raises(OSError, match="full") as full:
            bucket({**chosen, "files_url": "s3://full"}).put(io.BytesIO(b"x"))
        with pytest.raises(FilesAway, match="SignatureDoesNotMatch"):
            bucket({**chosen, "files_url": "s3://locked"}).put(io.BytesIO(b"x"))
    assert full.value.errno == errno.ENOSPC
    assert SECRET not in capsys.readouterr().out + repr(bucket({**chosen, "files_url": "s3://locked"}).door)


def most_services(folder: str, names: list[str]) -> set[str]:
    """Hundreds of them, of which a few stand here for all."""
    return {name for name in names if not name.startswith(("s", "e", "p", "_"))} if folder.endswith("/data") else set()


def test_the_client_works_with_the_little_that_an_image_keeps_of_its_library(moto: Moto, tmp_path: Path) -> None:
    packages = tmp_path / "lib" / "python3.11" / "site-packages"
    for package in (boto3, botocore):
        whole = Path(*package.__path__) / "data"
        shutil.copytree(whole, packages / package.__name__ / "data", ignore=most_services, copy_function=os.symlink)
    trim.main(tmp_path)
    data = packages / "botocore" / "data"
    assert {"s3", "sts"} <= {each.name for each in data.iterdir() if each.is_dir()} <= {"s3", "sts", "sso", "sso-oidc"}
    door = bucket(in_a_bucket(moto)).door
    session = botocore.session.Session()
    session.register_component("data_loader", Loader([str(data)], include_default_search_paths=False))
    keys = {"aws_access_key_id": door.key_id, "aws_secret_access_key": door.secret}
    client = session.create_client("s3", region_name="eu-central-1", endpoint_url=door.endpoint, **keys)
    door._made = (os.getpid(), client)
    storage = BucketStorage(door)
    assert read(storage, kept(storage, b"bytes")) == b"bytes"
    assert len(list(storage.listed())) == 1
    session.create_client("sts", region_name="eu-central-1", **keys)
