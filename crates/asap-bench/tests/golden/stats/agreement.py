"""Golden numbers of agreement, from scikit-learn, krippendorff and irrCAC.

    pip install -r requirements.txt && python agreement.py

writes `agreement.json` beside this file; the same versions write the same bytes. Inputs are random with a fixed seed
and stand in the file beside the results.
"""

import importlib.metadata
import json
import pathlib

import krippendorff
import numpy as np
import pandas as pd
from irrCAC.raw import CAC
from sklearn.metrics import cohen_kappa_score, confusion_matrix

RNG = np.random.default_rng(20_260_527)


def pairs():
    rows = []
    for n_classes, n, shares, noise in [
        (2, 80, [0.7, 0.3], 0.3),
        (2, 200, [0.13, 0.87], 0.35),
        (3, 150, [0.4, 0.35, 0.25], 0.4),
        (3, 60, [0.8, 0.1, 0.1], 0.2),
        (3, 40, [0.3, 0.4, 0.3], 1.0),
    ]:
        first = RNG.choice(n_classes, n, p=shares)
        second = np.where(RNG.random(n) < noise, RNG.choice(n_classes, n, p=shares), first)
        labels = list(range(n_classes))
        table = pd.DataFrame({"first": first, "second": second})
        decisive = (first != 1) & (second != 1)
        credit = np.where(first == second, 1.0, np.where((first == 1) | (second == 1), 0.5, 0.0))
        rows.append(
            {
                "n_classes": n_classes,
                "pairs": np.stack([first, second], 1).tolist(),
                "confusion": confusion_matrix(first, second, labels=labels).tolist(),
                "exact": float((first == second).mean()),
                "decisive": float((first == second)[decisive].mean()),
                "half_credit": float(credit.mean()),
                "kappa": cohen_kappa_score(first, second, labels=labels),
                "ac1": float(CAC(table, digits=14).gwet()["est"]["coefficient_value"]),
            }
        )
    return rows


def alphas():
    rows = []
    for n_classes, n_items, n_raters, missing in [(2, 50, 3, 0.0), (2, 120, 11, 0.6), (3, 60, 5, 0.3), (3, 30, 4, 0.7)]:
        truth = RNG.integers(0, n_classes, n_items)
        values = np.where(
            RNG.random((n_raters, n_items)) < 0.4, RNG.integers(0, n_classes, (n_raters, n_items)), truth
        ).astype(float)
        values[RNG.random(values.shape) < missing] = np.nan
        items = [[int(v) for v in column if not np.isnan(v)] for column in values.T]
        rows.append(
            {
                "n_classes": n_classes,
                "items": items,
                "alpha": krippendorff.alpha(reliability_data=values, level_of_measurement="nominal"),
            }
        )
    return rows


def main():
    numbers = {
        "alphas": alphas(),
        "pairs": pairs(),
        "versions": {
            name: importlib.metadata.version(name) for name in ("irrCAC", "krippendorff", "numpy", "scikit-learn")
        },
    }
    path = pathlib.Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(numbers, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
