"""How a signature stands in its header, and in what that differs from the form that the scheme gives it."""

from __future__ import annotations

from mock_server.webhooks.schemes.hmacs import Hmac
from mock_server.webhooks.schemes.protocol import Claim, Rejected, Scheme

from .evidence import Token
from .report import Axis, Change

_FORMS = {
    "hex": "hexadecimal in small letters",
    "HEX": "hexadecimal in capital letters",
    "base64": "base64",
    "base64url": "base64 of the URL-safe alphabet (- and _)",
    "base64-unpadded": "base64 without = at its end",
    "base64url-unpadded": "base64 of the URL-safe alphabet without = at its end",
    "hex-in-base64": "the base64 of hexadecimal text",
}
_MAKERS = {
    "hex": 'hexdigest(), digest("hex"), hex.EncodeToString',
    "base64": 'base64.b64encode(mac.digest()), digest("base64"), base64.StdEncoding',
}


def header_form(scheme: Scheme) -> str:
    """`t=<time>,v1=<hex>`."""
    if isinstance(scheme, Hmac):
        return scheme.layout.write("<time>", f"<{scheme.encoding}>")
    return "v1,<base64>"


def encoding_of(scheme: Scheme) -> str:
    return scheme.encoding if isinstance(scheme, Hmac) else "base64"


def digest_of(scheme: Scheme) -> str:
    return scheme.digest if isinstance(scheme, Hmac) else "sha256"


def differences(scheme: Scheme, token: Token, claim: Claim | Rejected) -> tuple[Change, ...]:
    """Nothing where the scheme itself reads this signature. A token without header was computed by somebody."""
    found = []
    if token.digest != digest_of(scheme) and not _is_asymmetric(token, claim):
        found.append(_digest(scheme, token))
    if token.form != encoding_of(scheme):
        found.append(_encoding(scheme, token))
    if token.header and token.header not in _own_headers(scheme):
        found.append(_other_header(scheme, token))
    elif token.header and not found and not _is_read(token, claim):
        found.append(_form(scheme, token, claim))
    return tuple(found)


def _is_read(token: Token, claim: Claim | Rejected) -> bool:
    if isinstance(claim, Rejected):
        return False
    return any(each == token.text or each.endswith(f",{token.text}") for each in claim.signatures)


def _is_asymmetric(token: Token, claim: Claim | Rejected) -> bool:
    return isinstance(claim, Claim) and f"v1a,{token.text}" in claim.signatures


def _own_headers(scheme: Scheme) -> list[str]:
    return [each.lower() for each in (scheme.header, *scheme.also)]


def _digest(scheme: Scheme, token: Token) -> Change:
    wanted = digest_of(scheme).upper().replace("SHA", "SHA-")
    return Change(
        "digest",
        f"digest:{token.digest}",
        f"HMAC with {token.digest.upper()}",
        f"{scheme.title} signs with {wanted}, and this signature is made with another digest.",
        f"Use HMAC-{wanted} on both sides (createHmac('{digest_of(scheme)}', ...), hashlib.{digest_of(scheme)}).",
    )


def _encoding(scheme: Scheme, token: Token) -> Change:
    wanted = encoding_of(scheme)
    return Change(
        "encoding",
        f"encoding:{token.form}",
        f"the signature written as {_FORMS[token.form]}",
        f"The signature itself is right. {scheme.title} writes it as {_FORMS[wanted]}.",
        f"Write it as {_FORMS[wanted]}: {_MAKERS[wanted]}.",
    )


def _other_header(scheme: Scheme, token: Token) -> Change:
    return _header(
        "other",
        f"the signature that stands in the header {token.header}",
        f"{scheme.title} sends it in {scheme.header}; here it came under another name: a proxy, a framework (CGI writes "
        "HTTP_ and underscores) or a sender of your own named it so.",
        f"Read {token.header} there, or have it sent as {scheme.header}: {header_form(scheme)}",
    )


def _form(scheme: Scheme, token: Token, claim: Claim | Rejected) -> Change:
    form = header_form(scheme)
    if not token.bare:
        return _header(
            "wrapped",
            "the signature without what stands around it (quotes, brackets, spaces, %-escapes)",
            f"The value of {scheme.header} was quoted or encoded on its way; its form is {form}",
            "Pass the header's value on as it came: no JSON.stringify, repr() or URL-encoding of it.",
        )
    if token.label and "=<time>" not in form and f"{token.label}=" not in form:
        return _header(
            "prefix-kept",
            f"the signature without {token.label}= before it",
            f"The header's form is {form}; here {token.label}= stands before the signature.",
            f"Take {token.label}= off before you compare, and do not send it.",
        )
    if isinstance(claim, Claim):
        return _header(
            "not-counted",
            f"a signature in {scheme.header} that does not count",
            f"The header carries several, and {scheme.title} does not look at this one; the form is {form}",
            "Send the signature that counts; look at which entry your code takes.",
        )
    return _header(
        "form",
        f"the signature in a header of the form {form}",
        f"The signature is right, but {scheme.header} is not written as {form}.",
        f"Send {scheme.header}: {form}",
    )


def _header(name: str, what: str, meaning: str, advice: str, axis: Axis = "header") -> Change:
    return Change(axis, f"{axis}:{name}", what, meaning, advice)
