"""Why no answer of an API came, in words that say what to do."""

from __future__ import annotations

from .http import Answer

_MEANINGS: dict[tuple[str, ...], str] = {
    ("wrong version number", "record layer", "packet length"): "it speaks plain HTTP there: write http:// for https://",
    ("certificate",): "the certificate is not trusted; set SSL_CERT_FILE to the one that signed it",
    ("\\x15\\x03", "\x15\x03"): "it speaks TLS there: write https:// for http://",
    ("not known", "nodename nor servname", "name resolution", "no address"): "there is no host of this name",
    ("connection refused",): "nothing listens there",
}


def why_not(tried: str, reason: str, seconds: float) -> str:
    """What was tried and what came of it. `reason`: what the client said; `seconds`: how long it waited at most."""
    meaning = next((text for signs, text in _MEANINGS.items() if any(sign in reason.lower() for sign in signs)), None)
    said = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in reason)[:200]
    waited = f" (it was given {seconds:g} s)" if "in time" in reason else ""
    return f"tried {tried}: {said}{waited}" + (f"; {meaning}" if meaning else "")


def no_api(answer: Answer) -> str | None:
    """Why an answer can be none of an API; None if it may be one."""
    if 300 <= answer.status < 400:
        to = "".join(letter for letter in answer.header("location") or "" if letter.isprintable())[:200]
        return (
            f"{answer.status}, a redirect{f' to {to}' if to else ''}; redirects are not followed, so name the end of it"
        )
    if answer.media_type in ("text/html", "application/xhtml+xml"):
        return f"{answer.status}, a web page ({answer.media_type}) where JSON is due; is this the API's base URL?"
    if answer.status == 400 and b"HTTPS port" in answer.body:
        return "400, it speaks TLS there: write https:// for http://"
    return None
