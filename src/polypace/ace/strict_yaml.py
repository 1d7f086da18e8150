"""YAML as users write it: plain values only, and no key twice."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import yaml


class _StrictLoader(yaml.SafeLoader):  # type: ignore[misc]
    """PyYAML keeps the last of two equal keys without a word: whoever edits the first one changes nothing."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        lines: dict[str, int] = {}
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                line = key.start_mark.line + 1
                if key.value in lines:
                    raise yaml.constructor.ConstructorError(
                        None,
                        None,
                        f"the key {key.value!r} stands twice, in lines {lines[key.value]} and {line}: keep one",
                    )
                lines[key.value] = line
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return mapping


def load_yaml(text: str) -> Any:
    """Content of a YAML text.

    Raises
    ------
    yaml.YAMLError
        for text that is not YAML, tags of other programs, or a key that stands twice in one mapping.
    """
    return yaml.load(text, Loader=_StrictLoader)
