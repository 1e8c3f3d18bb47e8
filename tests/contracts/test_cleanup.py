"""What a run has created is written down before and after, and deleted in the end, also by the next run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contracts.bundle import Bundle
from contracts.cleanup import Journal, clean
from contracts.guard import OwnObjects
from contracts.http import Allowance, Client
from contracts.scenario import start_of
from contracts.suite import load
from contracts.target import Target, TargetError
from mock_server import bundles
from tests.cli.command import environment
from tests.server import ROOT, Server

BUNDLE = Bundle(msgspec.json.decode(bundles.load("openapp")))
KINDS = ("zones", "integrations", "devices", "entities", "api_keys")
START = start_of("demo")
assert START is not None
FILE = f"""
[target]
url = "%s/api/v1"
may = "own-objects"
[credentials]
owner = "demo-owner"
operator = "demo-operator"
[orgs]
own = "{START.org}"
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as server:
        ask(server, "POST", "/admin/quota_overrides", "demo-operator", {
            "subject_type": "org", "subject_id": START.org, "quota_key": "organizations", "limit_value": 10_000,
        })  # fmt: skip
        yield server


def ask(server: Server, method: str, path: str, key: str = "demo-owner", body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"X-API-Key": key, "Content-Type": "application/json"}
    asked = urllib.request.Request(f"{server.url}/api/v1{path}", data, headers, method=method)
    with urllib.request.urlopen(asked, timeout=10) as reply:
        return json.loads(reply.read() or b"null")


def left(server: Server) -> dict[str, int]:
    """How many things there are in all organizations, deleted ones too."""
    with urllib.request.urlopen(f"{server.url}/_mock/worlds/demo/state?api=openapp", timeout=10) as reply:
        orgs = json.load(reply)["domain"]["orgs"]
    return {kind: sum(len(each[kind]) for each in orgs) for kind in KINDS}


@pytest.fixture
def target(server: Server) -> Target:
    return Target(f"{server.url}/api/v1", credentials={"owner": "demo-owner"}, org=START.org, may="own-objects")


NOTHING = dict.fromkeys(KINDS, 0)


class Hand:
    """Makes things through the guard, as a law does."""

    def __init__(self, target: Target, journal: Journal) -> None:
        self.client = Client(target.url, Allowance(1_000, None, None, OwnObjects(target, BUNDLE, journal)))

    def make(self, operation: str, org: str | None, body: Any) -> str:
        headers = (("X-API-Key", "demo-owner"), *((("X-Org", org),) if org else ()))
        answer = self.client.send(BUNDLE[operation].request({}, {}, headers, body))
        assert answer.status < 300, answer
        made: str = answer.json["id"]
        return made

    def one_of_each(self) -> str:
        org = self.make("create_org", None, {"name": "mockbill contract test", "parent_id": START.org})
        self.make("create_zone", org, {"name": "Z"})
        integration = self.make(
            "create_integration", org, {"org_id": org, "provider_type": "virtual_demo", "name": "I"}
        )
        device = self.make("create_device", org, {"org_id": org, "integration_id": integration, "name": "D"})
        self.make("create_entity", org, {"device_id": device, "entity_type": "door", "name": "E"})
        self.make("create_api_key", org, {"name": "K", "scoped_roles": ["devices:read"]})
        self.make("create_user", org, {"name": "U"})
        return org


def test_everything_is_deleted_in_the_end(server: Server, target: Target, tmp_path: Path) -> None:
    with Journal(tmp_path / "journal") as journal:
        journal.begin(target.url)
        hand = Hand(target, journal)
        hand.one_of_each()
        assert left(server) == {**dict.fromkeys(KINDS, 1)}
        assert clean(target, BUNDLE, journal) == []
        hand.client.close()
    assert left(server) == NOTHING
    assert not (tmp_path / "journal").exists()


def test_what_a_killed_run_made_is_known_to_the_next(server: Server, target: Target, tmp_path: Path) -> None:
    """As after kill -9: the journal is not closed in order, and its last line is half written."""
    path = tmp_path / "journal"
    journal = Journal(path).__enter__()
    journal.begin(target.url)
    hand = Hand(target, journal)
    hand.one_of_each()
    hand.client.close()
    assert journal._file is not None
    journal._file.close()
    path.write_bytes(path.read_bytes() + b'{"will":99,"oper')
    with Journal(path) as again:
        assert len(again.made) == 7
        assert clean(target, BUNDLE, again) == []
    assert left(server) == NOTHING
    assert not path.exists()


