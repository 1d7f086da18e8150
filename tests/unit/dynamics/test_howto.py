"""The Python of docs/howto/msd.md runs as it stands."""

from __future__ import annotations

from tests.helpers.docs import run_howto


def test_howto_runs(capsys):
    run_howto("msd", 6)
    assert len(capsys.readouterr().out.splitlines()) == 6
