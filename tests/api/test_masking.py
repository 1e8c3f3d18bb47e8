"""No secret that was sent or received is told by the journal, wherever it stood; and nothing else is lost with it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote, unquote_to_bytes

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mock_server.http.delivery import ConnectionLost
from mock_server.http.masking import MASKED

from .client import ACME, Answer, World
from .watching import add_fault, entry, left, make_zone, never, new_world, newest, numbers

JSON = {"content-type": "application/json"}
SECRETS = ["demo-owner", "demo-reader", "demo-operator", "demo-revoked", "sent-by-nobody", "pass/word+x=", 'quo"te\\d']
START = re.compile(rb'(?<=""")\\?\n\{.*?\n\}\n(?=""")', re.DOTALL)
FORMS: dict[str, Any] = {
    "bare": lambda secret: [("x-api-key", secret)],
    "with an origin": lambda secret: [("x-api-key", f"http://127.0.0.1:4010_openapp_{secret}")],
    "with a world": lambda secret: [("x-api-key", f"{secret}@still")],
    "with both": lambda secret: [("x-api-key", f"https://api.openapp.house_openapp_{secret}@still")],
    "as a bearer": lambda secret: [("authorization", f"Bearer {secret}")],
    "as a bearer in small letters": lambda secret: [("authorization", f"bearer   {secret} ")],
    "as a bearer with all": lambda secret: [("authorization", f"Bearer http://x_openapp_{secret}@still")],
    "twice": lambda secret: [("x-api-key", secret), ("x-api-key", secret)],
    "behind another one": lambda secret: [("x-api-key", "demo-member"), ("authorization", f"Bearer {secret}")],
    "behind another one, under another scheme": lambda secret: [
        ("x-api-key", "demo-member"),
        ("authorization", f"Token {secret}"),
    ],
    "under another scheme": lambda secret: [("authorization", f"Token {secret}")],
    "without a scheme": lambda secret: [("authorization", secret)],
}


def _escaped(secret: str) -> str:
    return "".join(f"\\u{ord(letter):04x}" for letter in secret)


PLACES = [
    "header",
    "header in other words",
    "correlation id",
    "path",
    "path, escaped",
    "query",
    "query, escaped",
    "json",
    "json, escaped as php does",
    "json, escaped throughout",
    "text",
    "cookie",
]


def planted(secret: str, places: list[str]) -> dict[str, Any]:
    """Path, query, headers and body of a request in which the secret stands in all these places."""
    path, query, headers, body = "/zones", b"", [], b""
    for place in places:
        if place == "header":
            headers.append(("x-any", secret))
        elif place == "header in other words":
            headers.append(("referer", f"https://app.test/?key={quote(secret, safe='')}&again={secret}."))
        elif place == "correlation id":
            headers.append(("x-correlation-id", secret))
        elif place == "path":
            path = f"/zones/{quote(secret)}/x"
        elif place == "path, escaped":
            path = "/zones/" + "".join(f"%{each:02x}" for each in secret.encode())
        elif place == "query":
            query = b"key=" + quote(secret, safe="").encode()
        elif place == "query, escaped":
            query = "".join(f"%{each:02x}" for each in secret.encode()).encode()
        elif place == "json":
            body = json.dumps({"name": secret, "again": [f"a{secret}b"]}).encode()
        elif place == "json, escaped as php does":
            body = json.dumps({"name": secret}).replace("/", "\\/").encode()
        elif place == "json, escaped throughout":
            body = b'{"name":"%s"}' % _escaped(secret).encode()
        elif place == "text":
            body = f"key={secret}\n".encode()
        elif place == "cookie":
            headers.append(("cookie", f"a={secret}; b=c"))
    return {"path": path, "query": query, "headers": headers, "body": body}


def told(world: World) -> Iterator[bytes]:
    """Every answer that tells of the journal."""
    yield world.control("GET", "/requests", query=b"limit=1000").body
    for number in numbers(world):
        yield world.control("GET", f"/requests/{number}").body
    for name in ("har", "curl", "pytest"):
        answer = world.control("GET", "/requests/export", query=f"format={name}".encode())
        assert answer.status == 200, answer.body
        # The world that a test begins with has its scenario's credentials, as `GET .../state` does.
        yield START.sub(b"", answer.body)
    yield world.control("GET", "/audit").body


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield name
            yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)
    elif isinstance(value, str):
        yield value


def readings(answer: bytes) -> Iterator[str]:
    """An answer in all the ways in which one may come to read a secret in it."""
    whole = answer.decode()
    yield whole
    for text in texts(json.loads(whole)) if whole.startswith("{") else (whole,):
        yield text
        yield unquote(text)
        yield text.replace("\\/", "/")
        try:
            yield text.encode("ascii", "ignore").decode("unicode_escape")
            yield base64.b64decode(text, validate=True).decode("latin-1")
        except ValueError:
            pass
        try:
            yield from texts(json.loads(text))
        except ValueError:
            pass


def assert_untold(world: World, secret: str) -> None:
    for answer in told(world):
        for reading in readings(answer):
            assert secret not in reading, reading


@settings(max_examples=150)
@given(
    st.sampled_from(SECRETS),
    st.sampled_from(sorted(FORMS)),
    st.lists(st.sampled_from(PLACES), max_size=3, unique=True),
    st.sampled_from(["GET", "POST", "DELETE", "BREW"]),
)
@example("demo-owner", "twice", ["header"], "GET")
@example("demo-operator", "behind another one", ["query"], "GET")
@example("demo-operator", "behind another one, under another scheme", ["query"], "GET")
@example("demo-owner", "bare", ["path"], "GET")
@example("demo-owner", "bare", ["json"], "POST")
@example("demo-owner", "bare", ["correlation id"], "GET")
@example("demo-owner", "bare", ["path, escaped"], "GET")
@example("demo-owner", "bare", ["json, escaped throughout"], "POST")
@example("pass/word+x=", "bare", ["json, escaped as php does"], "POST")
def test_a_credential_is_told_nowhere(secret: str, form: str, places: list[str], method: str) -> None:
    _, world = new_world()
    parts = planted(secret, places)
    headers = [*parts["headers"], *FORMS[form](secret), *(JSON.items() if parts["body"] else ())]
    world.call(method, parts["path"], None, query=parts["query"], body=parts["body"], headers=headers)
    assert_untold(world, secret)


def test_the_wholes_of_fresh_keys_are_told_nowhere(world: World) -> None:
    made = world.call("POST", "/api-keys", json={"name": "ci"}).json
    secret = made["token"].rpartition("_openapp_")[2].partition("@")[0]
    assert len(secret) > 20
    world.call("GET", "/zones", secret)
    world.call("GET", f"/zones/{secret}", made["token"], query=f"key={secret}".encode())
    make_zone(world, secret, key=secret)
    assert_untold(world, secret)
    shown = entry(world, 1)
    assert json.loads(shown["response"]["body"]["text"])["name"] == "ci"


FAULTS = [
    {"when": "after", "do": "lose"},
    {"when": "after", "do": "truncate"},
    *(
        {"when": "after", "do": "malform", "how": how}
        for how in ("not_json", "html", "missing_member", "unknown_member")
    ),
    *({"when": "after", "do": "malform", "how": how} for how in ("wrong_type", "null_member", "empty")),
    {"when": "after", "do": "answer", "status": 503},
    {"when": "duplicate", "do": "repeat"},
    {"when": "after", "do": "malform", "how": "not_json", "status": 500},
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: " ".join(map(str, fault.values())))
def test_a_fresh_key_in_an_answer_that_a_fault_has_spoilt_is_not_told_either(world: World, fault: Any) -> None:
    add_fault(world, **fault, operation="create_api_key")
    sent: list[Any] = []
    try:
        world.call("POST", "/api-keys", json={"name": "ci"}, sent=sent)
    except ConnectionLost:
        pass
    world.control("DELETE", "/faults")
    for answer in told(world):
        assert b"_openapp_" not in answer.replace(b"_openapp_***", b""), answer


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_client_that_left_has_shown_its_credential_too(when: str) -> None:
    _, world = new_world(never)
    add_fault(world, when=when, do="delay", delay={"distribution": "fixed", "ms": 5})
    left(world, "POST", "/zones", b'{"name":"demo-owner"}', query=b"demo-owner")
    assert_untold(world, "demo-owner")


def integration(secrets: Any, world: World, **more: Any) -> Answer:
    return world.call(
        "POST", "/integrations", json={"org_id": ACME, "provider_type": "mqtt", "secrets": secrets, **more}
    )


class TestIntegrationSecrets:
    @pytest.mark.parametrize(
        "secrets",
        [
            {"password": "geheim-123"},
            {"tls": {"key": "geheim-123", "list": ["x", "geheim-123"]}},
            {"tokens": ["geheim-123"]},
            {"geheim": "geheim-123"},
        ],
    )
    def test_they_are_told_nowhere(self, world: World, secrets: Any) -> None:
        assert integration(secrets, world, name="My geheim-123").status == 200
        assert_untold(world, "geheim-123")

    @pytest.mark.parametrize(
        "secret", ['ge"heim\\12', 'gé"heim', "ge/heim/123", "géhéim-123", "geheim \U0001f600", "line\nbreak"]
    )
    @pytest.mark.parametrize("ensure_ascii", [True, False])
    @pytest.mark.parametrize("slashes", ["/", "\\/"])
    def test_however_json_writes_them(self, world: World, secret: str, ensure_ascii: bool, slashes: str) -> None:
        value = {"org_id": ACME, "provider_type": "mqtt", "secrets": {"password": secret}}
        body = json.dumps(value, ensure_ascii=ensure_ascii).replace("/", slashes).encode()
        assert world.call("POST", "/integrations", body=body, headers=JSON).status == 200
        assert_untold(world, secret)

    @pytest.mark.parametrize("number", [12345678, -1234567, 1234567.5])
    def test_numbers_are_secrets_too(self, world: World, number: float) -> None:
        assert integration({"pin": number}, world).status == 200
        assert_untold(world, json.dumps(number))

    @pytest.mark.parametrize(
        "body",
        [
            b'{"org_id":"x","provider_type":"mqtt","secrets":{"k":"geheim-123"},}',
            b'{"org_id":"x","org_id":"y","secrets":{"k":"geheim-123"}}',
            b'{"secrets":{"k":"geheim-123"}',
            b'\xef\xbb\xbf{"secrets":{"k":"geheim-123"}}',
            b'{"secrets":{"k":"geheim-123"},"n":NaN}',
            b"secrets[k]=geheim-123",
        ],
    )
    def test_in_a_body_that_is_no_json_they_are_not_told_either(self, world: World, body: bytes) -> None:
        assert world.call("POST", "/integrations", body=body, headers=JSON).status == 400
        assert_untold(world, "geheim-123")

    @pytest.mark.parametrize(
        ("key", "content_type", "status"),
        [
            ("nobody", "application/json", 401),
            ("demo-reader", "application/json", 403),
            ("demo-owner", "text/plain", 415),
        ],
    )
    def test_in_a_request_that_is_refused_they_are_not_told_either(
        self, world: World, key: str, content_type: str, status: int
    ) -> None:
        body = json.dumps({"org_id": ACME, "provider_type": "mqtt", "secrets": {"k": "geheim-123"}}).encode()
        answer = world.call("POST", "/integrations", key, body=body, headers={"content-type": content_type})
        assert answer.status == status
        assert_untold(world, "geheim-123")

    def test_nor_in_what_it_did(self, world: World) -> None:
        add_fault(world, when="after", do="lose", operation="create_integration")
        with pytest.raises(ConnectionLost):
            integration({"k": "geheim-123"}, world, name="My geheim-123")
        assert_untold(world, "geheim-123")

    def test_nor_in_why_it_was_refused(self, world: World) -> None:
        answer = integration({"k": "geheim-123"}, world, provider_type="geheim-123")
        assert answer.status == 400
        assert_untold(world, "geheim-123")


class TestNothingElseIsLost:
    @settings(max_examples=60)
    @given(st.binary(max_size=200), st.binary(max_size=200))
    def test_all_around_a_secret_stays_byte_for_byte(self, before: bytes, after: bytes) -> None:
        _, world = new_world()
        body = before + b"demo-owner" + after
        world.call("POST", "/zones", body=body, headers=JSON)
        shown = newest(world)["request"]["body"]
        kept = shown["text"].encode() if shown["base64"] is None else base64.b64decode(shown["base64"])
        assert kept == body.replace(b"demo-owner", MASKED.encode())
        assert shown["size"] == len(body)
        assert not shown["cut"]

    @settings(max_examples=60)
    @given(st.binary(min_size=1, max_size=200))
    def test_without_a_secret_nothing_is_touched(self, body: bytes) -> None:
        _, world = new_world()
        world.call("POST", "/zones", None, body=body, headers=[*JSON.items(), ("x-any", "v"), ("user-agent", "curl/8")])
        shown = newest(world)["request"]
        assert body == (
            base64.b64decode(shown["body"]["base64"]) if shown["body"]["base64"] else shown["body"]["text"].encode()
        )
        assert {each["name"]: each["value"] for each in shown["headers"]} == {
            **JSON,
            "x-any": "v",
            "user-agent": "curl/8",
            "host": "127.0.0.1:4010",
        }

    @pytest.mark.parametrize(
        ("form", "shown"),
        [
            ("bare", "***"),
            ("with an origin", "http://127.0.0.1:4010_openapp_***"),
            ("with a world", "***@still"),
            ("with both", "https://api.openapp.house_openapp_***@still"),
            ("as a bearer", "Bearer ***"),
            ("as a bearer with all", "Bearer http://x_openapp_***@still"),
            ("under another scheme", "Token ***"),
            ("without a scheme", "***"),
        ],
    )
    def test_how_a_credential_was_sent_can_still_be_seen(self, world: World, form: str, shown: str) -> None:
        world.call("GET", "/plans", None, headers=FORMS[form]("demo-owner"))
        named = {each["name"]: each["value"] for each in newest(world)["request"]["headers"]}
        assert named.get("x-api-key", named.get("authorization")) == shown

    def test_what_is_as_long_as_a_body_may_be_is_not_cut_because_of_a_secret(self, world: World) -> None:
        body = b"demo-owner" + b"x" * 65_530
        world.billing("POST", "checkout", body=body, headers=JSON)
        shown = newest(world)["request"]["body"]
        assert (shown["size"], shown["cut"]) == (len(body), False)
        assert shown["text"].encode() == b"***" + b"x" * 65_530

    def test_a_secret_across_the_cut_is_not_told_by_half(self, world: World) -> None:
        body = b"x" * 65_530 + b"demo-owner" + b"x" * 100
        world.billing("POST", "checkout", body=body, headers=JSON)
        shown = newest(world)["request"]["body"]
        assert shown["cut"]
        assert "demo" not in shown["text"]

    def test_the_clients_own_answer_is_not_masked(self, world: World) -> None:
        answer = world.call("GET", "/demo-owner")
        assert "demo-owner" in answer.json["message"]

    def test_a_short_word_is_no_secret(self, world: World) -> None:
        world.call("GET", "/zones", "ab", query=b"ab=abc")
        shown = newest(world)
        assert shown["query"] == "ab=abc"
        assert {"name": "x-api-key", "value": "***"} in shown["request"]["headers"]

    def test_what_was_masked_is_not_taken_for_cut_off_in_exports(self, world: World) -> None:
        integration({"password": "geheim-123"}, world)
        world.call("POST", "/api-keys", json={"name": "ci"})
        for name in ("har", "curl", "pytest"):
            text = world.control("GET", "/requests/export", query=f"format={name}".encode()).body
            assert b"only the first" not in text, text

    def test_it_does_not_matter_how_often_one_looks(self, world: World) -> None:
        make_zone(world, "demo-owner")
        assert list(told(world)) == list(told(world))


def test_readings_find_what_can_be_read() -> None:
    """The test's own eyes: whatever hides a secret from `in` is undone."""
    for hidden in (
        "demo-owner",
        quote("demo-owner").replace("d", "%64"),
        _escaped("demo-owner"),
        base64.b64encode(b"xdemo-owner").decode(),
    ):
        assert any("demo-owner" in reading for reading in readings(json.dumps({"a": [hidden]}).encode())), hidden
    assert unquote_to_bytes("%64") == b"d"
