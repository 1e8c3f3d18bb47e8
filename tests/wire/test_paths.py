"""Request targets: encodings, dots, slashes, lengths. One path is one operation, and there are no redirects."""

from __future__ import annotations

import pytest

from .raw import ACME, OWNER, STATUS, WORLDS, check_refused, exchange, get, is_not_http, request

PLANS = "/api/v1/plans"
NOWHERE = [
    "/nowhere",
    "//",
    "///",
    "/.",
    "/..",
    "/../",
    "/%2e%2e",
    "/favicon.ico",
    f"{PLANS}/",
    f"/{PLANS}",
    "/api//v1/plans",
    "/api/v1//plans",
    f"{PLANS}//",
    "/api/./v1/plans",
    "/api/v1/../v1/plans",
    "/api/v1/./plans",
    f"{PLANS}/.",
    f"{PLANS}/..",
    f"{PLANS}/x/..",
    "/api%2Fv1/plans",
    "/api%2fv1/plans",
    "/api/v1%2Fplans",
    "/api/v1/%2f../plans",
    "/%2Fapi/v1/plans",
    "/w%2Fdemo/api/v1/plans",
    f"{PLANS}%00",
    "/%00",
    f"{PLANS}%0d%0aX-Evil:1",
    f"{PLANS}%20",
    "/api/v1/%FF",
    "/%FF%FE",
    "/%ED%A0%80",
    "/%C0%AF",
    f"{PLANS}%",
    f"{PLANS}%zz",
    f"{PLANS}%2",
    "/api/v1/%u0070lans",
    f"{PLANS};params",
    f"{PLANS};jsessionid=1",
    "/;",
    "/~",
    f"{PLANS}\\",
    "/api\\v1\\plans",
    "/API/V1/PLANS",
    "/api/v1/plan",
    "/api/v2/plans",
    "/api/v1",
    "/api/v1/",
    "/openapp/openapp/api/v1/plans",
    "/w/demo/w/demo/api/v1/plans",
    "/openapp/w/demo/api/v1/plans",
    "/w",
    "/w/demo/_mock/worlds",
    "/_mock",
    "/_mock/",
    "/_mock/worlds/",
    "/_mock//worlds",
    "/_mock/../_mock/worlds",
    "/_mock/nowhere",
    "/_mock/worlds/demo/clock/",
    "/_mock/%00",
    "/_mock/%FF",
    "/_mock/api/v1/plans",
    "/openapp/_mock/worlds",
    "/" + "a" * 10_000,
    "/" + "a/" * 5_000,
    "/" + "%41" * 3_000,
    "/_mock/" + "a" * 10_000,
    "/openapp/docs/../openapi.json",
    "/openapp/docs/..%2f..%2fx",
    "/docs",
]


@pytest.mark.parametrize("target", NOWHERE, ids=lambda target: target[:50].encode("ascii", "backslashreplace").decode())
def test_a_path_that_only_resembles_an_operation_is_404(port: int, target: str) -> None:
    reply = get(port, target)
    check_refused(reply, 404, "not_found")
    assert reply.header("location") is None


@pytest.mark.parametrize(
    "target",
    [
        PLANS,
        "/api/v1/%70lans",
        "/%61%70%69/v1/plans",
        "/openapp/api/v1/plans",
        "/w/demo/api/v1/plans",
        f"{PLANS}?",
        f"{PLANS}?x=1",
        "/w/demo/openapp/api/v1/plans",
        "/w/%64emo/api/v1/plans",
        f"http://localhost{PLANS}",
        f"http://evil.example:99{PLANS}",
    ],
)
def test_other_spellings_of_the_same_path_are_the_same_operation(port: int, target: str) -> None:
    reply = get(port, target)
    assert (reply.status, reply.body) == (200, get(port, PLANS).body)


