"""Bagging, AdaBoost and isolation forests: the ensembles of scikit-learn for the same seed."""

from functools import partial

import numpy as np

from benchmarks.contenders import classes, estimators
from benchmarks.harness import Workload
from benchmarks.workloads.forest import bumps, deviance, squared_error


def fit_and_score(**params):
    """Return {contender: fit} of isolation forests, which then score all rows."""

    def work(cls, data):
        forest = cls(**params).fit(data.X)
        forest.scores = forest.score_samples(data.X)
        return forest

    found = classes("ensemble", "IsolationForest").items()
    return {contender: partial(work, cls) for contender, cls in found}


def mean_score(data, forest):
    """Return the mean score: the same forest has the same one."""
    return -float(np.mean(forest.scores))


SETTINGS = {}
BAGS = {"n_estimators": 20, "n_jobs": 2, "random_state": 0}

WORKLOADS = [
    Workload(
        f"{name}, 20 trees, 20,000 x 30",
        data=partial(bumps, 20_000, 30, n_classes),
        contenders=partial(estimators, "ensemble", name, **BAGS),
        loss=deviance if n_classes else squared_error,
        floor=6.0,
        slack=0.02,  # chance, where cuts tie
    )
    for name, n_classes in (("BaggingClassifier", 3), ("BaggingRegressor", 0))
]
WORKLOADS += [
    Workload(
        "AdaBoostClassifier, 100 stumps, 50,000 x 30",
        data=partial(bumps, 50_000, 30, 3),
        contenders=partial(
            estimators, "ensemble", "AdaBoostClassifier", n_estimators=100, random_state=0
        ),
        loss=deviance,
        floor=15.0,
        slack=1e-6,
    ),
    Workload(
        "AdaBoostRegressor, 50 trees of depth 3, 50,000 x 30",
        data=partial(bumps, 50_000, 30, 0),
        contenders=partial(estimators, "ensemble", "AdaBoostRegressor", random_state=0),
        loss=squared_error,
        floor=6.0,
        slack=0.02,
    ),
    Workload(
        "IsolationForest, 100 trees, fit and score_samples, 100,000 x 30",
        data=partial(bumps, 100_000, 30, 0),
        contenders=partial(fit_and_score, n_jobs=2, random_state=0),
        loss=mean_score,
        floor=2.0,
        slack=1e-12,
    ),
]
