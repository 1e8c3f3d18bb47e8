"""What a replay sends, when and how: planned and dressed without a clock or a socket, then carried out in order."""

from __future__ import annotations

import asyncio
import hmac
import itertools
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mock_server.engine.instants import SECOND
from mock_server.webhooks.captures import Capture, written
from mock_server.webhooks.outgoing import Answer, NoAnswer, Outgoing, head_of, parted
from mock_server.webhooks.replaying import loading
from mock_server.webhooks.replaying.dressing import (
    DAMAGES,
    UNSIGNED_DAMAGES,
    Dress,
    Headers,
    Signing,
    framed,
    outgoing,
    put,
    values,
)
from mock_server.webhooks.replaying.expecting import InvalidExpectation, expectation
from mock_server.webhooks.replaying.loading import UnusableCaptures, captures
from mock_server.webhooks.replaying.planning import Manner, Plan, Planned, Received, TooMany, planned
from mock_server.webhooks.replaying.running import Outcome, replay
from mock_server.webhooks.schemes import scheme_named, schemes
from mock_server.webhooks.schemes.protocol import InvalidMessage, Message, Rejected, Verified
from mock_server.webhooks.sending import Sender

from .raw_receiver import Receiver

NOW = 1_800_000_000
THEN = 1_700_000_000
TO = "http://127.0.0.1:8000/hooks"
RECEIVED = st.lists(st.builds(Received, st.integers(0, 60 * SECOND), st.text("abc", max_size=2)), max_size=30)
SHARES = st.sampled_from([0.0, 0.1, 0.5, 1.0])
MANNERS = st.builds(
    Manner,
    speed=st.sampled_from([None, 0.5, 1.0, 10.0]),
    longest_pause=st.sampled_from([0.0, 2.0, 10.0]),
    order=st.sampled_from(["original", "shuffle"]),
    seed=st.integers(0, 2**40),
    duplicate=SHARES,
    drop=SHARES,
    repeat=st.integers(1, 3),
    damages=st.dictionaries(st.sampled_from(DAMAGES), SHARES, max_size=2),
)


# -- the plan ---------------------------------------------------------------------------------------------------------


@given(RECEIVED, MANNERS)
def test_a_plan_is_repeatable_and_says_what_it_leaves_out(received: Sequence[Received], manner: Manner) -> None:
    plan = planned(received, manner)
    assert plan == planned(received, manner)
    assert [each.number for each in plan.sends] == list(range(1, len(plan.sends) + 1))
    assert len(plan.sends) == len(received) * manner.repeat - plan.dropped + plan.duplicated
    assert plan.damaged == sum(each.damages != () for each in plan.sends)
    times = [each.at for each in plan.sends]
    assert times == sorted(times)
    for (number, index), twins in Counter((each.round, each.index) for each in plan.sends).items():
        assert 1 <= number <= manner.repeat
        assert 0 <= index < len(received)
        assert twins <= 2


@given(RECEIVED, MANNERS)
def test_pauses_are_those_between_the_captures(received: Sequence[Received], manner: Manner) -> None:
    plan = planned(received, manner)
    order = sorted(received, key=lambda each: each.at)
    pauses = [
        0.0 if manner.speed is None else min((b.at - a.at) / SECOND / manner.speed, manner.longest_pause)
        for a, b in itertools.pairwise(order)
    ]
    assert all(each.at <= sum(pauses) * manner.repeat + 1e-6 for each in plan.sends)
    if not manner.drop and not manner.duplicate and manner.repeat == 1:
        gaps = [b.at - a.at for a, b in zip(plan.sends, plan.sends[1:], strict=False)]
        assert gaps == pytest.approx(pauses)


@given(RECEIVED, st.integers(1, 3))
def test_by_itself_a_plan_is_everything_in_the_order_in_which_it_came(
    received: Sequence[Received], repeat: int
) -> None:
    plan = planned(received, Manner(repeat=repeat))
    order = sorted(range(len(received)), key=lambda index: (received[index].at, received[index].name, index))
    assert [each.index for each in plan.sends] == order * repeat
    assert not any(each.at or each.is_twin or each.damages for each in plan.sends)


@given(RECEIVED, st.integers(0, 2**40))
def test_a_shuffle_keeps_everything_and_doubles_follow_where_nothing_is_shuffled(
    received: Sequence[Received], seed: int
) -> None:
    shuffled = planned(received, Manner(order="shuffle", seed=seed))
    assert sorted(each.index for each in shuffled.sends) == list(range(len(received)))
    doubled = planned(received, Manner(duplicate=1.0, seed=seed)).sends
    assert [each.index for each in doubled[::2]] == [each.index for each in doubled[1::2]]
    assert [each.is_twin for each in doubled] == [False, True] * len(received)
    assert planned(received, Manner(drop=1.0, seed=seed)) == Plan((), len(received))


