"""Backups of a Nightshift whose files stand in a bucket, and moving there from a folder and back."""

import io
from pathlib import Path

import pytest

from deploy.backup.bucket_files import HALF, BucketFiles
from deploy.backup.errors import BackupError, Damaged
from deploy.backup.restoring import free
from deploy.settings import Settings
from tests.backups import Source, contents, furnished, place, restored, saved, the_same
from tests.buckets import Moto, bucket, in_a_bucket
from tests.conftest import free_port


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, fresh_sqlite: Path) -> Source:
    settings = place(tmp_path_factory.mktemp("source") / "var")
    return Source(settings, furnished(settings, fresh_sqlite))


def with_bucket(folder: Path, chosen: dict[str, str]) -> Settings:
    folder.mkdir(exist_ok=True)
    return Settings.model_validate({"var": folder, "broker_url": "redis://127.0.0.1:1/0", **chosen})


def objects(chosen: dict[str, str]) -> dict[str, bytes]:
    storage = bucket(chosen)
    found = {}
    for key, _ in storage.listed():
        with storage.open(key) as stream:
            found[key] = stream.read()
    return found


def test_a_backup_moves_everything_from_a_folder_into_a_bucket_and_its_own_is_the_same(
    tmp_path: Path, source: Source, moto: Moto
) -> None:
    chosen = in_a_bucket(moto)
    half = bucket(chosen)  # what a restore that was killed left there
    half.keep(HALF, io.BytesIO())
    half.put(io.BytesIO(b"half"))
    grown = with_bucket(tmp_path / "grown", chosen)
    restored(grown, source.archive)
    files = contents(source.settings)
    assert files
    assert objects(chosen) == files
    assert not (grown.var / "files").exists()
    with pytest.raises(FileNotFoundError):
        half.open(HALF)
    the_same(source.manifest, saved(grown)[1])


def test_a_bucket_with_files_is_no_place_for_a_restore(tmp_path: Path, moto: Moto) -> None:
    chosen = in_a_bucket(moto)
    settings = with_bucket(tmp_path, chosen)
    free(settings)
    bucket(chosen).put(io.BytesIO(b"of somebody"))
    with pytest.raises(BackupError, match=r"There is something already: files in s3://nightshift-.*/some/where"):
        free(settings)


def test_a_restore_that_fails_leaves_nothing_in_the_bucket(moto: Moto) -> None:
    chosen = in_a_bucket(moto)
    files = BucketFiles(bucket(chosen), "there")
    files.put("a" * 40, iter([b"some", b"bytes"]))
    files.link("b" * 40, "a" * 40)
    assert objects(chosen) == {"a" * 40: b"somebytes", "b" * 40: b"somebytes"}
    assert not files.taken()
    with pytest.raises(Damaged, match="is not there"):
        files.link("c" * 40, "d" * 40)
    with pytest.raises(Damaged, match="strange key"):
        files.put("../up", iter([b"x"]))
    files.take_back()
    assert objects(chosen) == {}
    assert bucket(chosen).door.ask("list_objects_v2")["KeyCount"] == 0


def test_a_bucket_that_is_away_is_told_in_a_sentence(tmp_path: Path, source: Source, moto: Moto) -> None:
    away = {**in_a_bucket(moto), "s3_endpoint": f"http://127.0.0.1:{free_port()}"}
    target = with_bucket(tmp_path, away)
    with pytest.raises(BackupError, match=r"does not answer .* See that the bucket can be used"):
        free(target)
    moved = source.settings.model_copy(update={**away, "s3_key_id": target.s3_key_id, "s3_secret": target.s3_secret})
    with pytest.raises(BackupError, match=r"It failed while copying the files: The store of files does not answer"):
        saved(moved)
