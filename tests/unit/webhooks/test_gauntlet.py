"""The gauntlet, judged by the schemes themselves, and by receivers of which we know what they do wrong."""

from __future__ import annotations

import asyncio
import json
import re
from base64 import b64encode
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server import machine
from mock_server.webhooks.gauntlet.catalog import VARIANTS, UnknownVariant, chosen
from mock_server.webhooks.gauntlet.judging import Result, Rules, judged
from mock_server.webhooks.gauntlet.runner import NoTarget, run
from mock_server.webhooks.gauntlet.scorecard import junit, rows, scorecard, view
from mock_server.webhooks.gauntlet.statuses import InvalidStatuses, statuses_of
from mock_server.webhooks.gauntlet.variant import Inapplicable, Shot, Situation, Variant
from mock_server.webhooks.outgoing import Answer, NoAnswer, Outgoing
from mock_server.webhooks.schemes import schemes
from mock_server.webhooks.schemes.generic import scheme_of
from mock_server.webhooks.schemes.protocol import Message, Rejected, Scheme, Verified
from mock_server.webhooks.sending import Sender

from . import receivers

NOW = 1_767_225_600
URL = "http://127.0.0.1:8000/hooks"
RULES = Rules(statuses_of("2xx"), statuses_of("4xx"))
WHSEC = tuple("whsec_" + b64encode(bytes((n,)) * 24).decode() for n in (1, 2))
SECRETS = {"standard-webhooks": WHSEC, "svix": WHSEC, "polar": ("polar_whs_one", "polar_whs_two")}
GENERIC: dict[str, dict[str, str]] = {
    "pairs": {"value": "ts={time},s={signature}", "signed": "{time}.{body}"},
    "milliseconds": {"value": "t={time};v0={signature}", "signed": "{time}{body}", "unit": "ms", "future": "yes"},
    "headers": {"signed": "{id}.{time}.{body}", "time_header": "X-Time", "id_header": "X-Id", "encoding": "base64"},
    "unsigned id": {"id_header": "X-Id", "time_header": "X-Time"},
    "sha1": {"value": "sha1={signature}", "digest": "sha1"},
    "sha512": {"digest": "sha512", "encoding": "base64", "value": "HMAC {signature}"},
}
ALL: dict[str, Scheme] = {**schemes(), **{f"generic {name}": scheme_of(options) for name, options in GENERIC.items()}}
each_scheme = pytest.mark.parametrize("name", ALL)


def situation(name: str, **changes: Any) -> Situation:
    secrets = SECRETS.get(name, ("whsec_one", "whsec_two"))
    here = Situation(ALL[name], secrets, URL, URL, NOW, seed=7)
    return msgspec.structs.replace(here, **changes)


def shots(here: Situation) -> Iterator[tuple[Variant, Shot]]:
    for variant in VARIANTS:
        built = variant.build(here)
        if not isinstance(built, Inapplicable):
            yield from ((variant, shot) for shot in built)


def verdict(here: Situation, shot: Shot) -> Verified | Rejected:
    """Of the scheme, which the vendors' own libraries have judged."""
    headers: dict[str, str] = {}
    for name, value in shot.request.headers:
        headers.setdefault(name.lower(), value)
    body = shot.request.body if shot.cut is None else shot.request.body[: shot.cut]
    return here.scheme.verify(Message(body, here.signed_url), headers, here.secrets, here.now)


# -- what is sent ------------------------------------------------------------------------------------------------------


@each_scheme
def test_the_scheme_itself_agrees_with_what_is_expected(name: str) -> None:
    here = situation(name)
    for variant, shot in shots(here):
        came = verdict(here, shot)
        if shot.expected == "accepted":
            assert isinstance(came, Verified), (variant.name, came)
        if shot.expected == "refused":
            assert isinstance(came, Rejected), variant.name


@each_scheme
@settings(max_examples=8)
@given(body=st.binary(max_size=60) | st.sampled_from([b"{}", b"null", b"[1]", b'{"id":"evt_1","type":"x"}', b" {} "]))
def test_any_body_can_be_sent(name: str, body: bytes) -> None:
    here = situation(name, body=body, headers=(("X-Event-Name", "x"),))
    for variant, shot in shots(here):
        came = verdict(here, shot)
        if shot.expected != "survived" and shot.expected != "anything":
            assert isinstance(came, Verified) == (shot.expected == "accepted"), (variant.name, came)


@settings(max_examples=10)
@given(st.integers(0, 2**53), st.integers(10**6, 2 * 10**9))
def test_a_seed_chooses_everything(seed: int, now: int) -> None:
    here = situation("stripe", seed=seed, now=now)
    assert [shot for _, shot in shots(here)] == [shot for _, shot in shots(msgspec.structs.replace(here))]
    tampered = next(shot for variant, shot in shots(here) if variant.name == "tampered")
    assert isinstance(verdict(here, tampered), Rejected)