def test_shares_are_about_what_was_said_and_seeds_differ() -> None:
    received = [Received(number, "") for number in range(2000)]
    plan = planned(received, Manner(duplicate=0.1, drop=0.05, damages={"tamper": 0.5}, seed=7))
    assert 60 < plan.dropped < 140
    assert 140 < plan.duplicated < 240
    assert 900 < plan.damaged < 1200
    orders = [[each.index for each in planned(received, Manner(order="shuffle", seed=n)).sends] for n in range(3)]
    assert orders[0] != orders[1] != orders[2]
    both = planned(received, Manner(order="shuffle", repeat=2)).sends
    assert [each.index for each in both[:2000]] != [each.index for each in both[2000:]]


def test_a_plan_has_an_end() -> None:
    with pytest.raises(TooMany):
        planned([Received(0, "")] * 100, Manner(repeat=100_000))


# -- the dress --------------------------------------------------------------------------------------------------------

NAMES = st.text("abcXYZ-_", min_size=1, max_size=12)
VALUES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF), max_size=30)
HEADERS = st.lists(
    st.tuples(NAMES | st.sampled_from(["Host", "host", "X-Twice", "x-twice"]), VALUES).map(tuple), max_size=10
).map(tuple)


def capture(
    headers: Headers = (), body: bytes = b"{}", provider: str = "stripe", path: str = "/asked?x=1", url: str = ""
) -> Capture:
    return Capture(provider, "invoice.paid", THEN * SECOND, "POST", path, headers, body, url)


def dressed(of: Capture, dress: Dress | None = None, *damages: str, bits: int = 0) -> Outgoing:
    send = Planned(1, 0, 0.0, damages=damages, bits=bits)
    return outgoing(of, send, dress or Dress(TO), NOW, scheme_named)


@given(HEADERS, st.binary(max_size=200), st.booleans(), st.integers(0, 10))
@example((("hOsT", "a.test"), ("X", "1"), ("HOST", "b.test")), b"\x00\xff\r\n", False, 2)
def test_a_capture_goes_out_as_it_came_but_for_host(headers: Headers, body: bytes, keep: bool, place: int) -> None:
    length = ("content-Length", str(len(body)))
    headers = (*headers[:place], length, *headers[place:])
    made = dressed(capture(headers, body), Dress(TO, keep_host=keep))
    assert (made.method, made.url, made.body, made.cut) == ("POST", TO, body, None)
    hosts = [each for each in headers if each[0].lower() == "host"]
    if not hosts:
        assert made.headers == (("Host", "127.0.0.1:8000"), *headers)
    elif keep:
        assert made.headers == headers
    else:
        first = headers.index(hosts[0])
        rest = tuple(each for each in headers[first + 1 :] if each[0].lower() != "host")
        assert made.headers == (*headers[:first], (hosts[0][0], "127.0.0.1:8000"), *rest)


@pytest.mark.parametrize(
    ("headers", "body", "wanted", "wire"),
    [
        ((("A", "b"),), b"", (("A", "b"),), b""),
        ((("A", "b"),), b"12", (("A", "b"), ("Content-Length", "2")), b"12"),
        ((("content-length", "9"), ("A", "b")), b"12", (("content-length", "2"), ("A", "b")), b"12"),
        ((("Content-Length", "002"),), b"12", (("Content-Length", "002"),), b"12"),
        ((("Content-Length", "x"),), b"12", (("Content-Length", "2"),), b"12"),
        ((("Transfer-Encoding", "chunked"),), b"12", (("Transfer-Encoding", "chunked"),), b"2\r\n12\r\n0\r\n\r\n"),
        ((("transfer-encoding", "Chunked"),), b"", (("transfer-encoding", "Chunked"),), b"0\r\n\r\n"),
    ],
)
def test_headers_and_bytes_agree_on_the_end_of_a_body(
    headers: Headers, body: bytes, wanted: Headers, wire: bytes
) -> None:
    assert framed(headers, body) == (wanted, wire)


def test_a_path_is_kept_on_demand() -> None:
    assert (
        dressed(capture(path="/a/%2e?q=\xe9"), Dress("http://localhost/", True)).url == "http://localhost/a/%2e?q=\xe9"
    )
    assert dressed(capture(path="/a"), Dress("http://localhost:1/b/", True)).url == "http://localhost:1/b/a"
    assert dressed(capture(path="/a"), Dress("http://localhost:1/b/")).url == "http://localhost:1/b/"


SECRETS = {
    "standard-webhooks": "whsec_c2VjcmV0c2VjcmV0c2VjcmV0",
    "svix": "whsec_c2VjcmV0c2VjcmV0c2VjcmV0",
    "polar": "polar_whs_c2VjcmV0",
}


