"""TLS towards receivers."""

from __future__ import annotations

import ssl
from functools import cache


@cache
def tls_for(is_this_machine: bool) -> ssl.SSLContext:
    """Certificates are checked where the receiver is another machine: on this one nobody stands in between, and local
    certificates are nobody's. Made once each: to read the authorities takes tens of milliseconds."""
    context = ssl.create_default_context()
    if is_this_machine:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
