"""Golden numbers of the relative superiority index and of models of many comparisons, from statsmodels, SciPy, choix
and crowd-kit.

    pip install -r requirements.txt && python indices.py

writes `indices.json` beside this file; the same versions write the same bytes. Inputs are random with a fixed seed and
stand in the file beside the results.
"""

import importlib.metadata
import json
import pathlib
import warnings

import choix
import numpy as np
import pandas as pd
import scipy.optimize
import scipy.stats
import statsmodels.api as sm
from crowdkit.aggregation import DawidSkene

RNG = np.random.default_rng(20_260_526)


def random_votes(n_prompts, n_raters, per_prompt, spread):
    """Rows of prompt, rater, outcome (0 win, 1 tie, 2 loss)."""
    rows = []
    prompts = RNG.normal(0.2, spread, n_prompts)
    raters = RNG.normal(0, spread / 2, n_raters)
    for prompt in range(n_prompts):
        for rater in RNG.choice(n_raters, per_prompt, replace=False):
            value = prompts[prompt] + raters[rater] + RNG.normal()
            rows.append([prompt, int(rater), 1 if abs(value) < 0.6 else int(value < 0) * 2])
    return np.array(rows)


def rsi():
    """Means of A (not lost) and B (not won) as one regression with clusters, and the delta method on their ratio."""
    rows = []
    for shape in [(60, 5, 1, 1.0), (60, 5, 3, 1.0), (200, 11, 4, 0.5), (25, 6, 6, 2.0)]:
        votes = random_votes(*shape)
        a, b = (votes[:, 2] != 2).astype(float), (votes[:, 2] != 0).astype(float)
        n, groups = len(votes), np.r_[votes[:, 0], votes[:, 0]]
        design = np.kron(np.eye(2), np.ones((n, 1)))
        kwds = {"groups": groups, "use_correction": False}
        fit = sm.OLS(np.r_[a, b], design).fit(cov_type="cluster", cov_kwds=kwds)
        gradient = np.array([1, -1]) / fit.params
        n_clusters = len(set(votes[:, 0]))
        variance = gradient @ fit.cov_params() @ gradient
        one_each = n_clusters == n
        # The closed form of independent votes has no small-sample factor, and the normal quantile.
        factor, quantile = (
            (1, scipy.stats.norm.ppf(0.975))
            if one_each
            else (n_clusters / (n_clusters - 1), scipy.stats.t.ppf(0.975, n_clusters - 1))
        )
        half = quantile * np.sqrt(variance * factor)
        value = a.mean() / b.mean()
        rows.append({"votes": votes.tolist(), "value": value, "low": value * np.exp(-half), "high": value * np.exp(half)})
    return rows


def index(wins, ties, losses):
    return (wins + ties) / (losses + ties) if losses + ties else np.inf


def bootstraps(cases, n_replicates=10_000):
    """Quantiles of many replicates, by weights on rows of votes."""
    rows = []
    for case in cases:
        votes = np.array(case["votes"])
        _, prompt = np.unique(votes[:, 0], return_inverse=True)
        _, rater = np.unique(votes[:, 1], return_inverse=True)
        n_prompts, n_raters = prompt.max() + 1, rater.max() + 1
        kinds = np.eye(3)[votes[:, 2]]
        results = {"prompt": [], "two_way": []}
        for _ in range(n_replicates):
            weights = RNG.multinomial(n_prompts, np.full(n_prompts, 1 / n_prompts))[prompt].astype(float)
            w, t, l = weights @ kinds
            results["prompt"].append(index(w, t, l))
            weights *= RNG.multinomial(n_raters, np.full(n_raters, 1 / n_raters))[rater]
            w, t, l = weights @ kinds
            results["two_way"].append(index(w, t, l))
        # The two-way percentiles are taken where the quantile is wider by sqrt(n / (n - 1)).
        few = min(n_prompts, n_raters)
        tails = {"prompt": 0.025, "two_way": scipy.stats.norm.cdf(scipy.stats.norm.ppf(0.025) * np.sqrt(few / (few - 1)))}
        rows.append(
            {
                name: {
                    "low": np.quantile(v, tails[name]),
                    "high": np.quantile(v, 1 - tails[name]),
                    "above": float(np.mean(np.array(v) > 1)),
                }
                for name, v in results.items()
            }
        )
    return rows


