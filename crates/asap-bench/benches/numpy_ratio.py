"""How many times faster the bootstraps of an index are than NumPy, measured in one run.

    pip install numpy
    python crates/asap-bench/benches/numpy_ratio.py [--rounds 7] [--threads 2]

Both draw 1 000 replicates of the same 100 000 votes on 500 prompts by 1 000 raters, in turn, so that other load on the
machine meets both. NumPy does it in two ways: `rows` weighs each vote, which needs little memory for any data, and
`dense` multiplies tables of prompts x raters, which needs memory for every prompt and rater but runs in BLAS, with as
many threads as ours. Printed are medians and the quartiles of the ratio of each round; the intervals must agree.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import time

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--rounds", type=int, default=7)
parser.add_argument("--threads", type=int, default=2)
ARGS = parser.parse_args()
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ[name] = str(ARGS.threads)

import numpy as np  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[3]
N_VOTES, N_PROMPTS, N_RATERS, N_REPLICATES = 100_000, 500, 1000, 1000


def votes():
    """The formula of `examples/bench_bootstrap.rs`."""
    index = np.arange(N_VOTES, dtype=np.uint64)
    mixed = index * 2_654_435_761 % 2**32
    mixed = (mixed ^ (mixed >> np.uint64(15))) * 2_246_822_519 % 2**32
    kind = (mixed >> np.uint64(20)) % 10
    outcome = np.where(kind < 4, 0, np.where(kind < 7, 1, 2))
    rater = (mixed >> np.uint64(8)) % N_RATERS
    return (index % N_PROMPTS).astype(np.int64), rater.astype(np.int64), outcome.astype(np.int64)


def weights(rng):
    prompts = rng.multinomial(N_PROMPTS, np.full(N_PROMPTS, 1 / N_PROMPTS), N_REPLICATES).astype(float)
    raters = rng.multinomial(N_RATERS, np.full(N_RATERS, 1 / N_RATERS), N_REPLICATES).astype(float)
    return prompts, raters


def interval(sums):
    wins, ties, losses = np.asarray(sums).T
    return np.quantile((wins + ties) / (losses + ties), [0.025, 0.975])


def rows(data, rng):
    prompt, rater, outcome = data
    drawn = zip(*weights(rng))
    return interval([np.bincount(outcome, p[prompt] * r[rater], 3) for p, r in drawn])


def dense(data, rng):
    prompt, rater, outcome = data
    prompts, raters = weights(rng)
    sums = []
    for kind in range(3):
        is_kind = outcome == kind
        cells = np.bincount(prompt[is_kind] * N_RATERS + rater[is_kind], minlength=N_PROMPTS * N_RATERS)
        table = cells.reshape(N_PROMPTS, N_RATERS).astype(float)
        sums.append(((prompts @ table) * raters).sum(1))
    return interval(np.transpose(sums))


def binary():
    # The selection of all other builds: another one would compile shared libraries again.
    command = ["cargo", "build", "--workspace", "--example", "bench_bootstrap"]
    subprocess.run(command, cwd=ROOT, check=True)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / "debug" / "examples" / "bench_bootstrap"


def main():
    data = votes()
    process = subprocess.Popen([binary()], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    ours, theirs = [], {"rows": [], "dense": []}
    for round_number in range(ARGS.rounds + 1):
        process.stdin.write("two_way\n")
        process.stdin.flush()
        time_ms, *ends = map(float, process.stdout.readline().split())
        times = {}
        for name, way in (("rows", rows), ("dense", dense)):
            started = time.perf_counter()
            expected = way(data, np.random.default_rng(round_number))
            times[name] = (time.perf_counter() - started) * 1e3
            assert np.abs(np.array(ends) - expected).max() < 0.2 * (expected[1] - expected[0]), (ends, expected)
        # The first round warms up.
        if round_number:
            ours.append(time_ms)
            for name, value in times.items():
                theirs[name].append(value)
    process.stdin.close()
    print(f"asap-bench {statistics.median(ours):.0f} ms (median of {ARGS.rounds}, {ARGS.threads} threads)")
    for name, values in theirs.items():
        ratios = [other / own for other, own in zip(values, ours)]
        low, middle, high = np.quantile(ratios, [0.25, 0.5, 0.75])
        print(f"numpy {name} {statistics.median(values):.0f} ms, ratio {middle:.1f} ({low:.1f} to {high:.1f})")


if __name__ == "__main__":
    main()
