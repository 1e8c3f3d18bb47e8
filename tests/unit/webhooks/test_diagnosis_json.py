"""The forms of JSON are those that the languages really write: where one is installed it is the judge."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.webhooks.diagnosis import diagnose
from mock_server.webhooks.diagnosis.json_forms import rewritten
from mock_server.webhooks.diagnosis.json_parts import number
from mock_server.webhooks.diagnosis.json_styles import STYLES
from mock_server.webhooks.schemes import scheme_named
from mock_server.webhooks.schemes.protocol import Message

NOW = 1_700_000_000
# Out of order, with all that is escaped somewhere, and with numbers that are written in many ways.
VALUE: dict[str, Any] = {
    "z": "ü€😀 </p> & 'q' \"d\" \\ + ` \t \u2028 \x7f",
    "a": {"longer": [1, 2.5, 1e21, 1e-7, {"x": None}], "b": True, "10": "ten", "9": "nine"},
    "whole": 10.0,
    "amount": 1776418206,
    "none": [],
    "empty": {},
}
HELD = b"\n " + json.dumps(VALUE, indent=3).encode()
SMALL = '{"b":"ü </x>&\'+","a":[1.0,{},{"k":1e21}],"n":10000000}'.encode()


def forms(body: bytes = HELD) -> dict[str, bytes]:
    return {change.name.removeprefix("body:json-"): form for change, form in rewritten(body).forms}


def dumps(**how: Any) -> bytes:
    return json.dumps(VALUE, **how).encode()


TIGHT = (",", ":")
PYTHON: dict[str, Callable[[], bytes]] = {
    "python": dumps,
    "python-unicode": lambda: dumps(ensure_ascii=False),
    "python-compact": lambda: dumps(separators=TIGHT),
    "python-compact-unicode": lambda: dumps(separators=TIGHT, ensure_ascii=False),
    "python-indent-2": lambda: dumps(indent=2),
    "python-indent-2-unicode": lambda: dumps(indent=2, ensure_ascii=False),
    "python-indent-4": lambda: dumps(indent=4),
    "python-indent-4-unicode": lambda: dumps(indent=4, ensure_ascii=False),
    "python-sorted": lambda: dumps(sort_keys=True),
    "python-sorted-unicode": lambda: dumps(sort_keys=True, ensure_ascii=False),
    "python-compact-sorted": lambda: dumps(sort_keys=True, separators=TIGHT),
    "python-indent-2-sorted": lambda: dumps(indent=2, sort_keys=True),
    "python-indent-4-sorted": lambda: dumps(indent=4, sort_keys=True),
    "json-tool": lambda: dumps(indent=4) + b"\n",
    "python-newline": lambda: dumps() + b"\n",
}


@pytest.mark.parametrize("name", PYTHON)
def test_python_writes_so(name: str) -> None:
    # Where two writers agree, the first of them gives the name.
    assert forms().get(name, PYTHON[name]()) == PYTHON[name]()
    assert PYTHON[name]() in forms().values()


def tool(name: str) -> str:
    return shutil.which(name) or pytest.skip(f"{name} is not installed")


def output(*command: str, stdin: bytes = HELD, where: Path | None = None) -> bytes:
    done = subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=60, cwd=where)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


NODE = """
const value = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const styles = {'js-compact': undefined, 'js-indent-2': 2, 'js-indent-4': 4, 'js-indent-tab': '\\t'};
const written = Object.entries(styles).map(([name, indent]) => [name, JSON.stringify(value, null, indent)]);
process.stdout.write(JSON.stringify(Object.fromEntries(written)));
"""


def test_node_writes_so() -> None:
    written = json.loads(output(tool("node"), "-e", NODE))
    assert {name: forms()[name] for name in written} == {name: text.encode() for name, text in written.items()}


def test_node_writes_numbers_so() -> None:
    texts = ["1.0", "-0", "-0.0", "0.1", "1e20", "1e21", "123456789012345678901234567890", "1e-6", "1e-7", "1.5e-9"]
    texts += [
        "9007199254740993",
        "5e-324",
        "1.7976931348623157e308",
        "1e400",
        "100",
        "1E+3",
        "12345.6789e2",
        "0.000001234",
    ]
    source = f"[{','.join(texts)}]".encode()
    script = "for (const n of JSON.parse(require('fs').readFileSync(0, 'utf8'))) console.log(JSON.stringify(n))"
    assert output(tool("node"), "-e", script, stdin=source).decode().split() == [number(text, "js") for text in texts]


GO = r"""package main

import ("bytes"; "encoding/json"; "io"; "os")

