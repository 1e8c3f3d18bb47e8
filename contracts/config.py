"""`contract.toml`: what is tested, who may call it, and what may be done to it.

[target]            url, api, may (read-only | own-objects | full), allowed_hosts, calls, rate, timeout, headers
[credentials]       owner, reader, member, other, operator, revoked: each a text or {env = "NAME"}
[orgs]              own, other, portal
[ports.control]     url, scenario, token: a mockbill's control API
[ports.clock]       url and headers, or call = "module:function"
[ports.usage]       url and headers
[ports.webhook]     secret
[model]             catalog, settings: what the contract leaves to an implementation
[baseline]          file: findings that are known
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any, cast

import msgspec

from mock_server.apis.openapp.catalog import read_catalog
from mock_server.apis.openapp.model.state import Settings
from mock_server.fixtures import FixtureError, find, read_yaml

from .hosts import wrong_with, wrong_with_host
from .scenario import scenarios, with_what_worlds_have
from .tables import Document, Table, read
from .target import (
    ROLES,
    ControlPort,
    Facts,
    HttpClock,
    HttpUsage,
    May,
    Ports,
    PythonClock,
    Target,
    TargetError,
)

NAME = "contract.toml"
APIS = ("openapp",)
MAY: tuple[May, ...] = ("read-only", "own-objects", "full")
CALLS = Target("").calls
MOST_CALLS = 10_000_000


class Config(msgspec.Struct, frozen=True):
    """`folder`: what files are named from. `baseline`: the file of known findings, if one is named."""

    target: Target
    folder: Path
    baseline: Path | None = None


def config(path: Path | str, url: str | None = None, api: str | None = None) -> Config:
    """What a file says; `url` and `api` stand over it. Raises TargetError, which names file, line and member."""
    file = Path(path)
    return config_of(read(file), file.parent, url, api)


def config_of(document: Document, folder: Path, url: str | None = None, api: str | None = None) -> Config:
    root = document.root.only("target", "credentials", "orgs", "ports", "model", "baseline")
    at = root.table("target").only("url", "api", "may", "allowed_hosts", "calls", "rate", "timeout", "headers")
    hosts = at.texts("allowed_hosts", wrong_with_host)
    found = at.url("url", hosts)
    if url is not None:
        found = given_url(url, hosts)
    if not found:
        raise at.error("url", "this is missing: the base URL of what is tested, as in http://127.0.0.1:4010/api/v1")
    orgs = root.table("orgs").only("own", "other", "portal")
    target = Target(
        url=found,
        api=known_api(api) if api is not None else at.choice("api", APIS, APIS[0]),
        credentials=_credentials(root.table("credentials")),
        org=_id(orgs, "own"),
        other_org=_id(orgs, "other"),
        portal=_id(orgs, "portal"),
        may=cast(May, at.choice("may", MAY, MAY[0])),
        allowed_hosts=hosts,
        calls=at.number("calls", int, CALLS, 1, MOST_CALLS),
        rate=at.number("rate", float, None, 0.01, 100_000),
        timeout=at.number("timeout", float, 10.0, 0.05, 600),
        ports=_ports(root.table("ports").only("control", "clock", "usage", "webhook"), hosts, folder),
        facts=_facts(root.table("model").only("catalog", "settings"), folder),
        extra_headers=at.secrets("headers"),
    )
    known = root.table("baseline").only("file").value("file", str, "")
    if target.ports.control is not None:
        target = with_what_worlds_have(target, target.ports.control)
    _fits_together(root, target)
    return Config(target, folder, folder / known if known else None)


def given_url(url: str, hosts: tuple[str, ...] = ()) -> str:
    """A URL that stands for target.url. Raises TargetError."""
    if (reason := wrong_with(url, hosts)) is not None:
        raise TargetError(f"--url: {reason}")
    return url.rstrip("/")


def known_api(api: str) -> str:
    if api not in APIS:
        raise TargetError(f"there are no laws for {api[:40]!r}; there are some for: {', '.join(APIS)}")
    return api


def _credentials(table: Table) -> dict[str, str]:
    table.only(*ROLES)
    found: dict[str, str] = {}
    for role in ROLES:
        if (secret := table.secret(role)) is None:
            continue
        for other, known in found.items():
            if known == secret:
                raise table.error(role, f"this is the same as credentials.{other}; each role needs one of its own")
        found[role] = secret
    return found


def _id(table: Table, name: str) -> str | None:
    found = table.value(name, str, "")
    if name in table and (not found or len(found) > 200 or not found.isprintable()):
        raise table.error(name, "this must be an id, as the API gives it")
    return found or None


def _ports(table: Table, hosts: tuple[str, ...], folder: Path) -> Ports:
    control = usage = None
    if "control" in table:
        control = _control(table.table("control"), hosts)
    if "usage" in table:
        at = table.table("usage").only("url", "headers")
        usage = HttpUsage(_needed(at, "url", hosts), at.secrets("headers"))
    webhook = table.table("webhook").only("secret")
    if "webhook" in table and "secret" not in webhook:
        raise webhook.error("secret", "this is missing: what the provider signs its webhooks with")
    clock = _clock(table.table("clock"), hosts, folder) if "clock" in table else None
    return Ports(control, clock, usage, webhook.secret("secret"))


def _needed(table: Table, name: str, hosts: tuple[str, ...]) -> str:
    found = table.url(name, hosts)
    if not found:
        raise table.error(name, "this is missing")
    return found


def _control(table: Table, hosts: tuple[str, ...]) -> ControlPort:
    table.only("url", "scenario", "token")
    return ControlPort(
        _needed(table, "url", hosts), table.choice("scenario", scenarios(), "demo"), table.secret("token")
    )


def _clock(table: Table, hosts: tuple[str, ...], folder: Path) -> HttpClock | PythonClock:
    table.only("url", "headers", "call")
    if ("url" in table) == ("call" in table):
        raise table.error(None, 'write either url = "http://..." or call = "module:function"')
    if "url" in table:
        return HttpClock(_needed(table, "url", hosts), table.secrets("headers"))
    if "headers" in table:
        raise table.error("headers", "these go with a url; a function takes none")
    return PythonClock(_function(table, table.value("call", str, ""), folder))


def _function(table: Table, name: str, folder: Path) -> str:
    """The name of a function, once it was found. Modules beside the file can be imported."""
    module, _, function = name.partition(":")
    beside = str(folder.resolve())
    sys.path.insert(0, beside)
    try:
        found: Any = getattr(importlib.import_module(module), function)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"[:200]
        raise table.error("call", f"{name[:80]!r} cannot be imported ({reason}); write module:function") from None
    finally:
        if beside in sys.path:
            sys.path.remove(beside)
    if not callable(found):
        raise table.error("call", f"{name[:80]!r} is no function")
    # What has been imported is found again by its name, wherever it is.
    return name


def _facts(table: Table, folder: Path) -> Facts:
    catalog = table.value("catalog", str, "openapp")
    if catalog != "openapp":
        try:
            path = find("catalogs", catalog, str(folder / NAME)).resolve()
            read_catalog(read_yaml(path))
        except FixtureError as error:
            raise table.error("catalog", str(error)) from None
        catalog = str(path)
    settings = table.table("settings").only(*Settings.__struct_fields__)
    found = {name: settings.raw(name) for name in settings}
    for name, value in found.items():
        try:
            msgspec.convert({name: value}, Settings)
        except msgspec.ValidationError as error:
            raise settings.error(name, str(error).partition(" - at ")[0]) from None
    return Facts(catalog, found)


def _fits_together(root: Table, target: Target) -> None:
    """Refuses what would quietly leave most laws untried."""
    if target.may == "read-only" or target.ports.control is not None:
        return
    if "owner" not in target.credentials:
        raise root.error("credentials", f"may = {target.may!r} needs credentials.owner")
    if target.org is None:
        raise root.error("orgs", f"may = {target.may!r} needs orgs.own, the owner's organization")
