"""Which hosts a run may speak to: this machine, and those that are named. No name is looked up to find out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import urlsplit

_NAME = re.compile(
    r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*\.?", re.ASCII
)
_OUTSIDE = re.compile(r"[^!-~]")


def wrong_with(url: str, allowed: Iterable[str] = ()) -> str | None:
    """Why a URL cannot be used, None if it can. The reason repeats nothing of the URL but its host."""
    if _OUTSIDE.search(url) or "\\" in url:
        return "a URL has no spaces, no backslashes and no letters beyond ASCII (write a host's name as xn--...)"
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").lower()
    except ValueError:
        return "this is no URL: write http://HOST:PORT/PATH"
    if parts.scheme not in ("http", "https") or not host:
        return "this is no URL of a server: write http://HOST:PORT/PATH or https://..."
    if "@" in parts.netloc:
        return "a name or a password in a URL is not sent; write credentials under [credentials]"
    if parts.query or parts.fragment or url.endswith(("?", "#")):
        return "the URL must end with its path, without `?` or `#`"
    if port == 0 or parts.netloc.endswith(":"):
        return "the port must be between 1 and 65535"
    if _address(host) is None and not _NAME.fullmatch(host):
        return "this is no name of a host"
    if is_loopback(host) or host in {each.lower() for each in allowed}:
        return None
    if host in ("0.0.0.0", "::"):  # noqa: S104
        return f"{host} is no address of one host: write 127.0.0.1 for this machine"
    return f"the host {host!r} is not this machine and not in target.allowed_hosts"


def is_loopback(host: str) -> bool:
    """Whether a host is written so that it can be nothing but this machine: 127.x.x.x, ::1 or localhost."""
    if host.lower() == "localhost":
        return True
    address = _address(host)
    return address is not None and address.is_loopback


def wrong_with_host(name: str) -> str | None:
    """Why an entry of `allowed_hosts` cannot be one."""
    host = name.lower()
    if "*" in name:
        return "write every host out: `*` would allow hosts that nobody has thought of"
    if _address(host) is None and not _NAME.fullmatch(host):
        return "this is no name of a host: write it alone, as in staging.example, without scheme, port and path"
    return None


def _address(host: str) -> IPv4Address | IPv6Address | None:
    for kind in (IPv4Address, IPv6Address):
        try:
            return None if "%" in host else kind(host)
        except ValueError:
            pass
    return None
