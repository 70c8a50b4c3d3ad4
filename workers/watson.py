"""IBM Watson Assistant, through IBM's own library (ibm-watson): its v2 API with a session for each conversation.

Shapes: https://cloud.ibm.com/apidocs/assistant-v2 (create_session, message, `output.generic`). What a customer wrote
goes to IBM only where an administrator set it up. It is asked in a page's request, so its time is short, and after a
failure it is left alone for a while: the own assistant answers meanwhile.
"""

import html
import logging
import re
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from deploy.settings import Settings
from tasks.care.suggestions.said import WATSON, Elsewhere, Reply, Trouble

if TYPE_CHECKING:
    from ibm_watson.assistant_v2 import AssistantV2

VERSION = "2024-08-25"  # of the API; answers keep the shape they had that day
PAUSE_SECONDS, LONGEST_PAUSE = 30.0, 600.0
LONGEST_QUESTION, LONGEST_TEXT = 2048, 2000
MOST_PARTS, MOST_OPTIONS, LONGEST_OPTION = 10, 8, 200
NO_SESSION = 404
THEIR_LOG = "ibm-cloud-sdk-core"
AWAY = "IBM Watson Assistant did not answer."
_TAG = re.compile(r"<[^<>]{0,300}>")
_BREAK = re.compile(r"(?i)<(?:br|/p|/li|/div)\s*/?>")


def service(settings: Settings) -> Elsewhere | None:
    """The configured one; None without."""
    return Watson(settings) if settings.watson_url else None


