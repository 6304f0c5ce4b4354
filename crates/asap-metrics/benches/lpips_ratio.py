"""How many times faster LPIPS is than the package `lpips` on torch, measured in one run.

    pip install -r crates/asap-metrics/tests/golden/lpips/requirements.txt
    python crates/asap-metrics/benches/lpips_ratio.py [--threads 1] [--rounds 9] [--nets alex,vgg] [--sides 256,512,1024]

Both compare the same two square RGB images, which differ nearly everywhere, with the same made-up weights and the same
number of threads, in turn, so that other load on the machine meets both. Printed are medians and the quartiles of the
ratio of each round; the values must agree. `pair` are the region statistics (composite rule) of a pair that differs
inside a disc of 4 % of the image; torch computes the same two comparisons there.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(HERE.parent / "tests" / "golden" / "lpips"))


def start(threads):
    # The selection of all other builds: another one would compile shared libraries again.
    command = ["cargo", "build", "--quiet", "--workspace", "--example", "bench_lpips"]
    subprocess.run(command, cwd=ROOT, check=True)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    program = target / "debug" / "examples" / "bench_lpips"
    environment = {**os.environ, "RAYON_NUM_THREADS": str(threads)}
    return subprocess.Popen(
        [program], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def ask(process, *words):
    """Milliseconds and value of one measure."""
    process.stdin.write(" ".join(map(str, words)) + "\n")
    process.stdin.flush()
    milliseconds, value = process.stdout.readline().split()
    return float(milliseconds), float(value)


def timed(call):
    started = time.perf_counter()
    value = call()
    return (time.perf_counter() - started) * 1e3, value


def disc_of(side):
    import numpy as np

    y, x = np.indices((side, side))
    return (x - side // 2) ** 2 + (y - side // 2) ** 2 <= int(0.04 * side * side / np.pi)


def both(golden, models, net, side):
    """The two measures of the reference."""
    import numpy as np

    mask = disc_of(side)
    scalar, mapped = models[net]
    a, b = golden.pair(side, side, ["noisy", 20], mask)
    c, d = golden.pair(side, side, ["painted"], mask)

    def pair():
        inside = golden.spatial(mapped, c, np.where(mask[..., None], d, c))
        golden.spatial(mapped, c, np.where(mask[..., None], c, d))
        return float(inside[mask].mean())

    return {
        "whole": lambda: float(scalar(golden.tensor_of(a), golden.tensor_of(b))),
        "pair": pair,
    }


def report(what, theirs, ours):
    ratios = [their / our for their, our in zip(theirs, ours)]
    low, middle, high = statistics.quantiles(ratios, n=4)
    print(
        f"{what:20} torch {statistics.median(theirs):9.1f} ms   ours {statistics.median(ours):9.1f} ms"
        f"   ratio {middle:5.2f} (quartiles {low:.2f} - {high:.2f})",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--nets", default="alex,vgg")
    parser.add_argument("--sides", default="256,512,1024")
    arguments = parser.parse_args()
    # Read when torch and its libraries are loaded.
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(arguments.threads)
    import distances as golden
    import torch

    torch.set_num_threads(arguments.threads)
    nets = arguments.nets.split(",")
    process = start(arguments.threads)
    with torch.inference_mode():
        models = {net: (golden.network(net, False), golden.network(net, True)) for net in nets}
        print(f"{arguments.threads} threads, {arguments.rounds} rounds, torch {torch.__version__}", flush=True)
        for net in nets:
            for side in map(int, arguments.sides.split(",")):
                for what, call in both(golden, models, net, side).items():
                    compare(process, (net, side, what), call, arguments.rounds)
    process.stdin.close()
    process.wait()


def compare(process, measure, call, rounds):
    ask(process, *measure), call()  # warm both
    theirs, ours = [], []
    for _ in range(rounds):
        their_ms, their_value = timed(call)
        our_ms, our_value = ask(process, *measure)
        if abs(their_value - our_value) > 1e-5 * abs(their_value):
            sys.exit(f"the values differ: lpips {their_value}, asap-metrics {our_value}")
        theirs.append(their_ms)
        ours.append(our_ms)
    report(" ".join(map(str, measure)), theirs, ours)


if __name__ == "__main__":
    main()
