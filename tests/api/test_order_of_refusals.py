"""Which complaint comes first when a request deserves several: 413, 401, 403, 415, 400, 403 foreign org, 404."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mock_server.http.mock import Mock

from .client import ACME, World
from .recipes import BIG, OPENAPP
from .request import Request, org

ORDER = ["413", "401", "403 permission", "415", "400", "403 organization"]
TO_SPOIL: dict[str, Callable[[Request], Request]] = {
    "413": lambda r: r.but(json=..., body=BIG, headers={"content-type": "application/json", **_kept(r)}),
    "401": lambda r: r.but(key="nobody"),
    "403 permission": lambda r: r.but(key=r.unprivileged),
    "415": lambda r: r.but(json=..., body=b'{"a":', headers={"content-type": "text/plain", **_kept(r)}),
    "400": lambda r: r.but(headers={**r.parts["headers"], "x-correlation-id": "two words"}),
    "403 organization": lambda r: r.but(path=r.parts["path"].replace(ACME, "01J9ZC3M4N5P6Q7R8S9T0V1W2Y")),
}


def _kept(request: Request) -> dict[str, str]:
    return {name: value for name, value in request.parts["headers"].items() if name != "content-type"}


def applicable(request: Request) -> list[str]:
    parts = request.parts
    faults = ["400"]
    if parts["key"] is not None:
        faults.append("401")
        if request.unprivileged is not None:
            faults.append("403 permission")
    if parts["json"] is not ... or parts["body"]:
        faults.append("413")
    if parts["json"] is not ...:
        faults.append("415")
    if ACME in parts["path"]:
        faults.append("403 organization")
    return sorted(faults, key=ORDER.index)


PAIRS = [
    (name, first, second)
    for name, request in OPENAPP.items()
    for at, first in enumerate(applicable(request))
    for second in applicable(request)[at + 1 :]
    # One body can only be wrong in one of these ways, and one key cannot be unknown and known.
    if {first, second} not in ({"413", "415"}, {"401", "403 permission"})
]


@pytest.mark.parametrize(("operation", "first", "second"), PAIRS)
def test_the_first_complaint_wins(operation: str, first: str, second: str, world: World) -> None:
    spoilt = TO_SPOIL[first](TO_SPOIL[second](OPENAPP[operation].prepared(world)))
    answer = spoilt.send(world)
    assert answer.status == int(first.split(maxsplit=1)[0]), answer.body


def test_there_are_pairs_for_every_operation() -> None:
    assert {name for name, _, _ in PAIRS} >= OPENAPP.keys() - {"get_status", "get_plans", "get_public_portal"}


@pytest.mark.parametrize("operation", OPENAPP)
def test_a_refused_request_leaves_no_trace(operation: str, mock: Mock, world: World) -> None:
    request = OPENAPP[operation].prepared(world)
    before = mock.worlds.get("still").state  # type: ignore[union-attr]
    for fault in applicable(request):
        assert TO_SPOIL[fault](request).send(world).status >= 400
    assert mock.worlds.get("still").state is before  # type: ignore[union-attr]


def test_a_foreign_organization_looks_the_same_whether_it_exists_or_not(world: World) -> None:
    there = world.billing("GET", "plan", org="01J9ZC3M4N5P6Q7R8S9T0V1W2Y")
    nowhere = world.billing("GET", "plan", org="01J9ZC3M4N5P6Q7R8S9T0V1W99")
    shown = [(a.status, a.code, a.json["message"].replace(a.json["details"]["org_id"], "")) for a in (there, nowhere)]
    assert shown[0] == shown[1]


def test_a_missing_permission_is_named(world: World) -> None:
    answer = Request("GET", org("plan"), "demo-member").send(world)
    assert "billing:read" in answer.json["message"]
    assert answer.json["details"] == {
        "permission": "billing:read",
        "granted": ["devices:list", "devices:read", "entities:list", "entities:read", "entities:set_state"],
    }
