"""Before any law is tried: does the target answer, and is every credential what it is said to be?

Only reads are sent. What a run could not tell from a broken law ends it here, in bounded time, with what was tried.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from mock_server import bundles
from mock_server.apis.openapp.catalog import read_catalog
from mock_server.fixtures import find, read_yaml

from .bundle import Bundle
from .discovery import Unreachable, mockbill_at
from .explaining import no_api, why_not
from .http import GONE, Allowance, Answer, Client, NoAnswer, Request, Stopped
from .places import Place, places_of
from .ports import PortError
from .target import Role, Target, TargetError

CALLS, SECONDS = 100, 60.0
MANAGE, READ = "billing:manage", "billing:read"


def preflight(target: Target, now: int, run: str) -> list[str]:
    """Hints that are no errors. Raises Unreachable, or TargetError with the role or port that is not what it should be."""
    allowance = Allowance(CALLS, target.rate, SECONDS)
    bundle = Bundle(msgspec.json.decode(bundles.load(target.api)))
    try:
        plans = _reached(target, allowance)
        hints = _plans(plans, target)
        _control_port_answers(target)
        try:
            places = places_of(target, allowance, now, run)
        except PortError as error:
            raise TargetError(f"ports.control: {error}") from None
        try:
            place = places.fresh()
            try:
                _told_time(place)
                hints += _Roles(target, bundle, place).wrong()
            finally:
                places.leave(place)
        finally:
            places.close()
    except Stopped as end:
        if end.reason.startswith(GONE):
            raise Unreachable(f"{target.url}: {end.reason}") from None
        raise Unreachable(f"{target.url} is too slow: a few reads took more than {SECONDS:g} s") from None
    except PortError as error:
        raise TargetError(f"ports: {error}") from None
    return hints


def _reached(target: Target, allowance: Allowance) -> Answer:
    """The answer to GET /plans, for which nobody has to be known. Raises Unreachable."""
    client = Client(target.url, allowance, target.timeout)
    reasons = []
    try:
        for path in ("/status", "/plans"):
            tried = f"GET {target.url}{path}"
            try:
                answer = client.send(Request("GET", path, tuple(target.extra_headers.items())))
            except NoAnswer as error:
                raise Unreachable(
                    f"{target.url} does not answer: {why_not(tried, str(error), target.timeout)}"
                ) from None
            if (reason := no_api(answer)) is not None:
                reasons.append(f"tried {tried}: {reason}")
            elif answer.status in (404, 405, 410):
                reasons.append(f"tried {tried}: {answer.status}")
    finally:
        client.close()
    if len(reasons) == 2:
        raise Unreachable(f"{target.url} is not where the API is: {'; '.join(reasons)}")
    return answer


class _Roles:
    def __init__(self, target: Target, bundle: Bundle, place: Place) -> None:
        self._target, self._bundle, self._place = target, bundle, place
        self._org = place.names.get("org", "")
        self._hints: list[str] = []

    def wrong(self) -> list[str]:
        """Raises TargetError for the first credential that is not what it is said to be; gives hints."""
        checks = {
            "owner": self._owner,
            "reader": self._reader,
            "member": self._member,
            "other": self._other,
            "operator": self._operator,
            "revoked": self._revoked,
        }
        for role in self._target.credentials:
            if role == "operator" or self._org:
                checks[role]()
            else:
                self._hints.append(f"credentials.{role} was not tried, because orgs.own is missing")
        return self._hints

    def _owner(self) -> None:
        self._expect("owner", "get_org_billing_plan", (200,), "read the plan of orgs.own")
        granted = self._granted("owner")
        if self._target.may != "read-only" and granted is not None and not {MANAGE, "admin"} & granted:
            raise self._not("owner", f"must have {MANAGE} in orgs.own, but has only: {_listed(granted)}")

    def _reader(self) -> None:
        self._expect("reader", "get_org_billing_plan", (200,), "read the plan of orgs.own")
        granted = self._granted("reader")
        if granted is not None and {MANAGE, "admin"} & granted:
            raise self._not("reader", f"must not have {MANAGE}, but has: {_listed(granted)}")

    def _member(self) -> None:
        self._expect("member", "get_org_billing_plan", (403,), "be refused the plan of orgs.own")
        granted = self._granted("member")
        if granted is not None and {READ, MANAGE, "admin"} & granted:
            raise self._not("member", f"must have no billing permission, but has: {_listed(granted)}")

    def _other(self) -> None:
        self._expect("other", "get_org", (403, 404), "be refused orgs.own")
        other = self._place.names.get("other_org")
        if other is None:
            self._hints.append("orgs.other is missing, so credentials.other was only tried on orgs.own")
        else:
            self._expect("other", "get_org_billing_plan", (200,), "read the plan of orgs.other", other)

    def _operator(self) -> None:
        self._expect("operator", "get_admin_quota_overrides", (200,), "list the overrides")

    def _revoked(self) -> None:
        self._expect("revoked", "get_org_billing_plan", (401,), "be refused as unknown")

    def _granted(self, role: Role) -> set[str] | None:
        answer = self._asked(role, "get_org_permissions", self._org)
        found: Any = answer.json if answer.status == 200 else None
        listed = found.get("permissions") if isinstance(found, Mapping) else None
        if not isinstance(listed, list):
            self._hints.append(f"what credentials.{role} may do could not be read: {answer.status}")
            return None
        return {each for each in listed if isinstance(each, str)}

    def _expect(self, role: Role, operation: str, statuses: tuple[int, ...], what: str, org: str | None = None) -> None:
        answer = self._asked(role, operation, org or self._org)
        if answer.status in statuses:
            return
        due = " or ".join(map(str, statuses))
        path = self._request(role, operation, org or self._org).target
        why = no_api(answer) or f"{answer.status}{_message(answer, self._target)}"
        raise self._not(role, f"must {what}: GET {path} should answer {due}, and answered {why}")

    def _not(self, role: Role, text: str) -> TargetError:
        return TargetError(f"credentials.{role} is not what it is said to be: it {text}")

    def _asked(self, role: Role, operation: str, org: str) -> Answer:
        request = self._request(role, operation, org)
        try:
            return self._place.client.send(request)
        except NoAnswer as error:
            tried = f"GET {self._place.url}{request.target} as {role}"
            raise Unreachable(why_not(tried, str(error), self._target.timeout)) from None

    def _request(self, role: Role, operation: str, org: str) -> Request:
        headers = (("X-API-Key", self._target.credentials[role]), *self._target.extra_headers.items())
        known = self._bundle[operation]
        return known.request({"id": org} if "{id}" in known.path else {}, headers=headers)


def _control_port_answers(target: Target) -> None:
    """Raises TargetError if there is said to be a mockbill and is none."""
    port = target.ports.control
    if port is None:
        return
    try:
        if mockbill_at(port.url, target.api, port.token, target.timeout) is None:
            raise TargetError(f"ports.control: what answers at {port.url} is no mockbill")
    except Unreachable as error:
        raise TargetError(f"ports.control: {error}") from None


def _told_time(place: Place) -> None:
    """Raises TargetError if there is a clock that does not tell the time."""
    try:
        if place.clock is not None:
            place.clock.now()
    except PortError as error:
        raise TargetError(f"ports.clock: {error}") from None


def _plans(answer: Answer, target: Target) -> list[str]:
    """How the plans differ from the catalog that the model is set up with."""
    listed: Any = answer.json
    if answer.status != 200 or not isinstance(listed, Mapping) or not isinstance(listed.get("plans"), list):
        return [f"the plans could not be read: GET /plans answered {answer.status}"]
    catalog = read_catalog(read_yaml(find("catalogs", target.facts.catalog)))
    ours = {slug: tier.quotas for slug, tier in catalog.tiers.items() if tier.is_published}
    theirs = {str(each.get("slug")): _quotas(each) for each in listed["plans"] if isinstance(each, Mapping)}
    if ours == theirs:
        return []
    different = sorted(slug for slug in {*ours, *theirs} if ours.get(slug) != theirs.get(slug))
    return [
        f"the plans differ from the catalog {target.facts.catalog!r} in: {', '.join(different)[:200]}; the laws that know "
        "limits will say so. `mockbill contract init` writes the target's own plans as a catalog"
    ]


def _quotas(plan: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for each in plan.get("quotas") or []:
        if isinstance(each, Mapping):
            found.setdefault(str(each.get("quota_key")), {})[str(each.get("period"))] = each.get("limit_value")
    return found


def _listed(granted: set[str]) -> str:
    billing_first = sorted(granted, key=lambda each: (not each.startswith("billing"), each))
    return ", ".join(billing_first[:4]) + (", ..." if len(granted) > 4 else "") or "nothing"


def _message(answer: Answer, target: Target) -> str:
    """What the answer says of itself, in one line and without a secret."""
    found: Any = answer.json
    text = found.get("message") if isinstance(found, Mapping) else None
    if not isinstance(text, str):
        return ""
    for secret in target.secrets:
        text = text.replace(secret, "***")
    return " (" + "".join(letter for letter in text if letter.isprintable())[:160] + ")"
