"""The inbox of the pytest plugin: every byte is kept, nothing hangs, and what is missing is told."""

from __future__ import annotations

import asyncio
import hmac
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.fixtures.inbox import Inbox, NotReceived
from contracts.fixtures.received import Received, Trust, judged
from contracts.fixtures.replaying import CannotReplay, Replay
from mock_server.webhooks.captures import Capture, load_capture, written
from mock_server.webhooks.capturing.recognising import ID_HEADERS, TYPE_HEADERS, event_id, event_type
from mock_server.webhooks.json_tokens import parsed
from mock_server.webhooks.schemes import schemes
from mock_server.webhooks.schemes.protocol import Message, Rejected, Verified
from tests.server import ROOT

CAPTURE = ROOT / "fixtures" / "webhooks" / "stripe" / "acme-07-invoice-payment-failed.json"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "event_type", "meta", "event", "id", "event_name"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with Inbox() as inbox:
        yield inbox


def posted(inbox: Inbox, body: bytes, path: str = "/", **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(inbox.url).port or 0, timeout=20)
    try:
        connection.request("POST", path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        answer.read()
        return answer
    finally:
        connection.close()


def event(kind: str, **more: object) -> bytes:
    return json.dumps({"type": kind, **more}).encode()


def raw(inbox: Inbox, sent: bytes) -> bytes:
    """All that is answered until the connection is closed."""
    with socket.create_connection(("127.0.0.1", urlsplit(inbox.url).port or 0), timeout=20) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


# -- what came --------------------------------------------------------------------------------------------------------


def test_every_byte_is_kept(inbox: Inbox) -> None:
    body = b'{"type": "a.b",\r\n  "x": "\xc3\xa4"}\n'
    head = b"POST /hooks?x=1 HTTP/1.1\r\nhost: me\r\nX-B: 2\r\nx-a:  1\r\nX-B: 3\r\nContent-Length: %d\r\n\r\n" % len(
        body
    )
    assert raw(inbox, head + body).startswith(b"HTTP/1.1 200 OK\r\n")
    (webhook,) = inbox.all
    assert (webhook.method, webhook.path, webhook.body) == ("POST", "/hooks?x=1", body)
    assert webhook.headers == (
        ("host", "me"),
        ("X-B", "2"),
        ("x-a", "1"),
        ("X-B", "3"),
        ("Content-Length", str(len(body))),
    )
    assert (webhook.header("x-b"), webhook.json["x"], webhook.type) == ("2", "ä", "a.b")


@pytest.mark.parametrize(
    ("sent", "bodies"),
    [
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", [b"abc"]),
        (b"PUT /x HTTP/1.1\r\nContent-Length: 1\r\n\r\naGET /y HTTP/1.1\r\n\r\n", [b"a", b""]),
        (b"POST / HTTP/1.0\r\nContent-Length: 0\r\n\r\n", [b""]),
        (b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\na", [b"a"]),
        (b"HEAD / HTTP/1.1\r\n\r\n", [b""]),
        (b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc", []),
        (b"what is this\r\n\r\n", []),
        (b"\x16\x03\x01\x02", []),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", []),
        (b"", []),
    ],
)
def test_whatever_comes_is_taken_or_left_and_the_next_one_too(inbox: Inbox, sent: bytes, bodies: list[bytes]) -> None:
    raw(inbox, sent)
    assert [each.body for each in inbox.all] == bodies
    assert posted(inbox, event("next")).status == 200
    assert inbox.all[-1].type == "next"


def test_a_silent_client_holds_up_nothing() -> None:
    with Inbox() as inbox, socket.create_connection(("127.0.0.1", urlsplit(inbox.url).port or 0)) as silent:
        silent.sendall(b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab")
        posted(inbox, event("a"))
        assert inbox.wait_for("a").number == 1


def test_more_than_is_kept(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contracts.fixtures.inbox.MOST_KEPT", 2)
    for n in range(4):
        posted(inbox, event("a", n=n))
    assert ([each.json["n"] for each in inbox.all], inbox.lost) == ([2, 3], 2)
    with pytest.raises(NotReceived, match="2 more came than are kept"):
        inbox.wait_for("b", timeout=0)
    inbox.clear()
    assert (inbox.all, inbox.lost, inbox.types) == ([], 0, [])


# -- waiting ----------------------------------------------------------------------------------------------------------


def test_each_is_handed_out_once(inbox: Inbox) -> None:
    for n in range(4):
        posted(inbox, event("a" if n % 2 else "b", n=n))
    assert inbox.wait_for("a").json["n"] == 1
    assert inbox.wait_for().json["n"] == 0
    assert inbox.wait_for("*", where=lambda each: each.json["n"] > 2).json["n"] == 3
    assert [each.json["n"] for each in inbox.wait_for(count=1)] == [2]
    assert inbox.types == ["b", "a", "b", "a"]


def test_what_was_forgotten_or_is_no_longer_kept_is_not_handed_out_and_takes_no_room(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contracts.fixtures.inbox.MOST_KEPT", 3)
    for n in range(5):
        posted(inbox, event("a", n=n))
        if n == 2:
            assert inbox.wait_for("a").json["n"] == 0
    assert [each.json["n"] for each in inbox.wait_for(count=3)] == [2, 3, 4]
    assert vars(inbox)["_waiting"] == {}
    posted(inbox, event("a"))
    inbox.clear()
    assert vars(inbox)["_waiting"] == {}
    with pytest.raises(NotReceived, match="0 came in all"):
        inbox.wait_for("a", timeout=0)
    posted(inbox, event("b"))
    assert inbox.wait_for().type == "b"


def test_of_two_who_wait_for_several_each_gets_others(inbox: Inbox) -> None:
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(inbox.wait_for, "a", 20, count=2) for _ in range(2)]
        for n in range(4):
            posted(inbox, event("a", n=n))
        assert sorted(each.json["n"] for one in both for each in one.result()) == [0, 1, 2, 3]


def test_it_waits_for_what_comes_later(inbox: Inbox) -> None:
    later = threading.Timer(0.05, posted, (inbox, event("late.one")))
    later.start()
    assert inbox.wait_for(type="late.*", timeout=20).type == "late.one"
    later.join()


def test_a_condition_that_does_not_fit_does_not_hold(inbox: Inbox) -> None:
    for body in (b"[]", b"no json", event("a"), event("a", data={"object": {"amount": 5}})):
        posted(inbox, body)
    assert inbox.wait_for(where=lambda each: each.json["data"]["object"]["amount"] == 5).number == 4


def test_what_is_missing_is_told(inbox: Inbox) -> None:
    inbox.trust("stripe", "whsec_a")
    for n in range(22):
        posted(inbox, event("x.y", id=f"evt_{n}"))
    inbox.wait_for(where=lambda each: each.id == "evt_21")
    with pytest.raises(NotReceived) as missing:
        inbox.wait_for("x.y", timeout=0, count=30)
    lines = str(missing.value).splitlines()
    assert lines[0] == "waited 0 s for 30 of x.y; 21 came"
    assert lines[1] == "22 came in all:"
    assert lines[2].startswith("  #3  x.y  evt_2  signature refused: ")
    assert lines[21].endswith("answered 200  (handed out)")
    assert lines[22] == "  and 2 before those"
    assert "no world sends here" in lines[23]
    assert "whsec_a" not in str(missing.value)
    with pytest.raises(ValueError, match="at least 1"):
        inbox.wait_for(count=0)


# -- answering --------------------------------------------------------------------------------------------------------


def test_it_fails_on_purpose(inbox: Inbox) -> None:
    inbox.answer(500, times=2, headers={"Retry-After": "7"}, body=b"oops")
    inbox.answer(404, times=1)
    inbox.answer(204)
    answers = [posted(inbox, b"") for _ in range(5)]
    assert [each.status for each in answers] == [500, 500, 404, 204, 204] == [each.answered for each in inbox.all]
    assert (answers[0].getheader("retry-after"), answers[2].getheader("retry-after")) == ("7", None)
    inbox.answer(200, times=1, delay=0.05)
    assert posted(inbox, b"").status == 200


@pytest.mark.parametrize(
    "wrong", [{"status": 100}, {"times": -1}, {"delay": float("nan")}, {"headers": {"a": "b\r\nc"}}]
)
def test_an_answer_that_is_none(inbox: Inbox, wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="answer"):
        inbox.answer(**wrong)  # type: ignore[arg-type]


# -- judging ----------------------------------------------------------------------------------------------------------

SECRETS = {
    "standard-webhooks": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "svix": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
}


@pytest.mark.parametrize("name", ["stripe", "svix", "github", "paddle", "lemonsqueezy", "square"])
def test_what_is_signed_for_here_is_verified(inbox: Inbox, name: str) -> None:
    from contracts.machine import wall

    scheme, secret = schemes()[name], SECRETS.get(name, "a-secret-of-some-length")
    inbox.trust(name, secret, path="/hooks")
    signed = scheme.sign(Message(b"{}", f"{inbox.url}/hooks", "msg_1"), secret, wall() // 1_000_000)
    headers = dict(signed.headers)
    posted(inbox, signed.body, "/hooks", **headers)
    posted(inbox, signed.body, "/elsewhere", **headers)
    posted(inbox, signed.body + b" ", "/hooks", **headers)
    good, unknown, bad = inbox.all
    assert (good.verified, unknown.verified, bad.verified) == (True, False, False)
    assert isinstance(good.verdict, Verified)
    assert unknown.verdict is None
    assert isinstance(bad.verdict, Rejected)


@given(st.lists(st.text(min_size=1, max_size=5), max_size=4), st.text(min_size=1, max_size=5), st.binary(max_size=20))
def test_one_that_holds_is_enough(others: list[str], secret: str, body: bytes) -> None:
    scheme = schemes()["github"]
    headers = {name.lower(): value for name, value in scheme.sign(Message(body), secret, 0).headers}
    trusts = tuple(Trust("/", scheme, each, "") for each in others)
    is_known = secret in others
    assert isinstance(judged(trusts, body, headers, 0), Verified) is is_known
    assert isinstance(judged((*trusts, Trust("/", scheme, secret, "")), body, headers, 0), Verified)


@given(JSON, st.dictionaries(st.sampled_from([*TYPE_HEADERS, *ID_HEADERS]), st.text(max_size=3)))
def test_any_value_has_a_type_and_an_id_or_none(value: object, headers: dict[str, str]) -> None:
    kind, named = event_type(headers, value), event_id(headers, value)
    assert isinstance(kind, str)
    assert isinstance(named, str)
    for name in TYPE_HEADERS[:1]:
        assert not headers.get(name) or kind == headers[name]
    if isinstance(value, dict) and isinstance(value.get("type"), str) and value["type"] and not any(headers.values()):
        assert kind == value["type"]


@given(st.binary(max_size=60))
def test_any_bytes_are_json_or_none(body: bytes) -> None:
    try:
        expected = json.loads(body)
    except ValueError:
        expected = None
    assert repr(parsed(body)) == repr(expected)
    assert parsed(b"[" * 100_000) is None


# -- capture files ----------------------------------------------------------------------------------------------------


def test_a_capture_goes_out_as_it_came_or_signed_anew(inbox: Inbox) -> None:
    inbox.trust("stripe", "whsec_new", path="/hooks")
    replay, capture = Replay(CAPTURE.parent), load_capture(CAPTURE)
    answer = replay(CAPTURE.name, to=f"{inbox.url}/hooks")
    assert (answer.status, answer.json, answer.capture) == (200, None, capture)
    replay(CAPTURE, to=f"{inbox.url}/hooks", secret="whsec_new")
    old, new = inbox.all
    assert old.body == new.body == capture.body
    assert [each for each in old.headers if each[0] not in ("Host", "Content-Length")] == list(capture.headers)
    assert [name for name, _ in new.headers] == [name for name, _ in old.headers]
    assert (old.verified, new.verified) == (False, True)


def test_what_was_received_can_be_kept_and_replayed(inbox: Inbox, tmp_path: Path) -> None:
    inbox.trust("github", "s")
    signed = schemes()["github"].sign(Message(b'{"a": 1}'), "s", 0)
    posted(inbox, signed.body, "/", X_GitHub_Event="push", **dict(signed.headers))
    path = inbox.wait_for("push").save(tmp_path / "captures" / "push.json")
    Replay(tmp_path)("captures/push.json", to=inbox.url)
    again: Received = inbox.wait_for("push")
    assert (again.verified, again.body) == (True, b'{"a": 1}')
    assert load_capture(path).provider == "github"


def kept(folder: Path, provider: str, headers: tuple[tuple[str, str], ...], body: bytes = b"{}") -> str:
    (folder / "kept.json").write_bytes(written(Capture(provider, "x", 10**15, "POST", "/", headers, body)))
    return "kept.json"


def test_a_signature_is_made_anew_where_the_old_one_stood(inbox: Inbox, tmp_path: Path) -> None:
    secret = "whsec_c2VjcmV0c2VjcmV0c2VjcmV0"
    inbox.trust("svix", secret, path="/svix")
    inbox.trust("github", "key", path="/github")
    signed = schemes()["svix"].sign(Message(b"{}", "", "msg_1"), secret, 0).headers
    headers = (*((name.replace("svix", "Webhook"), value) for name, value in signed), ("X-After", "1"))
    Replay(tmp_path)(kept(tmp_path, "svix", headers), to=f"{inbox.url}/svix", secret=secret)
    headers = (("X-Hub-Signature", "sha1=00"), ("X-B", "1"), ("X-Hub-Signature-256", "sha256=00"))
    Replay(tmp_path)(kept(tmp_path, "github", headers), to=f"{inbox.url}/github", secret="key")
    svix, github = inbox.all
    assert [name for name, _ in svix.headers][1:-1] == [
        "Webhook-id",
        "Webhook-timestamp",
        "Webhook-signature",
        "X-After",
    ]
    assert [name for name, _ in github.headers][1:-1] == [name for name, _ in headers]
    assert github.header("x-hub-signature") == f"sha1={hmac.digest(b'key', b'{}', 'sha1').hex()}"
    assert (svix.verified, svix.id, github.verified) == (True, "msg_1", True)


def test_within_an_event_loop(inbox: Inbox) -> None:
    async def play() -> int:
        return Replay(CAPTURE.parent)(CAPTURE.name, to=inbox.url).status

    assert asyncio.run(play()) == 200


def test_what_cannot_be_replayed(tmp_path: Path) -> None:
    here, secret = "http://127.0.0.1:1/", "whsec_c2VjcmV0"
    unknown = kept(tmp_path, "unknown", ())
    for file, to, more, why in (
        (tmp_path / "none.json", here, {}, r"none\.json"),
        (CAPTURE, "ftp://x", {}, "not of the form"),
        (CAPTURE, here, {}, "refused"),
        (CAPTURE, here, {"secret": ""}, "secret is empty"),
        (CAPTURE, here, {"secret": secret, "scheme": "nobody"}, "no signature scheme 'nobody'"),
        (CAPTURE, here, {"secret": "not base64!", "scheme": "svix"}, "not base64"),
        (unknown, here, {"secret": secret}, "no signature scheme 'unknown'"),
    ):
        with pytest.raises(CannotReplay, match=why) as raised:
            Replay(tmp_path)(file, to=to, **more)
        assert secret not in str(raised.value)