def test_what_was_made_without_an_answer_is_found(server: Server, target: Target, tmp_path: Path) -> None:
    """The lines before were written, those after were not."""
    path = tmp_path / "journal"
    with Journal(path) as journal:
        journal.begin(target.url)
        hand = Hand(target, journal)
        hand.one_of_each()
        hand.client.close()
        lines = path.read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if b'"did"' not in line or b'"create_org"' in line]
    path.write_bytes(b"".join(kept))
    with Journal(path) as again:
        assert len(again.made) == 1
        assert clean(target, BUNDLE, again) == []
    assert left(server) == NOTHING

    name = f"mockbill contract {time.time_ns()}"
    org = ask(server, "POST", "/orgs", body={"name": name, "parent_id": START.org})["id"]
    with Journal(path) as lost:
        lost.begin(target.url)
        lost.will_create("create_org", None, name)
        lost.will_create("create_zone", "01NOT_OURS", "Z")
        assert clean(target, BUNDLE, lost) == []
        assert lost.is_clean
    assert f'"made":"{org}"' not in "".join(map(str, lost.made))


def test_what_cannot_be_deleted_stays_written_down(target: Target, tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with Journal(path) as journal:
        journal.begin(target.url)
        journal.created(1, "create_org", "01ORG", None)
        journal.created(2, "create_zone", "01ZONE", "01ORG")
        gone = msgspec.structs.replace(target, credentials={"owner": "nobody"})
        (note,) = clean(gone, BUNDLE, journal)
        assert "delete_zone: 401" in note
    with Journal(path) as again:
        assert set(again.made) == {"01ORG", "01ZONE"}
        nowhere = msgspec.structs.replace(target, url="http://127.0.0.1:1/api/v1")
        again.url = nowhere.url
        (note,) = clean(nowhere, BUNDLE, again)
        assert "connection refused" in note
        assert "--cleanup-only" in note
        assert "nobody" not in note


def test_left_overs_of_another_target_are_not_looked_for_here(target: Target, tmp_path: Path) -> None:
    with Journal(tmp_path / "journal") as journal:
        journal.begin("https://staging.example/v1")
        journal.created(1, "create_zone", "01ZONE", None)
        with pytest.raises(TargetError, match=r"left at https://staging\.example/v1"):
            clean(target, BUNDLE, journal)


def test_two_runs_do_not_share_a_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with Journal(path), pytest.raises(TargetError, match="another run is using the journal"), Journal(path):
        pass
    with pytest.raises(TargetError, match="cannot be written"), Journal(tmp_path / "no" / "journal"):
        pass


def test_a_run_leaves_nothing_but_organizations(server: Server, tmp_path: Path) -> None:
    (tmp_path / "contract.toml").write_text(FILE % server.url)
    suite = load(tmp_path / "contract.toml", laws=("model.tiers",))
    report = suite.run()
    (law,) = report.laws
    assert (law.state, law.reason, report.findings) == ("passed", "", ())
    (note,) = report.notes
    assert "organizations called 'mockbill contract' stayed behind" in note
    assert left(server) == NOTHING
    assert list(tmp_path.iterdir()) == [tmp_path / "contract.toml"]


def test_after_kill_9_the_next_run_cleans_up(server: Server, tmp_path: Path) -> None:
    (tmp_path / "contract.toml").write_text(FILE % server.url)
    journal = tmp_path / ".mockbill-contract.jsonl"
    command = [
        sys.executable,
        "-m",
        "mock_server",
        "contract",
        "run",
        "--config",
        str(tmp_path / "contract.toml"),
        "-q",
    ]
    process = subprocess.Popen(
        [*command, "--law", "model.walks"],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    until = time.monotonic() + 20
    while left(server) == NOTHING and time.monotonic() < until:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=10)
    assert left(server) != NOTHING
    assert journal.exists()
    ended = subprocess.run(
        [*command, "--cleanup-only"], cwd=ROOT, env=environment(), capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (0, ""), ended
    assert "left-overs were dealt with" in ended.stderr
    assert left(server) == NOTHING
    assert not journal.exists()
