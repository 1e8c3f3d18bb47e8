"""What a variant of a webhook is, and what one is made from."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property
from typing import Any, Literal

import msgspec

from mock_server.engine.instants import SECOND
from mock_server.webhooks.drafts import Request
from mock_server.webhooks.headers import Headers, values
from mock_server.webhooks.json_tokens import parsed
from mock_server.webhooks.payloads import Event, Payload, render
from mock_server.webhooks.schemes.protocol import Claim, Message, Rejected, Scheme

CONTENT_TYPE = ("Content-Type", "application/json; charset=utf-8")
USER_AGENT = ("User-Agent", "mockbill-gauntlet/1")
DATA = {
    "org_id": "01J9ZC3M4N5P6Q7R8S9T0V1W2X",
    "org_name": "Gauntlet",
    "external_id": "sub_gauntlet",
    "subscription_id": "sub_gauntlet",
    "status": "active",
    "tier_slug": "pro",
    "previous_tier_slug": "free",
    "price_id": "price_gauntlet",
    "amount": 4900,
    "currency": "usd",
}

Expected = Literal["accepted", "refused", "survived", "anything"]
"""survived: any answer but a 5xx. anything: not even an answer is needed."""


class Shot(msgspec.Struct, frozen=True):
    """One request of a variant. `cut`: after so many bytes of the body the connection is closed."""

    request: Request
    expected: Expected
    cut: int | None = None


class Inapplicable(msgspec.Struct, frozen=True):
    """The variant makes no sense here."""

    reason: str


class Situation(msgspec.Struct, frozen=True, dict=True):
    """What variants are made from, which is all that they know.

    secrets   the one that the target holds; then, if it was told of one, the one that it rotates to
    url       where requests go; signed_url is what the provider believes that to be, where the scheme signs it
    now       seconds since 1970, at which variants are signed
    seed      chooses ids and the bit that is flipped
    body      what to send in place of our own event, and `headers` those that go with it
    """

    scheme: Scheme
    secrets: tuple[str, ...]
    url: str
    signed_url: str
    now: int
    seed: int = 0
    body: bytes | None = None
    headers: Headers = ()

    @property
    def secret(self) -> str:
        return self.secrets[0]

    @cached_property
    def key(self) -> bytes:
        return self.scheme.keys(self.secret)[0]

    def payload(self, name: str, topic: str = "invoice.paid", *, late: int = 0) -> Payload:
        """The event of a variant: of its own, so that none is taken for a repetition of another's. `late`: seconds
        before now at which it happened."""
        data = {**DATA, "invoice_id": f"gauntlet-{self.seed}-{name}"}
        at = (self.now - late) * SECOND
        event = Event(f"{self.seed}-{name}", topic, "openapp", at, "gauntlet", data, "gauntlet")
        payload = render(event, self.scheme.name)
        if self.body is None:
            return payload
        return msgspec.structs.replace(payload, body=self.body, headers=self.headers)

    def changed(self, name: str, change: Callable[[dict[str, Any]], None]) -> Payload | None:
        """The event with something about it changed. None if it is no JSON object."""
        payload = self.payload(name)
        thing = parsed(payload.body)
        if not isinstance(thing, dict):
            return None
        change(thing)
        return msgspec.structs.replace(payload, body=json.dumps(thing, ensure_ascii=False).encode())

    def message(self, payload: Payload) -> Message:
        return Message(payload.body, self.signed_url, payload.id)

    def unsigned(self, payload: Payload) -> Request:
        content_type = () if values(payload.headers, "content-type") else (CONTENT_TYPE,)
        agent = () if values(payload.headers, "user-agent") else (USER_AGENT,)
        return Request("POST", self.url, (*content_type, *agent, *payload.headers), payload.body)

    def signed(self, payload: Payload, *, secret: str | None = None, at: int | None = None) -> Request:
        signature = self.scheme.sign(self.message(payload), secret or self.secret, self.now if at is None else at)
        request = self.unsigned(payload)
        return msgspec.structs.replace(request, headers=(*request.headers, *signature.headers))

    def claim(self, request: Request) -> Claim:
        """What a request that we have signed says of its signature."""
        claim = self.scheme.claim({name.lower(): value for name, value in request.headers})
        assert not isinstance(claim, Rejected), claim
        return claim


class Variant(msgspec.Struct, frozen=True):
    """`what` is sent, `why` it has to be taken as `expected`; `advice` says what is at stake if it is not, and what to do.

    `at_once`: the shots go out side by side, and it is enough that one is taken as expected while all are survived.
    """

    name: str
    what: str
    expected: Expected
    why: str
    advice: str
    build: Callable[[Situation], tuple[Shot, ...] | Inapplicable]
    at_once: bool = False