def test_there_are_enough_and_each_says_what_it_is_for() -> None:
    assert len(VARIANTS) >= 30
    assert len({each.name for each in VARIANTS}) == len(VARIANTS)
    for each in VARIANTS:
        assert min(map(len, (each.what, each.why, each.advice))) > 10
        assert each.advice.endswith((".", ")."))


@pytest.mark.parametrize(
    ("scheme", "skipped"),
    [
        ("stripe", {"far-ahead", "no-id", "id-altered", "other-url"}),
        ("svix", {"other-url", "upper-case-signature"}),
        (
            "lemonsqueezy",
            {"slightly-old", "two-signatures", "unknown-version-beside", "unknown-version", "retried", "no-time"}
            | {"time-altered", "time-no-number", "stale", "far-ahead", "no-id", "id-altered", "other-url"},
        ),
    ],
)
def test_what_does_not_apply_is_not_sent(scheme: str, skipped: set[str]) -> None:
    here = situation(scheme)
    found = {each.name: built for each in VARIANTS if isinstance(built := each.build(here), Inapplicable)}
    assert set(found) == skipped
    assert all(each.reason for each in found.values())


def test_without_a_new_secret_there_is_no_rotation() -> None:
    here = situation("stripe", secrets=("whsec_one",))
    assert isinstance(next(each for each in VARIANTS if each.name == "rotated-secret").build(here), Inapplicable)


def test_no_request_carries_a_secret() -> None:
    for name in ALL:
        here = situation(name)
        for _, shot in shots(here):
            text = repr(shot.request)
            assert not any(secret in text for secret in here.secrets)


# -- who is caught -----------------------------------------------------------------------------------------------------


def scores(application: receivers.Application, *, only: tuple[str, ...] = (), timeout: float = 5.0) -> list[Result]:
    async def fire(url: str) -> list[Result]:
        here = Situation(ALL["stripe"], (receivers.SECRET, receivers.NEW_SECRET), url, url, 0, seed=11)
        async with Sender(timeout=timeout) as sender:
            now = lambda: machine.wall() // 1_000_000  # noqa: E731
            return await run(chosen(only), here, RULES, sender.send, now, lambda *_: None)

    with receivers.serving(application) as url:
        return asyncio.run(fire(url))


def caught(results: list[Result]) -> set[str]:
    return {each.variant.name for each in results if each.verdict == "failed"}


FORGED = {
    *("tampered", "whitespace-added", "re-serialised", "lent-signature", "wrong-secret", "empty-secret"),
    *("no-signature", "empty-signature", "garbage-signature", "unknown-version", "signature-cut"),
    *("signature-half-right", "signature-longer", "no-time", "time-altered", "time-no-number", "stale"),
}


def test_a_good_receiver_has_a_full_score() -> None:
    results = scores(receivers.Application())
    assert [(each.variant.name, each.got) for each in results if each.verdict == "failed"] == []
    assert sum(each.verdict == "passed" for each in results) >= 38


@pytest.mark.parametrize(
    ("application", "expected"),
    [
        (receivers.NeverVerifies, FORGED),
        (
            receivers.Reserialises,
            {"restyled", "unknown-member", "unknown-type", "non-ascii", "whitespace-added", "re-serialised"},
        ),
        (receivers.NoTolerance, {"stale"}),
        (receivers.ComparesPrefix, {"signature-cut", "signature-half-right", "signature-longer"}),
        (receivers.FirstSignatureOnly, {"two-signatures"}),
        (
            receivers.CrashesOnBadHeaders,
            {"no-signature", "empty-signature", "garbage-signature", "no-time", "time-no-number"},
        ),
        (receivers.RefusesRepetitions, {"duplicate", "retried"}),
        (receivers.StrictTypes, {"unknown-type"}),
        (receivers.CrashesOnBadJson, {"empty-body", "not-json", "json-no-object", "not-utf-8", "deeply-nested"}),
        (receivers.CaseSensitive, {"headers-lower-case", "headers-upper-case"}),
        (receivers.OneSecretOnly, {"rotated-secret"}),
        (receivers.EmptySecretToo, {"empty-secret", "stale"}),
    ],
)
def test_each_fault_fails_the_variants_that_it_should(
    application: type[receivers.Application], expected: set[str]
) -> None:
    assert caught(scores(application())) == expected


def test_one_that_hangs_ends_soon() -> None:
    with pytest.raises(NoTarget):
        scores(receivers.Hangs(), timeout=0.05)


