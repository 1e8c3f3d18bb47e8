"""Why a request was refused: by the right check, with a rule in words and a clause that can be looked up."""

from __future__ import annotations

import copy
import json
from functools import cache
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mock_server.http.mock import Mock, Options
from mock_server.http.schemas import Validators

from .client import ACME, Answer, World
from .recipes import BIG, OPENAPP
from .request import Request
from .test_every_status import OPENAPP_CASES
from .watching import entry, new_world

CHECKS = {
    400: {"schema", "state", "signature"},
    401: {"credential"},
    403: {"permission"},
    404: {"route", "state"},
    405: {"route"},
    409: {"state"},
    413: {"size"},
    415: {"media_type"},
    422: {"state"},
    429: {"quota"},
    501: {"state"},
}
REFUSALS = sorted((name, status) for name, status in OPENAPP_CASES if status >= 400)


def value_at(document: Any, pointer: str) -> Any:
    """RFC 6901. Raises LookupError or ValueError."""
    assert pointer == "" or pointer.startswith("/"), pointer
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        document = document[int(name) if isinstance(document, list) else name]
    return document


def looked_up(mock: Mock, world: World, clause: dict[str, str]) -> Any:
    """What a clause points at. Raises LookupError."""
    if clause["document"] == "bundle":
        return value_at(mock.served["openapp"].contract.bundle, clause["pointer"])
    assert clause["document"] in ("catalog", "world"), clause
    return value_at(world.control("GET", "/state").json["domain"], clause["pointer"])


def secrets(world: World) -> set[str]:
    credentials = world.control("GET", "/credentials").json["credentials"]
    return {each["secret"] for each in credentials} | {"whsec_demo"}


def explained(world: World, answer: Answer) -> dict[str, Any]:
    explanation: dict[str, Any] = entry(world, answer)["explanation"]
    assert explanation is not None, answer.body
    return explanation


@pytest.mark.parametrize(("operation", "status"), REFUSALS, ids=str)
def test_every_declared_refusal_is_explained(mock: Mock, world: World, operation: str, status: int) -> None:
    request = OPENAPP_CASES[operation, status].prepared(world)
    answer = request.send(world)
    assert answer.status == status
    shown = entry(world, answer)
    explanation = shown["explanation"]
    assert explanation["check"] in CHECKS[status]
    assert explanation["rule"].strip()
    assert explanation["rule"][0].isupper() or not explanation["rule"][0].isalpha()
    looked_up(mock, world, explanation["clause"])
    assert explanation["clause"]["pointer"]
    assert len(set(explanation["legal"])) == len(explanation["legal"])
    assert all(each.strip() for each in explanation["legal"])
    assert not [name for name in explanation["facts"] if name.startswith("_")]
    told = json.dumps(explanation)
    assert not [secret for secret in secrets(world) if secret in told]
    assert shown["why"] == answer.json["message"]


@pytest.mark.parametrize(("operation", "status"), REFUSALS, ids=str)
def test_looking_at_an_explanation_changes_nothing(mock: Mock, world: World, operation: str, status: int) -> None:
    answer = OPENAPP_CASES[operation, status].send(world)
    inside = mock.worlds.get("still")
    assert inside is not None
    state = inside.state
    assert explained(world, answer) == explained(world, answer)
    assert inside.state is state


def test_an_explanation_is_of_the_moment_of_its_refusal(world: World) -> None:
    """What has become of the world since does not change why it was refused then."""
    answer = OPENAPP_CASES["create_zone", 429].send(world)
    before = explained(world, answer)
    world.billing("POST", "checkout", json={"tier_slug": "business"})
    world.advance("P40D")
    assert explained(world, answer) == before