def davidson():
    """Maximum likelihood as a multinomial logit over outcome features, by a root of the score."""
    rows = []
    for n, per_pair, tie in [(3, 30, 1.0), (6, 12, 0.6), (10, 5, 2.0)]:
        strengths = RNG.normal(0, 0.8, n)
        matchups = []
        for i in range(n):
            for j in range(i + 1, n):
                logs = np.array([strengths[i], np.log(tie) + (strengths[i] + strengths[j]) / 2, strengths[j]])
                p = np.exp(logs) / np.exp(logs).sum()
                matchups.append([i, j, *RNG.multinomial(per_pair, p).tolist()])
        features = np.zeros((len(matchups), 3, n + 1))
        for row, (i, j, *_) in enumerate(matchups):
            features[row, 0, i] = features[row, 2, j] = features[row, 1, n] = 1
            features[row, 1, [i, j]] = 0.5
        counts = np.array(matchups)[:, 2:].astype(float)

        def parts(free):
            point = np.r_[0, free]
            logs = features @ point
            logs -= np.log(np.exp(logs).sum(1, keepdims=True))
            return logs, np.exp(logs)

        def score(free):
            _, p = parts(free)
            residuals = counts - counts.sum(1, keepdims=True) * p
            return np.einsum("ro,rok->k", residuals, features)[1:]

        start = scipy.optimize.minimize(lambda x: -(counts * parts(x)[0]).sum(), np.zeros(n), jac=lambda x: -score(x))
        root = scipy.optimize.root(score, start.x, tol=1e-13)
        assert np.abs(score(root.x)).max() < 1e-8
        point = np.r_[0, root.x[:-1]]
        rows.append(
            {
                "matchups": matchups,
                "log_strengths": (point - point.mean()).tolist(),
                "tie_parameter": float(np.exp(root.x[-1])),
                "log_likelihood": float((counts * parts(root.x)[0]).sum()),
            }
        )
    return rows


def bradley_terry():
    """Without ties, from choix."""
    rows = []
    for n, n_votes in [(3, 60), (8, 400)]:
        strengths = RNG.normal(0, 0.7, n)
        wins = np.zeros((n, n), int)
        for _ in range(n_votes):
            i, j = RNG.choice(n, 2, replace=False)
            first = RNG.random() < 1 / (1 + np.exp(strengths[j] - strengths[i]))
            wins[(i, j) if first else (j, i)] += 1
        data = [(i, j) for i in range(n) for j in range(n) for _ in range(wins[i, j])]
        fit = choix.opt_pairwise(n, data, alpha=0, method="Newton-CG", tol=1e-14)
        matchups = [[i, j, int(wins[i, j]), 0, int(wins[j, i])] for i in range(n) for j in range(i + 1, n)]
        rows.append({"matchups": matchups, "log_strengths": (fit - fit.mean()).tolist()})
    return rows


def dawid_skene():
    rows = []
    for n_classes, n_items, n_raters, share in [(2, 60, 6, 0.7), (3, 80, 7, 0.8), (3, 40, 4, 1.0)]:
        truth = RNG.choice(n_classes, n_items, p=[0.5, 0.3, 0.2][:n_classes] if n_classes == 3 else [0.6, 0.4])
        skill = RNG.uniform(0.55, 0.95, n_raters)
        answers = [
            [item, rater, int(truth[item] if RNG.random() < skill[rater] else RNG.integers(n_classes))]
            for item in range(n_items)
            for rater in range(n_raters)
            if RNG.random() < share
        ]
        data = pd.DataFrame(answers, columns=["task", "performer", "label"])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit = DawidSkene(n_iter=600).fit(data)
        probabilities = fit.probas_.sort_index()[list(range(n_classes))]
        errors = fit.errors_.reindex(pd.MultiIndex.from_product([range(n_raters), range(n_classes)]), fill_value=0.0)
        rows.append(
            {
                "n_classes": n_classes,
                "answers": answers,
                "shares": [float(fit.priors_[k]) for k in range(n_classes)],
                "probabilities": probabilities.to_numpy().tolist(),
                # From [said][truth] to [truth][said].
                "errors": [errors.loc[rater].to_numpy().T.tolist() for rater in range(n_raters)],
            }
        )
    return rows


def main():
    indices = rsi()
    numbers = {
        "bootstraps": bootstraps(indices),
        "bradley_terry": bradley_terry(),
        "davidson": davidson(),
        "dawid_skene": dawid_skene(),
        "rsi": indices,
        "versions": {
            name: importlib.metadata.version(name)
            for name in ("choix", "crowd-kit", "numpy", "pandas", "scipy", "statsmodels")
        },
    }
    path = pathlib.Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(numbers, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