def verified(scheme_name: str, made: Outgoing, secret: str, now: int, url: str = TO) -> Verified | Rejected:
    headers = {name.lower(): value for name, value in made.headers}
    return scheme_named(scheme_name).verify(Message(made.body, url), headers, [secret], now)


def signed_capture(name: str, secret: str, body: bytes = b'{"id":"evt_1"}') -> Capture:
    """With its signature's headers in odd case, between others."""
    url = "https://me.example/hooks"
    headers = scheme_named(name).sign(Message(body, url, "msg_42"), secret, THEN).headers
    odd = tuple((key.swapcase(), value) for key, value in headers)
    length = ("Content-Length", str(len(body)))
    return capture((("Host", "me.example"), *odd, ("X-After", "1"), length), body, name, url=url)


@pytest.mark.parametrize("name", sorted(schemes()))
def test_each_scheme_is_signed_anew_where_its_signature_stood(name: str) -> None:
    old, new = SECRETS.get(name, "old"), SECRETS.get(name, "c2VjcmV0MTIzNDU2")
    of = signed_capture(name, old)
    made = dressed(of, Dress(TO, signing=Signing(new)))
    assert isinstance(verified(name, made, new, NOW), Verified)
    assert [key for key, _ in made.headers] == [key for key, _ in of.headers]
    assert made.body == of.body
    assert values(made.headers, "webhook-id") == values(of.headers, "webhook-id")
    original = dressed(of, Dress(TO, signing=Signing(new, at="original")))
    assert isinstance(verified(name, original, new, THEN), Verified)
    captured = dressed(of, Dress(TO, signing=Signing(new, url="captured")))
    assert isinstance(verified(name, captured, new, NOW, of.url), Verified)
    if "url" in scheme_named(name).uses:
        assert isinstance(verified(name, captured, new, NOW), Rejected)


@pytest.mark.parametrize("name", sorted(schemes()))
def test_a_capture_without_a_signature_gets_one(name: str) -> None:
    secret = SECRETS.get(name, "c2VjcmV0MTIzNDU2")
    of = capture((("A", "b"),), b"{}", name)
    made = dressed(of, Dress(TO, signing=Signing(secret)))
    assert made == dressed(of, Dress(TO, signing=Signing(secret)))
    assert isinstance(verified(name, made, secret, NOW), Verified)
    assert made.headers[:2] == (("Host", "127.0.0.1:8000"), ("A", "b"))


def test_svix_under_the_standard_names_keeps_them() -> None:
    secret = SECRETS["svix"]
    headers = tuple(
        (key.replace("svix-", "webhook-"), value)
        for key, value in scheme_named("svix").sign(Message(b"{}", "", "msg_1"), secret, THEN).headers
    )
    made = dressed(capture(headers, b"{}", "svix"), Dress(TO, signing=Signing(secret)))
    assert not any(key.startswith("svix-") for key, _ in made.headers)
    assert isinstance(verified("standard-webhooks", made, secret, NOW), Verified)


def test_of_two_sets_of_names_none_is_left_as_it_was() -> None:
    secret, old = SECRETS["svix"], scheme_named("svix").sign(Message(b"{}", "", "msg_1"), SECRETS["svix"], THEN).headers
    headers = (*old, *((key.replace("svix-", "webhook-"), value) for key, value in old))
    made = dressed(capture(headers, b"{}", "svix"), Dress(TO, signing=Signing(secret)))
    assert [key for key, _ in made.headers][1:-1] == [key for key, _ in headers]
    for name in ("svix", "standard-webhooks"):
        assert isinstance(verified(name, made, secret, NOW), Verified)
    bare = dressed(capture(headers, b"{}", "svix"), Dress(TO, signing=Signing(secret)), "missing_header")
    assert not any(key.endswith("signature") for key, _ in bare.headers)


def test_githubs_older_signature_is_made_new_as_well() -> None:
    headers = (("X-Hub-Signature", "sha1=00"), ("X-Hub-Signature-256", "sha256=00"))
    made = dressed(capture(headers, b"abc", "github"), Dress(TO, signing=Signing("key")))
    assert values(made.headers, "x-hub-signature") == [f"sha1={hmac.digest(b'key', b'abc', 'sha1').hex()}"]
    assert isinstance(verified("github", made, "key", NOW), Verified)


def test_square_needs_the_url_that_was_called_if_that_is_to_be_signed() -> None:
    with pytest.raises(InvalidMessage):
        dressed(capture(provider="square"), Dress(TO, signing=Signing("k", url="captured")))


