"""`mockbill contract init`: a file that can be used as it stands, and never in the place of another."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.config import config
from contracts.initial import facts_of, text_of
from contracts.tables import Document
from mock_server.apis.openapp.catalog import read_catalog
from mock_server.fixtures import find, read_yaml
from tests.cli.command import Ran, check_wrong_use, inside
from tests.server import Server

from .strangers import Stranger, answer

PLANS: dict[str, Any] = {
    "plans": [
        {
            "slug": "basic", "name": {"en": "Basic: \"on\"", "de": "Gr\u00fcnd"}, "sort_order": 1, "is_published": True,
            "is_default_for_personal": True, "quotas": [
                {"quota_key": "devices", "period": "lifetime", "limit_value": 7, "unit": "count"},
                {"quota_key": "door_opens", "period": "day", "limit_value": None, "unit": "count"},
            ],
        },
        {"slug": "more", "name": {"en": "More"}, "description": {"en": "off"}, "sort_order": 2, "is_published": True,
         "is_default_for_personal": False, "quotas": []},
    ]
}  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def init(*arguments: str) -> Ran:
    return inside("contract", "init", *arguments)


def serving(base: str, plans: Any = PLANS, version: str = "1.2.3") -> Stranger:
    """An API that is no mockbill, under a base path."""
    told = {f"GET {base}/plans ": plans, f"GET {base}/status ": {"environment": "staging", "version": version}}

    def act(connection: Any, head: bytes) -> None:
        found = next((value for start, value in told.items() if head.startswith(start.encode())), None)
        connection.sendall(answer(json.dumps(found).encode()) if found else answer(b"{}", "404 Not Found"))

    return Stranger(act)


def test_for_a_mockbill_all_is_filled_in_and_the_run_can_begin(server: Server) -> None:
    ran = init("--url", server.url)
    assert (ran.code, ran.out) == (0, "contract.toml\n"), ran
    assert "Next: mockbill contract run" in ran.errors
    target = config("contract.toml").target
    assert target.url == f"{server.url}/api/v1"
    assert target.may == "full"
    assert "clock" in target.offers
    assert target.credentials["owner"] == "demo-owner"
    assert not Path("catalog.yaml").exists()
    assert inside("contract", "run", "--law", "wire.retry-after", "-q").code == 0


@pytest.mark.parametrize("base", ["", "/api/v1", "/openapp/api/v1"])
def test_the_base_path_is_found(base: str) -> None:
    with serving(base) as api:
        facts = facts_of(api.url, "openapp")
        assert facts.url == api.url + base
        assert all(head.startswith(b"GET ") for head in api.heads)
        assert facts_of(facts.url, "openapp") == facts
    assert facts.version == "1.2.3"
    assert not facts.is_mockbill


def test_for_anything_else_credentials_are_left_to_be_filled_in() -> None:
    with serving("/v1") as api:
        ran = init("--url", api.url, "-o", "sub/staging.toml")
    assert ran.code == 0, ran
    assert "fill in credentials and orgs, then mockbill contract run --config sub/staging.toml" in ran.errors
    read = config("sub/staging.toml").target
    assert (read.url, read.may, read.credentials) == (f"{api.url}/v1", "read-only", {})
    assert read.facts.catalog == str(Path("sub/catalog.yaml").resolve())


def test_other_plans_become_a_catalog() -> None:
    with serving("/v1") as api:
        assert init("--url", api.url).code == 0
    catalog = read_catalog(read_yaml(Path("catalog.yaml")))
    basic, more = catalog.tiers.values()
    assert (basic.slug, basic.name["de"], basic.is_default_for_personal) == ("basic", "Gr\u00fcnd", True)
    assert basic.quotas == {"devices": {"lifetime": 7}, "door_opens": {"day": None}}
    assert more.description == {"en": "off"}


def test_the_built_in_plans_need_none(server: Server) -> None:
    built_in = read_catalog(read_yaml(find("catalogs", "openapp")))
    plans = [
        {
            "slug": tier.slug, "name": tier.name, "description": tier.description, "sort_order": tier.sort_order,
            "is_published": True, "is_default_for_personal": tier.is_default_for_personal,
            "quotas": [{"quota_key": key, "period": period, "limit_value": limit, "unit": "count"}
                       for key, limits in tier.quotas.items() for period, limit in limits.items()],
        }
        for tier in built_in.tiers.values() if tier.is_published
    ]  # fmt: skip
    with serving("", {"plans": plans}) as api:
        assert facts_of(api.url, "openapp").catalog is None


@pytest.mark.parametrize("plans", [[], [{}], [1], {}, [{**PLANS["plans"][0], "quotas": [{"quota_key": "nope"}]}], "x"])
def test_plans_that_make_no_catalog_are_said_to_and_do_no_harm(plans: Any) -> None:
    with serving("", {"plans": plans}) as api:
        ran = init("--url", api.url)
    assert ran.code == 0, ran
    assert "its plans make no catalog" in ran.errors
    assert config("contract.toml").target.facts.catalog == "openapp"


def test_all_that_is_commented_out_can_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever takes the marks away gets no complaint of ours."""
    with serving("") as api:
        text = text_of(facts_of(api.url, "openapp"))
    Path("catalog.yaml").write_text(yaml.safe_dump(yaml.safe_load(find("catalogs", "openapp").read_text())))
    Path("staging.py").write_text("def clock(to):\n    return to\n")
    lines = []
    for line in text.splitlines():
        bare = line.removeprefix("# ")
        is_setting = re.match(r"# ([a-z_]+ = |\[)", line) is not None
        is_other_way = "9000/clock" in line
        if is_setting and not is_other_way:
            name, _, value = bare.partition(" = ")
            known = value.replace('"..."', f'"{name}"')
            lines.append(f"{name} = {known}" if value else bare)
        else:
            lines.append(line)
    for n, name in enumerate(("OWNER", "READER", "MEMBER", "OTHER", "OPERATOR", "REVOKED", "WEBHOOK_SECRET")):
        monkeypatch.setenv(f"CONTRACT_{name}", f"secret-{n}")
    monkeypatch.setenv("STAGING_PASS", "x")
    Path("contract.toml").write_text("\n".join(lines).replace("9000", "9001"))
    read = config("contract.toml")
    assert set(read.target.credentials) == {"owner", "reader", "member", "other", "operator", "revoked"}
    assert read.target.ports.clock is not None
    assert read.target.ports.usage is not None
    assert read.target.ports.webhook_secret == "secret-6"
    assert read.target.rate == 20.0
    assert read.target.facts.settings == {"checkout": "hosted", "warn_days": 7}
    assert read.baseline is not None


