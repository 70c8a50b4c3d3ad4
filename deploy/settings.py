"""Every setting, typed, read once from the environment by the entry points; each has a default that works.

A variable is called NIGHTSHIFT_ and the field's name in capitals; PORT alone works too. README's table comes from here.
"""

import os
import secrets
import socket
from email.utils import parseaddr
from functools import cached_property, lru_cache
from ipaddress import ip_network
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from deploy import urls
from deploy.contradictions import contradictions

ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """What can be set. `deploy.check` refuses unknown NIGHTSHIFT_ names, so that a typing error is not silent."""

    model_config = SettingsConfigDict(env_prefix="NIGHTSHIFT_", extra="ignore", frozen=True, hide_input_in_errors=True)

    secrets: str = Field(
        "", description="Folder of files with settings that are secret, each called like its variable in small letters."
    )
    var: Path = Field(ROOT / "var", description="Folder of all data: database, files, broker, logs, secrets.")
    host: str = Field("127.0.0.1", description="Address the web front listens on.")
    port: int = Field(
        5001,
        ge=1,
        le=65535,
        validation_alias=AliasChoices("PORT", "NIGHTSHIFT_PORT"),
        description="Port of the web front.",
    )
    public_url: str = Field("", description="How people reach the front, for links in mails. Empty: http://HOST:PORT.")
    trusted_hops: int = Field(
        0, ge=0, le=5, description="Reverse proxies in front whose X-Forwarded headers are believed."
    )
    database_url: SecretStr = Field(
        SecretStr(""), description="postgresql://, mariadb:// or mysql://USER:PASSWORD@HOST/NAME. Empty: SQLite in VAR."
    )
    broker_url: SecretStr = Field(
        SecretStr(""),
        description="redis://, rediss://, valkey://, amqp:// or amqps://. Empty: the Valkey that `make run` starts.",
    )
    files_url: str = Field("", description="Bucket that files stand in, as s3://BUCKET/PREFIX. Empty: a folder in VAR.")
    s3_endpoint: str = Field(
        "", description="Its server: IBM Cloud Object Storage, MinIO or another, as https://HOST. Empty: AWS."
    )
    s3_region: str = Field("", description="Its region, as eu-central-1.")
    s3_key_id: SecretStr = Field(SecretStr(""), description="Its access key's ID. Empty on AWS: the machine's role.")
    s3_secret: SecretStr = Field(SecretStr(""), description="The secret of that key.")
    s3_ca: str = Field("", description="File of a private authority's certificate that its TLS is checked with.")
    secret_key: SecretStr = Field(
        SecretStr(""), description="Signs cookies and links. Empty: made at first start, kept in VAR/secrets."
    )
    sign_up: Literal["invitation", "open"] = Field("invitation", description="Who may make an account.")
    max_upload_mb: int = Field(50, ge=1, le=1024, description="Largest upload, all files of one form together.")
    ecg_processes: int = Field(1, ge=1, le=64, description="Processes of the worker for the ecg queue.")
    energy_processes: int = Field(1, ge=1, le=64, description="Processes of the worker for the energy queue.")
    work_processes: int = Field(2, ge=1, le=64, description="Processes of the worker for the default and scans queues.")
    mail_processes: int = Field(1, ge=1, le=16, description="Processes of the worker for the mail queue.")
    window: int = Field(
        200, ge=1, le=10_000, description="At most so many runs of one queue have a message out; fewer while few run."
    )
    lease_seconds: float = Field(
        20, gt=0.2, le=600, description="A running attempt that is silent for so long is taken back."
    )
    waiting_runs: int = Field(1000, ge=1, description="Runs of one workspace that may wait or run at once.")
    api_per_minute: int = Field(
        600, ge=0, description="Requests a minute that the API answers to one token, or one address without. 0: any."
    )
    own_workspaces: int = Field(20, ge=1, description="Workspaces that one person may own.")
    workspace_schedules: int = Field(100, ge=1, description="Schedules that one workspace may have.")
    storage_mb: int = Field(5000, ge=1, description="Files of one workspace: what was handed over and what runs left.")
    keep_succeeded_days: int = Field(
        365, ge=0, description="Days that a run which succeeded is kept, with its files. 0: for ever."
    )
    keep_failed_days: int = Field(365, ge=0, description="The same for a run that failed.")
    keep_cancelled_days: int = Field(90, ge=0, description="The same for a run that was cancelled.")
    backup_days: int = Field(
        30, ge=0, description="Days that you keep backups, as people are told who delete their data. 0: you make none."
    )
    keep_runs: int = Field(
        100_000, ge=0, description="Ended runs of one workspace that are kept; the oldest beyond go. 0: all."
    )
    schedules: dict[str, str] = Field(
        {}, description='Moves or stops default schedules, as JSON: {"health": "off", "upkeep": "15 4 * * *"}.'
    )
    mail: Literal["mailbox", "smtp", "sendgrid"] = Field(
        "mailbox", description="Where mail goes: the embedded mailbox, a server, or SendGrid."
    )
    mail_from: str = Field("Nightshift <nightshift@localhost>", description="Sender of every mail.")
    smtp_host: str = Field("", description="Mail server, when MAIL=smtp.")
    smtp_port: int = Field(587, ge=1, le=65535, description="Its port.")
    smtp_user: str = Field("", description="Its user, if it wants one.")
    smtp_password: SecretStr = Field(SecretStr(""), description="Its password.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="How the connection is protected."
    )
    smtp_ca: str = Field("", description="File of a private authority's certificate that its TLS is checked with, too.")
    sendgrid_key: SecretStr = Field(SecretStr(""), description="SendGrid's API key, when MAIL=sendgrid.")
    sendgrid_host: str = Field(
        "https://api.sendgrid.com", description="Its API; https://api.eu.sendgrid.com for subusers in the EU."
    )
    sendgrid_webhook_key: SecretStr = Field(
        SecretStr(""), description="Public key of its signed event webhook, /hooks/sendgrid. Empty: the hook is closed."
    )
    weather: Literal["", "open-meteo", "openweathermap"] = Field(
        "", description="Weather service that forecasts of electricity ask for temperatures. Empty: none is asked."
    )
    weather_key: SecretStr = Field(
        SecretStr(""), description="Its key: OpenWeatherMap wants one, Open-Meteo only from its customers."
    )
    weather_url: str = Field(
        "", description="Its address, for an Open-Meteo of your own as http://HOST:8080. Empty: the service's own."
    )
    weather_seconds: float = Field(
        10, gt=0, le=60, description="Seconds that it may take to connect, and between two pieces of its answer."
    )
    mqtt_url: SecretStr = Field(
        SecretStr(""),
        description="Broker that meters send to: mqtt://USER:PASSWORD@HOST:1883, or mqtts:// with TLS. Empty: none.",
    )
    mqtt_topic: str = Field("nightshift", description="Beginning of the topics that are listened to: TOPIC/ADDRESS.")
    mqtt_ca: str = Field("", description="File of a private authority's certificate that its TLS is checked with, too.")
    watson_url: str = Field(
        "",
        description="IBM Watson Assistant's address; what customers ask in the chat box goes to it. Empty: none.",
    )
    watson_key: SecretStr = Field(SecretStr(""), description="Its API key.")
    watson_assistant: str = Field("", description="The assistant's ID.")
    watson_environment: str = Field("", description="Its environment's ID. Empty: the same as the assistant's.")
    watson_iam_url: str = Field("", description="Where its key is changed for tokens. Empty: IBM Cloud's own address.")
    watson_seconds: float = Field(
        5, gt=0, le=30, description="Seconds that it may take to connect, and between two pieces of its answer."
    )
    tableau: bool = Field(
        False, description="Offer Tableau extracts of meters; the energy workers need requirements/hyper.txt for them."
    )
    maildirs: str = Field(
        "", description="Folder of maildirs that help desks read, each called like its workspace's id. Empty: none."
    )
    imap_ca: str = Field(
        "", description="File of a private authority's certificate that mailboxes' TLS is checked with, too."
    )
    outgoing_networks: str = Field(
        "",
        description="Networks that people's channels may reach though they are private, as 192.168.1.0/24,10.0.0.5/32.",
    )
    dead_man_url: str = Field(
        "", description="An outside monitor's URL, fetched every minute while beat, broker and workers are well."
    )
    certificate_url: str = Field(
        "", description="Where a proxy in front speaks TLS, as https://nginx:8443: its certificate's end is watched."
    )
    metrics_token: SecretStr = Field(
        SecretStr(""), description="Bearer token that /metrics asks for. Empty: made at first start, in VAR/secrets."
    )
    flower_url: str = Field(
        "", description="Where Flower listens, for the administrators' view. Empty: set by `make run`."
    )
    flower_password: SecretStr = Field(
        SecretStr(""), description="Password that Flower asks for. Empty: made at first start, in VAR/secrets."
    )
    alive: str = Field(
        "", description="File that workers, beat and the MQTT listener touch every few seconds. Empty: none."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")

    @field_validator("var")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @field_validator("database_url", "broker_url")
    @classmethod
    def _known(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        known = urls.database_url if info.field_name == "database_url" else urls.broker_url
        return SecretStr(known(text)) if (text := value.get_secret_value().strip()) else SecretStr("")

    @field_validator("mqtt_url")
    @classmethod
    def _mqtt(cls, value: SecretStr) -> SecretStr:
        return SecretStr(urls.mqtt_url(text)) if (text := value.get_secret_value().strip()) else SecretStr("")

    @field_validator("files_url")
    @classmethod
    def _bucket(cls, value: str) -> str:
        if value:
            urls.bucket(value)
        return value

    @field_validator("mqtt_topic")
    @classmethod
    def _topic(cls, value: str) -> str:
        if not (topic := value.strip("/")) or set(topic) & {"+", "#"} or not topic.isprintable() or len(topic) > 200:
            raise ValueError("NIGHTSHIFT_MQTT_TOPIC is no topic: write words with slashes between, as house/meters")
        return topic

    @field_validator("mail_from")
    @classmethod
    def _sender(cls, value: str) -> str:
        address = parseaddr(value)[1]
        if "@" not in address or not address.isascii() or not value.isprintable():
            raise ValueError('NIGHTSHIFT_MAIL_FROM is no sender: give it as "Nightshift <nightshift@example.org>"')
        return value

    @field_validator("weather_url", "watson_url", "watson_iam_url", "certificate_url", "s3_endpoint")
    @classmethod
    def _web_address(cls, value: str, info: ValidationInfo) -> str:
        if value and not value.startswith(("http://", "https://")):
            name = str(info.field_name).upper()
            raise ValueError(f"NIGHTSHIFT_{name} is no address: begin it with http:// or https://")
        return value

    @field_validator("outgoing_networks")
    @classmethod
    def _networks(cls, value: str) -> str:
        for each in value.replace(",", " ").split():
            ip_network(each)  # says itself what is wrong with it
        return value

    @model_validator(mode="after")
    def _together(self) -> "Settings":
        for wrong in contradictions(self):
            raise ValueError(wrong)
        return self

    @cached_property
    def database(self) -> str:
        """The database's SQLAlchemy URL."""
        return self.database_url.get_secret_value() or f"sqlite:///{self.var / 'nightshift.db'}"

    @cached_property
    def broker(self) -> str:
        """The broker's URL; `make run` sets it for the processes it starts."""
        return self.broker_url.get_secret_value() or "redis://127.0.0.1:6379/0"

    @cached_property
    def origin(self) -> str:
        """Scheme, host and port of links in mails, no closing slash; never taken from a request's Host header."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    def secret(self, name: str) -> str:
        """A secret kept in VAR/secrets (mode 0600), made at first use; one from the environment goes first."""
        given = getattr(self, name, None)
        if isinstance(given, SecretStr) and given.get_secret_value():
            return given.get_secret_value()
        folder = self.var / "secrets"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / name
        try:
            with open(path, "x", opener=_private) as file:
                file.write(secrets.token_urlsafe(32))
        except FileExistsError:
            pass
        return path.read_text().strip()

    @property
    def keep_days(self) -> dict[str, int]:
        """How long ended runs are kept, by state; for ever without an entry."""
        days = {
            "succeeded": self.keep_succeeded_days,
            "failed": self.keep_failed_days,
            "cancelled": self.keep_cancelled_days,
        }
        return {state: count for state, count in days.items() if count}

    @cached_property
    def node(self) -> str:
        """This machine's name in worker names."""
        return socket.gethostname()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def read() -> Settings:
    """From the environment and, where NIGHTSHIFT_SECRETS names a folder, from its files; the environment goes first.

    A file is called like its variable, in small letters: nightshift_secret_key.
    """
    folder = os.environ.get("NIGHTSHIFT_SECRETS", "")
    return Settings(_secrets_dir=folder) if Path(folder or "/dev/null").is_dir() else Settings()


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process. Entry points call it; everything else is handed what it needs."""
    return read()
