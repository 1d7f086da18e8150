"""Where grades are high: by species, by place along the chain, by chain length; and which environments are worst."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import ase
import numpy as np
import numpy.typing as npt

from polypace.select.places import PLACES, environment_names

Summaries = dict[str, dict[str, "GradeSummary"]]

# Bins of ln γ: quantiles are good to half a bin, 0.05 %; smaller and larger grades fall into the outer ones.
BIN_WIDTH, LOWEST, N_BINS = 1e-3, -14.0, 42_000


@dataclass(frozen=True)
class GradeSummary:
    """Grades of n environments: median and 99th percentile (to 0.05 %), largest, and the share above 1."""

    n: int
    median: float
    percentile_99: float
    largest: float
    share_above_one: float


@dataclass(frozen=True)
class WorstEnvironment:
    """An environment that extrapolates: where it is, what it is, and its grade."""

    source: str
    frame: int
    atom: int
    grade: float
    names: dict[str, str]


@dataclass
class _Tally:
    counts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(N_BINS, dtype=np.int64))
    n: int = 0
    n_above: int = 0
    largest: float = 0.0

    def add(self, grades: npt.NDArray[np.float64], bins: npt.NDArray[np.int64]) -> None:
        self.counts += np.bincount(bins, minlength=N_BINS)
        self.n += len(grades)
        self.n_above += int(np.count_nonzero(grades > 1))
        self.largest = max(self.largest, float(grades.max()))

    def quantile(self, share: float) -> float:
        """Middle of the bin with the grade of this rank; for even numbers the mean of both sides."""
        rank = share * (self.n - 1)
        places = np.searchsorted(np.cumsum(self.counts), [np.floor(rank), np.ceil(rank)], side="right")
        low, high = np.exp(LOWEST + (places + 0.5) * BIN_WIDTH)
        return min(float(low + (rank - np.floor(rank)) * (high - low)), self.largest)

    def summary(self) -> GradeSummary:
        return GradeSummary(self.n, self.quantile(0.5), self.quantile(0.99), self.largest, self.n_above / self.n)


class GradeMap:
    """Grades of any number of environments, counted by what the environments are; frames are not kept.

    Groups: "all", "species", "type" (`arrays["type_name"]`), "place", "chain_length", and "place_by_length".

    Parameters
    ----------
    n_worst : int
        So many environments with the largest grades above 1 are remembered, of each molecule of a file only the worst.
    """

    def __init__(self, n_worst: int = 100) -> None:
        self._n_worst = n_worst
        self._tallies: dict[str, dict[str, _Tally]] = {"all": {}}
        self._worst: dict[tuple[str, int], WorstEnvironment] = {}
        self._known: tuple[bytes, dict[str, npt.NDArray[np.str_]]] = (b"", {})
        self.n_frames = 0

    def add(self, atoms: ase.Atoms, grades: npt.NDArray[np.float64], *, source: str = "", frame: int = 0) -> None:
        """Count the environments of one frame."""
        self.n_frames += 1
        if not len(grades):
            return
        names = self._names(atoms)
        with np.errstate(divide="ignore"):
            bins = np.clip((np.log(grades) - LOWEST) / BIN_WIDTH, 0, N_BINS - 1).astype(np.int64)
        for key, of_atoms in names.items():
            for name in np.unique(of_atoms):
                if name:
                    chosen = of_atoms == name
                    tally = self._tallies.setdefault(key, {}).setdefault(str(name), _Tally())
                    tally.add(grades[chosen], bins[chosen])
        self._remember(atoms, grades, names, source, frame)

    def summaries(self) -> Summaries:
        """Return {"all" | "species" | "type" | "place" | "chain_length" | "place_by_length": {name: summary}}."""
        return {
            key: {name: tally.summary() for name, tally in sorted(group.items(), key=_by_number)}
            for key, group in self._tallies.items()
            if group
        }

    @property
    def worst(self) -> list[WorstEnvironment]:
        """The environments with the largest grades above 1, worst first."""
        return sorted(self._worst.values(), key=lambda w: (-w.grade, w.source, w.frame, w.atom))

    def _names(self, atoms: ase.Atoms) -> dict[str, npt.NDArray[np.str_]]:
        """What the atoms are; found once for all frames of the same molecules."""
        kept = [atoms.numbers, *(atoms.arrays[k] for k in ("mol_id", "type_name", "place") if k in atoms.arrays)]
        key = b"|".join(np.asarray(array).tobytes() for array in kept)
        if key != self._known[0]:
            self._known = key, environment_names(atoms)
        return self._known[1]

    def _remember(
        self,
        atoms: ase.Atoms,
        grades: npt.NDArray[np.float64],
        names: dict[str, npt.NDArray[np.str_]],
        source: str,
        frame: int,
    ) -> None:
        full = len(self._worst) >= self._n_worst
        floor = max(1.0, min((w.grade for w in self._worst.values()), default=np.inf) if full else 1.0)
        above = np.flatnonzero(grades > floor)
        if not len(above):
            return
        molecules = np.asarray(atoms.arrays.get("mol_id", np.arange(len(atoms))))
        for atom in above[np.argsort(-grades[above], kind="stable")].tolist():
            key = (source, int(molecules[atom]))
            if key in self._worst and self._worst[key].grade >= grades[atom]:
                continue
            what = {
                group: str(of_atoms[atom]) for group, of_atoms in names.items() if group != "all" and of_atoms[atom]
            }
            self._worst[key] = WorstEnvironment(source, frame, atom, float(grades[atom]), what)
        for surplus in self.worst[self._n_worst :]:
            self._worst = {key: value for key, value in self._worst.items() if value is not surplus}


def summarize_grades(frames: Sequence[ase.Atoms], grades: Sequence[npt.NDArray[np.float64]]) -> Summaries:
    """Return summaries {"all" | "species" | "type" | "place" | "chain_length" | "place_by_length": {name: summary}}.

    Places along the chain ("end", "next" to it, "middle") and chain lengths come from `arrays["mol_id"]`, the atoms of
    a molecule in chain order as melts keep them, or from `arrays["place"]`. Types from `arrays["type_name"]`. For more
    frames than fit into memory use `GradeMap`.
    """
    grade_map = GradeMap(n_worst=0)
    for atoms, values in zip(frames, grades, strict=True):
        grade_map.add(atoms, values)
    return grade_map.summaries()


def _by_number(item: tuple[str, object]) -> tuple[int, int, str]:
    """Order of names: by the numbers in them, then by place along the chain."""
    *length, last = item[0].split(" ")
    place = PLACES.index(last) if last in PLACES else 0
    digits = (length or [last])[0].lstrip("C")
    return (int(digits) if digits.isdigit() else 0, place, item[0])
