"""The dead man's switch: an outside monitor hears once a minute that all is well; its silence is the alarm."""

import requests
import structlog

TIMEOUT = 5.0  # seconds, to connect and between two bytes

log = structlog.get_logger(__name__)


def ping(url: str) -> bool:
    """Fetches the monitor's URL; whether it answered well. Never raises: the one who calls has other work."""
    if not url:
        return False
    try:
        with requests.get(url, timeout=TIMEOUT, stream=True) as answer:
            well = answer.ok
            reason = "" if well else f"status {answer.status_code}"
    except requests.RequestException as error:
        well, reason = False, type(error).__name__
    if not well:
        # The URL is a secret of its own: whoever has it can keep the alarm silent.
        log.warning("the dead-man ping failed", reason=reason)
    return well
