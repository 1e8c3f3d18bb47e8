"""A session against a real server, exported from its journal, and carried out again by pytest, by sh, and in a HAR."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server import Server

from .client import ACME

BILLING = f"/api/v1/orgs/{ACME}/billing"
SECRETS = ("demo-owner", "demo-reader", "demo-operator")
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("MOCKBILL_")},
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # they take seconds to load, and none is needed
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        yield client


class Session:
    """What somebody does in a world of a running mock."""

    def __init__(self, client: httpx.Client, world: str, **how: Any) -> None:
        self.client, self.world = client, world
        self.control("POST", "", {"name": world, **how}, of_world=False)

    def control(self, method: str, path: str, body: Any = None, *, of_world: bool = True) -> httpx.Response:
        start = f"/_mock/worlds/{self.world}" if of_world else "/_mock/worlds"
        answer = self.client.request(method, start + path, json=body)
        assert answer.is_success, answer.text
        return answer

    def ask(self, method: str, path: str, key: str | None = "demo-owner", **more: Any) -> httpx.Response:
        """The key names the world."""
        headers = more.pop("headers", {}) | ({} if key is None else {"X-API-Key": f"{key}@{self.world}"})
        return self.client.request(method, path, headers=headers, **more)

    def export(self, kind: str, **filters: Any) -> str:
        answer = self.client.get(f"/_mock/worlds/{self.world}/requests/export", params={"format": kind, **filters})
        assert answer.status_code == 200, answer.text
        return answer.text

    def statuses(self) -> list[tuple[int, int]]:
        """Number and status of what the journal holds, oldest first."""
        requests = self.control("GET", "/requests?limit=1000").json()["requests"]
        return [(each["number"], each["status"]) for each in reversed(requests)]


def everyday(session: Session) -> None:
    """Reads, purchases, refusals of most kinds, a month that passes, a key that is made and used."""
    ask = session.ask
    ask("GET", "/api/v1/plans", None, headers={"X-Mock-World": session.world})
    ask("POST", f"{BILLING}/checkout", json={"tier_slug": "gold"})
    ask("POST", f"/w/{session.world}/openapp{BILLING}/checkout?x=%7E&x", json={"tier_slug": "pro"})
    made = ask("POST", "/api/v1/zones", json={"name": "Büro\n'"})
    assert made.is_success, made.text
    zone = made.json()["id"]
    ask("POST", "/api/v1/zones", "demo-reader", json={"name": "Attic"})
    ask("GET", f"{BILLING}/plan", "nobody-knows-me")
    ask("GET", f"{BILLING}/plan", "demo-revoked")
    ask("POST", "/api/v1/zones", content=b"@\xff\x00", headers={"Content-Type": "application/json"})
    ask("GET", "/nowhere//../here", None, headers={"X-Mock-World": session.world})
    session.control("POST", "/clock", {"advance": "P31DT0.000001S"})
    made = ask("POST", "/api/v1/api-keys", json={"name": "CI"}).json()
    ask("DELETE", f"/api/v1/zones/{zone}", made["token"].rpartition("_openapp_")[2].partition("@")[0])
    ask("DELETE", f"/api/v1/api-keys/{made['id']}")
    ask("HEAD", f"{BILLING}/usage")
    ask("GET", f"{BILLING}/usage")


def run_pytest(text: str, folder: Path, client: httpx.Client) -> subprocess.CompletedProcess[str]:
    file = folder / "test_exported.py"
    file.write_text(text, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", file.name],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**ENVIRONMENT, "MOCKBILL_URL": str(client.base_url)},
        timeout=120,
        check=False,
    )


def check_passes(text: str, folder: Path, client: httpx.Client) -> None:
    before = client.get("/_mock/worlds").json()["worlds"]
    done = run_pytest(text, folder, client)
    assert done.returncode == 0, done.stdout + done.stderr
    after = client.get("/_mock/worlds").json()["worlds"]
    assert [each["name"] for each in after] == [each["name"] for each in before]


def test_the_exported_test_passes_and_notices_a_change(client: httpx.Client, tmp_path: Path) -> None:
    session = Session(client, "everyday", seed=3, now="2026-03-01T00:00:00Z")
    session.control("PATCH", "/settings", {"checkout": "hosted"})
    everyday(session)
    statuses = [status for _, status in session.statuses()]
    assert len(statuses) == 14
    assert {200, 201, 204, 400, 401, 403, 404} <= set(statuses), statuses
    text = session.export("pytest")
    assert text.count("    world.ask(") == len(statuses)
    check_passes(text, tmp_path, client)
    done = run_pytest(text.replace('"name": {"en": "Büro\\n\'"}', '"name": {"en": "Bureau"}'), tmp_path, client)
    assert done.returncode == 1
    assert "Request 4 is not answered as it was: POST /api/v1/zones\n" in done.stdout
    assert "  $.name.en: was 'Bureau', is \"Büro\\n'\"\n" in done.stdout


def test_the_exported_test_starts_in_the_middle_and_changes_settings(client: httpx.Client, tmp_path: Path) -> None:
    session = Session(client, "middle", seed=3, now="2026-03-01T00:00:00Z")
    everyday(session)
    session.control("PATCH", "/settings", {"checkout": "hosted", "warn_days": 3})
    session.ask("POST", f"{BILLING}/checkout", json={"tier_slug": "business"})
    text = session.export("pytest", since=4)
    assert "world.ask(\n        5,\n" in text
    assert "world.ask(\n        4,\n" not in text
    check_passes(text, tmp_path, client)


def test_the_exported_test_of_a_world_whose_clock_runs(client: httpx.Client, tmp_path: Path) -> None:
    session = Session(client, "running", seed=3)
    everyday(session)
    check_passes(session.export("pytest"), tmp_path, client)


def test_the_exported_test_of_the_world_that_everybody_starts_in(client: httpx.Client, tmp_path: Path) -> None:
    owner = {"X-API-Key": "demo-owner"}
    with Server() as server, httpx.Client(base_url=server.url, headers=owner, trust_env=False) as another:
        another.patch("/_mock/worlds/demo/settings", json={"checkout": "hosted"})
        another.post(f"{BILLING}/checkout", json={"tier_slug": "pro"})
        another.get(f"{BILLING}/plan")
        text = another.get("/_mock/worlds/demo/requests/export", params={"format": "pytest"}).text
    assert "/checkout/sub_" in text
    check_passes(text, tmp_path, client)


def test_what_faults_did_is_not_done_again(client: httpx.Client, tmp_path: Path) -> None:
    session = Session(client, "faults", seed=3, now="2026-03-01T00:00:00Z")
    session.control("POST", "/faults", {"id": "lost", "when": "after", "do": "lose", "method": "POST", "count": 1})
    with pytest.raises(httpx.HTTPError):
        session.ask("POST", "/api/v1/zones", json={"name": "Lost"})
    session.control("POST", "/faults", {"id": "out", "when": "before", "do": "answer", "status": 503, "count": 1})
    assert session.ask("POST", "/api/v1/zones", json={"name": "Never"}).status_code == 503
    session.control("POST", "/faults", {"id": "twice", "when": "duplicate", "do": "repeat", "count": 1})
    session.ask("POST", "/api/v1/zones", json={"name": "Twice"})
    session.control("POST", "/faults", {"id": "bad", "when": "after", "do": "malform", "how": "html", "count": 1})
    session.ask("GET", "/api/v1/zones")
    assert len(session.ask("GET", "/api/v1/zones").json()) > 0
    text = session.export("pytest")
    assert text.count("    world.ask(") == len(session.statuses()) - 1
    check_passes(text, tmp_path, client)


def test_nothing_that_is_exported_holds_a_secret_but_the_state_to_start_from(client: httpx.Client) -> None:
    session = Session(client, "secrets", seed=3)
    everyday(session)
    for text in (session.export("har"), session.export("curl"), session.export("pytest").partition("\nSTART = ")[0]):
        assert not any(secret in text for secret in (*SECRETS, "nobody-knows-me", "demo-revoked"))


def test_a_har_holds_the_session(client: httpx.Client) -> None:
    session = Session(client, "har", seed=3)
    everyday(session)
    entries = json.loads(session.export("har"))["log"]["entries"]
    assert [(each["_mockbill"]["number"], each["response"]["status"]) for each in entries] == session.statuses()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
def test_the_exported_script_asks_the_same_in_another_world(client: httpx.Client) -> None:
    session = Session(client, "first", seed=3, now="2026-03-01T00:00:00Z")
    everyday(session)
    text = session.export("curl")
    again = Session(client, "second", seed=3, now="2026-03-01T00:00:00Z")
    keys = dict(re.findall(r"^(KEY_\d)=\$\{\1:\?'the key of (.*) \(openapp\)'\}$", text, re.MULTILINE))
    secrets = {"owner of Acme Doors": "demo-owner", "reader of Acme Doors": "demo-reader"}
    done = subprocess.run(
        ["sh"],
        input=text,
        capture_output=True,
        text=True,
        env={**ENVIRONMENT, "WORLD": "second"} | {name: secrets.get(caller, "-") for name, caller in keys.items()},
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    then = dict(session.statuses())
    now = {int(number): int(status) for number, status in re.findall(r"^= (\d+): (\d+)$", done.stdout, re.MULTILINE)}
    # The script does not move the clock, so the key that is made then has another id and another secret.
    assert [number for number in then if now[number] != then[number]] == [11, 12]
    assert again.statuses() == sorted(now.items())
