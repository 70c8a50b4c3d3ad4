"""Other people of this machine read nothing of ours, even in a folder that was open to them before."""

import io
import stat
from pathlib import Path

from models.migrate import upgrade
from models.session import Database
from tasks.storage import FolderStorage


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_database_and_its_log_are_their_owners_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    url = f"sqlite:///{tmp_path / 'nightshift.db'}"
    upgrade(url)
    database = Database(url)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE something (id INTEGER)")
        found = {path.name: mode(path) for path in tmp_path.iterdir()}
    database.close()
    assert found == {f"nightshift.db{end}": 0o600 for end in ("", "-wal", "-shm", "-turn")}


def test_a_database_in_memory_leaves_no_file() -> None:
    database = Database("sqlite://")
    database.engine.connect().close()
    database.close()
    assert not Path(":memory:").exists()


def test_stored_files_stand_behind_a_door_of_their_owner(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    storage = FolderStorage(tmp_path / "files")
    key, _ = storage.put(io.BytesIO(b"a heart"))
    assert mode(storage.root) == 0o700
    assert mode(storage.root / key[:2]) == 0o700
