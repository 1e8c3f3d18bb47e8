"""`mockbill contract init`: a `contract.toml` to begin with, filled in as far as the target tells. Only reads are sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import yaml

from mock_server.apis.openapp.catalog import read_catalog
from mock_server.apis.openapp.model.state import Catalog, Settings
from mock_server.fixtures import FixtureError, Located, find, read_yaml

from .atomic import write_text
from .config import known_api
from .discovery import Unreachable, asked, mockbill_at
from .explaining import no_api
from .hosts import is_loopback, wrong_with
from .http import Answer, Request
from .target import TargetError
from .toml_lines import quoted

CATALOG = "catalog.yaml"
BASE_PATHS = ("", "/api/v1", "/openapp/api/v1", "/v1", "/api")
"""Where the API may be below the URL that was given, the likeliest first."""


class Facts(msgspec.Struct, frozen=True):
    """What the target has told of itself. `is_mockbill`: whether it has a control API."""

    url: str
    api: str
    is_mockbill: bool
    needs_token: bool
    version: str
    catalog: str | None
    """Its plans as a catalog, where they are not those of the built-in one."""
    remark: str


def write(url: str | None, api: str, output: Path, *, force: bool, token: str | None) -> Iterator[str]:
    """Write the file, and the catalog beside it if the plans need one; tells what it did. Raises TargetError, Unreachable."""
    if url is None:
        raise TargetError("which target is it for? Give its base URL as --url")
    catalog = output.parent / CATALOG
    _refuse_to_overwrite(output, force)
    facts = facts_of(url, known_api(api), token)
    if facts.catalog is not None:
        _refuse_to_overwrite(catalog, force)
    try:
        if facts.catalog is not None:
            write_text(catalog, facts.catalog)
            yield f"its plans are not the built-in ones; they are in {catalog}"
        write_text(output, text_of(facts))
    except OSError as error:
        raise TargetError(f"{error.filename or output}: cannot be written: {error.strerror}") from None
    if facts.remark:
        yield facts.remark
    where = "" if output == Path("contract.toml") else f" --config {output}"
    first = "" if facts.is_mockbill else "fill in credentials and orgs, then "
    yield f"wrote {output}. Next: {first}mockbill contract run{where}"


def facts_of(url: str, api: str, token: str | None = None) -> Facts:
    """What a target tells of itself. Raises TargetError or Unreachable."""
    host = (urlsplit(url).hostname or "") if "@" not in url else ""
    if (reason := wrong_with(url, (host,))) is not None:
        raise TargetError(f"--url: {reason}")
    url = url.rstrip("/")
    mockbill = mockbill_at(url, api, token)
    if mockbill is not None:
        return Facts(mockbill.origin + mockbill.path_of(url), api, True, token is not None, "", None, "")
    base = _base(url)
    status = asked(base, Request("GET", "/status")).json
    version = status.get("version") if isinstance(status, Mapping) else None
    catalog, remark = _catalog(asked(base, Request("GET", "/plans")))
    return Facts(base, api, False, False, _comment(version), catalog, remark)


def _refuse_to_overwrite(path: Path, force: bool) -> None:
    if path.exists() and not force:
        raise TargetError(f"{path} is there already; --force writes over it")


def _base(url: str) -> str:
    """The first base URL under which the API answers. Raises Unreachable."""
    tried = []
    for path in BASE_PATHS:
        answer = asked(url + path, Request("GET", "/plans"))
        if answer.status == 200 and isinstance(answer.json, Mapping) and "plans" in answer.json:
            return url + path
        tried.append(f"GET {url}{path}/plans: {no_api(answer) or answer.status}")
    raise Unreachable(f"the API is not below {url}: tried {'; '.join(tried)}")


def _catalog(answer: Answer) -> tuple[str | None, str]:
    """The plans as the text of a catalog, None if it need not be; and what there is to say of it."""
    text = "# The plans of the target, as it lists them. Unpublished ones and the provider's prices it does not tell.\n"
    plans = answer.json["plans"] if isinstance(answer.json, Mapping) else []
    try:
        document = {"mockbill_catalog": 1, "api": "openapp", "tiers": [_tier(each) for each in plans]}
        text += yaml.safe_dump(document, sort_keys=False, allow_unicode=True, default_flow_style=None, width=120)
        theirs = read_catalog(_located(text))
    except (FixtureError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        return None, f"its plans make no catalog ({_comment(error)}), so the built-in one is taken"
    ours = read_catalog(read_yaml(find("catalogs", "openapp")))
    return (None if _published(theirs) == _published(ours) else text), ""


def _located(text: str) -> Located[Any]:
    return Located("the plans", yaml.safe_load(text), None)


def _published(catalog: Catalog) -> list[Any]:
    return [
        (tier.slug, tier.sort_order, tier.is_default_for_personal, tier.quotas, tier.name, tier.description)
        for tier in catalog.tiers.values()
        if tier.is_published
    ]


def _tier(plan: Mapping[str, Any]) -> dict[str, Any]:
    quotas: dict[str, dict[str, Any]] = {}
    for each in plan.get("quotas") or []:
        quotas.setdefault(each["quota_key"], {})[each["period"]] = each["limit_value"]
    tier = {"slug": plan["slug"], "name": plan["name"], "sort_order": plan["sort_order"]}
    if plan.get("description") is not None:
        tier["description"] = plan["description"]
    if plan.get("is_default_for_personal"):
        tier["default_for_personal"] = True
    if plan.get("is_published") is False:
        tier["published"] = False
    return {**tier, "quotas": quotas}


def text_of(facts: Facts) -> str:
    """A `contract.toml` that can be read as it stands."""
    host = urlsplit(facts.url).hostname or ""
    hosts = "" if is_loopback(host) else host
    version = f"  # it says: {facts.version}" if facts.version else ""
    catalog = f'catalog = "./{CATALOG}"' if facts.catalog is not None else '# catalog = "./catalog.yaml"'
    names = ", ".join(Settings.__struct_fields__)
    return f"""\
