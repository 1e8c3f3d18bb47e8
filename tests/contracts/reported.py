"""Reports that nobody had to run for: findings, steps and what they are shown with, made up for tests of the writers."""

from __future__ import annotations

import io
import json
from datetime import date
from typing import Any

import msgspec
from rich.console import Console

from contracts.baseline import Entry
from contracts.bundle import Bundle
from contracts.findings import Finding, LawResult, Report, Seen, Shown
from contracts.reports import View, console, html, json_report, junit, view_of
from contracts.reports.pytest_file import source
from contracts.target import ControlPort, Ports, Target
from mock_server import bundles

ACME, GLOBEX = "01J9ZC3M4N5P6Q7R8S9T0V1W2X", "01J9ZC3M4N5P6Q7R8S9T0V1W2Y"
URL = "http://127.0.0.1:4010"
CREDENTIALS = {
    "owner": "demo-owner", "reader": "demo-reader", "member": "demo-member", "other": "demo-globex",
    "operator": "demo-operator",
}  # fmt: skip
DOCUMENT: dict[str, Any] = msgspec.json.decode(bundles.load("openapp"))
BUNDLE = Bundle(DOCUMENT)
TODAY = date(2026, 3, 1)


def target(url: str = URL, *, control: bool = True, **more: Any) -> Target:
    ports = Ports(control=ControlPort(url) if control else None, webhook_secret="whsec_demo")
    fields = {"credentials": CREDENTIALS, "org": ACME, "other_org": GLOBEX, "may": "full", "ports": ports}
    return Target(f"{url}/api/v1", **(fields | more))


def step(
    method: str = "POST",
    path: str = "/zones",
    body: str | None = '{"name":"Lobby"}',
    status: int | None = 200,
    answer: str = '{"id":"01KF0RDQG0P9QWWJTP117SF22H"}',
    role: str = "owner",
    **more: Any,
) -> Shown:
    """As a run with worlds of its own shows it."""
    headers = (("X-API-Key", CREDENTIALS[role]), *((("Content-Type", "application/json"),) if body else ()))
    fields = {
        "title": f"{method} {path} as {role}", "method": method, "url": f"{URL}/w/contract-1a2b-7/api/v1{path}",
        "headers": headers, "body": body, "status": status, "answer_body": answer, "role": role,
        "answer_headers": (("content-type", "application/json"),),
    }  # fmt: skip
    return Shown(**(fields | more))


def finding(**more: Any) -> Finding:
    """A full quota takes one more: two steps, with data."""
    replay = [
        {"type": "call", "operation": "create_zone", "caller": "owner", "json": {"name": "Lobby"}},
        {"type": "call", "operation": "restore_zone", "caller": "owner", "path": {"id": "{{1#/id}}"}},
    ]
    fields: dict[str, Any] = {
        "law": "model.capacity", "title": "Of each thing there are as many as the limit says",
        "clause": "/paths/~1zones~1{id}~1restore/post/responses/200", "kind": "status",
        "expected": "status 429 quota_exceeded", "came": "status 200", "operation": "restore_zone", "status": 200,
        "steps": (step(), step(path="/zones/01KF0RDQG0P9QWWJTP117SF22H/restore", body=None)),
        "replay": json.dumps(replay), "seed": 7, "wanted": '{"status":429}',
    }  # fmt: skip
    return Finding(**(fields | more))


def result(law: str, state: str = "passed", reason: str = "", **more: Any) -> LawResult:
    return LawResult(
        law, law.partition(".")[0], f"What {law} says", "docs/apis/openapp.md#quotas", state, reason, **more
    )  # type: ignore[arg-type]


def report(*findings: Finding, laws: tuple[LawResult, ...] | None = None, **more: Any) -> Report:
    broken = {each.law for each in findings}
    fields: dict[str, Any] = {
        "url": f"{URL}/api/v1", "api": "openapp", "bundle_version": "1.0.0", "profile": "quick", "seed": 7,
        "began": "2026-03-01T10:00:00Z", "seconds": 1.5, "calls": 40,
        "laws": laws if laws is not None else (
            *(result(law, "failed", calls=20, seconds=0.5) for law in sorted(broken)),
            result("model.tiers", calls=20, seconds=0.25),
            result("ingress.tampered", "not verified", "needs webhook-secret"),
        ),
        "findings": findings,
        "coverage": (
            Seen("create_zone", "POST", "/zones", 200, {"model.tiers": 3}, {"model.tiers": 3}),
            Seen("create_zone", "POST", "/zones", 401, {"model.tiers": 1}),
            Seen("create_zone", "POST", "/zones", 403, {}, {}, {"model.tiers": 2}),
            Seen("create_zone", "POST", "/zones", 429),
            Seen("create_zone", "POST", "/zones", 500, {"model.tiers": 1}, declared=False),
            Seen("get_plans", "GET", "/plans", 200),
        ),
    }  # fmt: skip
    return Report(**(fields | more))


def view(made: Report, on: Target | None = None, known: tuple[Entry, ...] = ()) -> View:
    return view_of(made, on or target(), DOCUMENT, known=known, today=TODAY)


def entry(of: Finding, expires: str = "2026-06-30", **more: Any) -> Entry:
    fields: dict[str, Any] = {
        "fingerprint": of.fingerprint, "law": of.law, "operation": of.operation, "owner": "ada", "reason": "BILL-1",
        "expires": date.fromisoformat(expires),
    }  # fmt: skip
    return Entry(**(fields | more))


def on_console(made: View) -> str:
    text = io.StringIO()
    console.show(made, Console(file=text, width=80))
    return text.getvalue()


def all_texts(made: View) -> dict[str, str]:
    """What each writer writes."""
    return {
        "console": on_console(made),
        "junit": junit.text(made),
        "json": json_report.text(made),
        "html": html.text(made),
        **{each.file: source(made, each, BUNDLE) for each in made.found},
    }
