"""What the writers write: every fact is there, what is not verified is never passed, and hostile answers stay text."""

from __future__ import annotations

import json
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contracts.findings import Finding
from contracts.reports import ReportError, View, html, json_report, junit, read_report, write_all
from contracts.reports.again import BEGINNING
from contracts.reports.shell import MARK, curl
from contracts.reports.walkthrough import walkthrough
from contracts.runner import BEGINNING as RUNS_BEGIN
from mock_server.engine.instants import format_instant
from tests.contracts.reported import (
    DOCUMENT,
    entry,
    finding,
    on_console,
    report,
    result,
    step,
    target,
    view,
)

NASTY = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\x1b[2J\x00\r\n]]>&amp;\"'`${OWNER}\u202e\ud800"
TEXTS = st.text(min_size=1, max_size=40).map(lambda text: f"x{text}").filter(lambda text: not MARK.search(text))


def hostile(text: str) -> Finding:
    """A finding with a text of the target's wherever one may stand."""
    shown = step(status=None, answer="")
    shown = msgspec.structs.replace(
        shown, title=text, url=f"http://127.0.0.1/{text}", headers=((text, text),), body=text, answer_body=text, status=200,
        answer_headers=((text, text),),
    )  # fmt: skip
    return finding(
        came=text,
        expected=text,
        place=text,
        notes=(text.replace("\n", " "),),
        steps=(shown,),
        replay=None,
        wanted=None,
        operation=text,
    )


def viewed(*findings: Finding, **more: object) -> View:
    return view(report(*findings, **more))


class TestConsole:
    def test_it_says_what_was_expected_what_came_and_how_to_see_it_again(self) -> None:
        text = on_console(viewed(finding(notes=("a note",))))
        for said in (
            "1) model.capacity  Of each thing there are as many as the limit says  [new]",
            "/paths/~1zones~1{id}~1restore/post/responses/200",
            "restore_zone, answered 200",
            "status 429 quota_exceeded",
            "a note",
            "with OWNER: the credential of the role owner",
            "1. POST /zones as owner -> 200",
            "then set ID_1 to what stands at /id",
            '"http://127.0.0.1:4010/w/again-',
            "/api/v1/zones/${ID_1}/restore",
            '-H "X-API-Key: ${OWNER}"',
            "--law model.capacity --seed 7",
        ):
            assert said in text
        assert "demo-owner" not in text
        assert "\x1b" not in text

    def test_not_verified_is_said_twice_and_counted_apart(self) -> None:
        text = on_console(viewed(laws=(result("a.b"), result("c.d", "not verified", "needs clock"))))
        assert "laws: 1 passed, 1 not verified" in text
        assert text.count("NOT VERIFIED") == 2
        assert text.count("needs clock") == 2

    def test_it_tells_what_was_never_seen(self) -> None:
        text = on_console(viewed())
        assert "operations seen: 1 of 2, declared statuses seen: 3 of 5" in text
        assert "create_zone 429\n" in text
        assert "get_plans 200\n" in text
        assert "seen and not declared: create_zone 500" in text

    def test_a_drawing_keeps_its_lines(self) -> None:
        made = viewed(finding(notes=("A  ├──┤ 200\nB   ├─┤ 429",)))
        assert "   note      A  ├──┤ 200\n             B   ├─┤ 429\n" in on_console(made)
        assert "A  ├──┤ 200\nB   ├─┤ 429</pre>" in html.text(made)

    def test_an_early_end_is_told(self) -> None:
        assert "this run ended early: interrupted" in on_console(viewed(stopped="interrupted"))

    def test_lines_are_not_broken_in_a_pipe(self) -> None:
        long = "x" * 300
        assert any(long in line for line in on_console(viewed(finding(came=long))).splitlines())


class TestKnownFindings:
    def test_a_law_with_only_known_findings_has_not_passed_and_fails_nothing(self) -> None:
        each = finding()
        made = view(report(each), known=(entry(each),))
        assert not made.fails
        assert made.states == {"passed": 1, "failed": 0, "known": 1, "not verified": 1}
        assert "known until 2026-06-30, ada: BILL-1" in on_console(made)
        suite = ET.fromstring(junit.text(made)).find("testsuite[@name='model']")
        assert suite is not None
        assert suite.get("failures") == "0"
        assert "known finding" in str(suite.findtext("testcase/system-out"))

    def test_an_expired_one_is_new_again_and_says_so(self) -> None:
        each = finding()
        made = view(report(each), known=(entry(each, "2026-02-01"),))
        assert made.fails
        assert "expired on 2026-02-01" in on_console(made)
        assert "expired on 2026-02-01" in html.text(made)

    def test_one_that_no_longer_shows_is_reported_as_fixed(self) -> None:
        gone = entry(finding(law="model.tiers", operation="create_zone"))
        made = view(report(), known=(gone,))
        for text in (on_console(made), html.text(made), json_report.text(made)):
            assert gone.fingerprint in text

    def test_a_law_that_ran_into_what_another_had_found_is_known_with_it(self) -> None:
        each = finding()
        also = result("model.walks", "failed", "found already", found_by=("model.capacity",))
        made = report(each, laws=(result("model.capacity", "failed"), also))
        assert view(made).states["failed"] == 2
        assert view(made, known=(entry(each),)).states["known"] == 2


