"""What stands around the API: pages, CORS, HEAD and OPTIONS, the journal, the response check, the Host check."""

from __future__ import annotations

import json

import pytest

from mock_server.app import create_app, create_mock
from mock_server.engine.problems import ProblemType
from mock_server.http import envelope
from mock_server.http.exchange import Reply
from mock_server.http.mock import Mock, Options
from mock_server.store import journal as journals
from mock_server.store.journal import Entry, Journal

from .client import Client, World


class TestPages:
    @pytest.mark.parametrize("path", ["/", "/openapp", "/openapp/docs", "/_mock/docs", "/w/demo/openapp/docs"])
    def test_pages_for_people(self, client: Client, path: str) -> None:
        answer = client.request("GET", path)
        assert answer.status == 200
        assert answer.headers["content-type"].startswith("text/html")
        assert answer.body.startswith(b"<!doctype html>")

    def test_the_first_page_shows_what_to_paste(self, client: Client) -> None:
        page = client.request("GET", "/", headers={"host": "mock.test:8080"}).body.decode()
        assert "http://mock.test:8080/openapp/api/v1" in page
        assert "http://mock.test:8080_openapp_demo-owner" in page

    def test_a_hostile_host_is_not_repeated(self, client: Client) -> None:
        page = client.request("GET", "/", headers={"host": 'x"><script>alert(1)</script>'}).body
        assert b"<script>alert" not in page

    @pytest.mark.parametrize("path", ["/openapp/openapi.json", "/_mock/openapi.json", "/w/demo/openapp/openapi.json"])
    def test_the_bundle_as_it_is(self, client: Client, path: str) -> None:
        bundle = client.request("GET", path).json
        assert bundle["openapi"] == "3.0.3"
        assert "$ref" in json.dumps(bundle["paths"])

    @pytest.mark.parametrize("asset", ["swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"])
    def test_swagger_ui_is_served_by_us(self, client: Client, asset: str) -> None:
        assert client.request("GET", f"/openapp/docs/{asset}").status == 200

    @pytest.mark.parametrize("asset", ["..", "../../app.py", "%2e%2e", "index.html", "swagger-ui.css/x"])
    def test_and_nothing_else_is(self, client: Client, asset: str) -> None:
        assert client.request("GET", f"/openapp/docs/{asset}").status == 404

    def test_where_others_can_see_it_the_first_page_shows_neither_keys_nor_worlds(self) -> None:
        guarded = create_mock(Options(control_token="s3cret"))
        guarded.create_world("hidden", "demo")
        page = Client(create_app(guarded)).request("GET", "/").body
        assert b"hidden" not in page
        assert b"demo-owner" not in page

    def test_pages_are_only_read(self, client: Client) -> None:
        answer = client.request("POST", "/openapp/docs")
        assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


class TestCors:
    def test_any_page_may_call_the_api(self, client: Client) -> None:
        answer = client.request("GET", "/api/v1/plans", headers={"origin": "https://app.test"})
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "X-Request-Id" in answer.headers["access-control-expose-headers"]

    def test_errors_may_be_read_too(self, client: Client) -> None:
        for path in ("/api/v1/nothing", "/w/nowhere/api/v1/plans", "/api/v1/admin/quota_overrides"):
            answer = client.request("GET", path, headers={"origin": "https://app.test"})
            assert answer.status >= 400
            assert answer.headers["access-control-allow-origin"] == "*"

    def test_a_preflight_is_answered(self, client: Client) -> None:
        wanted = {
            "origin": "https://app.test",
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type, x-api-key",
        }
        answer = client.request("OPTIONS", "/api/v1/orgs/x/billing/checkout", headers=wanted)
        assert answer.status == 204
        assert answer.headers["access-control-allow-methods"] == "OPTIONS, POST"
        assert answer.headers["access-control-allow-headers"] == "content-type, x-api-key"

    def test_no_page_may_call_the_control_api(self, client: Client) -> None:
        headers = {"origin": "https://app.test", "access-control-request-method": "POST"}
        for path in ("/_mock/worlds", "/_mock/openapi.json", "/_mock/docs", "/"):
            for method in ("GET", "OPTIONS"):
                answer = client.request(method, path, headers=headers)
                assert not [name for name in answer.headers if name.startswith("access-control")]


class TestOrigin:
    @pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example"])
    def test_a_page_of_another_origin_cannot_move_a_world(self, client: Client, origin: str) -> None:
        answer = client.request("POST", "/_mock/worlds/demo/reset", headers={"origin": origin})
        assert (answer.status, answer.code) == (403, "forbidden_origin")

    @pytest.mark.parametrize("origin", ["http://127.0.0.1:4010", "http://localhost:3000", "http://[::1]:4010"])
    def test_a_page_of_this_machine_can(self, client: Client, origin: str) -> None:
        assert client.request("POST", "/_mock/worlds/demo/reset", headers={"origin": origin}).status == 200


