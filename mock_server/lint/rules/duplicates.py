"""Is one thing written twice?"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mock_server.lint.finding import Finding
from mock_server.lint.ignores import KEY
from mock_server.openapi.walk import as_map, is_reference, join


def components_identical(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """Resolved references are put back by comparing; of two equal components only one gets its name back."""
    for section, members in as_map(bundle.get("components")).items():
        first: dict[str, str] = {}
        for name, node in as_map(members).items():
            if not isinstance(node, Mapping) or is_reference(node):
                continue
            bare = {key: value for key, value in node.items() if key != KEY}
            text = json.dumps(bare, sort_keys=True, default=str)
            if text in first:
                message = f"the same as {first[text]}: keep one, or tell them apart by their descriptions"
                yield Finding("components-identical", join("/components", section, name), message)
            else:
                first[text] = str(name)
