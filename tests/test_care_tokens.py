"""Links and reply tokens: whoever changes one, uses it for something else or too late, comes in nowhere."""

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import URLSafeTimedSerializer

from models.base import new_id
from tasks.care import tokens
from tasks.care.tokens import FOLLOW, RATE, Link, Tokens

ID = st.binary(min_size=14, max_size=14).map(bytes.hex)
OURS = Tokens("the secret key")


@given(ID, st.integers(1, 2**40))
def test_a_reply_token_comes_back_whole_in_whatever_case_and_words(ticket_id: str, version: int) -> None:
    token = OURS.reply(ticket_id, version)
    assert set(token) <= set(string.ascii_lowercase + "234567")
    for text in (token, token.upper(), f"Desk <desk+{token.title()}@shop.example>", f"To: a@b.c, desk+{token}@b.c"):
        assert OURS.read_reply(text) == (ticket_id, version)


def test_a_reply_token_fits_the_local_part_of_an_address_beside_a_name() -> None:
    assert len(OURS.reply(new_id(), 1)) == 40
    assert len(f"customer-service+{OURS.reply(new_id(), 2)}") <= 64


@given(ID, st.integers(1, 1000), st.integers(0, 39), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_a_reply_token_with_another_sign_is_worth_nothing(ticket_id: str, version: int, at: int, sign: str) -> None:
    token = OURS.reply(ticket_id, version)
    changed = token[:at] + sign + token[at + 1 :]
    assert OURS.read_reply(changed) in (None, (ticket_id, version))
    assert changed == token or OURS.read_reply(changed) is None


@given(st.text(max_size=300))
def test_no_text_is_mistaken_for_a_token_and_none_breaks_its_reading(text: str) -> None:
    assert OURS.read_reply(text) is None
    assert OURS.read_link(text, FOLLOW) is None


def test_tokens_of_another_installation_open_nothing() -> None:
    other = Tokens("another key")
    assert OURS.read_reply(other.reply(new_id(), 1)) is None
    assert OURS.read_link(other.link(new_id(), new_id(), 1, FOLLOW), FOLLOW) is None


def test_a_link_serves_one_purpose_and_its_version_cannot_be_changed() -> None:
    ticket, customer = new_id(), new_id()
    made = OURS.link(ticket, customer, 7, FOLLOW)
    assert OURS.read_link(made, FOLLOW) == Link(ticket, customer, 7)
    assert OURS.read_link(made, RATE) is None
    assert OURS.read_link(made[:-1] + ("A" if made[-1] != "A" else "B"), FOLLOW) is None
    assert OURS.read_link(made.partition(".")[2], FOLLOW) is None


def test_a_link_of_90_days_is_over_and_tells_only_whose_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    made = OURS.link(new_id(), new_id(), 1, FOLLOW)
    monkeypatch.setattr(tokens, "LIFETIME", -1)
    assert OURS.read_link(made, FOLLOW) is None
    assert OURS.read_link(made, FOLLOW, however_old=True) is not None


def test_what_is_signed_but_holds_something_else_opens_nothing() -> None:
    signer = URLSafeTimedSerializer("the secret key", salt=f"nightshift ticket {FOLLOW} 1")
    given: list[Any] = [{}, [], [1], ["a", "b", "c"], None, "text", ["a", "b", 1, 2]]
    for content in given:
        assert OURS.read_link(str(signer.dumps(content)), FOLLOW) is None


def test_an_id_that_is_none_makes_no_token() -> None:
    for wrong in ("", "ab", "zz" * 14):
        with pytest.raises(ValueError):
            OURS.reply(wrong, 1)
