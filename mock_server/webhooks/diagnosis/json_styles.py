"""In which forms the languages and libraries write JSON, each form once, with who writes it."""

from __future__ import annotations

from typing import Literal

import msgspec

from .json_parts import Escapes, Numbers

Order = Literal["kept", "js", "sorted", "length"]
Empties = Literal["kept", "arrays", "objects"]


class Layout(msgspec.Struct, frozen=True):
    """Where there is white space. `indent` "": all in one line, with `comma` and `colon` between."""

    comma: str = ","
    colon: str = ":"
    indent: str = ""
    newline: str = "\n"
    jackson: bool = False


class Style(msgspec.Struct, frozen=True):
    """`words` says who writes so. `layout` None: the white space of the text that there is."""

    name: str
    words: str
    layout: Layout | None
    escapes: Escapes = "raw"
    order: Order = "kept"
    numbers: Numbers = "kept"
    ending: str = ""
    empties: Empties = "kept"


COMPACT, SPACED, COLON = Layout(), Layout(", ", ": "), Layout(",", ": ")
TWO, FOUR, TAB = (Layout(",", ": ", indent) for indent in ("  ", "    ", "\t"))
TWO_CRLF = Layout(",", ": ", "  ", "\r\n")
JACKSON = Layout(",", " : ", "  ", jackson=True)