class TestRoute:
    def test_of_a_path_that_does_not_answer_a_method(self, mock: Mock, world: World) -> None:
        explanation = explained(world, world.call("DELETE", f"/orgs/{ACME}/billing/plan"))
        assert explanation["check"] == "route"
        assert explanation["clause"] == {"document": "bundle", "pointer": "/paths/~1orgs~1{id}~1billing~1plan"}
        assert looked_up(mock, world, explanation["clause"])
        assert explanation["legal"][0] == "The path answers GET, HEAD, OPTIONS."

    def test_of_a_path_that_is_none(self, world: World) -> None:
        explanation = explained(world, world.call("GET", "/plan"))
        assert (explanation["check"], explanation["clause"]["pointer"]) == ("route", "/paths")
        assert any("GET /api/v1/plans" in each for each in explanation["legal"])

    @pytest.mark.parametrize("prefix", ["", "/api/v1", "/openapp/api/v1", "/openapp"])
    def test_however_it_was_addressed(self, mock: Mock, world: World, prefix: str) -> None:
        answer = world.client.request("DELETE", f"/w/still{prefix}/plans", key="demo-owner")
        assert answer.status == 405
        assert explained(world, answer)["clause"] == {"document": "bundle", "pointer": "/paths/~1plans"}


@pytest.mark.parametrize("key", [None, "nobody", "demo-revoked", "x_openapp_demo-revoked@still"])
def test_a_credential_is_explained_without_being_told(world: World, key: str | None) -> None:
    answer = world.call("GET", "/zones", key)
    explanation = explained(world, answer)
    assert (answer.status, explanation["check"]) == (401, "credential")
    assert "demo-revoked" not in json.dumps(explanation)


def test_a_permission_is_named(mock: Mock, world: World) -> None:
    explanation = explained(world, world.call("POST", "/zones", "demo-reader", json={"name": "Attic"}))
    assert looked_up(mock, world, explanation["clause"]) in json.dumps(explanation["legal"])


def test_a_size_and_a_media_type_are_named(mock: Mock, world: World) -> None:
    big = explained(world, world.call("POST", "/zones", body=BIG, headers={"content-type": "application/json"}))
    assert any(each.startswith("Send at most") for each in big["legal"])
    other = explained(world, world.call("POST", "/zones", body=b"{}", headers={"content-type": "text/plain"}))
    assert other["legal"] == ["Send Content-Type: application/json."]
    assert "application/json" in looked_up(mock, world, other["clause"])


OVERRIDE = {"subject_type": "org", "subject_id": ACME, "quota_key": "devices", "limit_value": 7}
OF_THE_MODEL: list[tuple[str, str, str | None, Any, dict[str, str], str, str]] = [
    ("POST", f"/orgs/{ACME}/billing/checkout", "demo-owner", {"tier_slug": "gold"}, {}, "unknown_tier", "state"),
    ("POST", "/billing/webhooks/stripe", None, {}, {}, "signature_missing", "signature"),
    ("POST", "/billing/webhooks/stripe", None, {}, {"stripe-signature": "t=1,v1=00"}, "signature_invalid", "signature"),
    ("POST", "/admin/quota_overrides", "demo-operator", {**OVERRIDE, "quota_key": "no_such"}, {}, "", "schema"),
    ("POST", "/admin/quota_overrides", "demo-operator", {**OVERRIDE, "subject_type": "user"}, {}, "", "schema"),
    ("POST", "/zones", "demo-operator", {"name": "Attic"}, {}, "invalid_request", "schema"),
    ("POST", "/zones", "demo-globex", {"name": "Attic"}, {"x-org": ACME}, "forbidden", "permission"),
    ("POST", "/api-keys", "demo-owner", {"name": "k", "scoped_roles": ["emperor"]}, {}, "unknown_role", "schema"),
    ("POST", "/api-keys", "demo-owner", {"name": "k", "expires_in": "yesterday"}, {}, "invalid_request", "schema"),
]


@pytest.mark.parametrize(("method", "path", "key", "body", "headers", "code", "check"), OF_THE_MODEL, ids=str)
def test_what_the_model_refuses_is_explained_by_the_model(
    mock: Mock,
    world: World,
    method: str,
    path: str,
    key: str | None,
    body: Any,
    headers: dict[str, str],
    code: str,
    check: str,
) -> None:
    answer = world.call(method, path, key, json=body, headers=headers)
    assert answer.status in (400, 403), answer.body
    assert answer.code == code or not code
    explanation = explained(world, answer)
    assert explanation["check"] == check
    looked_up(mock, world, explanation["clause"])
    assert explanation["legal"]
    assert "whsec_demo" not in json.dumps(explanation)


# -- schemas ------------------------------------------------------------------------------------------------------

