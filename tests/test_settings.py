"""Settings: typed, read from the environment, each with a default that works, and wrong ones said plainly."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from deploy import check, urls
from deploy.settings import Settings
from workers.broker import free_ports


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in check.known_names():
        monkeypatch.delenv(name, raising=False)


def test_every_setting_has_a_default_and_says_what_it_is_for() -> None:
    assert Settings().port == 5001
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith((".", "}.")), name


def test_the_port_is_read_by_both_its_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTSHIFT_PORT", "5003")
    assert Settings().port == 5003
    monkeypatch.setenv("PORT", "5002")
    assert Settings().port == 5002
    assert Settings().origin == "http://127.0.0.1:5002"


def test_a_secret_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    settings = Settings(var=tmp_path)
    made = settings.secret("flower_password")
    assert len(made) >= 40
    assert settings.secret("flower_password") == made
    assert settings.secret("broker_password") != made
    assert (tmp_path / "secrets" / "flower_password").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700


def test_the_secret_key_of_the_environment_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTSHIFT_SECRET_KEY", "from outside")
    assert Settings(var=tmp_path).secret("secret_key") == "from outside"
    assert not (tmp_path / "secrets" / "secret_key").exists()


def test_passwords_are_not_shown_when_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SECRET_KEY", "SMTP_PASSWORD"):
        monkeypatch.setenv(f"NIGHTSHIFT_{name}", "hunter2")
    monkeypatch.setenv("NIGHTSHIFT_DATABASE_URL", "postgresql://me:hunter2@host/name")
    monkeypatch.setenv("NIGHTSHIFT_BROKER_URL", "redis://:hunter2@host:6379/0")
    assert "hunter2" not in repr(Settings())


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "http"), ("PORT", "70000"), ("NIGHTSHIFT_MAIL", "pigeon"), ("NIGHTSHIFT_SCHEDULES", '{"health": 3}')],
)
def test_a_wrong_value_is_said_with_its_variables_name(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as said:
        check.read_settings()
    assert str(said.value).startswith(name)
    assert value not in str(said.value) or len(value) < 5


def test_mail_by_smtp_wants_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTSHIFT_MAIL", "smtp")
    with pytest.raises(ValidationError, match="NIGHTSHIFT_SMTP_HOST"):
        Settings()


def test_a_name_that_is_no_setting_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTSHIFT_PROT", "5002")
    (port,) = free_ports(1)
    (found,) = check.problems(Settings.model_validate({"var": tmp_path, "PORT": port}))
    assert found.startswith("NIGHTSHIFT_PROT is no setting")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("postgres://me:p%40ss@host/name", "postgresql+psycopg://me:p%40ss@host/name"),
        ("postgresql://host:5433/name", "postgresql+psycopg://host:5433/name"),
        ("mysql://me:secret@host/name", "mysql+pymysql://me:secret@host/name"),
        ("mariadb://me:secret@host/name", "mariadb+pymysql://me:secret@host/name"),
        ("sqlite:////data/nightshift.db", "sqlite:////data/nightshift.db"),
    ],
)
def test_database_urls_are_taken_as_people_write_them(written: str, meant: str) -> None:
    assert Settings.model_validate({"database_url": written}).database == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("valkey://:secret@host:6379/0", "redis://:secret@host:6379/0"),
        ("valkeys://host/1", "rediss://host/1"),
        ("rediss://host/0", "rediss://host/0"),
        ("amqp://me:secret@host//", "amqp://me:secret@host//"),
        ("amqps://host/jobs", "amqps://host/jobs"),
    ],
)
def test_broker_urls_are_taken_as_people_write_them(written: str, meant: str) -> None:
    assert Settings.model_validate({"broker_url": written}).broker == meant


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("NIGHTSHIFT_DATABASE_URL", "oracle://me:hunter2@host/name", "oracle:// is not supported"),
        ("NIGHTSHIFT_DATABASE_URL", "hunter2", "this is no URL"),
        ("NIGHTSHIFT_DATABASE_URL", "postgresql://me:hunter2@host", "names no database"),
        ("NIGHTSHIFT_DATABASE_URL", "postgresql://me:hunter2@x@host:y/name", "write @ as %40"),
        ("NIGHTSHIFT_BROKER_URL", "kafka://:hunter2@host", "kafka:// is not supported"),
        ("NIGHTSHIFT_BROKER_URL", "hunter2", "this is no URL"),
        ("NIGHTSHIFT_FILES_URL", "s3://me:hunter2@bucket/here", "this names no bucket"),
        ("NIGHTSHIFT_FILES_URL", "https://host/hunter2", "this names no bucket"),
    ],
)
def test_another_database_broker_or_bucket_is_refused_in_a_sentence_without_the_password(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as refused:
        check.read_settings()
    assert said in str(refused.value)
    assert str(refused.value).startswith(f"{name}: ")
    with pytest.raises(ValidationError) as raised:  # what a worker that is started by hand prints
        Settings()
    assert "hunter2" not in str(refused.value) + str(raised.value)


BUCKET = {"FILES_URL": "s3://bucket/here", "S3_ENDPOINT": "https://s3.example.org", "S3_KEY_ID": "i", "S3_SECRET": "s"}


@pytest.mark.parametrize(
    ("without", "said"),
    [
        ("FILES_URL", "NIGHTSHIFT_FILES_URL no bucket: these contradict each other"),
        ("S3_KEY_ID", "NIGHTSHIFT_S3_SECRET needs NIGHTSHIFT_S3_KEY_ID"),
        ("S3_SECRET", "NIGHTSHIFT_S3_KEY_ID needs NIGHTSHIFT_S3_SECRET"),
        ("S3_KEY_ID S3_SECRET", "NIGHTSHIFT_S3_ENDPOINT needs NIGHTSHIFT_S3_KEY_ID and NIGHTSHIFT_S3_SECRET"),
    ],
)
def test_a_bucket_wants_all_that_belongs_to_it(without: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in BUCKET.items():
        monkeypatch.setenv(f"NIGHTSHIFT_{name}", value)
    assert "SecretStr('**" in repr(Settings())
    for name in without.split():
        monkeypatch.delenv(f"NIGHTSHIFT_{name}")
    with pytest.raises(SystemExit) as refused:
        check.read_settings()
    assert said in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("s3://bucket", ("bucket", "")),
        ("s3://my.bucket-1/", ("my.bucket-1", "")),
        ("s3://bucket/night/shift/", ("bucket", "night/shift/")),
    ],
)
def test_a_bucket_is_named_with_and_without_a_prefix(url: str, meant: tuple[str, str]) -> None:
    assert urls.bucket(Settings.model_validate({"files_url": url}).files_url) == meant
