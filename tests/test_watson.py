"""IBM Watson Assistant through IBM's own library, against a server on this machine that answers as IBM documents."""

import gzip
import json
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from tasks.care.suggestions.said import WATSON, Trouble
from tests.watson_server import ASSISTANT, ENVIRONMENT, KEY, Service, text, watson_server, watson_settings
from workers import watson
from workers.watson import VERSION, Watson, plain, read

OPENING = "When do you open?"


@pytest.fixture
def service() -> Iterator[Service]:
    with watson_server() as made:
        made.answers[OPENING] = [text("At <b>nine</b>,<br>but not on Sundays &amp; holidays.")]
        yield made


def asking(service: Service, **more: Any) -> Watson:
    """One whose connections end with the process; the library closes none itself."""
    return Watson(watson_settings(service, **more))


@pytest.fixture(autouse=True)
def closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Its connections are closed after the test: warnings of those that are not are errors."""
    made: list[Any] = []
    plain_client = watson._client

    def client(settings: Any) -> Any:
        made.append(plain_client(settings))
        return made[-1]

    monkeypatch.setattr(watson, "_client", client)
    yield
    for each in made:
        each.http_client.close()


def test_a_question_gets_the_answer_s_words_in_a_session_that_goes_on(service: Service) -> None:
    asked = asking(service)
    first = asked.ask(f"  {OPENING}\n", "somebody")
    assert (first.by, first.texts, first.person) == (WATSON, ("At nine,\nbut not on Sundays & holidays.",), False)
    again = asked.ask(OPENING, "somebody", first.session)
    assert (again.session, len(service.sessions)) == (first.session, 1)
    sent = service.asked[0]
    assert (sent["input"]["text"], sent["user_id"], sent["input"]["message_type"]) == (OPENING, "somebody", "text")
    assert service.paths[1] == f"/v2/assistants/{ASSISTANT}/environments/{ENVIRONMENT}/sessions?version={VERSION}"
    assert [path for path in service.paths if path == "/identity/token"] == ["/identity/token"]


def test_a_session_that_ended_there_is_begun_anew(service: Service) -> None:
    reply = asking(service).ask(OPENING, "somebody", "session-of-yesterday")
    assert reply.texts
    assert reply.session in service.sessions


def test_all_kinds_of_answers_are_read() -> None:
    option = {"label": "A refund", "value": {"input": {"text": "I want a refund"}}}
    generic = [
        {"response_type": "pause", "time": 500, "typing": True},
        {"response_type": "option", "title": "Which one?", "options": [option, {"label": "An exchange"}]},
        {
            "response_type": "suggestion",
            "title": "Did you mean",
            "suggestions": [{"label": "x", "value": option["value"]}],
        },
        {"response_type": "search", "header": "I found", "primary_results": [{"title": "Returns", "body": "By post."}]},
        {"response_type": "image", "source": "https://example.org/a.png", "title": "A picture"},
        {"response_type": "user_defined", "user_defined": {}},
    ]
    found = read({"output": {"generic": generic}}, "s")
    assert found.texts == ("Which one?", "Did you mean", "I found", "Returns\nBy post.", "A picture")
    assert found.options == ("I want a refund", "An exchange")
    assert not found.person


def test_it_hands_over_to_a_person_when_it_says_so_or_says_nothing() -> None:
    agent = {"response_type": "connect_to_agent", "agent_available": {"message": "Somebody comes."}}
    found = read({"output": {"generic": [agent]}})
    assert (found.person, found.texts) == (True, ("Somebody comes.",))
    assert read({"output": {"generic": []}}).person


@pytest.mark.parametrize(
    "answer", [None, [], {}, {"output": None}, {"output": {"generic": {}}}, {"output": {"generic": "x"}}]
)
def test_an_answer_of_another_shape_is_trouble(answer: Any) -> None:
    with pytest.raises(Trouble, match="form that is not known"):
        read(answer)


def test_what_is_odd_inside_an_answer_is_left_out_and_what_is_long_is_cut() -> None:
    odd = [None, 7, {"response_type": "text", "text": {}}, {"response_type": "option", "options": [1, {"value": 2}]}]
    assert read({"output": {"generic": [*odd, text("yes")]}}).texts == ("yes",)
    assert len(plain("x" * 10_000)) == 2000
    assert plain("a\x1b[31m<script>b</script>\u202e") == "a[31mb"
    many = [text(str(number)) for number in range(50)]
    assert len(read({"output": {"generic": many}}).texts) == 10


@pytest.mark.parametrize(
    ("status", "said"),
    [(401, "refuses the key"), (429, "too often"), (500, "did not answer"), (403, "refuses the key")],
)
def test_an_error_is_said_without_the_question_and_the_key(service: Service, status: int, said: str) -> None:
    service.statuses = [status]
    with pytest.raises(Trouble, match=said) as caught:
        asking(service).ask(OPENING, "somebody")
    assert OPENING not in str(caught.value)
    assert KEY not in str(caught.value)


def test_a_wrong_key_and_an_unknown_assistant_are_told_apart(service: Service) -> None:
    with pytest.raises(Trouble, match="NIGHTSHIFT_WATSON_KEY"):
        asking(service, watson_key="another").ask(OPENING, "somebody")
    with pytest.raises(Trouble, match="NIGHTSHIFT_WATSON_ASSISTANT"):
        asking(service, watson_assistant="unknown").ask(OPENING, "somebody")


def test_after_a_failure_it_is_left_alone_for_as_long_as_it_says(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("workers.watson.time.monotonic", lambda: now[0])
    service.statuses, service.headers = [429], {"Retry-After": "120"}
    asked = asking(service)
    for _ in range(3):
        with pytest.raises(Trouble, match="too often"):
            asked.ask(OPENING, "somebody")
    assert len(service.asked) == 1
    now[0] += 119
    with pytest.raises(Trouble):
        asked.ask(OPENING, "somebody")
    now[0] += 2
    assert asked.ask(OPENING, "somebody").texts


def test_one_that_is_slow_is_not_waited_for(service: Service) -> None:
    service.slow = 30
    with pytest.raises(Trouble, match="did not answer"):
        asking(service, watson_seconds=0.3).ask(OPENING, "somebody")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"<html>", json.dumps({"output": 3}).encode()])
def test_what_is_no_answer_is_trouble(service: Service, body: bytes) -> None:
    service.body = body
    with pytest.raises(Trouble):
        asking(service).ask(OPENING, "somebody")


@pytest.mark.parametrize("where", ["message", "token"])
def test_it_does_not_follow_to_somewhere_else(service: Service, where: str) -> None:
    with watson_server() as elsewhere:
        service.headers = {"Location": f"{elsewhere.url}/identity/token"}
        if where == "message":
            service.statuses = [307]
        else:
            service.token_status = 307
        with pytest.raises(Trouble, match="did not answer"):
            asking(service).ask(OPENING, "somebody")
        assert elsewhere.paths == []


@pytest.mark.parametrize(("endless", "pause"), [(b'{"a": "' + b"x" * 65_000, 0.0), (b" ", 0.02)])
def test_one_that_never_ends_is_left_alone(service: Service, endless: bytes, pause: float) -> None:
    service.endless, service.pause = endless, pause
    with pytest.raises(Trouble, match="did not answer"):
        asking(service, watson_seconds=2 if pause == 0 else 0.4).ask(OPENING, "somebody")


def test_an_answer_that_unpacks_to_much_or_is_nested_deeply_is_trouble(service: Service) -> None:
    service.body, service.headers = gzip.compress(b" " * 50_000_000), {"Content-Encoding": "gzip"}
    with pytest.raises(Trouble):
        asking(service).ask(OPENING, "somebody")
    service.body, service.headers = b"[" * 200_000, {}
    with pytest.raises(Trouble):
        asking(service).ask(OPENING, "somebody")


def test_a_web_page_with_a_script_is_no_answer(service: Service) -> None:
    service.headers = {"Content-Type": "text/html"}
    service.body = b"<html><script>alert(1)</script></html>"
    with pytest.raises(Trouble, match=r"form that is not known|did not answer"):
        asking(service).ask(OPENING, "somebody")


def test_neither_the_key_nor_the_question_stands_in_a_log_or_in_what_led_to_an_error(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "My card number is 4711"
    caplog.set_level("DEBUG")
    for change in ({"statuses": [500]}, {"statuses": [429]}, {"body": b"{"}, {"token_status": 500}):
        for name, value in change.items():
            setattr(service, name, value)
        with pytest.raises(Trouble) as caught:
            asking(service).ask(secret, "somebody")
        told = "".join(traceback.format_exception(caught.value))
        assert KEY not in told + caplog.text
        assert secret not in told + caplog.text


def test_one_that_is_not_there_is_trouble() -> None:
    with watson_server() as gone:
        pass
    with pytest.raises(Trouble, match="did not answer"):
        asking(gone).ask(OPENING, "somebody")


def test_it_is_asked_only_where_it_was_set_up(service: Service) -> None:
    assert watson.service(watson_settings(service, watson_url="")) is None
    assert watson.service(watson_settings(service)) is not None
    with pytest.raises(ValueError, match="NIGHTSHIFT_WATSON_KEY"):
        watson_settings(service, watson_key="")
    with pytest.raises(ValueError, match="NIGHTSHIFT_WATSON_URL is no address"):
        watson_settings(service, watson_url="ftp://example.org")