STYLES = (
    Style("js-compact", "JavaScript's JSON.stringify(data)", COMPACT, "raw", "js", "js"),
    Style("compact", "a compact writer (httpx json=, orjson, Jackson, Ruby's JSON.generate)", COMPACT),
    Style("python", "Python's json.dumps(data) (also requests' json=)", SPACED, "ascii", "kept", "python"),
    Style("python-unicode", "Python's json.dumps(data, ensure_ascii=False)", SPACED, "raw", "kept", "python"),
    Style("python-compact", "Python's json.dumps(data, separators=(',', ':'))", COMPACT, "ascii", "kept", "python"),
    Style(
        "python-compact-unicode",
        "Python's json.dumps(data, separators=(',', ':'), ensure_ascii=False)",
        COMPACT,
        "raw",
        "kept",
        "python",
    ),
    Style("js-indent-2", "JavaScript's JSON.stringify(data, null, 2)", TWO, "raw", "js", "js"),
    Style("indent-2", "a writer with two spaces (Stripe's own events, Ruby's JSON.pretty_generate)", TWO),
    Style("python-indent-2", "Python's json.dumps(data, indent=2)", TWO, "ascii", "kept", "python"),
    Style(
        "python-indent-2-unicode",
        "Python's json.dumps(data, indent=2, ensure_ascii=False)",
        TWO,
        "raw",
        "kept",
        "python",
    ),
    Style("js-indent-4", "JavaScript's JSON.stringify(data, null, 4)", FOUR, "raw", "js", "js"),
    Style("python-indent-4", "Python's json.dumps(data, indent=4)", FOUR, "ascii", "kept", "python"),
    Style(
        "python-indent-4-unicode",
        "Python's json.dumps(data, indent=4, ensure_ascii=False)",
        FOUR,
        "raw",
        "kept",
        "python",
    ),
    Style("js-indent-tab", r"JavaScript's JSON.stringify(data, null, '\t')", TAB, "raw", "js", "js"),
    Style("python-sorted", "Python's json.dumps(data, sort_keys=True)", SPACED, "ascii", "sorted", "python"),
    Style(
        "python-sorted-unicode",
        "Python's json.dumps(data, sort_keys=True, ensure_ascii=False)",
        SPACED,
        "raw",
        "sorted",
        "python",
    ),
    Style(
        "python-compact-sorted",
        "Python's json.dumps(data, sort_keys=True, separators=(',', ':'))",
        COMPACT,
        "ascii",
        "sorted",
        "python",
    ),
    Style("compact-sorted", "a compact writer that sorts keys (Rust's serde_json::Value)", COMPACT, "raw", "sorted"),
    Style("python-indent-2-sorted", "json.dumps(data, indent=2, sort_keys=True)", TWO, "ascii", "sorted", "python"),
    Style("indent-2-sorted", "json.dumps(indent=2, sort_keys=True, ensure_ascii=False)", TWO, "raw", "sorted"),
    Style("python-indent-4-sorted", "json.dumps(data, indent=4, sort_keys=True)", FOUR, "ascii", "sorted", "python"),
    Style("indent-4-sorted", "json.dumps(indent=4, sort_keys=True, ensure_ascii=False)", FOUR, "raw", "sorted"),
    Style("go", "Go's json.Marshal of a map", COMPACT, "html", "sorted", "js"),
    Style("html-escaped", "Go's json.Marshal of a struct, or Rails' to_json", COMPACT, "html"),
    Style(
        "go-encoder",
        "Go's json.NewEncoder(w).Encode of a map (it adds a newline)",
        COMPACT,
        "html",
        "sorted",
        "js",
        "\n",
    ),
    Style("go-encoder-struct", "Go's json.NewEncoder(w).Encode (it adds a newline)", COMPACT, "html", ending="\n"),
    Style("go-plain", "Go's json.Encoder with SetEscapeHTML(false), of a map", COMPACT, "raw", "sorted", "js"),
    Style("go-plain-newline", "the same with its newline", COMPACT, "raw", "sorted", "js", "\n"),
    Style("go-indent-2", "Go's json.MarshalIndent of a map, two spaces", TWO, "html", "sorted", "js"),
    Style("go-indent-tab", "Go's json.MarshalIndent of a map, tabs", TAB, "html", "sorted", "js"),
    Style("php", "PHP's json_encode($data)", COMPACT, "php", "kept", "php"),
    Style("php-slashes", "PHP's json_encode with JSON_UNESCAPED_SLASHES", COMPACT, "php-slashes", "kept", "php"),
    Style("php-unicode", "PHP's json_encode with JSON_UNESCAPED_UNICODE", COMPACT, "php-unicode", "kept", "php"),
    Style("php-plain", "PHP's json_encode with slashes and Unicode unescaped", COMPACT, "raw", "kept", "php"),
    Style("php-pretty", "PHP's json_encode with JSON_PRETTY_PRINT", FOUR, "php", "kept", "php"),
    Style("php-pretty-slashes", "the same and JSON_UNESCAPED_SLASHES", FOUR, "php-slashes", "kept", "php"),
    Style("php-pretty-unicode", "the same and JSON_UNESCAPED_UNICODE", FOUR, "php-unicode", "kept", "php"),
    Style(
        "php-arrays",
        "PHP's json_encode(json_decode($body, true)): {} becomes []",
        COMPACT,
        "php",
        "kept",
        "php",
        empties="arrays",
    ),
    Style("jackson", "Jackson (numbers as Java writes a double)", COMPACT, "raw", "kept", "java"),
    Style("jackson-pretty", "Jackson's writerWithDefaultPrettyPrinter()", JACKSON, "raw", "kept", "java"),
    Style("gson", "Gson's toJson of a class", COMPACT, "html-java"),
    Style("gson-map", "Gson's toJson of a map (whole numbers become doubles)", COMPACT, "html-java", "kept", "gson"),
    Style("dotnet", ".NET's JsonSerializer.Serialize(data)", COMPACT, "dotnet"),
    Style("dotnet-indented", ".NET's JsonSerializer with WriteIndented", TWO, "dotnet"),
    Style("dotnet-indented-crlf", ".NET's JsonSerializer with WriteIndented, on Windows", TWO_CRLF, "dotnet"),
    Style("newtonsoft-indented", "Newtonsoft's Formatting.Indented, on Windows", TWO_CRLF),
    Style("jsonb", "a jsonb column of PostgreSQL or a JSON column of MySQL", SPACED, "raw", "length"),
    Style("colon-space", "a writer with a space after the colon only", COLON),
    Style("colon-space-ascii", "a writer with a space after the colon only, and \\u escapes", COLON, "ascii"),
    Style("jq", "jq .", TWO, "raw", "kept", "js", "\n"),
    Style("jq-compact", "jq -c .", COMPACT, "raw", "kept", "js", "\n"),
    Style("jq-sorted", "jq -S .", TWO, "raw", "sorted", "js", "\n"),
    Style("json-tool", "python -m json.tool", FOUR, "ascii", "kept", "python", "\n"),
    Style("python-newline", "json.dumps(data) and a newline", SPACED, "ascii", "kept", "python", "\n"),
    Style("escapes-none", "the same text without any escapes it does not need", None, "raw"),
    Style("escapes-ascii", "the same text with \\u escapes for all that is not ASCII", None, "ascii"),
    Style("escapes-slashes", "the same text with \\/ for /", None, "slashes"),
    Style("escapes-php", "the same text with PHP's escapes", None, "php"),
    Style("escapes-html", "the same text with < > & escaped", None, "html"),
    Style("escapes-dotnet", "the same text with .NET's escapes", None, "dotnet"),
    Style("objects-compact", "compact JSON with {} where PHP left []", COMPACT, "raw", empties="objects"),
    Style("objects-indent-2", "JSON with two spaces and {} where PHP left []", TWO, "raw", empties="objects"),
)
