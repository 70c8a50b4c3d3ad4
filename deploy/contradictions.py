"""Settings that do not go together, or that name what is not there; each a sentence that says what to do."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

if TYPE_CHECKING:
    from deploy.settings import Settings

CERTIFICATES = ("smtp_ca", "imap_ca", "mqtt_ca", "s3_ca")
NEEDS = (  # with this value, the first needs the second, and what to do about it
    ("mail", "smtp", "smtp_host", "name the mail server"),
    ("mail", "sendgrid", "sendgrid_key", "make one that may send mail"),
    ("weather", "openweathermap", "weather_key", "make one in your account"),
)


def contradictions(settings: "Settings") -> Iterator[str]:
    """What is wrong with all of them together."""
    if settings.secrets and not Path(settings.secrets).is_dir():
        yield "NIGHTSHIFT_SECRETS names no folder: give the path of the one that holds the files"
    for name in CERTIFICATES:
        path = getattr(settings, name)
        if path and not Path(path).is_file():
            yield f"NIGHTSHIFT_{name.upper()} names no file: give the path of a certificate in PEM"
    for name, value, other, advice in NEEDS:
        if getattr(settings, name) == value and not _given(settings, other):
            yield f"NIGHTSHIFT_{name.upper()}={value} needs NIGHTSHIFT_{other.upper()}: {advice}"
    if settings.watson_url and not (_given(settings, "watson_key") and settings.watson_assistant):
        yield "NIGHTSHIFT_WATSON_URL needs NIGHTSHIFT_WATSON_KEY and NIGHTSHIFT_WATSON_ASSISTANT, too"
    yield from _of_bucket(settings)


def _of_bucket(settings: "Settings") -> Iterator[str]:
    key_id, secret = _given(settings, "s3_key_id"), _given(settings, "s3_secret")
    if settings.s3_endpoint and not settings.files_url:
        yield (
            "NIGHTSHIFT_S3_ENDPOINT names a server and NIGHTSHIFT_FILES_URL no bucket: these contradict each other. "
            "Set NIGHTSHIFT_FILES_URL=s3://BUCKET/PREFIX, or take NIGHTSHIFT_S3_ENDPOINT away"
        )
    if settings.files_url and key_id != secret:
        have, lacks = ("KEY_ID", "SECRET") if key_id else ("SECRET", "KEY_ID")
        yield f"NIGHTSHIFT_S3_{have} needs NIGHTSHIFT_S3_{lacks}: give both parts of the bucket's access key"
    if settings.files_url and settings.s3_endpoint and not key_id:
        yield "NIGHTSHIFT_S3_ENDPOINT needs NIGHTSHIFT_S3_KEY_ID and NIGHTSHIFT_S3_SECRET: AWS alone knows roles"


def _given(settings: "Settings", name: str) -> bool:
    value = getattr(settings, name)
    return bool(value.get_secret_value() if isinstance(value, SecretStr) else value)
