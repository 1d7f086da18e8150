"""The Python of docs/howto/msd.md runs as it stands."""

from __future__ import annotations

import re

from tests.conftest import ROOT


def test_howto_runs(capsys):
    text = (ROOT / "docs" / "howto" / "msd.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, flags=re.S | re.M)
    assert len(blocks) == 6
    namespace: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "msd.md", "exec"), namespace)
    assert len(capsys.readouterr().out.splitlines()) == 6
