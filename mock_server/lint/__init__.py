"""Is a bundle good to test against? `lint(bundle)` answers with findings.

A contract can be valid OpenAPI and still say too little: a string without a bound, an answer that was never
declared, an object that accepts anything. A test built on it then accepts too much and proves nothing.
"""

from collections.abc import Mapping
from typing import Any

from mock_server.lint.finding import Finding
from mock_server.lint.ignores import apply_ignores
from mock_server.lint.rules import RULES

__all__ = ["Finding", "lint"]


def lint(bundle: Mapping[str, Any]) -> list[Finding]:
    """All findings in a bundle, each once, sorted by pointer and rule; silenced ones left out."""
    found = {finding for rule in RULES for finding in rule(bundle)}
    return sorted(apply_ignores(bundle, found), key=lambda f: (f.pointer, f.rule, f.message))
