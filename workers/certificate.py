"""When the certificate ends that people's browsers are shown: asked of the proxy itself, so that one counts that was
renewed in its file and never loaded, too. Beat asks once a minute; what it hears stands beside the signs of life."""

import socket
import ssl
from urllib.parse import urlsplit

import structlog
from cryptography import x509
from sqlalchemy import delete, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models.run import Pulse
from models.session import EVERYONE
from models.statements import changed
from models.vitals import CERTIFICATE
from workers.runtime import Runtime

TIMEOUT = 5.0  # seconds
log = structlog.get_logger(__name__)


def look(runtime: Runtime) -> None:
    """Ask, and write it down. Never raises; a proxy that does not answer changes nothing."""
    try:
        end = ends(runtime.settings.certificate_url)
        with runtime.database.write(EVERYONE) as session:
            if not changed(session, update(Pulse).where(Pulse.name == CERTIFICATE).values(at=end)):
                session.add(Pulse(name=CERTIFICATE, at=end))
    except (OSError, ValueError, SQLAlchemyError) as error:
        log.warning("the certificate could not be looked at", reason=type(error).__name__)


def ends(url: str) -> int:
    """When the certificate that is shown at this address ends, in epoch milliseconds, whoever vouches for it.

    Raises:
        OSError: nobody speaks TLS there.
        ValueError: what is shown is no certificate.
    """
    at = urlsplit(url)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # one past its date is to be read, too
    with (
        socket.create_connection((at.hostname or "", at.port or 443), TIMEOUT) as wire,
        context.wrap_socket(wire, server_hostname=at.hostname) as wrapped,
    ):
        shown = wrapped.getpeercert(binary_form=True) or b""
    return int(x509.load_der_x509_certificate(shown).not_valid_after_utc.timestamp() * 1000)


def forget(session: Session) -> None:
    """None is watched any more."""
    session.execute(delete(Pulse).where(Pulse.name == CERTIFICATE))