@given(st.sampled_from(DAMAGES), st.binary(max_size=100), st.integers(0, 2**64 - 1))
def test_what_is_damaged_is_refused_and_still_a_request(kind: str, body: bytes, bits: int) -> None:
    of = signed_capture("stripe", "whsec_a", body)
    made = dressed(of, Dress(TO, signing=Signing("whsec_a")), kind, bits=bits)
    judged = verified("stripe", made, "whsec_a", NOW)
    if kind in ("wrong_content_type", "future") or (kind == "truncate" and not body):
        assert isinstance(judged, Verified)
    else:
        assert isinstance(judged, Rejected)
    assert values(made.headers, "content-length") == [str(len(made.body))]
    assert head_of(made, parted(made.url)[1])


@pytest.mark.parametrize("kind", UNSIGNED_DAMAGES)
def test_damage_without_a_signature_changes_one_thing(kind: str) -> None:
    of = signed_capture("stripe", "whsec_a")
    made, plain = dressed(of, None, kind, bits=5), dressed(of)
    if kind == "wrong_content_type":
        assert made.body == plain.body
        assert values(made.headers, "content-type")
    else:
        assert made.body != plain.body
        assert put(made.headers, "content-length", "") == put(plain.headers, "content-length", "")


# -- files ------------------------------------------------------------------------------------------------------------


def test_all_bad_files_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "b.json").write_bytes(written(capture()))
    (tmp_path / "a.json").write_bytes(written(capture(body=b"x" * 100)))
    (tmp_path / "c.txt").write_text("no capture")
    assert [Path(each.name).name for each in captures([tmp_path])] == ["a.json", "b.json"]
    assert len(captures([tmp_path / "a.json", tmp_path / "a.json"])) == 2
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(UnusableCaptures) as raised:
        captures([tmp_path / "c.txt", tmp_path, empty, tmp_path / "none.json"])
    assert raised.value.count == 3
    assert [Path(each.partition(":")[0]).name for each in raised.value.complaints] == ["c.txt", "empty", "none.json"]
    monkeypatch.setattr(loading, "LARGEST_TOTAL", 101)
    with pytest.raises(UnusableCaptures, match="1 cannot"):
        captures([tmp_path])


# -- expectations -----------------------------------------------------------------------------------------------------


def answer(status: int) -> Answer:
    return Answer(status, (), b"", 0.0)


SILENCE = NoAnswer("timeout", "", 0.0)


@given(st.integers(100, 999))
def test_a_status_is_expected_by_itself_by_its_class_and_by_any(status: int) -> None:
    for text in (str(status), f"{status // 100}xx", "any", f"none, {status}", f"999|{status // 100}XX"):
        assert expectation(text).is_met(answer(status)), text
    other = status + 1 if status < 999 else 100
    assert not expectation(str(other)).is_met(answer(status))
    assert not expectation("none").is_met(answer(status))


def test_no_answer_is_expected_only_if_somebody_says_so() -> None:
    assert expectation("none").is_met(SILENCE)
    assert not expectation("any").is_met(SILENCE)
    assert str(expectation("2XX|400,400")) == "2xx or 400"


@given(st.text(max_size=8) | st.sampled_from(["", "2x", "20", "2000", "0xx", "2xx,", "x", "\u0662xx", "200\n"]))
def test_what_is_no_expectation_is_refused(text: str) -> None:
    try:
        found = expectation(text)
    except InvalidExpectation:
        return
    assert all(part in ("any", "none") or len(part) == 3 for part in found.parts)


# -- carried out ------------------------------------------------------------------------------------------------------


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


def carried_out(plan: Plan, url: str, concurrency: int = 1) -> list[Outcome]:
    clock, outcomes = Clock(), list[Outcome]()

    def request(send: Planned) -> Outgoing:
        return dressed(capture(body=b"%06d" % send.number), Dress(url))

    async def run() -> None:
        async with Sender(5.0, concurrency) as sender:
            await replay(
                plan.sends, request, sender, expectation("2xx"), outcomes.append, clock, concurrency, clock.sleep
            )

    asyncio.run(run())
    return outcomes


def test_the_receiver_sees_exactly_the_plans_order_at_its_times() -> None:
    received = [Received(number * number * SECOND // 7, "") for number in range(20)]
    plan = planned(received, Manner(speed=2.0, order="shuffle", duplicate=0.5, drop=0.2, repeat=2, seed=7))
    with Receiver() as receiver:
        outcomes = carried_out(plan, receiver.url)
        assert [int(each[-6:]) for each in receiver.requests] == [each.number for each in plan.sends]
    assert [each.send for each in outcomes] == list(plan.sends)
    assert [each.started for each in outcomes] == pytest.approx([each.at for each in plan.sends])
    assert all(each.is_expected for each in outcomes)


def test_many_at_a_time_send_everything_once() -> None:
    plan = planned([Received(0, "")] * 100, Manner())
    with Receiver() as receiver:
        outcomes = carried_out(plan, receiver.url, concurrency=8)
        assert sorted(int(each[-6:]) for each in receiver.requests) == list(range(1, 101))
        assert receiver.connections <= 8
    assert len(outcomes) == 100
