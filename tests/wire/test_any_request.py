"""Whatever the bytes: never an unasked 5xx, always the envelope and an id, and what is refused changes nothing."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server import bundles
from mock_server.app import create_app, create_mock
from mock_server.http.mock import MOST_WAITING, Mock
from tests.api.client import ACME, Answer, Client

WALL = 1_790_000_000_000_000
OPERATIONS = [
    (method.upper(), "" if api == "control" else "/api/v1", path)
    for api in ("openapp", "control")
    for path, item in json.loads(bundles.load(api))["paths"].items()
    for method in item
    if method in ("get", "put", "post", "delete", "patch")
]
WRITING = [
    (method, f"{base or '/_mock'}{path}") for method, base, path in OPERATIONS if method in ("PUT", "POST", "PATCH")
]
LOOKING = [
    f"/_mock/worlds{path}"
    for path in (
        "",
        *("/demo", "/demo/settings", "/demo/state", "/demo/credentials", "/demo/snapshots", "/demo/faults"),
        *("/demo/requests", "/demo/requests/1", "/demo/requests/export", "/demo/audit", "/demo/diff"),
        *("/demo/clock", "/demo/clock/agenda"),
    )
]
PARAMETERS = ("wait", "at_least", "since", "limit", "status", "operation", "caller", "problem", "fault", "format")
KEYS = st.sampled_from(["demo-owner", "demo-operator", None])
VALUES = st.binary(max_size=60).map(lambda raw: raw.decode("latin-1"))
NAMES = st.sampled_from(
    [
        "x-api-key",
        "authorization",
        "content-type",
        "content-encoding",
        "x-correlation-id",
        "x-mock-world",
        "x-org",
        "host",
        "origin",
        "accept",
        "idempotency-key",
        "stripe-signature",
        "access-control-request-method",
        "access-control-request-headers",
        "expect",
        "x-any",
    ]
)
HEADERS = st.lists(st.tuples(NAMES, VALUES), max_size=6)
SEGMENTS = st.one_of(
    st.sampled_from(
        [
            "api",
            "v1",
            "w",
            "demo",
            "openapp",
            "_mock",
            "worlds",
            "orgs",
            ACME,
            "billing",
            "plan",
            "clock",
            "..",
            ".",
            "",
        ]
    ),
    st.binary(max_size=12).map(lambda raw: quote_from_bytes(raw, safe="")),
    st.binary(max_size=12).map(lambda raw: raw.decode("latin-1").replace("/", "_")),
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
JSONS = st.recursive(
    LEAVES,
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=10), each, max_size=3),
    max_leaves=8,
)


@pytest.fixture
def mock() -> Iterator[Mock]:
    mock = create_mock(wall=lambda: WALL, fresh_seed=lambda: 7)
    yield mock
    assert list(mock.breaches) == []


@pytest.fixture
def client(mock: Mock) -> Client:
    return Client(create_app(mock))


def _filled(path: str) -> str:
    names = {"id": ACME, "provider": "stripe", "world": "demo", "snapshot": "taken", "fault": "added", "number": "1"}
    for name, value in names.items():
        path = path.replace(f"{{{name}}}", value)
    return path


def _check(mock: Mock, before: object, answer: Answer) -> None:
    assert answer.status < 500, answer.body
    assert not mock.breaches, mock.breaches
    assert answer.headers["x-request-id"]
    if answer.status >= 400:
        body = answer.json
        assert {"message", "error_code", "code", "correlationId"} <= body.keys()
        assert body["correlationId"] == answer.headers["x-request-id"]
        world = mock.worlds.get("demo")
        assert world is not None
        assert world.state is before, "a refused request left a trace"


def _state(mock: Mock) -> object:
    world = mock.worlds.get("demo")
    assert world is not None
    return world.state


@given(target=st.sampled_from(WRITING), body=st.binary(max_size=300), key=KEYS, is_json=st.booleans())
@settings(max_examples=200)
def test_any_bytes_as_a_body(
    mock: Mock, client: Client, target: tuple[str, str], body: bytes, key: str | None, is_json: bool
) -> None:
    before = _state(mock)
    headers = {"content-type": "application/json"} if is_json else {}
    _check(mock, before, client.request(target[0], _filled(target[1]), key=key, body=body, headers=headers))


@given(target=st.sampled_from(WRITING), value=JSONS, key=KEYS)
@settings(max_examples=200)
def test_any_json_as_a_body(mock: Mock, client: Client, target: tuple[str, str], value: Any, key: str | None) -> None:
    before = _state(mock)
    body = json.dumps(value).encode("utf-8", "surrogatepass")
    headers = {"content-type": "application/json"}
    _check(mock, before, client.request(target[0], _filled(target[1]), key=key, body=body, headers=headers))


@given(headers=HEADERS, target=st.sampled_from([*WRITING, ("GET", "/api/v1/plans"), ("OPTIONS", "/api/v1/plans")]))
@settings(max_examples=200)
def test_any_headers(mock: Mock, client: Client, headers: list[tuple[str, str]], target: tuple[str, str]) -> None:
    before = _state(mock)
    _check(mock, before, client.request(target[0], _filled(target[1]), headers=headers, body=b'{"tier_slug":"pro"}'))


@given(
    root=st.sampled_from(["/api/v1", "/_mock", "/w", "/w/demo", "/openapp/api", f"/api/v1/orgs/{ACME}/billing", ""]),
    segments=st.lists(SEGMENTS, min_size=1, max_size=6),
    method=st.sampled_from(["GET", "POST", "DELETE", "OPTIONS", "HEAD", "TRACE", "M-SEARCH"]),
    key=KEYS,
)
@settings(max_examples=200)
def test_any_path(mock: Mock, client: Client, root: str, segments: list[str], method: str, key: str | None) -> None:
    path = f"{root}/{'/'.join(segments)}"
    if method == "DELETE" and path.startswith("/_mock"):
        return
    before = _state(mock)
    answer = client.request(method, path, key=key)
    if method == "HEAD":
        assert (answer.status < 500, answer.body) == (True, b"")
    elif answer.headers.get("content-type", "").partition(";")[0] not in (
        "text/plain",
        "text/html",
    ):  # else it is a page
        _check(mock, before, answer)


@given(
    query=st.binary(max_size=100),
    target=st.sampled_from(["/api/v1/plans", *LOOKING]),
)
@settings(max_examples=200)
def test_any_query(mock: Mock, client: Client, query: bytes, target: str) -> None:
    before = _state(mock)
    _check(mock, before, client.request("GET", target, query=query))


@given(
    members=st.lists(
        st.tuples(
            st.sampled_from([*PARAMETERS, "within", "with", "snapshot", "api"]),
            st.one_of(
                st.sampled_from(
                    ["0", "1", "-1", "9" * 30, "1e3", "4xx", "", "%", "%zz", "%00", "%FF", "P1D", "PT", "har"]
                ),
                st.binary(max_size=12).map(quote_from_bytes),
            ),
        ),
        max_size=4,
    ),
    target=st.sampled_from(LOOKING),
)
@settings(max_examples=300)
def test_any_values_in_the_query_of_the_control_api(
    mock: Mock, client: Client, members: list[tuple[str, str]], target: str
) -> None:
    before = _state(mock)
    query = "&".join(f"{name}={value}" for name, value in members).encode("latin-1")
    answer = client.request("GET", target, query=query)
    _check(mock, before, answer)
    assert answer.status in (200, 400, 404)


@pytest.mark.parametrize("path", ["snapshots/{}", "snapshots/{}/restore", "faults/{}", "requests/{}"])
@pytest.mark.parametrize(
    "name",
    ["%FF", "%00", "%2F", "..", "%2e%2e", "%zz", "%", "A", "-a", "a" * 64, "a" * 5_000, "%F0%9F%98%80", "9" * 40, "0"],
)
def test_names_that_cannot_be_ones(mock: Mock, client: Client, path: str, name: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        answer = client.request(method, f"/_mock/worlds/demo/{path.format(name)}")
        _check(mock, _state(mock), answer)
        assert answer.status in (400, 404, 405)


HOSTILE = {
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"delay":' * 50_000,
    "deep and closed": b'{"when":"after","do":"lose","message":' + b"[" * 90 + b"]" * 90 + b"}",
    "a number of 100,000 digits": b'{"when":"after","do":"lose","count":' + b"9" * 100_000 + b"}",
    "infinity": b'{"when":"after","do":"lose","probability":1e999}',
    "not a number": b'{"when":"after","do":"lose","probability":NaN}',
    "half a surrogate pair": b'{"when":"after","do":"lose","caller":"\\ud800","id":"\\ud800"}',
    "a name of 100 kB": b'{"id":"' + b"a" * 100_000 + b'"}',
    "100,000 members": b"{" + b",".join(b'"m%d":1' % n for n in range(100_000)) + b"}",
    "the same member again": b'{"id":"a","id":"b","when":"after"}',
    "no UTF-8": b'{"id":"\xff"}',
    "NUL": b'{"id":"\x00"}',
    "nothing": b"",
}


PATHS = ["faults", "snapshots", "clock", "fork", "usage", "settings"]
HOSTILE_TO = [
    pytest.param(path, body, id=f"{path}-{name}")
    for path in PATHS
    for name, body in HOSTILE.items()
    if (path, body) != ("snapshots", b"")  # where every member may be left out, so may the body
]


@pytest.mark.parametrize(("path", "body"), HOSTILE_TO)
def test_hostile_bodies_for_the_control_api(mock: Mock, client: Client, path: str, body: bytes) -> None:
    method = "PATCH" if path == "settings" else "POST"
    headers = {"content-type": "application/json"}
    before = _state(mock)
    answer = client.request(method, f"/_mock/worlds/demo/{path}", body=body, headers=headers)
    _check(mock, before, answer)
    assert answer.status in (400, 413)
    assert client.request("GET", "/_mock/worlds/demo/faults").json == {"faults": []}
    assert client.request("GET", "/_mock/worlds/demo/snapshots").json == {"snapshots": []}


def test_ten_thousand_waits_at_once() -> None:
    """A few may wait; the others are told so at once, and all are over when the world is gone."""

    async def never(seconds: float) -> None:
        await asyncio.Event().wait()

    mock = create_mock(wall=lambda: WALL, fresh_seed=lambda: 7, sleep=never)
    client = Client(create_app(mock))

    async def all_of_them() -> None:
        await client.ask("POST", "/_mock/worlds", json={"name": "w"})
        path = "/_mock/worlds/w/requests"
        waits = [asyncio.ensure_future(client.ask("GET", path, query=b"wait=60")) for _ in range(10_000)]
        for _ in range(5):
            await asyncio.sleep(0)
        refused = [each.result() for each in waits if each.done()]
        assert len(refused) == 10_000 - MOST_WAITING
        assert {(each.status, each.code) for each in refused} == {(409, "too_many_waiting")}
        assert (await client.ask("DELETE", "/_mock/worlds/w")).status == 204
        assert sorted({(await each).status for each in waits}) == [404, 409]

    asyncio.run(all_of_them())
    assert (mock.waiting, list(mock.breaches)) == (0, [])


@given(data=st.data())
@settings(max_examples=200)
def test_any_mangled_state_is_taken_or_refused(mock: Mock, client: Client, data: st.DataObject) -> None:
    """A saved world in which one value was replaced or left out. What is taken must be usable afterwards."""
    client.request("POST", f"/api/v1/orgs/{ACME}/billing/checkout", key="demo-owner", json={"tier_slug": "pro"})
    document = client.request("GET", "/_mock/worlds/demo/state").json
    mangled = copy.deepcopy(document)
    node: Any = mangled
    while True:
        steps = list(node) if isinstance(node, dict) else range(len(node))
        step = data.draw(st.sampled_from(steps))
        below = node[step]
        if not isinstance(below, dict | list) or not below or data.draw(st.booleans()):
            break
        node = below
    if data.draw(st.booleans()):
        del node[step]
    else:
        node[step] = data.draw(JSONS)
    before = _state(mock)
    body = json.dumps(mangled).encode("utf-8", "surrogatepass")
    answer = client.request("PUT", "/_mock/worlds/demo/state", body=body, headers={"content-type": "application/json"})
    _check(mock, before, answer)
    for path in ("plan", "usage", "degradation", "upgrade-options"):
        _check(mock, _state(mock), client.request("GET", f"/api/v1/orgs/{ACME}/billing/{path}", key="demo-owner"))
    _check(mock, _state(mock), client.request("GET", "/_mock/worlds/demo/state"))
    _check(mock, _state(mock), client.request("GET", "/_mock/worlds/demo/credentials"))
    assert client.request("POST", "/_mock/worlds/demo/reset").status == 200


@pytest.mark.parametrize("length", ["\xb2", "\xb9\xb3", "-1", "x", "1.0", "9" * 5_000, "\xbd", ""])
def test_any_content_length_that_a_server_lets_through(mock: Mock, client: Client, length: str) -> None:
    """uvicorn's parser takes digits only; the app must not rely on it."""
    headers = {"content-length": length, "content-type": "application/json"}
    path = f"/api/v1/orgs/{ACME}/billing/checkout"
    answer = client.request("POST", path, key="demo-owner", body=b'{"tier_slug":"pro"}', headers=headers)
    assert answer.status in (200, 400, 413)


@pytest.mark.parametrize("path", ["*", "", "api/v1/plans"])
def test_a_path_without_a_slash(mock: Mock, client: Client, path: str) -> None:
    _check(mock, _state(mock), client.request("GET", path))
