"""Running witnesses: short sequences of requests that a mutant answers otherwise than the reference.

A witness is a function that asks a `Probe`. It runs against the reference in this process and against the mutant in
one of its own, each time in a world of the same seed whose clock stands still, so that the answers are the same byte
for byte but for the fault. They have to differ first in the last step: what is behind it would witness nothing.

    python -m tests.contracts.witnessing quota-plus-one     prints what a mutant answers
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp

from contracts.mutants.catalogue import MUTANTS, NONE
from mock_server.app import create_app, create_mock
from mock_server.webhooks.schemes import stripe
from mock_server.webhooks.schemes.protocol import Message
from tests.api.client import ACME, GLOBEX, WALL, Answer, Client
from tests.server import ROOT

NOW = "2026-04-15T10:00:00Z"
SECONDS = 1_776_247_200
"""The same as seconds since 1970."""
SECRET = "whsec_demo"

Step = list[tuple[str, int, list[str], str]]
"""Request, status, headers and body of what was asked at once."""

Ask = tuple[str, str, dict[str, Any]]
"""Method, path, and what else `Client.ask` takes."""


class Probe:
    """A world to ask. `steps` are its answers."""

    def __init__(self, app: ASGIApp) -> None:
        self.client = Client(app)
        self.steps: list[Step] = []
        self.control("POST", "", {"name": "probe", "scenario": "demo", "seed": 7, "now": NOW})

    def ask(self, method: str, path: str, key: str | None = "demo-owner", **more: Any) -> Answer:
        return self.at_once((method, path, {"key": key, **more}))[0]

    def at_once(self, *asked: Ask) -> list[Answer]:
        async def gathered() -> list[Answer]:
            asks = [self.client.ask(method, f"/w/probe/api/v1{path}", **more) for method, path, more in asked]
            return list(await asyncio.gather(*asks))

        answers = asyncio.run(gathered())
        self.steps.append(
            [
                (
                    f"{method} {path}",
                    answer.status,
                    sorted(f"{n}: {v}" for n, v in answer.headers.items()),
                    _text(answer),
                )
                for (method, path, _), answer in zip(asked, answers, strict=True)
            ]
        )
        return answers

    def get(self, path: str, key: str | None = "demo-owner", **more: Any) -> Answer:
        return self.ask("GET", path, key, **more)

    def post(self, path: str, body: Any, key: str | None = "demo-owner", **more: Any) -> Answer:
        return self.ask("POST", path, key, json=body, **more)

    def delete(self, path: str, key: str | None = "demo-owner", **more: Any) -> Answer:
        return self.ask("DELETE", path, key, **more)

    def control(self, method: str, path: str, body: Any) -> Any:
        answer = self.client.request(method, f"/_mock/worlds{path}", json=body)
        assert answer.status < 300, answer.body
        return answer.json

    def advance(self, duration: str) -> None:
        self.control("POST", "/probe/clock", {"advance": duration})

    def until(self, instant: str) -> None:
        self.control("POST", "/probe/clock", {"set": instant})

    # -- what most witnesses need ---------------------------------------------------------------------------------

    def billing(self, path: str, key: str | None = "demo-owner", org: str = ACME, **more: Any) -> Answer:
        return self.get(f"/orgs/{org}/billing/{path}", key, **more)

    def buy(self, tier: str, key: str = "demo-owner", **more: Any) -> Answer:
        return self.post(f"/orgs/{ACME}/billing/checkout", {"tier_slug": tier}, key, **more)

    def limit(self, quota: str, value: Any, key: str = "demo-operator", org: str = ACME, **more: Any) -> Answer:
        """An override."""
        body = {"subject_type": "org", "subject_id": org, "quota_key": quota, "limit_value": value, **more}
        return self.post("/admin/quota_overrides", body, key)

    def zone(self, name: str = "Hall", key: str = "demo-owner", **more: Any) -> str:
        answer = self.post("/zones", {"name": name, **more}, key)
        return str(answer.json.get("id"))

    def zones(self, *names: str) -> list[str]:
        return [self.zone(name) for name in names]

    def integration(self) -> str:
        return str(self.post("/integrations", {"org_id": ACME, "provider_type": "mqtt"}).json["id"])

    def device(self, integration: str, name: str = "Lock") -> str:
        return str(self.post("/devices", {"org_id": ACME, "integration_id": integration, "name": name}).json["id"])

    def doors(self, *names: str) -> list[str]:
        device = self.device(self.integration())
        bodies = [{"device_id": device, "entity_type": "door", "name": name} for name in names]
        return [str(self.post("/entities", body).json["id"]) for body in bodies]

    def open(self, door: str, key: str = "demo-owner", **more: Any) -> Answer:
        return self.at_once(opening(door, key, **more))[0]

    def annex(self) -> str:
        """An organization below Acme."""
        self.buy("business")
        return str(self.post("/orgs", {"name": "Annex"}).json["id"])

    def key(self, **more: Any) -> tuple[str, str]:
        """A new API key's id and token."""
        made = self.post("/api-keys", {"name": "Robot", **more}).json
        return str(made["id"]), str(made["token"])

    def translate(self) -> Answer:
        body = {"title": "Hi", "body": "Welcome", "source_locale": "en", "target_locales": ["de"]}
        return self.post("/ai/translate-locale-content", body)

    def event(self, body: bytes, at: int = 0, secret: str = SECRET, header: str | None = None) -> Answer:
        """A webhook, signed `at` seconds from NOW."""
        signature = dict(stripe.SCHEME.sign(Message(body), secret, SECONDS + at).headers)
        if header is not None:
            signature = {"Stripe-Signature": header} if header else {}
        headers = {"content-type": "application/json", **signature}
        return self.ask("POST", "/billing/webhooks/stripe", None, body=body, headers=headers)


