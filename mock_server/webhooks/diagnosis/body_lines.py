"""Line ends, white space and character sets: what programs do to text in passing."""

from __future__ import annotations

from .body_words import CHARSET, LINES, RAW, Perturbation, of_body
from .body_work import BOM, crlf, normalized, one_newline_less, to_utf8, undoubled, utf8_to

TABLE = (
    Perturbation(
        of_body(
            "newline-added",
            "the body with a newline (LF) at its end",
            ("The newline at the end that was signed is gone here, or the sender signs one that it does not send."),
            LINES,
        ),
        lambda body: body + b"\n",
    ),
    Perturbation(
        of_body(
            "newline-removed",
            "the body without the newline at its end",
            "The newline at the end came after signing.",
            LINES,
        ),
        one_newline_less,
    ),
    Perturbation(
        of_body(
            "crlf-added",
            "the body with CR LF at its end",
            ("The line end that was signed is gone here, or the sender signs one that it does not send."),
            LINES,
        ),
        lambda body: body + b"\r\n",
    ),
    Perturbation(
        of_body("crlf-to-lf", "the body with CR LF turned to LF", "The lines were given CR LF after signing.", LINES),
        lambda body: body.replace(b"\r\n", b"\n"),
    ),
    Perturbation(
        of_body("lf-to-crlf", "the body with LF turned to CR LF", "The lines lost their CR after signing.", LINES), crlf
    ),
    Perturbation(
        of_body(
            "bom-removed",
            "the body without the byte order mark (EF BB BF) at its start",
            (
                "A byte order mark came before the body after signing: a Windows editor or a .NET "
                "StreamWriter puts it there."
            ),
            "Write UTF-8 without a BOM (.NET: new UTF8Encoding(false)), and keep bytes, not text.",
        ),
        lambda body: body.removeprefix(BOM),
    ),
    Perturbation(
        of_body(
            "bom-added",
            "the body with a byte order mark (EF BB BF) at its start",
            (
                "The sender signs a BOM, and it was dropped on the way: a text decoder (utf-8-sig, "
                ".NET StreamReader) takes it off."
            ),
            CHARSET,
        ),
        lambda body: BOM + body,
    ),
    Perturbation(
        of_body(
            "whitespace-stripped",
            "the body without the white space around it",
            ("The white space around the body came after signing, or the sender trims the body before it signs."),
            LINES,
        ),
        lambda body: body.strip(),
    ),
    Perturbation(
        of_body(
            "newlines-removed",
            "the body without any line breaks",
            ("The line breaks came after signing, or a tool took them out before: `curl -d @file` does that."),
            LINES,
        ),
        lambda body: body.replace(b"\r", b"").replace(b"\n", b""),
    ),
    Perturbation(
        of_body(
            "empty",
            "an empty body",
            (
                "Nothing was hashed where the body should be: the stream had been read before (a body "
                "parser, a logger), so the second read gave nothing."
            ),
            (
                "Read the body once, keep the bytes, and hand those to the check and to the parser. "
                "Rewind a stream before you read it again."
            ),
        ),
        lambda body: b"",
    ),
    Perturbation(
        of_body(
            "double-encoding-undone",
            "the body with its double UTF-8 encoding undone (what shows as `Ã¼` is `ü`)",
            "What is here was decoded as Latin-1 or Windows-1252 and encoded as UTF-8 again.",
            CHARSET,
        ),
        undoubled,
        True,
    ),
    Perturbation(
        of_body(
            "utf8-to-latin1",
            "the body in Latin-1 instead of UTF-8",
            (
                "Text was encoded as Latin-1 (ISO 8859-1) when it was signed, and as UTF-8 when it "
                "was sent, or the reverse."
            ),
            CHARSET,
        ),
        utf8_to("latin-1"),
        True,
    ),
    Perturbation(
        of_body(
            "utf8-to-windows1252",
            "the body in Windows-1252 instead of UTF-8",
            ("Text was encoded with the machine's code page when it was signed, and as UTF-8 when it was sent."),
            CHARSET,
        ),
        utf8_to("cp1252"),
        True,
    ),
    Perturbation(
        of_body(
            "latin1-to-utf8",
            "the body read as Latin-1 and written as UTF-8",
            (
                "Bytes were decoded as Latin-1 (the default of HTTP libraries for text without a "
                "charset) and encoded as UTF-8."
            ),
            CHARSET,
        ),
        lambda body: None if body.isascii() else body.decode("latin-1").encode(),
        True,
    ),
    Perturbation(
        of_body(
            "windows1252-to-utf8",
            "the body read as Windows-1252 and written as UTF-8",
            "Bytes were decoded with the machine's code page and encoded as UTF-8.",
            CHARSET,
        ),
        lambda body: None if body.isascii() else to_utf8("cp1252")(body),
        True,
    ),
    Perturbation(
        of_body(
            "utf16",
            "the body in UTF-16 (little endian)",
            "Text was encoded as UTF-16: .NET's Encoding.Unicode, or a database's nvarchar.",
            "Use Encoding.UTF8.GetBytes. " + RAW,
        ),
        utf8_to("utf-16-le"),
        True,
    ),
    Perturbation(
        of_body(
            "nfc",
            "the body in Unicode form NFC",
            ("Letters with accents were taken apart (NFD) after signing; macOS file names and some editors do that."),
            CHARSET,
        ),
        normalized("NFC"),
        True,
    ),
    Perturbation(
        of_body(
            "nfd",
            "the body in Unicode form NFD",
            ("Letters with accents were put together (NFC) after signing; databases and form libraries do that."),
            CHARSET,
        ),
        normalized("NFD"),
        True,
    ),
)