@pytest.mark.parametrize(
    "org",
    ["%FF", "%00", "a%2Fb", "..", "%2e%2e", ".", ";", "%zz", "a" * 5_000, "%F0%9F%98%80", f"{ACME}%0a", f"{ACME}%20"],
)
def test_a_parameter_that_cannot_be_one_is_400(port: int, org: str) -> None:
    reply = get(port, f"/api/v1/orgs/{org}/billing/plan", OWNER)
    check_refused(reply, 400, "invalid_request")
    assert "'id'" in reply.json["message"]


@pytest.mark.parametrize("world", ["%FF", "%00", "A", "-a", "a_b", "a" * 64, "a%0a", "..", "%20", "a%2Fb"])
def test_a_world_that_cannot_be_one_is_400(port: int, world: str) -> None:
    check_refused(get(port, f"/w/{world}/api/v1/plans"), 400, "invalid_world_name")
    check_refused(get(port, f"{WORLDS}/{world}"), (400, 404))


def test_an_unknown_world_is_404_with_the_command_that_creates_it(port: int) -> None:
    reply = get(port, "/w/nobody/api/v1/plans")
    check_refused(reply, 404, "unknown_world")
    assert f"http://localhost{WORLDS}" in reply.json["message"]


QUERIES = {
    "50 kB": ("x=" + "a" * 50_000, 200),
    "a name of 50 kB": ("a" * 50_000, 200),
    "200 members": ("&".join(f"a{n}=1" for n in range(200)), 200),
    "10,000 members": ("a=1&" * 10_000, 400),
    "10,000 separators": ("&" * 10_000, 400),
    "a byte that is not UTF-8": ("x=%FF", 400),
    "half a surrogate pair": ("x=%ED%A0%80", 400),
    "an escape that is none": ("x=%zz", 200),
    "a NUL": ("x=%00", 200),
    "brackets": ("x[]=1&x[a][b]=2", 200),
    "a second question mark": ("?x=1?y=2", 200),
}


@pytest.mark.parametrize(("query", "status"), QUERIES.values(), ids=QUERIES)
def test_a_query_that_nobody_asked_for_is_ignored_unless_it_cannot_be_read(port: int, query: str, status: int) -> None:
    reply = get(port, f"{PLANS}?{query}")
    assert reply.status == status, reply
    if status == 400:
        check_refused(reply, 400, "invalid_request")


@pytest.mark.parametrize("value", ["nope", "%FF", "", "a" * 5_000, "openapp&api=openapp"])
def test_a_query_parameter_that_counts_is_checked(port: int, value: str) -> None:
    check_refused(get(port, f"{WORLDS}/demo/settings?api={value}"), 400)


@pytest.mark.parametrize(
    "target",
    [f"{PLANS}?x=" + "a" * 100_000, f"{PLANS}?" + "&".join(f"n{n}=1" for n in range(10_000)), "/" + "a" * 1_000_000],
    ids=["a query of 100 kB", "10,000 members in 80 kB", "a path of 1 MB"],
)
def test_a_target_over_64_kb_is_a_clear_4xx(port: int, target: str) -> None:
    reply = get(port, target)
    if not is_not_http(reply):
        check_refused(reply, (400, 404, 414, 431))


@pytest.mark.parametrize(
    "target",
    [
        b"/api/v1/pl\xc3\xa4ns",
        b"/\xff",
        b"/api/v1/plans?\xc3\xa4",
        b"/api/v1/plans\x00",
        b"/a b",
        b"api/v1/plans",
        b"?",
        b"",
        b"\\",
        b"//[",
        b"http://",
        b"http://localhost",
        b"http://[::1",
        b"http://user@localhost:port/",
        b"/\x7f",
    ],
)
def test_a_target_that_http_does_not_allow_is_a_clear_4xx(port: int, target: bytes) -> None:
    reply = exchange(port, request("GET", target))
    if not is_not_http(reply):
        check_refused(reply, (400, 404))


def test_a_fragment_never_reaches_a_route(port: int) -> None:
    reply = get(port, f"{STATUS}#{PLANS}")
    assert reply.status in (200, 400, 404)
    assert b"plans" not in reply.body or reply.status != 200
