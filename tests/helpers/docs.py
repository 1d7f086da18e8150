"""The Python that stands in the docs."""

from __future__ import annotations

import re
from typing import Any

from tests.conftest import ROOT


def run_howto(name: str, n_blocks: int) -> dict[str, Any]:
    """Run the blocks of Python of docs/howto/NAME.md one after the other, as they stand; the names that they define."""
    text = (ROOT / "docs" / "howto" / f"{name}.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, flags=re.S | re.M)
    assert len(blocks) == n_blocks
    namespace: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, f"{name}.md", "exec"), namespace)
    return namespace