Witness = Callable[[Probe], None]


def opening(door: str, key: str = "demo-owner", idempotency: str | None = None, body: Any = ...) -> Ask:
    headers = {} if idempotency is None else {"Idempotency-Key": idempotency}
    more = {} if body is ... else {"json": body}
    return "POST", f"/entities/{door}/actions/open", {"key": key, "headers": headers, **more}


def paid(tier: str, event_id: str = "evt_1", created: int = SECONDS, indent: int | None = None) -> bytes:
    """An event that says that Acme's subscription is active."""
    thing = {"id": "sub_1", "status": "active", "metadata": {"org_id": ACME, "tier_slug": tier}}
    event = {"id": event_id, "type": "customer.subscription.updated", "created": created, "data": {"object": thing}}
    return json.dumps(event, indent=indent, separators=(",", ":") if indent is None else None).encode()


def answers_of(mutant: str, witness: Witness) -> list[Step]:
    """What a mutant says to a witness. Puts the fault into this process."""
    mock = create_mock(wall=lambda: WALL, fresh_seed=lambda: 7)
    app: ASGIApp = create_app(mock)
    if mutant != NONE:
        app = MUTANTS[mutant].install(app)
    probe = Probe(app)
    witness(probe)
    assert not mock.breaches, list(mock.breaches)
    return probe.steps


def answers_elsewhere(mutant: str) -> list[Step]:
    """What a mutant says to its witness, in a process of its own."""
    command = [sys.executable, "-m", "tests.contracts.witnessing", mutant]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return [[(what, status, headers, body) for what, status, headers, body in step] for step in json.loads(done.stdout)]


def _text(answer: Answer) -> str:
    return answer.body.decode("utf-8", "backslashreplace")


__all__ = ["ACME", "GLOBEX", "NOW", "SECONDS", "Probe", "Witness", "opening", "paid"]


if __name__ == "__main__":
    from tests.contracts.witnesses import WITNESSES

    print(json.dumps(answers_of(sys.argv[1], WITNESSES[sys.argv[1]])))
