"""Mean square displacements: answers against direct sums, then rates against other programs, in one run.

    python bench/bench_dynamics.py                 # about two minutes
    python bench/bench_dynamics.py --frames 1000000 --particles 30 --out-of-core 12 --out-of-core-frames 1000000

Rates are million particle-frames per second of processor time (one thread) or of wall time (two threads; only of use
on a machine that does nothing else). tidynamics, MDAnalysis and a hand-written SciPy version are measured beside
ours; freud where it is installed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # idle threads of others would count as our time

import numpy as np
import scipy.fft

import polypace as pp
from polypace import _core
from polypace.analysis import chain_msd


def walk(n_frames, n_particles, dtype=np.float32, seed=0):
    rng = np.random.default_rng(seed)
    positions = np.empty((n_frames, n_particles, 3), dtype=dtype)
    last = np.zeros((n_particles, 3))
    for begin in range(0, n_frames, 20000):
        steps = 0.05 * rng.normal(size=(min(20000, n_frames - begin), n_particles, 3))
        path = last + steps.cumsum(axis=0)
        positions[begin : begin + len(path)] = path
        last = path[-1]
    return positions


def direct_sum(positions, lag):
    """Displacement at one lag by its definition, in extended precision."""
    total = np.longdouble(0)
    for i in range(positions.shape[1]):
        r = positions[:, i].astype(np.longdouble)
        total += ((r[lag:] - r[:-lag]) ** 2).sum()
    return float(total / ((len(positions) - lag) * positions.shape[1]))


def scipy_rfft(positions):
    """What a careful user writes: real transforms of all series of a particle, spectra summed, one way back."""
    n_frames, n_particles, _ = positions.shape
    length = scipy.fft.next_fast_len(2 * n_frames, real=True)
    power, squares = np.zeros(length // 2 + 1), np.zeros(n_frames)
    for i in range(n_particles):
        series = np.ascontiguousarray(positions[:, i].T, dtype=np.float64)
        series -= series.mean(axis=1, keepdims=True)
        squares += (series**2).sum(axis=0)
        spectrum = scipy.fft.rfft(series, length, axis=1)
        power += (spectrum.real**2 + spectrum.imag**2).sum(axis=0)
    correlation = scipy.fft.irfft(power, length)[:n_frames]
    ends = np.concatenate([[0], np.cumsum(squares)])
    lags = np.arange(n_frames)
    return (ends[n_frames - lags] + ends[-1] - ends[lags] - 2 * correlation) / (n_particles * (n_frames - lags))


def tidynamics_msd(positions):
    import tidynamics

    return np.mean([tidynamics.msd(positions[:, i].astype(np.float64)) for i in range(positions.shape[1])], axis=0)


def mdanalysis_msd(positions):
    import MDAnalysis
    from MDAnalysis.analysis.msd import EinsteinMSD

    universe = MDAnalysis.Universe.empty(positions.shape[1], trajectory=True)
    universe.load_new(positions, order="fac")
    return EinsteinMSD(universe, select="all", msd_type="xyz", fft=True).run().results.timeseries


def freud_msd(positions):
    import freud

    return freud.msd.MSD(mode="window").compute(positions).msd


def times_in_turn(functions, repeats, clock=time.process_time):
    """(n_functions, repeats) times, and what the last calls gave; they take turns, because machines have slow minutes."""
    times, results = [[] for _ in functions], [None] * len(functions)
    for _ in range(repeats):
        for k, function in enumerate(functions):
            begin = clock()
            results[k] = function()
            times[k].append(clock() - begin)
    return np.array(times), results


def ratio(slow, fast):
    """Of the shortest times, with the median over turns."""
    return f"{slow.min() / fast.min():.2f} × (median of {len(slow)} turns {np.median(slow / fast):.2f})"


def busy_seconds():
    """Processor time of all programs since the machine started; none where /proc does not tell."""
    path = Path("/proc/stat")
    if not path.exists():
        return time.process_time()
    ticks = [int(field) for field in path.read_text().splitlines()[0].split()[1:]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


def compare_threads(one, two, repeats):
    """Ratio of the shortest times, and the median of turns. Two threads need both cores at once, so that only turns
    count in which other programs had less than 3 % of one."""
    times, others, n_turns = [], [], min(repeats, 20)
    for _ in range(n_turns):
        begin, own, wall = busy_seconds(), time.process_time(), time.perf_counter()
        turn, _ = times_in_turn((one, two), -(-repeats // n_turns), time.perf_counter)
        times.append(turn)
        busy = busy_seconds() - begin - (time.process_time() - own)
        others.append(busy / (time.perf_counter() - wall))
    turns, alone = np.array(times), np.array(others) < 0.03
    counted = turns[alone] if alone.any() else turns
    best = counted[:, 0].min() / counted[:, 1].min()
    median = np.median(counted[:, 0].sum(axis=1) / counted[:, 1].sum(axis=1))
    return f"{best:.2f} × (shortest), {median:.2f} × (median of turns, alone in {alone.sum()} of {len(alone)})"


def check_answers(n_frames):
    print(f"Answers, {n_frames} frames, float64: largest relative error against direct sums in extended precision")
    for offset in (0.0, 1e3, 1e6):
        positions = walk(n_frames, 3, np.float64) + offset
        result = pp.msd(positions, 1.0).msd
        lags = [1, 2, 3, 10, 100, n_frames // 10, n_frames // 2]
        errors = [abs(result[lag] / direct_sum(positions, lag) - 1) for lag in lags]
        print(f"  {offset:9.0f} Å off the origin: {max(errors):.1e}")
        assert max(errors) < 1e-10


def compare_programs(n_frames, n_particles, peers, repeats):
    positions = walk(n_frames, n_particles)
    count = n_frames * n_particles / 1e6
    one, two = (lambda n=n: pp.msd(positions, 1.0, n_threads=n) for n in (1, 2))
    bare = lambda: pp.msd(positions, 1.0, n_threads=1, n_groups=1, n_blocks=1)  # noqa: E731
    times, (result, _) = times_in_turn((one, bare), repeats)
    ours, without = times.min(axis=1)
    rows = {"polypace, 1 thread, with errors": ours, "polypace, 1 thread, no errors": without}
    for name, function in peers.items():
        try:
            times, (found,) = times_in_turn((lambda function=function: function(positions),), 1)
        except ImportError:
            continue
        tolerance = 0.05 if "freud" in name else 1e-5
        assert np.allclose(found[1 : n_frames // 2], result.msd[1 : n_frames // 2], rtol=tolerance), name
        rows[name] = times.min()
    print(f"\n{n_frames} frames × {n_particles} particles, float32 in memory")
    print(f"  {'':38s} M particle-frames/s   ours is faster by")
    for name, seconds in rows.items():
        print(f"  {name:38s} {count / seconds:12.2f} {seconds / ours:22.1f}")
    print(f"  two threads against one, wall time: {compare_threads(one, two, max(repeats, round(300 / count)))}")
    return {name: count / seconds for name, seconds in rows.items()}


def compare_chain_curves(n_frames, n_chains, length, repeats):
    positions = walk(n_frames, n_chains * length)
    molecules = np.repeat(np.arange(n_chains), length)
    (alone, together), (g1, chains) = times_in_turn(
        (
            lambda: pp.msd(positions, 1.0, molecules=molecules, remove_drift=True, n_threads=1),
            lambda: chain_msd(positions, 1.0, molecules=molecules, n_threads=1),
        ),
        repeats,
    )
    assert np.allclose(chains.g1.msd, g1.msd, rtol=1e-9)
    print(f"\ng1 + g2 + g3 of {n_chains} chains of {length}, {n_frames} frames: {ratio(together, alone)} g1 alone")
    return together.min() / alone.min()


def compare_instruction_sets(n_frames, n_particles, repeats):
    positions = walk(n_frames, n_particles)
    plan, crew = _core.dynamics.FftPlan(n_frames), _core.dynamics.Crew(1)
    segments = np.full((n_particles, 3, 2), -1)
    segments[:, :, 0] = 0
    print(f"\nSpectra alone, 1 thread, {n_frames} frames × {n_particles}: instruction sets")
    for name in _core.dynamics.instruction_sets():
        spectra, squares = np.zeros((1, plan.spectrum_size)), np.zeros((1, n_frames))

        def run(name=name, spectra=spectra, squares=squares):
            particles = np.arange(n_particles)
            _core.dynamics.add_power_spectra(
                plan, positions, particles, segments, None, True, spectra, squares, 0, name, crew
            )

        times, _ = times_in_turn((run,), repeats)
        seconds = times.min()
        # Work space written and read once in two passes, input read once in each pass.
        traffic = n_particles * n_frames * 3 * (32 * plan.half_length / n_frames * 2 / 2 + 8)
        print(
            f"  {name:9s} {n_frames * n_particles / seconds / 1e6:7.1f} M/s, at least {traffic / seconds / 1e9:.1f} GB/s"
        )


OUT_OF_CORE = """
import json, resource, sys, time
import numpy as np, polypace as pp, polypace.analysis
path, n_frames, n_particles, budget, threads = sys.argv[1:]
positions = np.memmap(path, dtype=np.float32, mode="r", shape=(int(n_frames), int(n_particles), 3))
begin = time.perf_counter()
result = pp.msd(positions, 1.0, max_memory=int(budget), n_threads=int(threads))
seconds = time.perf_counter() - begin
# VmHWM: ru_maxrss would count the memory of the program that started this one.
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) * 1024
print(json.dumps({"seconds": seconds, "peak": peak, "msd": [result.msd[k] for k in (1, 1000)]}), flush=True)
"""


CHECKED_LAGS = (1, 1000)


def write_frames(path, n_frames, n_particles):
    """A random walk on disk, a piece at a time, and its displacements at some lags by direct sums."""
    rng, last = np.random.default_rng(0), np.zeros((n_particles, 3), dtype=np.float32)
    tail, sums = np.zeros((0, n_particles, 3), dtype=np.float32), np.zeros(len(CHECKED_LAGS))
    size = max(max(CHECKED_LAGS), int(100e6 / (12 * n_particles)))
    with path.open("wb") as file:
        for begin in range(0, n_frames, size):
            piece = rng.standard_normal((min(size, n_frames - begin), n_particles, 3), dtype=np.float32)
            piece *= 0.05
            np.cumsum(piece, axis=0, out=piece)
            piece += last
            last = piece[-1].copy()
            piece.tofile(file)
            both = np.concatenate([tail, piece])
            for k, lag in enumerate(CHECKED_LAGS):
                new = both[max(0, len(tail) - lag) :]
                moved = (new[lag:].astype(np.float64) - new[:-lag]).reshape(-1)
                sums[k] += moved @ moved
            tail = both[-max(CHECKED_LAGS) :].copy()
    return sums / n_particles / (n_frames - np.array(CHECKED_LAGS))


def frames_and_displacements(path, n_frames, n_particles):
    """Write the frames, or use those of an earlier call."""
    sums = path.with_suffix(".json")
    if not sums.exists() or not path.exists() or path.stat().st_size != 12 * n_frames * n_particles:
        sums.write_text(json.dumps(write_frames(path, n_frames, n_particles).tolist()))
    return json.loads(sums.read_text())


def measure_out_of_core(options):
    """Rate and peak memory of a run that is larger than its budget, beside the rate in memory; answers checked."""
    n_frames, threads, budget = options.out_of_core_frames, options.threads, int(options.budget)
    n_particles = max(1, round(options.out_of_core * 1e9 / (12 * n_frames)))
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        path = Path(options.keep or folder) / "frames.bin"
        exact = frames_and_displacements(path, n_frames, n_particles)
        if options.only_write:
            return {}
        arguments = [str(a) for a in (path, n_frames, n_particles, budget, threads)]
        output = subprocess.run(
            [sys.executable, "-c", OUT_OF_CORE, *arguments],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "TMPDIR": folder},
        )
        found = json.loads(output.stdout)
        positions = np.memmap(path, dtype=np.float32, mode="r", shape=(n_frames, n_particles, 3))
        few = np.array(positions[:, : min(n_particles, 64)])
        if options.keep:
            path.unlink()
    assert np.allclose(found["msd"], exact, rtol=1e-8), (found["msd"], exact)
    begin = time.perf_counter()
    pp.msd(few, 1.0, n_threads=threads)
    in_memory = n_frames * few.shape[1] / (time.perf_counter() - begin) / 1e6
    rate = n_frames * n_particles / found["seconds"] / 1e6
    print(
        f"\nOut of core: {n_frames} frames × {n_particles} particles ({options.out_of_core:g} GB on disk), budget "
        f"{budget / 1e6:.0f} MB, {threads} threads, wall time\n  {rate:.2f} M/s, {rate / in_memory:.2f} × the rate in "
        f"memory ({in_memory:.2f}); peak memory of the process {found['peak'] / 1e6:.0f} MB = "
        f"{found['peak'] / budget:.2f} × budget"
    )
    return {"rate": rate, "in_memory": in_memory, "peak": found["peak"] / budget}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, nargs="*", default=[10_000, 100_000])
    parser.add_argument("--particles", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--no-peers", action="store_true", help="skip the slow programs")
    parser.add_argument("--out-of-core", type=float, default=0.6, help="size of the trajectory on disk, GB; 0: skip")
    parser.add_argument("--out-of-core-frames", type=int, default=100_000)
    parser.add_argument("--budget", type=float, default=512e6, help="max_memory of that run, bytes")
    parser.add_argument("--threads", type=int, default=1, help="of the out-of-core run")
    parser.add_argument("--folder", type=Path, help="for twice the size of that run; default: the temporary one")
    parser.add_argument("--keep", type=Path, help="folder for the frames of that run, which a second call then uses")
    parser.add_argument("--only-write", action="store_true", help="those frames; measure in a second call")
    parser.add_argument("--json", type=Path, help="write the rates here")
    options = parser.parse_args()
    peers = {
        "SciPy rFFT by hand, summed spectra": scipy_rfft,
        "tidynamics": tidynamics_msd,
        "MDAnalysis EinsteinMSD(fft)": mdanalysis_msd,
        "freud (single precision)": freud_msd,
    }
    if options.frames:
        check_answers(min(options.frames[-1], 100_000))
    rates = {}
    for n_frames in options.frames:
        chosen = {} if options.no_peers else peers
        rates[n_frames] = compare_programs(n_frames, options.particles, chosen, options.repeats)
    results = {"rates": rates}
    if options.frames:
        compare_instruction_sets(options.frames[-1], options.particles, options.repeats)
        results["chain_curves"] = compare_chain_curves(options.frames[0], 8, 50, options.repeats)
    if options.out_of_core > 0:
        results["out_of_core"] = measure_out_of_core(options)
    print(f"\npeak memory of this program: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB")
    if options.json:
        options.json.write_text(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
