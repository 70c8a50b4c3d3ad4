"""How IBM Watson Assistant is asked over the network: bounded, whatever stands at the other end.

IBM's library follows redirects (with the customer's question in them), reads answers of any length, and its time limit
is one for each byte. Here a request goes where it was configured to go, and its answer is read up to MOST_BYTES and
until its time is over.
"""

import time
from typing import Any

import requests
from ibm_cloud_sdk_core import ApiException
from ibm_cloud_sdk_core.token_managers.iam_token_manager import IAMTokenManager

MOST_BYTES = 1_000_000
AT_ONCE = 65_536
TOO_LONG = "an answer of more than a million bytes"
TOO_SLOW = "an answer that takes too long"


class Bounded(requests.Session):
    """A session that follows no redirect and reads no more than that.

    Args:
        seconds: for a whole request.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        until = time.monotonic() + self._seconds
        answer = super().send(request, **{**kwargs, "stream": True, "allow_redirects": False, "timeout": self._seconds})
        try:
            answer._content = self._body(answer, until)
        finally:
            answer.close()
        return answer

    def _body(self, answer: requests.Response, until: float) -> bytes:
        """Piece by piece as they come.

        Raises:
            requests.RequestException: there is too much, or it takes too long.
        """
        pieces: list[bytes] = []
        left = MOST_BYTES
        while piece := self._piece(answer):
            left -= len(piece)
            pieces.append(piece)
            if left < 0 or time.monotonic() > until:
                raise requests.exceptions.ContentDecodingError(TOO_LONG if left < 0 else TOO_SLOW)
        return b"".join(pieces)

    def _piece(self, answer: requests.Response) -> bytes:
        from urllib3.exceptions import HTTPError

        try:
            return bytes(answer.raw.read1(AT_ONCE, decode_content=True))
        except (HTTPError, OSError) as error:
            raise requests.exceptions.ConnectionError(TOO_SLOW) from error


class Tokens(IAMTokenManager):  # type: ignore[misc]  # the library has no types
    """IBM's, over such a session."""

    def __init__(self, key: str, url: str | None, session: Bounded) -> None:
        super().__init__(key, url=url)
        self._session = session

    def _request(self, method: str, url: str, **given: Any) -> Any:
        auth = given.pop("auth_tuple", None)
        answer = self._session.request(method, url, auth=auth, **given)
        if not 200 <= answer.status_code <= 299:
            raise ApiException(answer.status_code, http_response=answer)
        return answer.json()
