"""The Python of docs/howto/trajectories.md runs as it stands."""

from __future__ import annotations

import numpy as np

from tests.helpers.docs import run_howto
from tests.helpers.dumps import text_dump


def test_howto_runs(tmp_path, rng, monkeypatch):
    n_chains, n_beads, length = 6, 6, 14.0
    n = n_chains * n_beads
    walk = np.cumsum(rng.normal(0, 0.8, (n_chains, n_beads, 3)), axis=1) + rng.uniform(0, length, (n_chains, 1, 3))
    path = walk.reshape(1, n, 3) + np.cumsum(rng.normal(0, 0.05, (20, n, 3)), axis=0)
    frames = [[[i + 1, *(frame[i] % length)] for i in range(n)] for frame in path]
    (tmp_path / "run.dump").write_text(text_dump(frames, columns="id x y z", box=f"0 {length}"))
    atoms = "".join(f"{i + 1} {i // n_beads + 1} 1 0 0 0\n" for i in range(n))
    pairs = [(i + 1, i + 2) for i in range(n) if (i + 1) % n_beads]
    bonds = "".join(f"{k + 1} 1 {a} {b}\n" for k, (a, b) in enumerate(pairs))
    (tmp_path / "melt.data").write_text(
        f"chains\n\n{n} atoms\n{len(pairs)} bonds\n\nMasses\n\n1 14.027 # CH2\n\n"
        f"Atoms # molecular\n\n{atoms}\n"
        f"Bonds\n\n{bonds}"
    )
    monkeypatch.chdir(tmp_path)
    run_howto("trajectories", 3)