class TestJUnit:
    def test_each_law_is_a_case_in_the_suite_of_its_family(self) -> None:
        root = ET.fromstring(junit.text(viewed(finding())))
        assert {key: root.get(key) for key in ("tests", "failures", "skipped")} == {
            "tests": "3", "failures": "1", "skipped": "1",
        }  # fmt: skip
        cases = {case.get("name"): case for case in root.iter("testcase")}
        assert sorted(map(str, cases)) == ["ingress.tampered", "model.capacity", "model.tiers"]
        skipped, failed = cases["ingress.tampered"].find("skipped"), cases["model.capacity"].find("failure")
        assert skipped is not None
        assert skipped.get("message") == "not verified: needs webhook-secret"
        assert failed is not None
        assert "curl -i" in str(failed.text)
        assert cases["model.tiers"].find("failure") is None

    @given(TEXTS)
    @settings(max_examples=30)
    @example(NASTY)
    def test_whatever_the_target_says_it_is_xml(self, text: str) -> None:
        root = ET.fromstring(junit.text(viewed(hostile(text), stopped=text)).encode("utf-8"))
        assert [each.tag for each in root.iter()] == [
            each.tag for each in ET.fromstring(junit.text(viewed(hostile("x"), stopped="x"))).iter()
        ]


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, tuple[str, ...]]] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, tuple(name for name, _ in attributes)))
        self.links += [str(value) for name, value in attributes if name in ("src", "href", "action", "data", "srcset")]


def tags(text: str) -> Tags:
    parser = Tags()
    parser.feed(text)
    return parser


class TestHtml:
    @given(TEXTS)
    @settings(max_examples=30)
    @example(NASTY)
    def test_whatever_the_target_says_stays_text(self, text: str) -> None:
        made = html.text(viewed(hostile(text), stopped=text))
        assert tags(made).seen == tags(html.text(viewed(hostile("x"), stopped="x"))).seen
        assert "\x1b" not in made
        assert "\u202e" not in made
        made.encode()

    def test_it_needs_nothing_else(self) -> None:
        parser = tags(html.text(viewed(finding())))
        assert all(link.startswith("#") for link in parser.links)
        assert not {tag for tag, _ in parser.seen} & {"link", "iframe", "object", "base", "img"}
        assert not [
            each for each in parser.seen if "style" in each[1] or any(name.startswith("on") for name in each[1])
        ]

    def test_the_four_states_are_told_by_letters_and_words(self) -> None:
        text = html.text(viewed())
        for state, letter in html.LETTERS.items():
            assert f'">{letter}</span> {state}' in text
        assert '<td class="state verified">verified</td>' in text
        assert '<td class="state not-verified">not verified</td>' in text
        assert '<td class="masked">M' in text

    def test_every_table_names_its_rows_and_columns(self) -> None:
        cells = [names for tag, names in tags(html.text(viewed(finding()))).seen if tag == "th"]
        assert cells
        assert all("scope" in names for names in cells)

    def test_a_page_without_findings_does_not_call_the_rest_kept(self) -> None:
        text = html.text(viewed())
        assert "<title>Partly verified" in text
        assert "But 1 laws were not verified" in text


class TestJson:
    def test_a_report_is_read_as_it_was_written(self, tmp_path: Path) -> None:
        each = finding()
        made = view(report(each, finding(law="wire.raw", replay=None, wanted=None)), known=(entry(each),))
        path = tmp_path / "report.json"
        path.write_text(json_report.text(made))
        assert read_report(path) == made

    def test_it_tells_what_is_new(self) -> None:
        value = json.loads(json_report.text(viewed(finding())))
        assert value["format"] == 1
        assert value["findings"][0]["news"] == "new"
        assert value["findings"][0]["replay"][1]["path"] == {"id": "{{1#/id}}"}
        assert value["summary"]["laws"] == {"passed": 1, "failed": 1, "known": 0, "not verified": 1}
        assert value["never_seen"][0] == {"operation": "create_zone", "statuses": [429]}

    @given(TEXTS)
    @settings(max_examples=20)
    @example(NASTY)
    def test_whatever_the_target_says_it_is_json(self, text: str) -> None:
        value = json.loads(json_report.text(viewed(hostile(text))).encode())
        assert value["findings"][0]["came"] == text.encode("utf-8", "backslashreplace").decode()

    @pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"format": 2}', b'{"format": 1}', b"\xff", None])
    def test_what_is_no_report_is_said_to_be_none(self, content: bytes | None, tmp_path: Path) -> None:
        path = tmp_path / "report.json"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ReportError, match=r"report\.json"):
            read_report(path)


PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)
BODIES = st.text(max_size=20) | st.sampled_from(["'\"$`\\!", "a'b\n\t", "@file", "\x00\x07", "-n %s %d \\n"])


class TestCurl:
    @given(
        body=BODIES,
        header=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12),
        raw=st.binary(max_size=8),
    )
    @settings(max_examples=30)
    def test_a_shell_gives_curl_exactly_what_was_sent(self, body: str, header: str, raw: bytes) -> None:
        exact = raw.decode("latin-1") if b"\x00" not in raw and raw else None
        value = f"{header.strip()}.<owner>"
        sent = step(body=body.encode("utf-8", "ignore").decode(), headers=(("X-API-Key", value),), exact=exact)
        url = "http://127.0.0.1/a?b={c}&d='$e'"
        fake = 'curl() { for each; do printf "%s\\0" "$each"; done; case "$*" in *@-) cat;; esac; }\nOWNER="it is \'me\'"\n'
        done = subprocess.run(["sh", "-c", fake + curl(sent, url, {})], capture_output=True, check=True, timeout=20)
        told = done.stdout.split(b"\0")
        assert url.encode() in told
        assert f"X-API-Key: {header.strip()}.it is 'me'".encode() in told
        wanted = exact.encode("latin-1") if exact is not None else (sent.body or "").encode()
        assert done.stderr == b""
        assert wanted in (b"", told[-1], told[-2]) or done.stdout.endswith(b"@-\0" + wanted)

    def test_bytes_that_were_no_http_go_over_a_line_of_their_own(self) -> None:
        sent = step(headers=(), body="", exact="GET / HTTP/1.1\r\nX-API-Key: <owner>\r\n\r\n\xff", is_raw=True)
        text = curl(sent, "", {})
        assert text.endswith("| nc -w 5 127.0.0.1 4010")
        done = subprocess.run(
            ["sh", "-c", "OWNER=me; nc() { cat; }; " + text], capture_output=True, check=True, timeout=20
        )
        assert done.stdout == b"GET / HTTP/1.1\r\nX-API-Key: me\r\n\r\n\xff"


class TestWalkthrough:
    def test_moves_of_the_clock_are_commands_where_there_is_a_control_api(self) -> None:
        shown = (msgspec.structs.replace(step(), title="the clock moves by P1M", method="", url=""), step())
        data = '[{"type":"move","by":"P1M"},{"type":"call","operation":"create_zone","caller":"owner"}]'
        made = viewed(finding(steps=shown, replay=data))
        command = walkthrough(made.report.findings[0], made.setup).steps[0].command
        assert command is not None
        assert '{"set":"2026-02-15T12:00:00Z"}' in command

    def test_worlds_begin_where_those_of_a_run_do(self) -> None:
        assert format_instant(RUNS_BEGIN) == BEGINNING

    def test_what_everybody_knows_needs_no_variable(self) -> None:
        made = view(report(finding()), target(org="01KF0RDQG0P9QWWJTP117SF22H"))
        assert walkthrough(made.report.findings[0], made.setup).steps[0].gives == ()

    def test_the_token_of_a_key_that_was_made_is_carried_on(self) -> None:
        token = "a-token-of-its-own"
        first = step(path="/api-keys", answer=json.dumps({"token": token}))
        second = step("GET", "/zones", None, headers=(("Authorization", f"Bearer {token}"),))
        made = viewed(finding(steps=(first, second), replay=None))
        steps = walkthrough(made.report.findings[0], made.setup).steps
        assert steps[0].gives == (("SECRET_1", "/token"),)
        assert '-H "Authorization: Bearer ${SECRET_1}"' in str(steps[1].command)


class TestWriteAll:
    def test_all_files_are_there_and_those_of_the_last_run_are_gone(self, tmp_path: Path) -> None:
        mine = tmp_path / "findings" / "test_of_my_own.py"
        mine.parent.mkdir()
        mine.write_text("def test_it(): pass\n")
        first = write_all(viewed(finding()), tmp_path, DOCUMENT)
        second = write_all(viewed(finding(operation="restore_device")), tmp_path, DOCUMENT)
        assert [each.name for each in first[:3]] == ["report.json", "junit.xml", "report.html"]
        assert {each.name for each in (tmp_path / "findings").iterdir()} == {mine.name, second[3].name}
        assert not list(tmp_path.rglob("*.part"))

    def test_tests_of_one_law_are_bounded(self, tmp_path: Path) -> None:
        many = [finding(place=f"/x{n}") for n in range(15)]
        assert len(write_all(viewed(*many), tmp_path, DOCUMENT)) == 3 + 10

    def test_the_bundle_is_found_by_its_api(self, tmp_path: Path) -> None:
        assert write_all(viewed(finding()), tmp_path)
