"""Whatever is done to a bundle, the lint answers with findings and never with an exception."""

import copy
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mock_server.lint import lint
from tests.unit.lint.clean import clean_bundle

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
# Half of the keys mean something to OpenAPI: random text alone would never reach a rule.
KEYS = st.text(max_size=5) | st.sampled_from(
    [
        "$ref", "type", "enum", "properties", "items", "allOf", "nullable", "format", "pattern", "example",
        "examples", "value", "schema", "content", "headers", "links", "parameters", "responses", "operationId",
        "security", "x-permission", "x-open", "x-lint-ignore", "default", "4XX", "get", "name", "in", "required",
    ]
)  # fmt: skip
REFS = st.sampled_from(
    [
        "#/components/schemas/Plan",
        "#/components/schemas/Error",
        "#/components/responses/Invalid",
        "#/",
        "#",
        "",
    ]
)
JSON = st.recursive(
    SCALARS | st.builds(lambda ref: {"$ref": ref}, REFS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)


def _slots(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) inside a value."""
    found: list[tuple[Any, Any]] = []
    stack = [value]
    while stack:
        node = stack.pop()
        entries = list(node.items()) if isinstance(node, dict) else list(enumerate(node))
        found += [(node, key) for key, _ in entries]
        stack += [child for _, child in entries if isinstance(child, dict | list)]
    return found


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_lint_never_raises(data: st.DataObject) -> None:
    bundle = clean_bundle()
    for _ in range(data.draw(st.integers(1, 4), label="changes")):
        slots = _slots(bundle)
        if not slots:
            break
        container, key = slots[data.draw(st.integers(0, len(slots) - 1), label="slot")]
        what = data.draw(st.sampled_from(["delete", "replace", "add"]), label="what")
        if what == "delete":
            del container[key]
        elif what == "replace" or isinstance(container, list):
            container[key] = data.draw(JSON, label="value")
        else:
            container[data.draw(KEYS, label="key")] = data.draw(JSON, label="value")
    before = copy.deepcopy(bundle)
    findings = lint(bundle)
    assert findings == sorted(findings, key=lambda f: (f.pointer, f.rule, f.message))
    assert repr(bundle) == repr(before)


@given(bundle=st.dictionaries(KEYS, JSON, max_size=4))
@settings(max_examples=50, deadline=None)
def test_lint_never_raises_on_what_is_no_bundle_at_all(bundle: dict[str, Any]) -> None:
    assert lint(bundle)
