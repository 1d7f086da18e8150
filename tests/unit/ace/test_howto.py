"""The Python of docs/howto/potential.md runs as it stands."""

from __future__ import annotations

import re

from tests.conftest import ROOT


def test_howto_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / "howto" / "potential.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, flags=re.S | re.M)
    assert len(blocks) == 5
    namespace: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "potential.md", "exec"), namespace)
    assert (tmp_path / "potential.yace").is_file() and (tmp_path / "potential.asi").is_file()
