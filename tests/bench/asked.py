"""The requests that are measured, and how one of them is sent without a load generator."""

from __future__ import annotations

import http.client
from dataclasses import dataclass, field

BASE = "/api/v1"
ORG = "01J9ZC3M4N5P6Q7R8S9T0V1W2X"
SECRET = "demo-owner"
HOST = "127.0.0.1"


@dataclass(frozen=True)
class Asked:
    """`path` stands below the server's base path; `operation` is the bundle's operationId."""

    name: str
    method: str
    path: str
    operation: str
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""

    @property
    def line(self) -> str:
        return f"{self.method} {self.path.replace(ORG, '{id}')}"


@dataclass(frozen=True)
class Answered:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300


PLANS = Asked("plans", "GET", "/plans", "get_plans")
USAGE = Asked("usage", "GET", f"/orgs/{ORG}/billing/usage", "get_org_billing_usage", {"X-API-Key": SECRET})
CHECKOUT = Asked(
    "checkout",
    "POST",
    f"/orgs/{ORG}/billing/checkout",
    "post_org_billing_checkout",
    {"X-API-Key": SECRET, "Content-Type": "application/json"},
    '{"tier_slug":"pro"}',
)
ALL = (PLANS, USAGE, CHECKOUT)


def ask(port: int, base: str, asked: Asked) -> Answered:
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    try:
        connection.request(asked.method, base + asked.path, asked.body or None, asked.headers)
        answer = connection.getresponse()
        return Answered(answer.status, answer.getheaders(), answer.read())
    finally:
        connection.close()
