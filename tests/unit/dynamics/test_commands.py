"""polypace msd and polypace compare on dumps as LAMMPS writes them."""

from __future__ import annotations

import csv
import json
import subprocess
import sys

import numpy as np
import pytest

from polypace.cli import main


def write_dump(path, positions, molecules, units="metal"):
    with path.open("w") as file:
        for step, frame in enumerate(positions):
            file.write(f"ITEM: UNITS\n{units}\nITEM: TIMESTEP\n{step * 100}\nITEM: NUMBER OF ATOMS\n{len(frame)}\n")
            file.write("ITEM: BOX BOUNDS pp pp pp\n" + "0 40\n" * 3 + "ITEM: ATOMS id mol type xu yu zu\n")
            for i, (x, y, z) in enumerate(frame):
                file.write(f"{i + 1} {molecules[i] + 1} {1 + i % 2} {x:.6f} {y:.6f} {z:.6f}\n")


def melt(rng, speed):
    centers = speed * rng.normal(size=(150, 12, 1, 3)).cumsum(axis=0)
    beads = 0.3 * rng.normal(size=(150, 12, 5, 3))
    return (20 + centers + beads).reshape(150, 60, 3), np.repeat(np.arange(12), 5)


def run(*arguments):
    with pytest.raises(SystemExit) as end:
        main([str(a) for a in arguments])
    assert end.value.code == 0


def test_msd(rng, tmp_path, capsys):
    positions, molecules = melt(rng, 0.2)
    write_dump(tmp_path / "melt.lammpstrj", positions, molecules)
    run("msd", tmp_path / "melt.lammpstrj", "--timestep", "0.001", "-o", tmp_path / "out/msd")
    rows = list(csv.DictReader((tmp_path / "out/msd.csv").read_text().splitlines()))
    assert float(rows[0]["lag/ps"]) == pytest.approx(0.1)
    # Centres of mass walk freely relative to the drift of 12 of them; beads rattle about them.
    assert float(rows[0]["g3/A^2"]) == pytest.approx(3 * 0.04 + 6 * 0.09 / 5, rel=0.2)
    assert float(rows[0]["g2/A^2"]) == pytest.approx(6 * 0.09 * 4 / 5, rel=0.1)
    summary = json.loads((tmp_path / "out/msd.json").read_text())
    assert summary["g1"]["n_particles"] == 60 and summary["g3"]["n_particles"] == 12
    assert "entangled" in summary["regimes"]["refused"]
    assert (tmp_path / "out/msd.png").stat().st_size > 10_000
    assert (tmp_path / "out/msd.pdf").read_bytes().startswith(b"%PDF")
    assert "g3: 12 particles, 150 frames" in capsys.readouterr().out


def test_compare(rng, tmp_path, capsys):
    for name, speed in (("reference", 0.2), ("ace", 0.3)):
        positions, molecules = melt(rng, speed)
        write_dump(tmp_path / f"{name}.lammpstrj", positions, molecules)
    files = [tmp_path / "reference.lammpstrj", tmp_path / "ace.lammpstrj"]
    run("compare", *files, "--timestep", "0.001", "-o", tmp_path / "compare", "--types", "1,2")
    ratio = json.loads((tmp_path / "compare.json").read_text())["g3"]
    assert abs(ratio["ratio"][-1] - 2.25) < 4 * ratio["error"][-1]
    assert (tmp_path / "compare.pdf").exists()
    assert "g1: ACE/reference" in capsys.readouterr().out


def test_compare_of_runs_with_time_steps_of_their_own(rng, tmp_path, capsys):
    """The same motion with twice the time between frames is half as fast; steps of the file are the same."""
    positions, molecules = melt(rng, 0.3)
    write_dump(tmp_path / "a.dump", positions, molecules)
    run("compare", tmp_path / "a.dump", tmp_path / "a.dump", "--timestep", "0.001,0.002", "--units", "metal",
        "-o", tmp_path / "c")  # fmt: skip
    found = json.loads((tmp_path / "c.json").read_text())
    assert found["diffusion"]["ACE"]["coefficient_A2_per_ps"] == pytest.approx(
        found["diffusion"]["reference"]["coefficient_A2_per_ps"] / 2
    )
    for wrong in ("0.001,0.002,0.003", "0.001;0.002"):
        with pytest.raises(SystemExit):
            main(["compare", str(tmp_path / "a.dump"), str(tmp_path / "a.dump"), "--timestep", wrong])
        assert "--timestep must be one value, or two with a comma" in capsys.readouterr().err


