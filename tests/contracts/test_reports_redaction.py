"""No report shows a secret, wherever in a run it turned up and however it was written there."""

from __future__ import annotations

import ast
import base64
import html
import json
import re
from collections.abc import Callable, Iterator
from urllib.parse import quote, quote_plus, unquote_plus

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contracts.redaction import SHORTEST, Masker, redacted, secrets_of
from contracts.target import HttpClock, Ports
from tests.contracts.reported import (
    CREDENTIALS,
    DOCUMENT,
    all_texts,
    finding,
    report,
    result,
    step,
    target,
    view,
)

SECRETS = st.text("aZ9/+%\\\"'&<> é=.:-_", min_size=4, max_size=16).map(lambda text: f"Qz7{text}x")
"""Nothing that a report says by itself begins like this."""
WAYS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in JSON": json.dumps,
    "in JSON as UTF-8": lambda text: json.dumps(text, ensure_ascii=False),
    "in JSON in JSON": lambda text: json.dumps(json.dumps({"a": text})),
    "in a path": lambda text: f"/zones/{quote(text, safe='')}/x",
    "in a query": lambda text: f"?a=1&key={quote_plus(text)}&b=2",
    "in HTML": lambda text: f"<p>{html.escape(text)}</p>",
    "as Python shows it": repr,
    "as Python shows bytes": lambda text: repr(text.encode()),
    "in base64": lambda text: base64.b64encode(f"user:{text}".encode()).decode(),
    "in a sentence": lambda text: f"the key {text!r} of JSON {json.dumps(text)}",
}


def spelled(text: str) -> Iterator[str]:
    """A text and what it may stand for."""
    yield text
    yield html.unescape(text)
    yield unquote_plus(text)
    yield re.sub(r"\\u([0-9a-f]{4})", lambda unit: chr(int(unit[1], 16)), text)
    yield text.replace("\\\\", "\\").replace('\\"', '"')


def shown_in(texts: dict[str, str]) -> Iterator[tuple[str, str]]:
    """All that the reports say, as it is written and as it is read."""
    for name, text in texts.items():
        for each in spelled(text):
            yield name, each
        if name == "json":
            yield name, json.dumps(json.loads(text), ensure_ascii=False).replace("\\\\", "\\").replace('\\"', '"')
        if name.endswith(".py"):
            tree = ast.walk(ast.parse(text))
            yield name, "\n".join(str(node.value) for node in tree if isinstance(node, ast.Constant))


@given(secret=SECRETS, way=st.sampled_from(sorted(WAYS)), where=st.integers(0, 14))
@settings(max_examples=60)
@example(secret='Qz7"\\/+%41x', way="in JSON in JSON", where=6)
def test_no_report_shows_a_secret_in_any_spelling(secret: str, way: str, where: int) -> None:
    written = WAYS[way](secret)
    each = step()
    found = finding()
    replay = json.loads(found.replay or "")
    replay[0]["json"] = {"name": written}
    made = report(
        [
            finding(came=written),
            finding(expected=written),
            finding(place=written),
            finding(notes=(written,)),
            finding(replay=json.dumps(replay)),
            finding(wanted=json.dumps({"at": ["a"], "value": written})),
            finding(steps=(step(body=written),)),
            finding(steps=(step(answer=written),)),
            finding(steps=(step(path=f"/{written}"),)),
            finding(steps=(msgspec.structs.replace(each, headers=(("X-API-Key", written),)),), replay=None),
            finding(steps=(msgspec.structs.replace(each, answer_headers=(("x-echo", written),)),)),
            finding(steps=(msgspec.structs.replace(each, title=written),)),
            finding(steps=(msgspec.structs.replace(each, exact=f"\xff{written}", body="?"),), replay=None),
            finding(
                steps=(msgspec.structs.replace(each, headers=(("Authorization", f"Basic {written}"),)),), replay=None
            ),
            finding(steps=(msgspec.structs.replace(each, headers=(("Cookie", written),)),), replay=None),
        ][where],
        laws=(result("model.capacity", "failed", written),),
        stopped=written,
        notes=(written,),
    )
    on = target(credentials=CREDENTIALS | {"reader": secret})
    for name, text in shown_in(all_texts(view(made, on))):
        assert secret not in text, name
    core = base64.b64encode(f"user:{secret}".encode()).decode()[8:-4]
    assert way != "in base64" or not any(core in text for text in all_texts(view(made, on)).values())


