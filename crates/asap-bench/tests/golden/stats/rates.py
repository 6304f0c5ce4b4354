"""Golden numbers of rates, differences and tests, from SciPy and statsmodels.

    pip install -r requirements.txt && python rates.py

writes `rates.json` beside this file; the same versions write the same bytes. Inputs are random with a fixed seed and
stand in the file beside the results.
"""

import json
import pathlib
import warnings

import numpy as np
import scipy
import scipy.stats
import statsmodels
import statsmodels.api as sm
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

RNG = np.random.default_rng(20_260_525)
LEVELS = [0.8, 0.9, 0.95, 0.99]


def quantiles():
    return [{"level": level, "z": scipy.stats.norm.ppf(0.5 + level / 2)} for level in LEVELS]


def wilson():
    cases = [(0, 1), (1, 1), (0, 40), (40, 40), (1, 500), (146, 500), (410, 500)]
    cases += [(int(RNG.integers(0, n + 1)), int(n)) for n in RNG.integers(1, 3000, 20)]
    rows = []
    for hits, n in cases:
        for level in LEVELS:
            low, high = proportion_confint(hits, n, 1 - level, "wilson")
            rows.append({"hits": hits, "n": n, "level": level, "low": low, "high": high})
    return rows


def clustered():
    """The robust variance of an OLS on a constant, then Wilson's interval at the effective size."""
    rows = []
    for n_clusters, most, spread in [(12, 3, 1.0), (40, 4, 0.5), (100, 8, 1.5), (200, 2, 0.1), (30, 5, 0.0)]:
        sizes = RNG.integers(1, most + 1, n_clusters)
        chances = 1 / (1 + np.exp(-RNG.normal(-0.5, spread, n_clusters)))
        hits = RNG.binomial(sizes, chances)
        y = np.concatenate([np.r_[np.ones(h), np.zeros(m - h)] for h, m in zip(hits, sizes)])
        groups = np.repeat(np.arange(n_clusters), sizes)
        fit = sm.OLS(y, np.ones_like(y)).fit(cov_type="cluster", cov_kwds={"groups": groups})
        p, variance = fit.params[0], fit.cov_params()[0, 0]
        n_effective = min(p * (1 - p) / variance, len(y))
        # statsmodels takes a normal quantile: find the level whose normal quantile is that of Student's t.
        t = scipy.stats.t.ppf(0.975, n_clusters - 1)
        low, high = proportion_confint(p * n_effective, n_effective, 2 * scipy.stats.norm.sf(t), "wilson")
        rows.append(
            {
                "clusters": np.stack([hits, sizes], 1).tolist(),
                "n_effective": n_effective,
                "low": low,
                "high": high,
            }
        )
    return rows


def coins():
    cases = [(0, 0), (0, 1), (5, 0), (4, 4), (100, 36), (60, 40), (30, 28), (900, 1100)]
    cases += [tuple(int(n) for n in pair) for pair in RNG.integers(0, 60, (20, 2))]
    rows = []
    for first, second in cases:
        exact = mcnemar([[0, first], [second, 0]], exact=True).pvalue if first + second else 1.0
        sign = scipy.stats.binomtest(first, first + second).pvalue if first + second else 1.0
        assert abs(exact - sign) < 1e-12
        coin = scipy.stats.binom(first + second, 0.5)
        k = min(first, second)
        mid = 2 * (coin.cdf(k - 1) + 0.5 * coin.pmf(k)) if first + second else 1.0
        rows.append({"first": first, "second": second, "p": exact, "mid_p": min(mid, 1.0)})
    return rows


def holms():
    rows = [[0.01, 0.04, 0.03, 0.005, 0.2], [0.5], [0.02, 0.02, 0.02]]
    rows += [RNG.random(n).round(6).tolist() for n in (5, 5, 20)]
    rows += [(RNG.random(5) ** 4).tolist()]
    return [{"p": p, "holm": multipletests(p, method="holm")[1].tolist()} for p in rows]


