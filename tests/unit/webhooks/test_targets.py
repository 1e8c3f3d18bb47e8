"""Nothing goes to another machine by whatever spelling, and what is taken for this one is this one to httpx too."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mock_server.webhooks.targets import InvalidTarget, RemoteTarget, checked, shown

HERE = ["localhost", "LocalHost", "127.0.0.1", "127.0.0.2", "127.255.255.254", "[::1]", "[0:0:0:0:0:0:0:1]"]
ELSEWHERE = [
    "0.0.0.0",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "127.1",
    "127",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "017700000001",
    "127.0.0.1.",
    "localhost.",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "127.0.0.1.nip.io",
    "localhost-evil.example",
    "xn--localhst-b4a",
    "10.0.0.1",
    "169.254.169.254",
    "192.168.1.1",
    "example.com",
    "[fe80::1]",
    "[2001:db8::1]",
    "localtest.me",
]
NOWHERE = [
    "",
    "/hooks",
    "localhost:8000/hooks",
    "//localhost/hooks",
    "ftp://localhost/",
    "file:///etc/passwd",
    "unix:/run/x.sock",
    "http://",
    "http:///hooks",
    "http://:80/",
    "http://localhost:0/",
    "http://localhost:65536/",
    "http://localhost:-1/",
    "http://localhost:8O/",
    "http://user@localhost/",
    "http://user:secret@localhost/",
    "http://@localhost/",
    "http://localhost@evil.example/",
    "http://evil.example\\@localhost/",
    "http://localhost\\@evil.example/",
    "http://localhost\\.evil.example/",
    "http://localhost;evil.example/",
    "http://localhost%2eevil.example/",
    "http://[::1]evil.example/",
    "http://[::1%25eth0]/",
    "http://[::1",
    "http://::1/",
    "http://local host/",
    "http://localhost/a b",
    "http://localhost/\r\nHost: evil.example",
    "http://localhost/\x00",
    "http://l\u043ecalhost/",
    "http://127\u30020.0.1/",
    "http://\u2460\u2461\u2466.0.0.1/",
    "http://localhost\u2044.evil.example/",
    "http://localhost/\ud800",
]


@pytest.mark.parametrize("host", HERE)
@pytest.mark.parametrize("scheme", ["http", "https", "HTTP"])
@pytest.mark.parametrize("rest", ["", "/", ":8000/hooks?a=b#c", ":/x", "?@evil.example/", "#@evil.example"])
def test_this_machine_is_allowed(host: str, scheme: str, rest: str) -> None:
    url = f"{scheme}://{host}{rest}"
    parts = checked(url, allow_remote=False)
    assert parts.hostname == httpx.URL(url).host
    assert (parts.port or None) == httpx.URL(url).port


@pytest.mark.parametrize("host", ELSEWHERE)
def test_another_machine_is_refused_unless_it_is_allowed(host: str) -> None:
    url = f"http://{host}:8000/hooks"
    with pytest.raises(RemoteTarget, match="another machine"):
        checked(url, allow_remote=False)
    assert checked(url, allow_remote=True).port == 8000


@pytest.mark.parametrize("url", NOWHERE)
@pytest.mark.parametrize("allow_remote", [False, True])
def test_what_is_no_url_is_refused_in_any_case(url: str, allow_remote: bool) -> None:
    with pytest.raises(InvalidTarget):
        checked(url, allow_remote=allow_remote)


parts = st.sampled_from(
    [
        *HERE,
        *ELSEWHERE,
        "@",
        ":",
        "/",
        "\\",
        "#",
        "?",
        "%",
        "[",
        "]",
        ".",
        "//",
        "http:",
        "evil.example",
        "1",
        "0x",
        ";",
        "-",
    ]
)


@given(st.one_of(st.text(max_size=40), st.lists(parts, max_size=6).map("".join)))
@example("localhost:8000")
@example("[::1]:1@evil.example")
def test_whoever_is_let_through_is_this_machine_to_httpx_too(rest: str) -> None:
    url = f"http://{rest}"
    try:
        checked(url, allow_remote=False)
    except (InvalidTarget, RemoteTarget):
        return
    try:
        host = httpx.URL(url).host
    except httpx.InvalidURL:
        return
    assert host in ("localhost", "::1", "0:0:0:0:0:0:0:1") or host.startswith("127."), url
    assert host.count(".") in (0, 3)


def test_a_url_is_shown_without_what_may_be_secret() -> None:
    assert shown("https://h.test:8443/hooks/a?token=1#x") == "https://h.test:8443/hooks/a"
    assert shown("http://localhost") == "http://localhost"