BODIES = [
    ("create_zone", {}, "required"),
    ("create_zone", {"name": "Attic", "x": 1}, "additionalProperties"),
    ("create_zone", [], "type"),
    ("create_zone", {"name": "Attic", "parent_zone_id": 5}, "type"),
    ("put_org_billing_degradation_policy", {"policy": "random"}, "enum"),
    ("put_org_billing_degradation_policy", {"policy": 1}, None),
    ("reverse_geocode", {"lat": 91, "lng": 0}, "maximum"),
    ("reverse_geocode", {"lat": 0, "lng": -181}, "minimum"),
    ("reverse_geocode", {"lat": "0", "lng": 0}, "type"),
    ("translate_locale_content", {"target_locales": ["de", "de"]}, "uniqueItems"),
    ("translate_locale_content", {"target_locales": []}, "minItems"),
    ("translate_locale_content", {"target_locales": [f"de-{n:04}" for n in range(21)]}, "maxItems"),
    ("translate_locale_content", {"target_locales": ["de", "not a tag"]}, "pattern"),
    ("translate_locale_content", {"target_locales": ["de", "x"]}, None),
    ("translate_locale_content", {"title": "x" * 501}, "maxLength"),
    ("post_admin_quota_override", {"limit_value": "7"}, "type"),
    ("post_admin_quota_override", {"limit_value": 1.5}, "type"),
    ("post_admin_quota_override", {"expires_at": 5}, "type"),
    ("post_admin_quota_override", {"subject_id": ""}, None),
    ("create_org", {"name": 5}, None),
    ("create_user", {"name": {"en": 5}}, None),
    ("create_user", {"email": "no address"}, None),
    ("create_integration", {"secrets": []}, "type"),
]


def refused_body(operation: str, body: Any) -> tuple[Mock, World, Answer, Any]:
    mock, world = new_world()
    fine = OPENAPP[operation]
    whole = {**fine.parts["json"], **body} if isinstance(body, dict) and body else body
    return mock, world, fine.but(json=whole).send(world), whole


@pytest.mark.parametrize(("operation", "body", "keyword"), BODIES, ids=str)
def test_a_body_breaks_the_very_keyword_that_is_pointed_at(operation: str, body: Any, keyword: str | None) -> None:
    mock, world, answer, whole = refused_body(operation, body)
    assert answer.status == 400
    explanation = explained(world, answer)
    assert explanation["check"] == "schema"
    pointer = explanation["clause"]["pointer"]
    assert pointer.startswith(("/components/", "/paths/"))
    if keyword is not None:
        assert pointer.endswith(f"/{keyword}")
    assert breaks(mock, pointer, value_at(whole, answer.json["details"]["pointer"]))


def breaks(mock: Mock, pointer: str, value: Any) -> bool:
    """Whether the value is refused by the one keyword that the pointer leads to, on its own."""
    bundle = mock.served["openapp"].contract.bundle
    holder, _, keyword = pointer.rpartition("/")
    schema = value_at(bundle, holder)
    beside = {"type": ["nullable"], "additionalProperties": ["properties"], "enum": ["nullable"]}.get(keyword, [])
    alone = {name: schema[name] for name in [keyword, *beside] if name in schema}
    assert keyword in schema, pointer
    return not Validators(bundle).of(alone).is_valid(value)


@cache
def with_bodies() -> dict[str, Request]:
    return {name: each for name, each in OPENAPP.items() if isinstance(each.parts["json"], dict)}


leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**65), 2**65),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="utf-8"), max_size=4),
    st.text("ab", min_size=499, max_size=502),
    st.just([]),
    st.just({}),
    st.lists(st.text("ab", max_size=2), max_size=3),
    st.dictionaries(
        st.sampled_from(["en", "de", "not a tag"]), st.one_of(st.text(max_size=3), st.integers()), max_size=2
    ),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for step, each in inner for found in places(each, (*path, step)))]


