"""Extrapolation grades of a long run: histograms over time, and the steps that deserve an alarm."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from polypace.errors import FileFormatError

HISTOGRAM = "gamma.histogram"
# log10 of the grade: ten bins in a decade, what lies outside in the first and last.
LOWEST, HIGHEST, N_BINS = -2, 3, 50


@dataclass(frozen=True)
class GammaHistogram:
    """How the grades of all atoms are distributed, over time.

    steps (n,): the last step of each span of time. edges (m + 1,): of the bins, the outermost 0 and inf.
    counts (n, m): atoms times samples in each bin.
    """

    steps: npt.NDArray[np.int64]
    edges: npt.NDArray[np.float64]
    counts: npt.NDArray[np.int64]

    def fraction_above(self, threshold: float) -> npt.NDArray[np.float64]:
        """Fraction of the atoms, in each span, in bins that lie at or above `threshold` (n,)."""
        above = self.edges[:-1] >= threshold * (1 - 1e-9)
        return np.asarray(self.counts[:, above].sum(axis=1) / self.counts.sum(axis=1))


def histogram_lines(every: int, histogram_every: int) -> list[str]:
    """LAMMPS lines that write `HISTOGRAM`; `fix gamma` must stand before."""
    return [
        "variable gamma_log atom log(f_gamma+1e-12)",
        f"fix gamma_histogram all ave/histo {every} {histogram_every // every} {histogram_every} {LOWEST} {HIGHEST} "
        f"{N_BINS} v_gamma_log mode vector kind peratom beyond extra file {HISTOGRAM}",
    ]


def bin_edges() -> npt.NDArray[np.float64]:
    """Edges of the bins that `histogram_lines` asks for."""
    inner = 10 ** np.linspace(LOWEST, HIGHEST, N_BINS + 1)
    return np.concatenate([[0.0], inner, [np.inf]])


def read_histograms(paths: list[Path]) -> GammaHistogram:
    """Read files of `fix ave/histo` of one run in order; each span counts once.

    Raises
    ------
    FileFormatError
        where a file is no histogram or breaks off.
    """
    counts: dict[int, list[int]] = {}
    for path in paths:
        rows = [line.split() for line in path.read_text().splitlines() if line and not line.startswith("#")]
        try:
            while rows:
                step, n = int(rows[0][0]), int(rows[0][1])
                table, rows = rows[1 : n + 1], rows[n + 1 :]
                if n != N_BINS + 2 or len(table) != n:
                    raise ValueError(f"{len(table)} of {n} bins")
                counts[step] = [round(float(row[2])) for row in table]
        except (ValueError, IndexError) as error:
            raise FileFormatError(f"{path}: not a whole histogram of fix ave/histo ({error})") from None
    steps = np.array(sorted(counts), dtype=np.int64)
    rows_of_steps = np.array([counts[step] for step in steps.tolist()], dtype=np.int64).reshape(len(steps), N_BINS + 2)
    return GammaHistogram(steps, bin_edges(), rows_of_steps)
