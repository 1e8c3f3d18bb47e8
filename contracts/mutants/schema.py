"""Answers of another shape than the bundle says: members, formats, statuses, headers, envelopes."""

from __future__ import annotations

from typing import Any

from .around import Exchange, on_answer
from .mutant import family

mutant = family("schema")

ANY = "* *"
PLAN, USAGE, DEGRADATION = (
    "GET /orgs/{id}/billing/plan",
    "GET /orgs/{id}/billing/usage",
    "GET /orgs/{id}/billing/degradation",
)
REFUSED = (400, 401, 403, 404, 405, 409, 413, 415, 422, 429)


def _null_omitted(it: Exchange) -> None:
    it.put({name: value for name, value in it.json.items() if value is not None})


def _secrets_leak(it: Exchange) -> None:
    it.put({**it.json, "items": [{**each, "token": "acme_openapp_secret"} for each in it.json["items"]]})


def _id_is_integer(it: Exchange) -> None:
    it.edit(org_id=4711)


def _without_zone(it: Exchange) -> None:
    def naive(text: str | None) -> str | None:
        return text and text.removesuffix("Z")

    _items(it, lambda item: {**item, "period_start": naive(item["period_start"])})


def _enum_renamed(it: Exchange) -> None:
    if it.json["stage"] == "none":
        it.edit(stage="ok")


def _count_as_float(it: Exchange) -> None:
    _items(it, lambda item: {**item, "current": float(item["current"])})


def _items(it: Exchange, change: Any) -> None:
    it.edit(items=[change(item) for item in it.json["items"]])


def _other_envelope(it: Exchange) -> None:
    if it.json is not None:
        it.put({"detail": it.json["message"]})


def _html(it: Exchange) -> None:
    it.body = f"<html><body><h1>Error {it.status}</h1></body></html>".encode()
    it.set("content-type", "text/html; charset=utf-8")


def _plain_text(it: Exchange) -> None:
    it.set("content-type", "text/plain; charset=utf-8")


def _ok(it: Exchange) -> None:
    it.status = 200


def _unprocessable(it: Exchange) -> None:
    if it.code == "invalid_request":
        it.status = 422


def _body_after_delete(it: Exchange) -> None:
    it.status = 200
    it.put({"deleted": True})


def _without(name: str) -> Any:
    return lambda it: it.drop(name)


def _method_answered(it: Exchange) -> None:
    it.drop("allow")
    it.status = 200
    it.put({})


def _public(it: Exchange) -> None:
    it.set("cache-control", "public, max-age=300")


MUTANTS = (
    mutant(
        "null-omitted",
        "`over_capacity_since` is left out while it is null",
        on_answer(DEGRADATION, _null_omitted, 200),
        1,
    ),
    mutant("extra-property", "the list of API keys shows tokens", on_answer("GET /api-keys", _secrets_leak, 200), 2),
    mutant("id-is-integer", "a plan's `org_id` is an integer", on_answer(PLAN, _id_is_integer, 200), 3),
    mutant("date-without-zone", "`period_start` has no time zone", on_answer(USAGE, _without_zone, 200), 4),
    mutant("enum-renamed", "the stage `none` is called `ok`", on_answer(DEGRADATION, _enum_renamed, 200), 5),
    mutant("count-as-float", "counts go out as floats", on_answer(USAGE, _count_as_float, 200), 6),
    mutant("other-envelope", "refusals are `{detail}`", on_answer(ANY, _other_envelope, *REFUSED), 7),
    mutant("error-as-html", "404 is a page of HTML", on_answer(ANY, _html, 404), 8),
    mutant("plans-as-text", "plans are sent as text/plain", on_answer("GET /plans", _plain_text, 200), 9),
    mutant("created-is-200", "a new API key is answered 200", on_answer("POST /api-keys", _ok, 201), 10),
    mutant("invalid-is-422", "an invalid request is answered 422", on_answer(ANY, _unprocessable, 400), 11),
    mutant(
        "revoked-with-body",
        "revoking an API key is answered 200 with a body",
        on_answer("DELETE /api-keys/{id}", _body_after_delete, 204),
        12,
    ),
    mutant("no-request-id", "answers have no X-Request-Id", on_answer(ANY, _without("x-request-id")), 14),
    mutant("no-retry-after", "429 has no Retry-After", on_answer(ANY, _without("retry-after"), 429), 15),
    mutant("no-challenge", "401 has no WWW-Authenticate", on_answer(ANY, _without("www-authenticate"), 401), 16),
    mutant("no-allow", "405 has no Allow", on_answer(ANY, _without("allow"), 405), 17),
    mutant("any-method", "a method that is not declared is answered 200", on_answer(ANY, _method_answered, 405), 18),
    mutant("publicly-cacheable", "a tenant's usage may be cached by all", on_answer(USAGE, _public, 200), 20),
)