class Watson:
    """Asks it. Thread-safe; nothing is loaded or connected before the first question."""

    name = WATSON

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._where = (settings.watson_assistant, settings.watson_environment or settings.watson_assistant)
        self._lock = threading.Lock()
        self._client: AssistantV2 | None = None
        self._paused_until, self._paused_by = 0.0, ""

    def ask(self, text: str, who: str, session: str = "") -> Reply:
        """One question; a session that has ended at theirs is begun anew."""
        if time.monotonic() < self._paused_until:
            raise Trouble(self._paused_by)
        said = " ".join(text.split())[:LONGEST_QUESTION]  # theirs takes no line breaks
        try:
            return self._asked(said, who, session)
        except Trouble as trouble:
            self._pause(trouble, getattr(trouble, "seconds", PAUSE_SECONDS))
            raise

    def _asked(self, said: str, who: str, session: str) -> Reply:
        from ibm_cloud_sdk_core import ApiException
        from jwt import PyJWTError
        from requests import RequestException

        try:
            answer, session = self._message(said, who, session)
        except ApiException as error:
            raise _trouble(error) from None  # its text may repeat what was asked
        except (RequestException, PyJWTError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise Trouble(AWAY) from error
        return read(answer, session)

    def _message(self, said: str, who: str, session: str) -> tuple[Any, str]:
        from ibm_cloud_sdk_core import ApiException

        client = self._connected()
        if session:
            try:
                return self._said(client, said, who, session), session
            except ApiException as error:
                if error.status_code != NO_SESSION:
                    raise
        begun = client.create_session(*self._where).get_result()
        session = str(begun["session_id"])
        return self._said(client, said, who, session), session

    def _said(self, client: "AssistantV2", said: str, who: str, session: str) -> Any:
        from ibm_watson.assistant_v2 import MessageInput, MessageInputOptions

        options = MessageInputOptions(return_context=False)
        given = MessageInput(message_type="text", text=said, options=options)
        return client.message(*self._where, session, input=given, user_id=who).get_result()

    def _connected(self) -> "AssistantV2":
        with self._lock:
            if self._client is None:
                self._client = _client(self._settings)
            return self._client

    def _pause(self, trouble: Trouble, seconds: float) -> None:
        if time.monotonic() >= self._paused_until:
            self._paused_until, self._paused_by = time.monotonic() + seconds, str(trouble)


def _client(settings: Settings) -> "AssistantV2":
    from ibm_cloud_sdk_core.authenticators import IAMAuthenticator
    from ibm_watson.assistant_v2 import AssistantV2

    from workers.watson_wire import Bounded, Tokens

    logging.getLogger(THEIR_LOG).setLevel(logging.WARNING)  # below that it writes down what is asked
    session, key = Bounded(settings.watson_seconds), settings.watson_key.get_secret_value()
    by_key = IAMAuthenticator(key, url=settings.watson_iam_url or None)
    by_key.token_manager = Tokens(key, settings.watson_iam_url or None, session)
    client = AssistantV2(VERSION, authenticator=by_key)
    client.set_service_url(settings.watson_url.rstrip("/"))
    client.set_http_client(session)
    return client


class _Paused(Trouble):
    """Trouble that says for how long to leave it alone."""

    seconds = PAUSE_SECONDS


def _trouble(error: Any) -> Trouble:
    """What an HTTP error means, by its status alone."""
    status = int(error.status_code or 0)
    if status in (400, 401, 403):
        return Trouble(
            "IBM Watson Assistant refuses the key; whoever runs this Nightshift looks at NIGHTSHIFT_WATSON_KEY."
        )
    if status == NO_SESSION:
        return Trouble(
            "IBM Watson Assistant knows no such assistant or environment; look at NIGHTSHIFT_WATSON_ASSISTANT."
        )
    if status != 429:
        return Trouble(AWAY)
    told = _Paused("IBM Watson Assistant has been asked too often for now.")
    given = str(error.http_response.headers.get("Retry-After", "")) if error.http_response is not None else ""
    told.seconds = min(float(given), LONGEST_PAUSE) if given.isdigit() else PAUSE_SECONDS
    return told


def read(answer: Any, session: str = "") -> Reply:
    """What `message` answered.

    Raises:
        Trouble: it has another shape.
    """
    output = answer.get("output") if isinstance(answer, dict) else None
    parts = output.get("generic") if isinstance(output, dict) else None
    if not isinstance(parts, list):
        raise Trouble("IBM Watson Assistant answered in a form that is not known here.")
    kept = [part for part in parts[:MOST_PARTS] if isinstance(part, dict)]
    texts = tuple(text for part in kept for each in _texts(part) if (text := plain(each)))
    options = tuple(dict.fromkeys(said for part in kept for said in _options(part)))[:MOST_OPTIONS]
    person = any(part.get("response_type") == "connect_to_agent" for part in kept) or not (texts or options)
    return Reply(WATSON, texts, options=options, person=person, session=session)


def _texts(part: dict[str, Any]) -> Iterator[Any]:
    """In the words of each kind of answer; kinds that have none for a page (pauses, sounds) are left out."""
    match part.get("response_type"):
        case "text":
            yield part.get("text")
        case "option" | "suggestion" | "image":
            yield from (part.get("title"), part.get("description"))
        case "search":
            yield part.get("header")
            results = part.get("primary_results")
            for each in results[:3] if isinstance(results, list) else ():
                if isinstance(each, dict):
                    yield "\n".join(str(each[name]) for name in ("title", "body", "url") if each.get(name))
        case "connect_to_agent":
            said = part.get("agent_available")
            yield said.get("message") if isinstance(said, dict) else None


def _options(part: dict[str, Any]) -> Iterator[str]:
    """What may be asked next, as it is to be said."""
    listed = part.get("options") or part.get("suggestions")
    for each in listed if isinstance(listed, list) else ():
        value = each.get("value") if isinstance(each, dict) else None
        given = value.get("input") if isinstance(value, dict) else None
        text = given.get("text") if isinstance(given, dict) else None
        if said := plain(text or (each.get("label") if isinstance(each, dict) else None))[:LONGEST_OPTION]:
            yield said


def plain(text: Any) -> str:
    """Its answers may be HTML: without tags, bounded. Pages show it escaped."""
    if not isinstance(text, str):
        return ""
    bare = html.unescape(_TAG.sub("", _BREAK.sub("\n", text[: 4 * LONGEST_TEXT])))
    return "".join(sign for sign in bare if sign.isprintable() or sign == "\n").strip()[:LONGEST_TEXT]
