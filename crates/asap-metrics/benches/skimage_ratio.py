"""How many times faster region SSIM is than scikit-image, measured in one run.

    pip install -r crates/asap-metrics/tests/golden/requirements.txt
    python crates/asap-metrics/benches/skimage_ratio.py [--rounds 15] [--release]

Both compare the same two 1024x1024 RGB images, which differ nearly everywhere, on one thread, in turn: a round is one
call of scikit-image and four of ours, so that other load on the machine meets both. Printed are medians and the
quartiles of the ratio of each round; the values must agree.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "golden"))

import ssim as golden  # noqa: E402
from skimage.metrics import structural_similarity  # noqa: E402

SIDE = 1024
CALLS = 4


def start(release):
    command = ["cargo", "run", "--quiet", "-p", "asap-metrics", "--example", "bench_ssim"]
    command += ["--release"] if release else []
    return subprocess.Popen(command, cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def ask(process, measure):
    """Milliseconds and value of one measure."""
    process.stdin.write(measure + "\n")
    process.stdin.flush()
    milliseconds, value = process.stdout.readline().split()
    return float(milliseconds), float(value)


def scikit_image(first, second):
    started = time.perf_counter()
    value = structural_similarity(
        first,
        second,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
        channel_axis=-1,
    )
    return (time.perf_counter() - started) * 1e3, float(value)


def report(name, milliseconds):
    low, _, high = statistics.quantiles(milliseconds, n=4)
    print(f"{name:34} {statistics.median(milliseconds):9.3f} ms   (quartiles {low:.3f} - {high:.3f})")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--release", action="store_true", help="measure the release profile")
    arguments = parser.parse_args()

    shape = (SIDE, SIDE, 3)
    first = golden.picture(shape, "waves")
    second = golden.changed(first, None, "noisy", 20)
    process = start(arguments.release)
    ask(process, "ssim"), scikit_image(first, second)  # warm both

    theirs, ours, ratios = [], [], []
    others = {"map": [], "pair": [], "pair_map": []}
    for _ in range(arguments.rounds):
        their_ms, their_value = scikit_image(first, second)
        calls = [ask(process, "ssim") for _ in range(CALLS)]
        our_ms, our_value = statistics.median(ms for ms, _ in calls), calls[0][1]
        if abs(their_value - our_value) > 1e-5:
            sys.exit(f"the values differ: scikit-image {their_value}, asap-metrics {our_value}")
        theirs.append(their_ms)
        ours.append(our_ms)
        ratios.append(their_ms / our_ms)
        for measure, found in others.items():
            found.append(ask(process, measure)[0])
    process.stdin.close()
    process.wait()

    print(f"1024x1024 RGB, one thread, {arguments.rounds} rounds, SSIM {our_value:.9f} (scikit-image {their_value:.9f})")
    report("scikit-image", theirs)
    report("asap-metrics ssim", ours)
    report("asap-metrics ssim_map", others["map"])
    report("statistics of a pair, composite", others["pair"])
    report("statistics of a pair, map", others["pair_map"])
    low, middle, high = statistics.quantiles(ratios, n=4)
    print(f"ratio to scikit-image: {middle:.1f} (quartiles {low:.1f} - {high:.1f})")


if __name__ == "__main__":
    main()
