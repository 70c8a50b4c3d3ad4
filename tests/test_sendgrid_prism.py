"""SendGrid's library against a mock that Prism makes of an OpenAPI description: skipped where `prism` is not on PATH.

It is Node's package @stoplight/prism-cli. tests/test_sendgrid.py checks the same, and more, without it.
"""

import io
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from models.base import new_id
from models.delivery import Picture
from tests.conftest import Person, free_port
from tests.test_mail import deliveries, write
from tests.test_sendgrid import go, lead_to
from workers.runtime import Runtime

DESCRIPTION = Path(__file__).with_name("sendgrid_openapi.json")
PRISM = shutil.which("prism")
pytestmark = pytest.mark.skipif(PRISM is None, reason="Prism is not installed: see this file's first lines")


@pytest.fixture
def mock(runtime: Runtime) -> Iterator[int]:
    port = free_port()
    process = subprocess.Popen(
        [str(PRISM), "mock", "--errors", "--port", str(port), str(DESCRIPTION)], stdout=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until and not _answers(port):
            time.sleep(0.2)
        lead_to(runtime, port)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _answers(port: int) -> bool:
    with suppress(OSError):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2).close()
        except urllib.error.HTTPError as error:
            error.close()
            return True
    return False


def test_a_mail_is_what_the_description_says_and_a_wrong_one_is_told_so(
    runtime: Runtime, ada: Person, mock: int
) -> None:
    key, size = runtime.storage.put(io.BytesIO(b"PNG"))
    mail = new_id()
    write(runtime, ada, id=mail, account_id=ada.account_id, html='<img src="cid:a"> {unsubscribe}', stop="digest")
    write(runtime, ada, text="")
    with runtime.database.write(ada.workspace_id) as session:
        session.add(Picture(delivery_id=mail, name="a", alt="x", size=size, key=key))
    assert go(runtime, ada) == "succeeded"
    assert [(row.state, row.reason) for row in deliveries(runtime)] == [("sent", "")] * 2
    body = b'{"personalizations": [], "from": {}, "subject": "", "content": []}'
    headers = {"Content-Type": "application/json", "Authorization": "Bearer x"}
    wrong = urllib.request.Request(f"http://127.0.0.1:{mock}/v3/mail/send", data=body, headers=headers)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(wrong, timeout=10)
    with refused.value as answer:
        assert answer.code in (400, 422), "the mock checks, so that this test can fail"
