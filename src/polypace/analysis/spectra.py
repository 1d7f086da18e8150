"""Power spectra of particle coordinates: partial sums that add up exactly, and the averages that come of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from polypace import _core
from polypace.errors import InputError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PartialSpectra:
    r"""Sums over some of the particles: what one task, one file or one machine knows.

    Two parts of the same frames are combined by adding them, in any grouping, because the windowed average

    .. math:: \sum_i \sum_n |r_i(n+m) - r_i(n)|^2 = \sum_n s(n) + s(n+m) - \frac{2}{L}\sum_k P(k) e^{2\pi i k m/L}

    is linear in the summed squares s and the summed power spectrum P.

    Parameters
    ----------
    n_frames : int
    spectra : (n_segments, spectrum_size) float64
        Σ|X(k)|² over the series of every segment, one of each ±k of a padded transform, in the order in which the
        transform leaves them (Å²).
    squares : (n_segments, n_frames) float64
        Σ x(n)² over the series of every segment (Å²).
    n_series : (n_segments,) int64
        Number of series (coordinates of particles) in every segment.
    """

    n_frames: int
    spectra: Floats
    squares: Floats
    n_series: Integers

    def __add__(self, other: PartialSpectra) -> PartialSpectra:
        if self.n_frames != other.n_frames or self.spectra.shape != other.spectra.shape:
            raise InputError(
                f"partial spectra of {self.n_frames} frames, {len(self.spectra)} segments cannot be added to those of "
                f"{other.n_frames} frames, {len(other.spectra)} segments: they must describe the same frames and sums"
            )
        return PartialSpectra(
            self.n_frames,
            self.spectra + other.spectra,
            self.squares + other.squares,
            self.n_series + other.n_series,
        )

    def displacement_sums(self, n_threads: int = 0, work_bytes: int = 0) -> Floats:
        """(n_segments, n_frames): Σ over series and time origins of [x(n+m) − x(n)]² at every lag m (Å²)."""
        plan, crew, sums = fft_plan(self.n_frames), _core.dynamics.Crew(n_threads), self.squares.copy()
        folded = self._folded(crew, work_bytes)
        _core.dynamics.displacement_sums(plan, folded, sums, False, crew)
        return sums

    def correlation_sums(self, n_threads: int = 0, work_bytes: int = 0) -> Floats:
        """(n_segments, n_frames): Σ over series and time origins of x(n) x(n+m) at every lag m (Å²)."""
        plan, crew, sums = fft_plan(self.n_frames), _core.dynamics.Crew(n_threads), np.empty_like(self.squares)
        _core.dynamics.unfold(plan, self._folded(crew, work_bytes), sums, crew)
        return sums

    def _folded(self, crew: Any, work_bytes: int) -> Floats:
        folded = self.spectra.copy()
        _core.dynamics.correlate(fft_plan(self.n_frames), folded, work_bytes, "auto", crew)
        return folded


@lru_cache(maxsize=2)
def fft_plan(n_frames: int) -> Any:
    """Tables of the transform; kept because the blocks of a trajectory all have the same length."""
    return _core.dynamics.FftPlan(n_frames)


class SpectraAccumulator:
    """Collects the spectra of one block of particles after the other; `partial` is the sum so far. Averages are made of
    it where it lies, so that they come once and last.

    Parameters
    ----------
    n_frames, n_segments : int
    centered : bool
        Shift every series to its mean: right for displacements, which do not change, wrong for correlations.
    crew : polypace._core.dynamics.Crew
        Threads and work space; the result does not depend on their number.
    work_bytes : int
        Limit of the transforms' work space; 0: what fits the caches.
    """

    def __init__(
        self, n_frames: int, n_segments: int, *, crew: Any, centered: bool = True, work_bytes: int = 0
    ) -> None:
        self._centered = centered
        self._crew = crew
        self._work_bytes = work_bytes
        self._n_frames = n_frames
        self._spectra: Floats = crew.zeros(n_segments, fft_plan(n_frames).spectrum_size)
        self._squares: Floats = crew.zeros(n_segments, n_frames)
        self._n_series = np.zeros(n_segments, dtype=np.int64)

    def add(
        self,
        positions: npt.NDArray[Any],
        particles: Integers,
        segments: Integers,
        drift: Floats | None = None,
    ) -> None:
        """Add particles of a block of coordinates.

        Parameters
        ----------
        positions : (n_frames, n, 3) float32 or float64, of any strides
            Unwrapped coordinates (Å).
        particles : (k,) int64
            Which of the n particles.
        segments : (k, 3, 2) int64
            The two sums that x, y and z of each of them adds to; −1: none.
        drift : (n_frames, 3) float64, optional
            Subtracted from every particle (Å).
        """
        _core.dynamics.add_power_spectra(
            fft_plan(self._n_frames),
            positions,
            particles,
            segments,
            drift,
            self._centered,
            self._spectra,
            self._squares,
            self._work_bytes,
            "auto",
            self._crew,
        )
        self._n_series += np.bincount(segments[segments >= 0], minlength=len(self._n_series))

    @property
    def is_finite(self) -> bool:
        """Whether all coordinates were: one that is not spoils every bin."""
        return bool(np.isfinite(self._spectra[:, :64]).all())

    def displacement_averages(self) -> Floats:
        """`displacement_sums` of `partial` over the number of time origins of each lag (Å²)."""
        self._correlate()
        _core.dynamics.displacement_sums(fft_plan(self._n_frames), self._spectra, self._squares, True, self._crew)
        return self._squares

    def correlation_sums(self) -> Floats:
        """Those of `partial`."""
        self._correlate()
        _core.dynamics.unfold(fft_plan(self._n_frames), self._spectra, self._squares, self._crew)
        return self._squares

    def _correlate(self) -> None:
        _core.dynamics.correlate(fft_plan(self._n_frames), self._spectra, self._work_bytes, "auto", self._crew)

    @property
    def partial(self) -> PartialSpectra:
        return PartialSpectra(self._n_frames, self._spectra, self._squares, self._n_series)
