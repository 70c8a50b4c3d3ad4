"""What a stack of containers needs first: secrets and a certificate, made once: `python -m deploy.setup`.

Each volume gets the files that its container may see, and nothing more. What is there stays: to change a password,
change it in its file and in the program that asks for it. A certificate made here is made anew by a start in its
last month; yours is never touched.
"""

import os
import secrets
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ROOT = Path("/run/secrets-of")  # below it one volume for each that reads: app, redis, postgres, …
CERTIFICATES = Path("/certificates")
READABLE = 0o444  # in a volume that nobody else mounts; who reads it there is not root
DAYS, RENEWED = 397, 30  # browsers take no longer ones
OURS = "Nightshift, made by itself"
DATABASES = {
    "postgres": "postgresql://nightshift:{}@postgres/nightshift",
    "mariadb": "mariadb://nightshift:{}@mariadb/nightshift",
}
BROKERS = {"redis": "redis://:{}@redis:6379/0", "rabbitmq": "amqp://nightshift:{}@rabbitmq:5672/%2F"}


def main() -> None:
    """The entry point."""
    database, broker = _chosen("DATABASE", DATABASES), _chosen("BROKER", BROKERS)
    passwords = {name: made(ROOT / name / "password") for name in (*DATABASES, *BROKERS)}
    app = ROOT / "app"
    _write(app / "nightshift_database_url", DATABASES[database].format(passwords[database]))
    _write(app / "nightshift_broker_url", BROKERS[broker].format(passwords[broker]))
    made(app / "nightshift_secret_key")
    for name in ("nightshift_metrics_token", "nightshift_flower_password"):
        _write(ROOT / "monitoring" / name, made(app / name))
    made(ROOT / "monitoring" / "grafana_admin_password")
    certificate(os.environ.get("NAMES", "localhost").split(","))
    sys.stdout.write("Secrets and certificate are there.\n")


def _chosen(name: str, known: dict[str, str]) -> str:
    value = os.environ.get(name) or next(iter(known))
    if value not in known:
        raise SystemExit(f"{name}={value} is not known here: choose one of {', '.join(known)}.")
    return value


def made(path: Path) -> str:
    """A secret's words; made at the first time. Letters and digits, so that it fits into URLs and files as it is."""
    if not path.exists():
        _write(path, secrets.token_hex(24))
    return path.read_text().strip()


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
    part = path.with_name(f".{path.name}.part")
    part.write_text(text)
    part.chmod(READABLE)
    part.rename(path)


def certificate(names: list[str]) -> None:
    """A certificate that nobody vouches for, so that the stack speaks TLS from the first minute."""
    chain, key_file = CERTIFICATES / "fullchain.pem", CERTIFICATES / "privkey.pem"
    if chain.exists() and not _due(chain, names):
        return
    key = ec.generate_private_key(ec.SECP256R1())
    about = ((NameOID.ORGANIZATION_NAME, OURS), (NameOID.COMMON_NAME, names[0]))
    who = x509.Name([x509.NameAttribute(kind, text) for kind, text in about])
    now = datetime.now(UTC)
    built = x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key())
    built = built.serial_number(x509.random_serial_number())
    built = built.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=DAYS))
    built = built.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
    built = built.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    plain = serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    _write(key_file, secret.decode())
    _write(chain, built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode())


def _due(chain: Path, names: list[str]) -> bool:
    """Whether a certificate of ours ends soon, or is of other names; somebody else's is told of, and left alone."""
    found = x509.load_pem_x509_certificates(chain.read_bytes())[0]
    ends = found.not_valid_after_utc
    ours = any(each.value == OURS for each in found.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME))
    if not ours:
        if ends < datetime.now(UTC):
            sys.stderr.write(f"The certificate in {chain} is past its date ({ends:%-d %B %Y}): put a new one there.\n")
        return False
    held = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return ends - datetime.now(UTC) < timedelta(days=RENEWED) or held.get_values_for_type(x509.DNSName) != names


if __name__ == "__main__":
    main()