func main() {
	raw, _ := io.ReadAll(os.Stdin)
	var value interface{}
	if err := json.Unmarshal(raw, &value); err != nil { panic(err) }
	plain, _ := json.Marshal(value)
	two, _ := json.MarshalIndent(value, "", "  ")
	tab, _ := json.MarshalIndent(value, "", "\t")
	var html, raws bytes.Buffer
	json.NewEncoder(&html).Encode(value)
	encoder := json.NewEncoder(&raws)
	encoder.SetEscapeHTML(false)
	encoder.Encode(value)
	json.NewEncoder(os.Stdout).Encode([]string{string(plain), string(two), string(tab), html.String(), raws.String()})
}
"""


@pytest.mark.slow
def test_go_writes_so(tmp_path: Path) -> None:
    (tmp_path / "main.go").write_text(GO)
    written = json.loads(output(tool("go"), "run", "main.go", where=tmp_path))
    names = ["go", "go-indent-2", "go-indent-tab", "go-encoder", "go-plain-newline"]
    # With SetEscapeHTML(false) the two line separators are escaped all the same.
    source = json.dumps(VALUE).replace("\\u2028", "").encode()
    plain = json.loads(output(tool("go"), "run", "main.go", where=tmp_path, stdin=source))
    assert [forms()[name].decode() for name in names[:-1]] == written[:-1]
    assert forms(source)[names[-1]].decode() == plain[-1]


JAVA = """
public class Doubles {
    public static void main(String[] texts) {
        for (String text : texts) System.out.println(Double.parseDouble(text));
    }
}
"""


@pytest.mark.slow
def test_java_writes_doubles_so(tmp_path: Path) -> None:
    texts = [
        "10.0",
        "0.1",
        "1e21",
        "10000000",
        "9999999",
        "0.001",
        "0.00099",
        "-0.0",
        "1776418206",
        "2.5",
        "123456.789",
    ]
    (tmp_path / "Doubles.java").write_text(JAVA)
    written = output(tool("java"), "Doubles.java", *texts, where=tmp_path).decode().split()
    assert [number(text, "gson") for text in texts] == written


# As these writers are known to write; none of them is at hand here, so nothing but this judges them.
OTHERS = {
    "php": '{"b":"\\u00fc <\\/x>&\'+","a":[1,{},{"k":1e+21}],"n":10000000}',
    "php-slashes": '{"b":"\\u00fc </x>&\'+","a":[1,{},{"k":1e+21}],"n":10000000}',
    "php-unicode": '{"b":"ü <\\/x>&\'+","a":[1,{},{"k":1e+21}],"n":10000000}',
    "php-arrays": '{"b":"\\u00fc <\\/x>&\'+","a":[1,[],{"k":1e+21}],"n":10000000}',
    "html-escaped": '{"b":"ü \\u003c/x\\u003e\\u0026\'+","a":[1.0,{},{"k":1e21}],"n":10000000}',
    "jackson": '{"b":"ü </x>&\'+","a":[1.0,{},{"k":1.0E21}],"n":10000000}',
    "jackson-pretty": (
        '{\n  "b" : "ü </x>&\'+",\n  "a" : [ 1.0, { }, {\n    "k" : 1.0E21\n  } ],\n  "n" : 10000000\n}'
    ),
    "gson-map": '{"b":"ü \\u003c/x\\u003e\\u0026\\u0027+","a":[1.0,{},{"k":1.0E21}],"n":1.0E7}',
    "dotnet": '{"b":"\\u00FC \\u003C/x\\u003E\\u0026\\u0027\\u002B","a":[1.0,{},{"k":1e21}],"n":10000000}',
    "newtonsoft-indented": (
        '{\r\n  "b": "ü </x>&\'+",\r\n  "a": [\r\n    1.0,\r\n    {},\r\n    {\r\n      "k": 1e21\r\n    }\r\n  ],\r\n'
        '  "n": 10000000\r\n}'
    ),
    "jsonb": '{"a": [1.0, {}, {"k": 1e21}], "b": "ü </x>&\'+", "n": 10000000}',
    "escapes-slashes": '{"b":"ü <\\/x>&\'+","a":[1.0,{},{"k":1e21}],"n":10000000}',
    "colon-space": '{"b": "ü </x>&\'+","a": [1.0,{},{"k": 1e21}],"n": 10000000}',
}


@pytest.mark.parametrize("name", OTHERS)
def test_the_others_write_so(name: str) -> None:
    assert forms(SMALL)[name].decode() == OTHERS[name]


def test_jsonb_puts_shorter_keys_first() -> None:
    assert forms(b'{"bb":1,"a":2,"ccc":{"z":1,"yy":2},"aa":3}')["jsonb"] == (
        b'{"a": 2, "aa": 3, "bb": 1, "ccc": {"z": 1, "yy": 2}}'
    )


def test_empty_objects_that_php_made_arrays_come_back() -> None:
    assert forms(b'{"m": []}')["objects-compact"] == b'{"m":{}}'


@pytest.mark.parametrize("name", sorted(forms()))
def test_each_form_is_named_when_it_was_signed(name: str) -> None:
    scheme, secret = scheme_named("stripe"), "whsec_demo"
    headers = {"stripe-signature": scheme.sign(Message(forms()[name]), secret, NOW).headers[0][1]}
    found = diagnose(scheme, Message(HELD), headers, [secret], NOW)
    assert [near.name for near in found.near_misses] == [f"body:json-{name}"]
    style = next(style for style in STYLES if style.name == name)
    assert style.words in found.near_misses[0].changes[0].meaning


def test_the_value_that_we_try_this_with_tells_nearly_all_forms_apart() -> None:
    same = {style.name for style in STYLES} - {*forms()}
    assert len(same) <= 6, same


def test_what_is_held_is_named_too() -> None:
    assert "json.dumps(data)" in rewritten(dumps()).held
    assert "JSON.stringify(data)" in rewritten(b'{"a":1}').held
    assert rewritten(HELD).held == ""


FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**60), 2**60)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    ).filter(lambda value: isinstance(value, list | dict))
)
def test_any_value_is_written_as_python_writes_it_and_stays_itself(value: Any) -> None:
    held = b"\n\n" + json.dumps(value, indent=1).encode()
    found = forms(held)
    assert json.dumps(value).encode() in found.values()
    assert json.dumps(value, indent=2, sort_keys=True).encode() in found.values()
    for name, form in found.items():
        if not name.startswith(("php-arrays", "objects", "gson")):
            # To some languages all numbers are doubles.
            assert json.loads(form, parse_int=float) == json.loads(held, parse_int=float)
