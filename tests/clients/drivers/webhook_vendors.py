"""Signs, verifies and reads webhooks with the vendors' own libraries; one JSON line for each line that it is given.

    python -I webhook_vendors.py

    {"do": "verify", "vendor", "body", "headers", "secrets", "url", "now", "tolerance"}
                                             -> {"answer": null}, or {"answer": "<class of the exception>: <its text>"}
    {"do": "sign", "vendor", "body", "id", "url", "headers", "secrets", "now"}
                                             -> {"answer": "<the value of the signature header>"}
    {"do": "read", "vendor", "body", "headers", "secrets", "now"}
                                             -> {"answer": "<class of the event> <members that the class does not know>"}

Whatever a library raises is an answer of that form. Bodies come in base64. The clock of the libraries shows `now` for as
long as a question is answered.
"""

from __future__ import annotations

import hmac
import json
import logging
import sys
import time
from base64 import b64decode, b64encode
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from importlib import import_module
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

# By name: none of them is there where this file is type-checked, and Paddle's package hides modules behind classes.
polar = import_module("polar.webhooks")
polar_events = import_module("polar.v2026_04.webhooks")
standardwebhooks = import_module("standardwebhooks.webhooks")
svix = import_module("svix.webhooks")
github = import_module("gidgethub.sansio")
paddle = import_module("paddle_billing.Notifications.Verifier")
paddle_entity = import_module("paddle_billing.Notifications.Entities.Entity")
square = import_module("square.utils.webhooks_helper")
pydantic = import_module("pydantic")

logging.disable(logging.CRITICAL)


class Refused(Exception):
    """The library said no without an exception."""


def standard(asked: SimpleNamespace) -> None:
    standardwebhooks.Webhook(asked.secrets[0]).verify(asked.body, asked.headers, json_parse=False)


def of_svix(asked: SimpleNamespace) -> None:
    svix.Webhook(asked.secrets[0]).verify(asked.body, asked.headers)


def of_polar(asked: SimpleNamespace) -> None:
    polar._verify_signature(asked.body.decode(), asked.headers, asked.secrets[0])


def of_paddle(asked: SimpleNamespace) -> None:
    secrets = [paddle.Secret(each) for each in asked.secrets]
    tolerance = 5 if asked.tolerance is None else asked.tolerance
    if not paddle.Verifier(tolerance).verify(SimpleNamespace(headers=asked.headers, body=asked.body), secrets):
        raise Refused


def of_square(asked: SimpleNamespace) -> None:
    if not square.verify_signature(
        request_body=asked.body.decode(),
        signature_header=asked.headers["x-square-hmacsha256-signature"],
        signature_key=asked.secrets[0],
        notification_url=asked.url,
    ):
        raise Refused


def of_github(asked: SimpleNamespace) -> None:
    github.validate_event(asked.body, signature=asked.headers["X-Hub-Signature-256"], secret=asked.secrets[0])


def signed_by(library: Any) -> Callable[[SimpleNamespace], str]:
    # Its `sign` takes the wall time of any zone for UTC, so it is handed UTC.
    return lambda asked: library.Webhook(asked.secrets[0]).sign(
        asked.id, datetime.fromtimestamp(asked.now, UTC), asked.body.decode()
    )


def signed_by_paddle(asked: SimpleNamespace) -> str:
    """It has no function for this; so the signature is the one that its verifier computes."""
    signed = f"{int(asked.now)}:{asked.body.decode()}".encode()
    hashes = [paddle.PaddleSignature.calculate_hmac(each, signed).hexdigest() for each in asked.secrets]
    return ";".join([f"ts={int(asked.now)}", *(f"h1={each}" for each in hashes)])


def expected_by(vendor: str) -> Callable[[SimpleNamespace], str]:
    """For libraries that only verify: the signature with which they compare what they are given."""

    def sign(asked: SimpleNamespace) -> str:
        found: list[Any] = []
        asked.headers = {**asked.headers, **HOPELESS[vendor]}

        def compare(*pair: Any) -> bool:
            found.append(pair)
            return False

        with patch.object(hmac, "compare_digest", compare), suppress(Exception):
            VERIFY[vendor](asked)
        ours, theirs = found[0]
        known = {b"AAAA", "sha256=AAAA", b64decode("AAAA")}
        computed = theirs if ours in known else ours
        if vendor == "polar":
            return f"v1,{b64encode(computed).decode()}"
        return computed if isinstance(computed, str) else computed.decode()

    return sign


HOPELESS = {
    "square": {"x-square-hmacsha256-signature": "AAAA"},
    "github": {"X-Hub-Signature-256": "sha256=AAAA"},
    "polar": {"webhook-signature": "v1,AAAA"},
}


def read_by_paddle(asked: SimpleNamespace) -> str:
    raw = json.loads(asked.body)
    return type(paddle_entity.Entity.from_dict_for_event_type(raw["data"], raw["event_type"])).__name__


def read_by_square(asked: SimpleNamespace) -> str:
    """Its own base model takes anything, so the values are given to pydantic, which does not."""
    raw = json.loads(asked.body)
    module = f"{raw['type'].replace('.', '_')}_event"
    name = "".join(word.capitalize() for word in module.split("_"))
    event = getattr(import_module(f"square.types.{module}"), name).model_validate(raw, strict=True)
    strangers = [f"{part.__class__.__name__}.{member}" for part in models(event) for member in part.model_extra or ()]
    return " ".join([name, *strangers])


def models(value: Any) -> list[Any]:
    """It and every model inside it."""
    if isinstance(value, list):
        return [found for each in value for found in models(each)]
    if not isinstance(value, pydantic.BaseModel):
        return []
    return [value, *(found for _, each in value for found in models(each))]


def read_by_polar(asked: SimpleNamespace) -> str:
    return type(polar_events.validate_event(asked.body, asked.headers, asked.secrets[0])).__name__


VERIFY: dict[str, Callable[[SimpleNamespace], Any]] = {
    "standard-webhooks": standard,
    "svix": of_svix,
    "polar": of_polar,
    "paddle": of_paddle,
    "square": of_square,
    "github": of_github,
}
SIGN: dict[str, Callable[[SimpleNamespace], Any]] = {
    "standard-webhooks": signed_by(standardwebhooks),
    "svix": signed_by(svix),
    "paddle": signed_by_paddle,
    **{vendor: expected_by(vendor) for vendor in HOPELESS},
}
READ: dict[str, Callable[[SimpleNamespace], Any]] = {
    "paddle": read_by_paddle,
    "square": read_by_square,
    "polar": read_by_polar,
}


def frozen(now: float) -> Any:
    """The clock that the libraries read, each in its own way, shows `now`."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.fromtimestamp(now, tz)

    stack = ExitStack()
    stack.enter_context(patch.object(time, "time", lambda: now))
    stack.enter_context(patch.object(paddle, "time", lambda: now))
    stack.enter_context(patch.object(standardwebhooks, "datetime", Clock))
    return stack


def answer(question: Any) -> Any:
    asked = SimpleNamespace(**{**question, "body": b64decode(question["body"])})
    with frozen(asked.now):
        try:
            return {"verify": VERIFY, "sign": SIGN, "read": READ}[asked.do][asked.vendor](asked)
        except Exception as error:
            return f"{type(error).__name__}: {error}"


def main() -> None:
    out, sys.stdout = sys.stdout, sys.stderr  # Paddle's library prints what goes wrong in it
    for line in sys.stdin:
        out.write(json.dumps({"answer": answer(json.loads(line))}) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