class TestHost:
    @pytest.mark.parametrize(
        "host", ["127.0.0.1", "127.0.0.1:4010", "localhost:1", "[::1]:4010", "LOCALHOST", "app.localhost"]
    )
    def test_loopback_names_reach_the_control_api(self, client: Client, host: str) -> None:
        assert client.request("GET", "/_mock/health", headers={"host": host}).status == 200

    @pytest.mark.parametrize("host", ["rebound.example", "127.0.0.1.example:4010", "localhost.example", "", "0.0.0.0"])
    def test_others_do_not(self, client: Client, host: str) -> None:
        answer = client.request("GET", "/_mock/health", headers={"host": host})
        assert (answer.status, answer.code) == (403, "forbidden_host")

    class TestPublic:
        @pytest.fixture
        def options(self) -> Options:
            return Options(public_url="https://mock.example:8443/")

        def test_the_public_url_does_and_is_used_in_links(self, client: Client) -> None:
            answer = client.request("GET", "/_mock/health", headers={"host": "mock.example:8443"})
            assert answer.json["apis"][0]["base_url"] == "https://mock.example:8443/openapp/api/v1"


class TestHeadAndOptions:
    def test_head_is_get_without_the_body(self, client: Client) -> None:
        head, get = (client.request(method, "/api/v1/plans") for method in ("HEAD", "GET"))
        assert (head.status, head.body) == (200, b"")
        volatile = {"x-request-id", "x-mock-request"}
        assert {k: v for k, v in head.headers.items() if k not in volatile} == {
            k: v for k, v in get.headers.items() if k not in volatile
        }

    def test_options_names_the_methods(self, client: Client) -> None:
        answer = client.request("OPTIONS", "/api/v1/plans")
        assert (answer.status, answer.headers["allow"]) == (204, "GET, HEAD, OPTIONS")


class TestJournal:
    def test_it_tells_what_was_asked_and_answered(self, mock: Mock, world: World) -> None:
        answer = world.billing("POST", "checkout", json={"tier_slug": "gold"})
        (entry,) = mock.worlds.get("still").journal  # type: ignore[union-attr]
        assert str(entry.number) == answer.headers["x-mock-request"] == "1"
        assert (entry.operation, entry.status, entry.problem) == ("post_org_billing_checkout", 400, "unknown_tier")
        assert (entry.caller, entry.body, entry.answer) == ("owner of Acme Doors", b'{"tier_slug":"gold"}', answer.body)

    def test_it_is_bounded_by_count(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(journals, "MOST_ENTRIES", 5)
        journal = Journal()
        for _ in range(12):
            journal.close(Entry(journal.next_number(), 0, 0, "openapp", "GET", "/", ""))
        assert [entry.number for entry in journal] == [8, 9, 10, 11, 12]
        assert journal.dropped == 7

    def test_it_is_bounded_by_bytes(self) -> None:
        journal = Journal()
        for _ in range(600):
            entry = Entry(journal.next_number(), 0, 0, "openapp", "POST", "/", "")
            entry.headers = [(b"h", b"v" * 10_000)]
            entry.body = entry.answer = b"x" * 1_000_000
            journal.close(entry)
        assert journal.bytes <= journals.MOST_BYTES
        assert len(journal) > 50
        assert all(len(entry.body) == journals.LONGEST_BODY for entry in journal)


class TestResponseCheck:
    @pytest.mark.parametrize(
        "reply",
        [
            Reply({"plans": [{"slug": "x"}]}),
            Reply({"plans": []}, 201),
            Reply(b"plans", 200, media_type="text/plain"),
            Reply(b"{", 200),
            Reply(None),
        ],
    )
    def test_an_answer_that_breaks_the_contract_is_caught(
        self, mock: Mock, client: Client, monkeypatch: pytest.MonkeyPatch, reply: Reply
    ) -> None:
        served = mock.served["openapp"]
        _, operation = served.app, served.contract.operations["get_plans"]

        async def wrong(call: object) -> Reply:
            return reply

        monkeypatch.setattr("mock_server.http.stages.HandlerCall.__call__", _answering(wrong))
        answer = client.request("GET", "/api/v1/plans")
        assert (answer.status, answer.code) == (500, "contract_breach")
        assert operation.id == "get_plans"
        assert len(mock.breaches) == 1
        mock.breaches.clear()

    def test_a_failure_is_500_in_the_envelope_and_counted(
        self, mock: Mock, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def failing(call: object) -> Reply:
            raise RuntimeError("only for the log")

        monkeypatch.setattr("mock_server.http.stages.HandlerCall.__call__", _answering(failing))
        answer = client.request("GET", "/api/v1/plans")
        assert (answer.status, answer.code) == (500, "internal_error")
        assert "only for the log" not in answer.json["message"]
        assert client.request("GET", "/_mock/worlds").status == 500
        assert len(mock.breaches) == 2
        mock.breaches.clear()


def _answering(function: object) -> object:
    async def call(self: object, scope: object, receive: object, send: object) -> None:
        reply = await function(None)  # type: ignore[operator]
        headers = [(b"content-type", reply.media_type.encode())]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": reply.encoded()})  # type: ignore[operator]

    return call


def test_the_envelope_survives_what_a_hostile_path_brings() -> None:
    problem = ProblemType("no", 400, "No {path}.")(path="\udcff", more={"x": ["\ud800"]})
    body, media_type = envelope.render(problem, "id")
    assert media_type == "application/json"
    assert json.loads(body)["details"]["path"] == "\\udcff"