def test_what_dies_on_the_way_is_not_waited_for() -> None:
    asked: list[Outgoing] = []

    async def send(outgoing: Outgoing) -> Answer | NoAnswer:
        asked.append(outgoing)
        return Answer(200, (), b"", 0.1) if len(asked) < 3 else NoAnswer("refused", "no connection", 0.0)

    here = situation("stripe")
    results = asyncio.run(run(VARIANTS, here, RULES, send, lambda: NOW, lambda *_: None))
    assert len(results) == len(VARIANTS)
    assert [each.verdict for each in results[:3]] == ["passed", "passed", "failed"]
    assert len(asked) == 5
    assert results[-1].got == "not sent: nothing answers any more"
    assert all(("Connection", "close") in each.headers for each in asked)


# -- how it is told ----------------------------------------------------------------------------------------------------


def result(came: list[Answer | NoAnswer], name: str = "valid") -> Result:
    variant = next(each for each in VARIANTS if each.name == name)
    built = variant.build(situation("stripe"))
    assert not isinstance(built, Inapplicable)
    return judged(variant, built, came, RULES)


def answer(status: int) -> Answer:
    return Answer(status, (), b"", 0.25)


@pytest.mark.parametrize(
    ("name", "statuses", "passes"),
    [
        ("valid", [204], True),
        ("valid", [302], False),
        ("tampered", [401], True),
        ("tampered", [200], False),
        ("tampered", [500], False),
        ("not-json", [200], True),
        ("not-json", [503], False),
        ("duplicate", [200, 200], True),
        ("duplicate", [200, 409], False),
        ("side-by-side", [409, 200, 409, 409, 409], True),
        ("side-by-side", [409] * 5, False),
        ("side-by-side", [200, 500, 200, 200, 200], False),
        ("cut-off", [400, 200], True),
        ("cut-off", [400, 400], False),
    ],
)
def test_verdicts(name: str, statuses: list[int], passes: bool) -> None:
    found = result([answer(status) for status in statuses], name)
    assert (found.verdict == "passed") == passes
    assert found.seconds == pytest.approx(0.25 * len(statuses))


def test_no_answer_is_a_failure_and_says_why() -> None:
    found = result([NoAnswer("timeout", "no whole answer within 10 s", 10.0)])
    assert (found.verdict, found.got, found.statuses) == ("failed", "no whole answer within 10 s", (None,))


def test_the_scorecard() -> None:
    odd = NoAnswer("malformed", "what came: \x1b[31m<&]]>\0\ud800", 0.1)
    skipped = Result(VARIANTS[9], "skipped", "", "", "no rotation")
    card = scorecard(f"{URL}?token=hush", "stripe", 7, [result([odd]), result([answer(400)], "tampered"), skipped])
    assert (card.score, card.target) == ("1 of 2 passed; 1 do not apply", URL)
    assert "prove nothing" in card.warning
    assert len(rows(card)) == 2
    told = json.loads(msgspec.json.encode(view(scorecard(URL, "stripe", 7, [result([answer(400)])]))))
    assert (told["failed"], told["variants"][0]["verdict"], told["variants"][0]["statuses"]) == (1, "failed", [400])
    assert told["variants"][0]["advice"]
    root = ET.fromstring(junit(card))
    assert [root.get(name) for name in ("tests", "failures", "skipped")] == ["3", "1", "1"]
    failure = root.find(".//failure")
    assert failure is not None
    assert "<&]]>" in (failure.get("message") or "")


@given(st.text())
def test_junit_is_well_formed_whatever_came(text: str) -> None:
    card = scorecard(URL, "stripe", 1, [result([NoAnswer("malformed", text, 0.0)])])
    assert ET.fromstring(junit(card)).find(".//failure") is not None


def test_choosing_variants() -> None:
    assert [each.name for each in chosen(["stale", "valid"])] == ["valid", "stale"]
    assert {each.name for each in chosen(["signature-*"], ["*-cut"])} == {"signature-half-right", "signature-longer"}
    assert chosen() == VARIANTS
    with pytest.raises(UnknownVariant, match="there are: valid"):
        chosen(["nothing"])


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [("2xx", [200, 299], [199, 300]), ("200, 204", [200, 204], [201]), ("400-403,410", [400, 403, 410], [404])],
)
def test_statuses(text: str, inside: list[int], outside: list[int]) -> None:
    found = statuses_of(text)
    assert all(status in found for status in inside)
    assert not any(status in found for status in outside)


@given(st.text(max_size=12))
def test_other_texts_are_no_statuses(text: str) -> None:
    if not re.fullmatch(r"[\s0-9xX,-]*", text):
        with pytest.raises(InvalidStatuses, match="2xx"):
            statuses_of(text)
