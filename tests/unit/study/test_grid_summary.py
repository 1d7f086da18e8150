"""What a transfer grid recommends, from numbers."""

from __future__ import annotations

from polypace.study.transfer import _pareto, _recommend


def cell(name, cost, error, spread, ratio=1.1):
    energies = {"energy_shift_meV_per_atom": {"mean": 0.0}, "energy_spread_meV_per_atom": {"mean": 1.0}}
    return {
        "name": name, "train": [8], "collection": name, "cluster_radius_A": None, "budget_atoms": 1000, "repeats": 2,
        "cost": cost, "labelled_atoms": {"mean": 990.0}, "label_seconds": {"mean": cost},
        "error": {"mean": error, "error": spread}, "transfer_ratio": {"mean": ratio, "error": 0.01},
        "longest": "C16", "shortest": "C8", "tests": {"C16": energies},
    }  # fmt: skip


GRID = [
    cell("random", 20.0, 0.050, 0.001),
    cell("d-optimal", 30.0, 0.049, 0.001),
    cell("clusters", 5.0, 0.070, 0.0014),
    cell("active-learning", 1.0, 0.9, 0.45),
]


def test_the_cheapest_of_the_good_ones():
    """Errors are known to 2 %: random is as good as the best and cheaper; clusters are not as good."""
    text = _recommend(GRID, quantum=True)
    assert text.startswith("Train on C8, whole frames at random, 990 labelled atoms in 20 s: ")
    assert "Within two standard errors of the best (6% of it): 1 of 3 others (d-optimal)" in text


def test_a_fit_that_fails_at_random_is_not_as_good_as_the_best():
    """0.9 ± 0.45 is within two of its own standard errors of everything."""
    assert "active-learning" not in _recommend(GRID, quantum=True)


def test_front():
    """Cheaper, better, or better at carrying over; a cell that another beats in all three is not on it."""
    assert _pareto(GRID) == ["random", "d-optimal", "clusters", "active-learning"]
    assert _pareto([*GRID, cell("worse", 21.0, 0.051, 0.001)]) == ["random", "d-optimal", "clusters", "active-learning"]
    assert "carries" in _pareto([*GRID, cell("carries", 31.0, 0.08, 0.001, ratio=1.0)])
