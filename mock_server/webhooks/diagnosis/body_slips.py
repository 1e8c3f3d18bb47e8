"""The body in another wrapping, and slips of the pen: what is signed is not the body but something made of it."""

from __future__ import annotations

import json
from base64 import b64encode
from urllib.parse import quote, quote_plus

from .body_words import RAW, SIGNER, Perturbation, of_body
from .body_work import always, form_value, inner, python_value, text_of, unbased, unquoted, unzipped, zipped

TABLE = (
    Perturbation(
        of_body(
            "unzipped",
            "the body unpacked (it is compressed here)",
            "The sender signs the plain body, and what is here still has its Content-Encoding.",
            "Unpack the body before you verify it, or ask your proxy to pass it on unpacked.",
        ),
        unzipped,
        True,
    ),
    *(
        Perturbation(
            of_body(
                f"zipped-{level}-{system}",
                f"the body compressed with gzip (level {level})",
                "The compressed bytes were signed, and a proxy or your framework unpacked them.",
                "Verify the bytes before they are unpacked.",
            ),
            zipped(level, system),
            True,
        )
        for level in (6, 9)
        for system in (3, 255)
    ),
    Perturbation(
        of_body(
            "base64-decoded",
            "the body decoded from base64",
            (
                "What is here is the base64 of the body: AWS API Gateway and load balancers hand it "
                "over so (isBase64Encoded: true)."
            ),
            "Decode first: Buffer.from(event.body, 'base64'), base64.b64decode(event['body']).",
        ),
        unbased,
        True,
    ),
    Perturbation(
        of_body(
            "base64-encoded", "the base64 of the body", "The base64 of the body was signed, not its bytes.", SIGNER
        ),
        b64encode,
        True,
    ),
    Perturbation(
        of_body(
            "hex-encoded",
            "the body in hexadecimal",
            "The hexadecimal text of the body was signed, not its bytes.",
            SIGNER,
        ),
        lambda body: body.hex().encode(),
        True,
    ),
    Perturbation(
        of_body(
            "form-value",
            "the value of the form's one field",
            "The sender signs the payload alone, and sends it in a form.",
            ("Verify the field's decoded value, or have the sender use Content-Type: application/json."),
        ),
        form_value,
        True,
    ),
    Perturbation(
        of_body(
            "url-decoded",
            "the body with its %-escapes decoded",
            "What is here is a URL-encoded form of what was signed.",
            "Decode the form field first, or have the sender use Content-Type: application/json.",
        ),
        unquoted,
        True,
    ),
    Perturbation(
        of_body(
            "form-payload",
            "the body as a form: `payload=` and the body, URL-encoded",
            (
                "The sender sends and signs a form (GitHub does with Content-Type "
                "application/x-www-form-urlencoded), and what is here is only its field."
            ),
            ("Verify the raw form, then read the field; or set the webhook's content type to application/json."),
        ),
        lambda body: b"payload=" + quote_plus(body).encode(),
        True,
    ),
    Perturbation(
        of_body(
            "url-encoded-form", "the body URL-encoded, with + for a space", "The URL-encoded text was signed.", SIGNER
        ),
        lambda body: quote_plus(body).encode(),
        True,
    ),
    Perturbation(
        of_body(
            "url-encoded", "the body URL-encoded, with %20 for a space", "The URL-encoded text was signed.", SIGNER
        ),
        lambda body: quote(body, safe="!'()*-._~").encode(),
        True,
    ),
    Perturbation(
        of_body(
            "json-string-opened",
            "the text inside the JSON string that the body is",
            ("What is here was encoded as JSON twice: json.dumps or JSON.stringify of text that was JSON already."),
            (
                "Send the text itself (requests: data=, not json=; axios: a string with "
                "transformRequest off), and keep the raw body."
            ),
        ),
        inner,
        True,
    ),
    Perturbation(
        of_body(
            "json-string",
            "the body as one JSON string in quotes",
            (
                "The body was encoded as JSON a second time before it was signed: JSON.stringify or "
                "json.dumps of a string."
            ),
            SIGNER,
        ),
        text_of(lambda text: json.dumps(text, ensure_ascii=False)),
        True,
    ),
    Perturbation(
        of_body(
            "json-string-ascii",
            "the body as one JSON string in quotes, with \\u escapes",
            ("The body was encoded as JSON a second time before it was signed: json.dumps of a string."),
            SIGNER,
        ),
        text_of(json.dumps),
        True,
    ),
    Perturbation(
        of_body(
            "python-bytes",
            "the body as Python shows bytes: b'...'",
            "Bytes were put into an f-string or through str(): that gives b'...', not the text.",
            ('Put bytes together: f"{time}.".encode() + body, or decode the body first: body.decode().'),
        ),
        lambda body: repr(body).encode(),
        True,
    ),
    Perturbation(
        of_body(
            "python-value",
            "the body as Python shows a dict: {'id': ...}",
            "A parsed body was put through str() or an f-string.",
            RAW,
        ),
        python_value,
        True,
    ),
    Perturbation(
        of_body(
            "js-object",
            "the text `[object Object]` for the body",
            ("JavaScript put a parsed body into a string: `${time}.${req.body}` after express.json() has read it."),
            (
                "Mount express.raw({type: 'application/json'}) on this route, before express.json(), "
                "and pass req.body (a Buffer) on."
            ),
        ),
        lambda body: b"[object Object]",
    ),
    *(
        Perturbation(
            of_body(
                f"word-{word}",
                f"the word `{word}` for the body",
                "The variable for the raw body was never set.",
                (
                    "Look where the raw body is kept (rawBody, req.body): the middleware that fills it "
                    "does not run for this route. "
                )
                + RAW,
            ),
            always(word.encode()),
        )
        for word in ("undefined", "null", "None", "{}")
    ),
)