@given(token=st.text("abcXYZ019_-", min_size=8, max_size=40).map(lambda text: f"Qz7{text}"), is_cut=st.booleans())
@settings(max_examples=25)
def test_what_the_run_was_given_as_a_secret_is_masked_everywhere(token: str, is_cut: bool) -> None:
    body = json.dumps({"id": "01KF0RDQG0P9QWWJTP117SF22H", "token": token})
    made = step(path="/api-keys", answer=body[: -2 - 3 * is_cut] if is_cut else body)
    used = step("GET", "/zones", None, headers=(("X-API-Key", token[: len(token) - 2 * is_cut]),))
    texts = all_texts(view(report(finding(steps=(made, used), replay=None))))
    assert not [name for name, text in shown_in(texts) if token in text]
    assert "<secret 1>" in texts["json"]


def test_a_mark_says_whose_credential_it_was() -> None:
    masker = Masker(secrets_of(target()))
    assert masker.headers((("X-API-Key", "demo-owner"),)) == (("X-API-Key", "<owner>"),)
    assert masker.headers((("authorization", "Bearer x_openapp_demo-reader"),))[0][1] == "Bearer x_openapp_<reader>"
    assert masker.text("signed with whsec_demo") == "signed with <webhook secret>"


@pytest.mark.parametrize("sent", ["demo-owne", "DEMO-OWNER", "demo-ownerx"])
def test_a_credential_that_was_changed_gives_nothing_away(sent: str) -> None:
    shown = Masker(secrets_of(target())).headers((("X-API-Key", sent),))[0][1]
    assert shown in ("<nearly owner>", "<owner>x")


def test_a_short_secret_is_masked_only_where_credentials_belong() -> None:
    short = "abc"
    assert len(short) < SHORTEST
    on = target(credentials={"owner": short})
    each = step(headers=(("X-API-Key", short), ("X-Other", "abc")), body="abc", answer="abc", title="abc")
    raw = step(headers=(), body="", exact=f"GET / HTTP/1.1\r\nX-API-Key: {short}\r\n\r\n", is_raw=True)
    clean = redacted(report(finding(steps=(each, raw))), secrets_of(on), DOCUMENT).findings[0].steps
    assert clean[0].headers == (("X-API-Key", "<owner>"), ("X-Other", "abc"))
    assert (clean[0].body, clean[0].answer_body) == ("abc", "abc")
    assert clean[1].exact == "GET / HTTP/1.1\r\nX-API-Key: <owner>\r\n\r\n"


def test_what_ports_and_headers_carry_is_masked_too() -> None:
    ports = Ports(clock=HttpClock("http://127.0.0.1:1/clock", {"X-Admin": "clock-secret-1"}), webhook_secret="hook-1")
    on = target(ports=ports, extra_headers={"X-Gate": "gate-secret-1"})
    text = "clock-secret-1 gate-secret-1 hook-1"
    clean = redacted(report(finding(came=text)), secrets_of(on), DOCUMENT).findings[0].came
    assert clean == "<clock X-Admin> <header X-Gate> <webhook secret>"


def test_a_body_that_was_cut_within_a_secret_shows_no_part_of_it() -> None:
    body = "x" * 3_995 + "demo-owner"
    clean = redacted(report(finding(steps=(step(answer=body[:4_000]),))), secrets_of(target()), DOCUMENT)
    assert clean.findings[0].steps[0].answer_body == "x" * 3_995 + "<hidden>"


def test_the_user_and_password_of_a_url_go() -> None:
    made = report(
        finding(steps=(step(url="http://ada:pw@127.0.0.1/api/v1/zones"),)), url="http://ada:pw@127.0.0.1/api/v1"
    )
    texts = all_texts(view(made, target(url="http://ada:pw@127.0.0.1")))
    assert not [name for name, text in texts.items() if "ada:pw" in text]
