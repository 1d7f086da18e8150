"""The Python of docs/howto/potential.md runs as it stands."""

from __future__ import annotations

from tests.helpers.docs import run_howto


def test_howto_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_howto("potential", 5)
    assert (tmp_path / "potential.yace").is_file() and (tmp_path / "potential.asi").is_file()
