"""What changes about a message between one connection and the next, and where it goes. Pure."""

from __future__ import annotations

import re

from mock_server.webhooks.captures import URL
from mock_server.webhooks.headers import Headers, values
from mock_server.webhooks.outgoing import Target
from mock_server.webhooks.targets import checked, is_this_machine

from .heads import CHUNKED, RequestHead, tokens

# RFC 9110, 7.6.1: these are said from one hop to the next. What Expect asks for is given here.
HOP_BY_HOP = frozenset(
    ("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "expect")
)
_URL = re.compile(URL)
_HOST = re.compile(r"(?:\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::[0-9]{1,5})?", re.ASCII)


class BaseUrl(Target, frozen=True):
    """What requests go below: `path` as it stands in the URL, also "", and `query` without its question mark."""

    path: str = ""
    query: str = ""


def base_of(url: str, *, allow_remote: bool = True) -> BaseUrl:
    """Raises InvalidTarget or RemoteTarget (of `mock_server.webhooks.targets`)."""
    parts = checked(url, allow_remote=allow_remote)
    usual = 443 if parts.scheme == "https" else 80
    return BaseUrl(parts.scheme, parts.hostname or "", parts.port or usual, parts.path, parts.query)


def is_at(target: Target, host: str, port: int) -> bool:
    """Whether requests to `target` reach a listener that is bound to this address; `host` by its digits."""
    if target.port != port:
        return False
    if target.host == host:
        return True
    is_any = host in ("0.0.0.0", "::")  # noqa: S104 - asked, not bound
    is_here = is_this_machine(target.host) or target.host in ("0.0.0.0", "::")  # noqa: S104
    return is_here and (is_any or (target.host.lower() == "localhost" and is_this_machine(host)))


def path_at(target: BaseUrl, path: str) -> str:
    """Where a request to `path` goes: `/` is the target itself, any other path is appended to the target's.

    Their queries are both kept, the target's first. "" if the target has no path and none was asked for.
    """
    asked, _, query = path.partition("?")
    where = target.path if asked == "/" else target.path.rstrip("/") + asked
    both = "&".join(part for part in (target.query, query) if part)
    return where + (f"?{both}" if both else "")


def passed_on(head: RequestHead, target: Target, size: int) -> Headers:
    """The headers as they go to the target: all of them in their order and case, but for those of this one connection.

    Host becomes the target's and stays where it was. A body that came in chunks goes with its length.
    """
    kept = _without_hops(head.headers)
    if values(head.headers, "host"):
        headers = [(name, target.authority if name.lower() == "host" else value) for name, value in kept]
    else:
        headers = [("Host", target.authority), *kept]
    if (size or head.length == CHUNKED) and not values(head.headers, "content-length"):
        headers.append(("Content-Length", str(size)))
    return tuple(headers)


def passed_back(headers: Headers, size: int, *, has_body: bool) -> Headers:
    """An application's headers as they go back to the provider."""
    kept = _without_hops(headers)
    if has_body and not values(headers, "content-length"):
        kept.append(("Content-Length", str(size)))
    return tuple(kept)


def _without_hops(headers: Headers) -> list[tuple[str, str]]:
    hops = HOP_BY_HOP | {token.lower() for token in tokens(headers, "connection")} - {"host", "content-length"}
    return [(name, value) for name, value in headers if name.lower() not in hops]


def called_url(head: RequestHead, public: BaseUrl | None) -> str:
    """The URL that the provider called, as well as it can be known; "" if it cannot.

    With a public URL it is that one. Else what the request says: the URL in its first line, or its Host, or those that a
    tunnel put beside it.
    """
    url = _said_url(head) if public is None else public.origin + path_at(public, head.path)
    return url if _URL.match(url) else ""


def _said_url(head: RequestHead) -> str:
    if head.url:
        return head.url
    host = next(iter(values(head.headers, "x-forwarded-host") or values(head.headers, "host")), "")
    scheme = next(iter(values(head.headers, "x-forwarded-proto")), "http").partition(",")[0].strip().lower()
    return f"{scheme}://{host}{head.path}" if _HOST.fullmatch(host) else ""