@settings(max_examples=200)
@given(st.data())
def test_whatever_is_wrong_with_a_body_the_pointer_leads_to_what_it_breaks(data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from(sorted(with_bodies())))
    mock, world, prepared = prepared_for(operation)
    body = copy.deepcopy(prepared.parts["json"])
    declared = declared_members(mock, operation)
    for _ in range(data.draw(st.integers(1, 2))):
        path = data.draw(st.sampled_from(places(body)))
        value = data.draw(leaves)
        if path == ():
            if data.draw(st.booleans()):
                body = (
                    {**body, data.draw(st.sampled_from([*declared, "unknown"])): value}
                    if isinstance(body, dict)
                    else value
                )
            else:
                body = value
            continue
        node = body
        for step in path[:-1]:
            node = node[step]
        if data.draw(st.booleans()):
            node[path[-1]] = value
        else:
            del node[path[-1]]
    answer = prepared.but(json=body).send(world)
    assume(answer.status == 400 and "pointer" in answer.json.get("details", {}))
    explanation = explained(world, answer)
    assert explanation["check"] == "schema"
    assert explanation["clause"]["document"] == "bundle"
    # What is not JSON as the schema means it (a huge integer, say) is the same once it has been sent.
    where = value_at(json.loads(json.dumps(body)), answer.json["details"]["pointer"])
    assert breaks(mock, explanation["clause"]["pointer"], where), (explanation, where)


@cache
def prepared_for(operation: str) -> tuple[Mock, World, Request]:
    mock, world = new_world()
    return mock, world, OPENAPP[operation].prepared(world)


def declared_members(mock: Mock, operation: str) -> list[str]:
    contract = mock.served["openapp"].contract
    schema = contract.operations[operation].raw["requestBody"]["content"]["application/json"]["schema"]
    while "$ref" in schema:
        schema = value_at(contract.bundle, schema["$ref"][1:])
    return sorted(schema.get("properties", {}))


PARAMETERS = [
    ("list_orgs", {"headers": {"x-correlation-id": "two words"}}, "/pattern"),
    ("list_orgs", {"headers": {"x-correlation-id": "x" * 129}}, "/maxLength"),
    ("delete_device", {"query": b"recursive=perhaps"}, "/type"),
    ("delete_zone", {"query": b"cascade=everything"}, "/enum"),
]


@pytest.mark.parametrize(("operation", "changes", "end"), PARAMETERS, ids=str)
def test_a_parameter_too(mock: Mock, world: World, operation: str, changes: dict[str, Any], end: str) -> None:
    answer = OPENAPP[operation].but(**changes).send(world)
    assert answer.status == 400
    explanation = explained(world, answer)
    assert explanation["clause"]["pointer"].endswith(end)
    assert looked_up(mock, world, explanation["clause"]) is not None
    assert explanation["legal"]


@pytest.mark.parametrize(
    "query", [b"page=0", b"page=x", b"page=99999999999999999999", b"limit=-1", b"page_size=1000000"]
)
def test_numbers_in_queries(mock: Mock, world: World, query: bytes) -> None:
    answer = world.call("GET", "/orgs", query=query)
    if answer.status == 200:
        assert (
            query.partition(b"=")[0].decode() not in mock.served["openapp"].contract.operations["list_orgs"].query_names
        )
        return
    explanation = explained(world, answer)
    assert explanation["clause"]["pointer"].rpartition("/")[2] in ("minimum", "maximum", "type")
    assert looked_up(mock, world, explanation["clause"]) is not None


class TestStrict:
    @pytest.fixture
    def options(self) -> Options:
        return Options(strict=True)

    def test_an_unknown_parameter_leads_to_the_operation_that_does_not_have_it(self, mock: Mock, world: World) -> None:
        explanation = explained(world, world.call("GET", "/zones", query=b"colour=red"))
        assert explanation["check"] == "schema"
        assert explanation["clause"]["pointer"] == "/paths/~1zones/get"


@pytest.mark.parametrize("body", [b"", b"{", b'{"a":1,"a":2}', b"\xff", b"[" * 100, b'{"a":NaN}'])
def test_what_is_not_json_leads_to_the_body(mock: Mock, world: World, body: bytes) -> None:
    explanation = explained(
        world, world.call("POST", "/zones", body=body, headers={"content-type": "application/json"})
    )
    assert explanation["check"] == "schema"
    assert "/requestBody" in explanation["clause"]["pointer"] or "/components/" in explanation["clause"]["pointer"]
    assert looked_up(mock, world, explanation["clause"]) is not None
