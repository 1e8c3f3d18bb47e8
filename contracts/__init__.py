"""The contract harness: laws that any implementation of a bundle must keep.

    import contracts

    suite = contracts.load("contract.toml")
    report = suite.run()
    assert not report.findings

`suite.laws` are the laws, each with id, title, clause and needs; `suite.target` is what the file says; `suite.only("model")`
is the same suite with fewer laws. In pytest, without the plugin:

    @pytest.mark.parametrize("law", contracts.load("contract.toml").laws, ids=lambda law: law.id)
    def test_law(law):
        result, report = suite.try_law(law)
        assert result.state == "passed", report.findings

The commands are `mockbill contract run|laws|init|mutants`; `pip install 'mockbill[contract]'` brings what they need.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .suite import Suite, load, load_mockbill
    from .target import TargetError

__all__ = ("Suite", "TargetError", "load", "load_mockbill")


def __getattr__(name: str) -> Any:
    """Nothing of the harness is imported before it is used: the command line and pytest import this package, too."""
    if name == "TargetError":
        from .target import TargetError

        return TargetError
    if name in __all__:
        from . import suite

        return getattr(suite, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