# What `mockbill contract run` tests, who may call it, and what may be done to it.

[target]
url = {quoted(facts.url)}{version}
api = {quoted(facts.api)}
allowed_hosts = [{quoted(hosts) if hosts else ""}]  # besides this machine; no other host is ever called
# read-only: nothing is changed. own-objects: a run makes an organization below orgs.own and writes only there.
# (A run makes hundreds of organizations, and the API cannot delete one: they stay, called "mockbill contract <run>".)
# full: it may write to orgs.own itself. What a law needs beyond that is reported as not verified.
may = {quoted("full" if facts.is_mockbill else "read-only")}
calls = 50000      # at most so many in a run
# rate = 20.0      # at most so many calls a second
timeout = 10.0     # seconds for one call
# headers = {{ "X-Staging-Pass" = {{ env = "STAGING_PASS" }} }}   # sent with every call
{_credentials(facts)}
[model]  # what the contract leaves to an implementation
{catalog}
# settings = {{ checkout = "hosted", warn_days = 7 }}
# There are: {names}.

# [baseline]
# file = "known-findings.toml"   # `mockbill contract run --update-baseline` writes it
"""


def _credentials(facts: Facts) -> str:
    if facts.is_mockbill:
        parts = urlsplit(facts.url)
        token = 'token = { env = "MOCKBILL_TOKEN" }\n' if facts.needs_token else ""
        return f"""
# A mockbill gives every law a world of its own: credentials, organizations, clock and usage come with it.
[ports.control]
url = {quoted(f"{parts.scheme}://{parts.netloc}")}
{token}"""
    return """
# Take the # away from what you have. A text, or {env = "NAME"}: what the environment has under that name.
[credentials]
# owner = { env = "CONTRACT_OWNER" }        # may read and manage the billing of orgs.own
# reader = { env = "CONTRACT_READER" }      # may read it, and not manage it
# member = { env = "CONTRACT_MEMBER" }      # belongs to orgs.own, and may do neither
# other = { env = "CONTRACT_OTHER" }        # owns orgs.other, and must not reach orgs.own
# operator = { env = "CONTRACT_OPERATOR" }  # may set overrides under /admin
# revoked = { env = "CONTRACT_REVOKED" }    # was good once

[orgs]
# own = "..."
# other = "..."
# portal = "..."    # a public portal of orgs.own

# Ports: what the target offers beside its API. Without them some laws cannot be verified.
# The clock must be for these tests alone: a run moves it years ahead, and nothing takes it back.
# [ports.clock]     # GET gives {"now": "2026-03-01T00:00:00Z"}, POST {"set": ...} moves it forward and gives the same
# url = "http://127.0.0.1:9000/clock"
# call = "staging:clock"   # instead: a function of a module beside this file; takes such a text or None, gives one

# [ports.usage]     # POST {"org", "key", "amount"} uses up a metered quota
# url = "http://127.0.0.1:9000/usage"

# [ports.webhook]
# secret = { env = "CONTRACT_WEBHOOK_SECRET" }   # what the provider signs with
"""


def _comment(value: object) -> str:
    """Something that the target or a library has said, fit for one line."""
    if value is None:
        return ""
    return "".join(letter for letter in str(value) if letter.isprintable())[:120]