def test_warnings_are_lines_for_people(rng, tmp_path):
    positions, molecules = melt(rng, 0.3)
    write_dump(tmp_path / "a.dump", positions[:20], molecules)
    text = (tmp_path / "a.dump").read_text()
    (tmp_path / "a.dump").write_text(text[:-100])
    code = "from polypace.cli import main; main()"
    command = [sys.executable, "-c", code, "msd", "a.dump", "--timestep", "0.001"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stderr.startswith("polypace: warning: a.dump: the frame of step 1900") and done.stderr.count("\n") == 1


def test_runs_in_reduced_units_are_labelled_so(rng, tmp_path, capsys):
    for name, speed, units in (("a", 0.2, "lj"), ("b", 0.3, "lj"), ("other", 0.2, "metal")):
        positions, molecules = melt(rng, speed)
        write_dump(tmp_path / f"{name}.dump", positions, molecules, units)
    a, b, other = (tmp_path / f"{name}.dump" for name in ("a", "b", "other"))
    run("msd", a, "--timestep", "0.005", "-o", tmp_path / "msd")
    run("compare", a, b, "--timestep", "0.005", "-o", tmp_path / "compare")
    run("structure", a, "--timestep", "0.005", "-o", tmp_path / "structure")
    said = capsys.readouterr().out
    assert "σ²/τ" in said and " τ" in said and "Å" not in said and " ps" not in said
    assert (tmp_path / "msd.csv").read_text().startswith("lag/tau,g1/sigma^2,")
    written = "".join((tmp_path / f"{name}.json").read_text() for name in ("msd", "compare", "structure"))
    assert "coefficient_sigma2_per_tau" in written and "lag_tau" in written and "r_sigma" in written
    assert "_ps" not in written and "Å" not in written and '_A"' not in written and "A2" not in written
    with pytest.raises(SystemExit):
        main(["compare", str(a), str(other), "--timestep", "0.005", "-o", str(tmp_path / "mixed")])
    assert "cannot be compared" in capsys.readouterr().err
    assert not (tmp_path / "mixed.json").exists()


def test_chosen_frames_are_a_run_of_their_own(rng, tmp_path):
    positions, molecules = melt(rng, 0.2)
    write_dump(tmp_path / "all.lammpstrj", positions, molecules)
    write_dump(tmp_path / "few.lammpstrj", positions[30:120:2], molecules)
    run("msd", tmp_path / "all.lammpstrj", "--timestep", "0.001", "--frames", "30:120:2", "-o", tmp_path / "all")
    run("msd", tmp_path / "few.lammpstrj", "--timestep", "0.002", "-o", tmp_path / "few")
    chosen, alone = (np.genfromtxt(tmp_path / f"{name}.csv", delimiter=",", names=True) for name in ("all", "few"))
    for column in chosen.dtype.names:
        np.testing.assert_allclose(chosen[column], alone[column], rtol=1e-9, err_msg=column)


def test_errors_name_the_option(rng, tmp_path, capsys):
    positions, molecules = melt(rng, 0.2)
    write_dump(tmp_path / "melt.lammpstrj", positions[:5], molecules)
    for extra, message in (
        (["--max-memory", "many"], "--max-memory must be like 512MB"),
        (["--types", "H"], "there is no type 'H'"),
        (["--frames", "5"], "--frames must be START:STOP"),
        (["--frames", "9:"], "--frames 9: leaves none of the 5 frames"),
        (["--central", "9"], "shortest molecule has 5 beads"),
    ):
        with pytest.raises(SystemExit) as end:
            main(["msd", str(tmp_path / "melt.lammpstrj"), "--timestep", "0.001", *extra])
        assert end.value.code == 1
        assert message in capsys.readouterr().err
