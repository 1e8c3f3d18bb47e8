"""`contract.toml`: what it may say, and how it complains: by file, line and member, without a secret."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from contracts import toml_lines
from contracts.config import config, config_of
from contracts.hosts import is_loopback, wrong_with, wrong_with_host
from contracts.tables import Document
from contracts.target import HttpClock, PythonClock, Target, TargetError

from .toml_documents import documents

HERE = Path(__file__).parent
URL = 'url = "http://127.0.0.1:4010/api/v1"'


def target(text: str) -> Target:
    return config_of(Document("contract.toml", text), HERE).target


def complaint(text: str) -> str:
    with pytest.raises(TargetError) as error:
        target(text)
    return str(error.value)


# -- lines ------------------------------------------------------------------------------------------------------------


def leaves(value: Any, path: toml_lines.Path = ()) -> Iterator[tuple[toml_lines.Path, Any]]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from leaves(each, (*path, key))
    elif isinstance(value, list):
        for n, each in enumerate(value):
            yield from leaves(each, (*path, n))
    if path:
        yield path, value


@given(documents())
@settings(max_examples=80)
def test_every_member_is_found_on_its_line(text: str) -> None:
    try:
        value = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        assume(False)
    found = toml_lines.lines(text)
    for path, each in leaves(value):
        assert path in found, path
        if isinstance(each, str):
            at = text.index(each.partition("!")[0] + "!")
            assert found[path] == text.count("\n", 0, at) + 1, path
    assert len(found) == len(list(leaves(value))), "and nothing else is"


def test_tables_are_found_where_their_headers_stand() -> None:
    text = "\n[a.b]\nx = 1\n\n[a]\ny.z = 2\n\n[[c]]\n[[c]]\nd = {e = [\n1,\n2]}\n[c.f]\n"
    found = toml_lines.lines(text)
    assert found == {
        ("a",): 5, ("a", "b"): 2, ("a", "b", "x"): 3, ("a", "y"): 6, ("a", "y", "z"): 6,
        ("c",): 8, ("c", 0): 8, ("c", 1): 9, ("c", 1, "d"): 10, ("c", 1, "d", "e"): 10,
        ("c", 1, "d", "e", 0): 11, ("c", 1, "d", "e", 1): 12, ("c", 1, "f"): 13,
    }  # fmt: skip


@given(st.text(max_size=40))
def test_what_is_no_toml_is_told_with_its_line(text: str) -> None:
    try:
        tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        with pytest.raises(TargetError, match=r"^x\.toml(, line \d+)?: "):
            Document("x.toml", text)
    else:
        Document("x.toml", text)


@pytest.mark.parametrize("text", ["a = " + "[" * 2_000, "a = " + "9" * 5_000, "a = 1\na = 2"])
def test_toml_that_is_too_much_is_refused_too(text: str) -> None:
    assert complaint(text).startswith("contract.toml")


# -- hosts ------------------------------------------------------------------------------------------------------------

HERE_ONLY = [
    "http://127.0.0.1",
    "http://127.9.9.9:1/x",
    "https://[::1]:8443/",
    "http://localhost:4010",
    "HTTP://LocalHost",
]
ELSEWHERE = [
    "http://127.0.0.1.evil.com", "http://localhost.evil.com", "http://evil.localhost", "http://127.1", "http://2130706433",
    "http://0x7f.0.0.1", "http://0177.0.0.1", "http://0.0.0.0:4010", "http://[::]", "http://[::ffff:10.0.0.1]", "http://10.0.0.1",
    "http://evil.com", "http://localhost.", "http://169.254.169.254/latest", "http://[fe80::1%25eth0]/",
]  # fmt: skip
NO_URLS = [
    "", "localhost:4010", "//127.0.0.1", "ftp://127.0.0.1", "file:///etc/passwd", "http://", "http:///x", "http://:80",
    "http://127.0.0.1@evil.com", "http://evil.com@127.0.0.1", "http://user:sk_live@127.0.0.1", "http://127.0.0.1\\@evil.com",
    "http://127.0.0.1:99999", "http://127.0.0.1:0", "http://127.0.0.1:", "http://127.0.0.1:x", "http://127.0.0.1?x=1",
    "http://evil.com#@127.0.0.1", "http://127.0.0.1/ x", "http://127.0.0.1\r\nX: y", "http://loc\u0430lhost", "http://[::1",
    "http://a..b", "http://-a.b",
]  # fmt: skip


@pytest.mark.parametrize("url", HERE_ONLY)
def test_this_machine_may_always_be_called(url: str) -> None:
    assert wrong_with(url) is None


@pytest.mark.parametrize("url", ELSEWHERE)
def test_what_only_looks_like_this_machine_may_not(url: str) -> None:
    reason = wrong_with(url)
    assert reason is not None
    assert "sk_live" not in reason


@pytest.mark.parametrize("url", NO_URLS)
@pytest.mark.parametrize("hosts", [(), ("evil.com", "127.0.0.1")])
def test_what_is_no_url_may_not_be_called_whoever_is_allowed(url: str, hosts: tuple[str, ...]) -> None:
    reason = wrong_with(url, hosts)
    assert reason is not None
    assert "sk_live" not in reason


@given(st.text(max_size=30), st.sampled_from(["http://", "https://", ""]))
def test_no_text_leads_to_a_host_that_is_not_named(text: str, scheme: str) -> None:
    from http.client import HTTPConnection
    from urllib.parse import urlsplit

    if wrong_with(scheme + text) is None:
        host = HTTPConnection(urlsplit(scheme + text).netloc).host
        assert is_loopback(host)


@given(st.from_regex(r"[a-z]{1,8}\.(example|test)", fullmatch=True))
def test_a_host_that_is_named_may_be_called_and_no_other(host: str) -> None:
    assert wrong_with_host(host) is None
    assert wrong_with(f"https://{host}/v1", (host.upper(),)) is None
    for other in (f"x{host}", f"{host}.evil.com", f"x.{host}", host[1:] or "x"):
        assert other == host or wrong_with(f"https://{other}/v1", (host,)) is not None


@pytest.mark.parametrize(
    "host", ["*", "*.example", "http://a.example", "a.example:80", "a.example/x", "", "a b", "[::1]"]
)
def test_only_names_of_hosts_are_hosts(host: str) -> None:
    assert wrong_with_host(host) is not None


def test_every_port_has_to_be_on_a_host_that_may_be_called() -> None:
    for port, member in (("control", "url"), ("clock", "url"), ("usage", "url")):
        text = complaint(f'[target]\n{URL}\n[ports.{port}]\n\n{member} = "http://10.0.0.1"\n')
        assert text.startswith(f"contract.toml, line 5, ports.{port}.url: the host '10.0.0.1' is not this machine")


def test_a_url_from_elsewhere_is_held_to_the_same(tmp_path: Path) -> None:
    file = tmp_path / "contract.toml"
    file.write_text(f'[target]\n{URL}\nallowed_hosts = ["a.example"]\n')
    assert config(file, url="https://a.example/v1").target.url == "https://a.example/v1"
    with pytest.raises(TargetError, match=r"--url: the host 'b\.example'"):
        config(file, url="https://b.example/v1")


# -- complaints -------------------------------------------------------------------------------------------------------

SECRET = "sk_live_do_not_show"
WRONG = {
    "nothing": ("", "contract.toml, target.url: this is missing"),
    "no url": ("\n[target]\n", "contract.toml, line 2, target.url: this is missing"),
    "an unknown table": ("[tarket]\n", "line 1, tarket: there is no such setting; did you mean 'target'?"),
    "an unknown member": (
        f"[target]\n{URL}\nrates = 2",
        "line 3, target.rates: there is no such setting; did you mean 'rate'?",
    ),
    "an unknown role": (
        f"[target]\n{URL}\n[credentials]\nadmin='x'",
        "line 4, credentials.admin: there is no such setting; there are: owner",
    ),
    "a member of a dotted key": (
        f"target.{URL}\ntarget.calls.x = 1",
        "line 2, target.calls: this must be a whole number, not a table",
    ),
    "a wrong type": (
        f"[target]\n{URL}\ncalls = 1.5",
        "line 3, target.calls: this must be a whole number, not a number",
    ),
    "true for a number": (
        f"[target]\n{URL}\nrate = true",
        "line 3, target.rate: this must be a number, not true or false",
    ),
    "no budget": (f"[target]\n{URL}\ncalls = 0", "line 3, target.calls: this must lie between 1 and"),
    "no patience": (f"[target]\n{URL}\ntimeout = nan", "line 3, target.timeout: this must lie between"),
    "an unknown permission": (
        f"[target]\n{URL}\nmay = 'readonly'",
        "line 3, target.may: 'readonly' is none of them; did you mean 'read-only'?",
    ),
    "an unknown API": (f"[target]\n{URL}\napi = 'geopera'", "line 3, target.api: 'geopera' is none of them"),
    "a host that is none": (
        f"[target]\n{URL}\nallowed_hosts = [\n'a',\n'*']",
        "line 5, target.allowed_hosts[1]: write every host out",
    ),
    "hosts in a text": (
        f"[target]\n{URL}\nallowed_hosts = 'a'",
        "line 3, target.allowed_hosts: this must be a list, not a text",
    ),
    "a secret that is no text": (
        f"[target]\n{URL}\n[credentials]\nowner = 7",
        "line 4, credentials.owner: this must be a text, or {env",
    ),
    "no variable": (
        f"[target]\n{URL}\n[credentials]\nowner.env = 'NOT_SET'",
        "line 4, credentials.owner: the environment variable NOT_SET is not set",
    ),
    "a secret for a variable": (
        f"[target]\n{URL}\n[credentials]\nowner = {{env = '{SECRET}'}}",
        "line 4, credentials.owner: the environment variable of this name is not set",
    ),
    "a member beside env": (
        f"[target]\n{URL}\n[credentials]\nowner = {{env = 'A', name = 'b'}}",
        "line 4, credentials.owner.name: there is no such setting",
    ),
    "a secret with a line's end": (
        f"[target]\n{URL}\n[credentials]\nowner = '{SECRET}\\n'\nreader = \"{SECRET}\\n\"",
        "line 5, credentials.reader: it is empty or has letters",
    ),
    "one key for two": (
        f"[target]\n{URL}\n[credentials]\nowner = '{SECRET}'\nreader = '{SECRET}'",
        "line 5, credentials.reader: this is the same as credentials.owner",
    ),
    "a password in the url": (
        f"[target]\nurl = 'http://u:{SECRET}@127.0.0.1/'",
        "line 2, target.url: a name or a password in a URL",
    ),
    "a header that is none": (
        f"[target]\n{URL}\nheaders = {{'a b' = '{SECRET}'}}",
        "line 3, target.headers.'a b': this is no name of a header",
    ),
    "an id that is none": (f"[target]\n{URL}\n[orgs]\nown = ''", "line 4, orgs.own: this must be an id"),
    "a clock without a way": (f"[target]\n{URL}\n[ports.clock]\n", "line 3, ports.clock: write either url"),
    "a clock with two ways": (
        f"[target]\n{URL}\n[ports]\nclock = {{url = 'http://127.0.0.1', call = 'a:b'}}",
        "line 4, ports.clock: write either url",
    ),
    "a clock that is not there": (
        f"[target]\n{URL}\n[ports.clock]\ncall = 'no.such:clock'",
        "line 4, ports.clock.call: 'no.such:clock' cannot be imported (ModuleNotFoundError",
    ),
    "a clock that is no function": (
        f"[target]\n{URL}\n[ports.clock]\ncall = 'os:sep'",
        "line 4, ports.clock.call: 'os:sep' is no function",
    ),
    "a webhook without a secret": (
        f"[target]\n{URL}\n[ports.webhook]\n",
        "line 3, ports.webhook.secret: this is missing",
    ),
    "a usage port nowhere": (f"[target]\n{URL}\n[ports.usage]\n", "line 3, ports.usage.url: this is missing"),
    "an unknown scenario": (
        f"[target]\n{URL}\n[ports.control]\nurl = 'http://127.0.0.1'\nscenario = 'demos'",
        "line 5, ports.control.scenario: 'demos' is none of them; did you mean 'demo'?",
    ),
    "an unknown catalog": (
        f"[target]\n{URL}\n[model]\ncatalog = 'nope'",
        "line 4, model.catalog: catalogs/nope: there is no such file",
    ),
    "a catalog that is not there": (f"[target]\n{URL}\n[model]\ncatalog = './none.yaml'", "line 4, model.catalog: "),
    "an unknown setting": (
        f"[target]\n{URL}\n[model.settings]\nwarn_day = 3",
        "line 4, model.settings.warn_day: there is no such setting; did you mean 'warn_days'?",
    ),
    "a setting out of bounds": (
        f"[target]\n{URL}\n[model]\nsettings = {{warn_days = -1}}",
        "line 4, model.settings.warn_days: Expected `int` >= 0",
    ),
    "writes without an owner": (
        f"[target]\n{URL}\nmay = 'full'",
        "contract.toml, credentials: may = 'full' needs credentials.owner",
    ),
    "writes without a place": (
        f"[target]\n{URL}\nmay = 'own-objects'\n[credentials]\nowner = 'x'\n[orgs]",
        "line 6, orgs: may = 'own-objects' needs orgs.own",
    ),
}


@pytest.mark.parametrize(("text", "expected"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_with_its_place(text: str, expected: str) -> None:
    said = complaint(text)
    assert said.startswith("contract.toml")
    assert expected in said
    assert SECRET not in said


ANY = st.one_of(
    st.text(max_size=5), st.integers(-5, 5), st.booleans(), st.floats(), st.just([]), st.just({}), st.just([{}]),
    st.just({"env": "NOT_SET"}), st.just(["a"]), st.just({"a": "b"}), st.datetimes(),
)  # fmt: skip
MEMBERS = [
    ("target", each) for each in ("url", "api", "may", "allowed_hosts", "calls", "rate", "timeout", "headers")
] + [("credentials", "owner"), ("orgs", "own"), ("ports", "control"), ("ports", "clock"), ("ports", "usage"),
     ("ports", "webhook"), ("model", "catalog"), ("model", "settings"), ("baseline", "file")]  # fmt: skip


@given(st.sampled_from(MEMBERS), ANY)
def test_a_value_of_any_kind_is_taken_or_refused_and_nothing_worse(member: tuple[str, str], value: Any) -> None:
    document = Document("contract.toml", f"[target]\n{URL}\n")
    table = {**document.value.get(member[0], {}), member[1]: value}
    document.value = {**document.value, member[0]: table}
    with suppress(TargetError):
        config_of(document, HERE)


@pytest.mark.parametrize("name", ["none.toml", "."])
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(TargetError, match=r"no such file|cannot be read"):
        config(tmp_path / name)
    (tmp_path / "latin.toml").write_bytes(b"a = '\xe9'")
    with pytest.raises(TargetError, match="is not UTF-8"):
        config(tmp_path / "latin.toml")


# -- what it gives ----------------------------------------------------------------------------------------------------


def test_everything_that_can_be_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OWNER", f" {SECRET}\n")
    (tmp_path / "staging_clock_of_test.py").write_text("def clock(to):\n    return to or '2026-01-01T00:00:00Z'\n")
    file = tmp_path / "contract.toml"
    file.write_text("""
