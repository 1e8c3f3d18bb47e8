"""One world of a running mock: moved through the control API, looked at with plain HTTP."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from tests.api.client import ACME, GLOBEX

__all__ = ["ACME", "GLOBEX", "Answer", "World", "ask"]


class Answer:
    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Answer:
    """One plain request over HTTP; a refusal is an answer like any other."""
    request = urllib.request.Request(url, body, dict(headers or {}), method=method)
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(request, timeout=10) as answer:
            return Answer(answer.status, dict(answer.headers), answer.read())
    except urllib.error.HTTPError as refusal:
        with refusal:
            return Answer(refusal.code, dict(refusal.headers), refusal.read())


class World:
    def __init__(self, server_url: str, name: str, **how: str) -> None:
        """Made from the scenario `demo`; with `now` it stands still at that instant."""
        self.server_url = server_url
        self.name = name
        answer = ask("POST", f"{server_url}/_mock/worlds", *_json({"name": name, **how}))
        assert answer.status == 201, answer.body

    def secret(self, secret: str) -> str:
        """The secret, with the world at its end, as any client can send it."""
        return f"{secret}@{self.name}"

    @property
    def summary(self) -> Any:
        return self._control("GET", "")

    def settings(self, **values: Any) -> None:
        self._control("PATCH", "/settings", values)

    def advance(self, duration: str) -> None:
        self._control("POST", "/clock", {"advance": duration})

    def call(self, method: str, path: str, key: str = "demo-owner", body: Any = None) -> Answer:
        """A call of the OpenApp API without any library; `path` without the base path."""
        payload, headers = _json(body) if body is not None else (None, {})
        url = f"{self.server_url}/api/v1{path}"
        return ask(method, url, payload, {**headers, "X-API-Key": self.secret(key)})

    def webhook(self, payload: bytes, signature: str | None) -> Answer:
        """What the payment provider posts. It has no credential, so the world is in the path."""
        headers = {"Content-Type": "application/json"} | ({"Stripe-Signature": signature} if signature else {})
        return ask("POST", f"{self.server_url}/w/{self.name}/api/v1/billing/webhooks/stripe", payload, headers)

    def _control(self, method: str, path: str, body: Any = None) -> Any:
        payload, headers = _json(body) if body is not None else (None, {})
        answer = ask(method, f"{self.server_url}/_mock/worlds/{self.name}{path}", payload, headers)
        assert answer.status == 200, answer.body
        return answer.json


def _json(body: Any) -> tuple[bytes, dict[str, str]]:
    return json.dumps(body).encode(), {"Content-Type": "application/json"}