def cluster_sign():
    """The normal score test as a regression through 0 with robust variance under no difference."""
    rows = []
    for n, most in [(20, 1), (50, 4), (200, 3)]:
        differences = RNG.integers(-most, most + 1, n) + (RNG.random(n) < 0.2)
        z = differences.sum() / np.sqrt((differences.astype(float) ** 2).sum())
        rows.append({"differences": differences.tolist(), "p": 2 * scipy.stats.norm.sf(abs(z))})
    return rows


def newcombe():
    """Method 10 written from Newcombe (1998), with Wilson limits of statsmodels."""
    rows = []
    cases = [(36, 12, 2, 0), (1, 1, 3, 45), (0, 5, 0, 45), (50, 0, 0, 0), (0, 30, 20, 0), (100, 60, 40, 300)]
    cases += [tuple(int(n) for n in counts) for counts in RNG.integers(0, 80, (12, 4))]
    for a, b, c, d in cases:
        n = a + b + c + d
        for level in (0.9, 0.95):
            (l1, u1), (l2, u2) = (proportion_confint(k, n, 1 - level, "wilson") for k in (a + b, a + c))
            p1, p2 = (a + b) / n, (a + c) / n
            margins = (a + b) * (c + d) * (a + c) * (b + d)
            top = a * d - b * c
            top = max(top - n / 2, 0) if top > 0 else top
            phi = top / np.sqrt(float(margins)) if margins else 0.0
            below = (p1 - l1) ** 2 - 2 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2
            above = (p2 - l2) ** 2 - 2 * phi * (p2 - l2) * (u1 - p1) + (u1 - p1) ** 2
            low, high = p1 - p2 - np.sqrt(max(below, 0)), p1 - p2 + np.sqrt(max(above, 0))
            rows.append({"counts": [a, b, c, d], "level": level, "low": low, "high": high})
    return rows


def signed_ranks():
    rows = []
    samples = [RNG.normal(0.2, 1, n).round(6) for n in (1, 4, 12, 50, 51, 200)]
    samples += [RNG.integers(-4, 6, n).astype(float) for n in (8, 30, 120)]
    for sample in samples:
        plain = len(sample) <= 50 and len(set(np.abs(sample))) == len(sample) and (sample != 0).all()
        for zeros in ("wilcox", "pratt", "zsplit"):
            method = "exact" if plain else "approx"
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                result = scipy.stats.wilcoxon(sample, zero_method=zeros, correction=False, method=method)
            rows.append(
                {
                    "differences": sample.tolist(),
                    "zeros": zeros,
                    "method": "exact" if plain else "normal",
                    "smaller": result.statistic,
                    "p": result.pvalue,
                }
            )
    return rows


def d_primes():
    rows = []
    for hits, bad, alarms, good in [(18, 20, 3, 20), (20, 20, 0, 20), (0, 5, 5, 5), (37, 60, 11, 45)]:
        h, f = (hits + 0.5) / (bad + 1), (alarms + 0.5) / (good + 1)
        zs = scipy.stats.norm.ppf([h, f])
        variances = np.array([h * (1 - h) / bad, f * (1 - f) / good]) / scipy.stats.norm.pdf(zs) ** 2
        half = scipy.stats.norm.ppf(0.975) * np.sqrt(variances.sum())
        half_choice = scipy.stats.norm.ppf(0.975) * np.sqrt(2 * variances[0])
        rows.append(
            {
                "hits": [hits, bad],
                "alarms": [alarms, good],
                "detection": [zs[0] - zs[1], half],
                "choice": [np.sqrt(2) * zs[0], half_choice],
            }
        )
    return rows


def main():
    numbers = {
        "clustered": clustered(),
        "cluster_sign": cluster_sign(),
        "coins": coins(),
        "d_primes": d_primes(),
        "holm": holms(),
        "newcombe": newcombe(),
        "quantiles": quantiles(),
        "signed_ranks": signed_ranks(),
        "versions": {"numpy": np.__version__, "scipy": scipy.__version__, "statsmodels": statsmodels.__version__},
        "wilson": wilson(),
    }
    path = pathlib.Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(numbers, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