def test_what_the_target_says_cannot_break_the_file() -> None:
    with serving("", version='1"\n[target]\nurl="http://evil.com"\u2028\r') as api:
        Document("x", text_of(facts_of(api.url, "openapp")))
        init("--url", api.url)
    assert config("contract.toml").target.url == api.url


def test_nothing_is_written_over_without_force() -> None:
    with serving("") as api:
        Path("catalog.yaml").write_text("mine")
        check_wrong_use(init("--url", api.url), "catalog.yaml is there already", "--force")
        assert not Path("contract.toml").exists()
        Path("contract.toml").write_text("mine")
        check_wrong_use(init("--url", api.url), "contract.toml is there already", "--force")
        assert Path("contract.toml").read_text() == Path("catalog.yaml").read_text() == "mine"
        assert init("--url", api.url, "--force").code == 0
    assert config("contract.toml").target.url == api.url


def test_what_cannot_be_asked_is_told() -> None:
    check_wrong_use(init(), "--url")
    check_wrong_use(init("--url", "http://u:p@127.0.0.1"), "a name or a password")
    assert init("--url", "http://127.0.0.1:1").code == 3
    with Stranger.saying(answer(b"<p>", kind="text/html")) as page:
        ran = init("--url", f"{page.url}/app")
        assert ran.code == 3
        assert f"the API is not below {page.url}/app: tried GET {page.url}/app/plans: 200, a web page" in ran.errors
    with serving("") as api:
        check_wrong_use(init("--url", api.url, "-o", "/dev/null/x.toml"), "cannot be written")
    assert list(Path().iterdir()) == []


def test_another_host_is_allowed_by_being_named() -> None:
    with serving("") as api:
        facts = facts_of(api.url, "openapp")
    import msgspec

    elsewhere = msgspec.structs.replace(facts, url="https://staging.example:8443/v1", catalog=None)
    Path("contract.toml").write_text(text_of(elsewhere))
    assert config("contract.toml").target.allowed_hosts == ("staging.example",)
