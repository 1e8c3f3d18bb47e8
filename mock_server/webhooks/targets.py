"""Where webhooks may go: this machine, and others only if somebody said so."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

_PLACE = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d*)?", re.ASCII)
"""Host and port in the one form that all who read URLs understand alike."""


class InvalidTarget(ValueError):
    """A URL that nothing can be sent to. The message says why."""


class RemoteTarget(ValueError):
    """A URL that leads to another machine, and nobody has allowed that."""


def checked(url: str, *, allow_remote: bool) -> SplitResult:
    """The URL in its parts. Raises InvalidTarget or RemoteTarget.

    By its letters alone: a name that may lead anywhere is remote, whatever it resolves to now.
    """
    if not url.isascii() or not url.isprintable() or " " in url:
        raise InvalidTarget("it has letters that no URL has")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise InvalidTarget(str(error)) from None
    if parts.scheme not in ("http", "https") or not host or port == 0:
        raise InvalidTarget("it is not of the form http://host[:port]/path")
    if parts.username is not None or parts.password is not None:
        raise InvalidTarget("it has credentials in it")
    if not _PLACE.fullmatch(parts.netloc):
        raise InvalidTarget("its host is neither a name nor an address")
    if not allow_remote and not is_this_machine(host):
        raise RemoteTarget(f"{host} is another machine, or may be: only localhost, 127.0.0.1 and [::1] are this one")
    return parts


def shown(url: str) -> str:
    """A URL that was checked, as others may see it: without its query, which may hold a secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def is_this_machine(host: str) -> bool:
    """`host` as a URL has it, without brackets: by its letters alone."""
    return host.lower() == "localhost" or is_loopback(host)


def is_loopback(address: str) -> bool:
    """False for what is no address, too.

    An IPv4 address in the clothes of IPv6 is none of ours: whether it is loopback is told differently by different Pythons.
    """
    try:
        found: IPv4Address | IPv6Address = ip_address(address)
    except ValueError:
        return False
    return found.is_loopback and getattr(found, "ipv4_mapped", None) is None