[target]
url = "https://staging.example:8443/api/v1/"
api = "openapp"
may = "own-objects"
allowed_hosts = ["staging.example", "ports.example"]
calls = 100
rate = 5
timeout = 2.5
headers = { "X-Pass" = "open" }
[credentials]
owner = { env = "OWNER" }
reader = "r"
[orgs]
own = "A"
other = "B"
portal = "P"
[ports.clock]
call = "staging_clock_of_test:clock"
[ports.usage]
url = "http://ports.example/usage"
headers = { Authorization = "Bearer u" }
[ports.webhook]
secret = "whsec_x"
[model.settings]
checkout = "hosted"
[baseline]
file = "known.toml"
""")
    read = config(file)
    got = read.target
    assert (got.url, got.may, got.calls, got.rate, got.timeout) == (
        "https://staging.example:8443/api/v1", "own-objects", 100, 5.0, 2.5,
    )  # fmt: skip
    assert got.credentials == {"owner": SECRET, "reader": "r"}
    assert (got.org, got.other_org, got.portal) == ("A", "B", "P")
    assert isinstance(got.ports.clock, PythonClock)
    assert got.ports.usage is not None
    assert got.ports.usage.headers == {"Authorization": "Bearer u"}
    assert got.facts.settings == {"checkout": "hosted"}
    assert got.extra_headers == {"X-Pass": "open"}
    assert set(got.secrets) == {SECRET, "r", "open", "Bearer u", "whsec_x"}
    assert got.offers == {"writes", "clock", "usage", "webhook-secret", "portal", "owner", "reader"}
    assert read.baseline == tmp_path / "known.toml"


def test_a_control_port_brings_credentials_and_organizations() -> None:
    got = target(f'[target]\n{URL}\nmay = "full"\n[ports.control]\nurl = "http://127.0.0.1:4010/"\n')
    assert got.credentials["other"] == "demo-globex"
    assert got.ports.control is not None
    assert got.ports.control.url == "http://127.0.0.1:4010"
    assert got.org is not None
    assert got.ports.webhook_secret == "whsec_demo"


def test_a_clock_with_a_url() -> None:
    got = target(f'[target]\n{URL}\n[ports.clock]\nurl = "http://localhost:1/clock"\nheaders = {{A = "b"}}\n')
    assert got.ports.clock == HttpClock("http://localhost:1/clock", {"A": "b"})
