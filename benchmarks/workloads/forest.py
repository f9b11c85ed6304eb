"""Forests: 100 trees on two threads, as scikit-learn grows them for the same seed."""

from functools import partial
from importlib.util import find_spec

import numpy as np
from sklearn.metrics import log_loss

from benchmarks.contenders import classes, estimators
from benchmarks.data import Data
from benchmarks.harness import Workload

N_TEST = 10_000


def bumps(n, p, n_classes=0, shrink=1):
    """Make targets of waves and products of 8 of p features, with noise; or classes of them."""
    rng, n = np.random.default_rng(0), max(n // shrink, 500)
    X = rng.standard_normal((n + N_TEST, p)).astype(np.float32)
    y = np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2] + np.abs(X[:, 3]) + X[:, 4:8].sum(axis=1) / 2
    y = y + 0.5 * rng.standard_normal(len(y))
    if n_classes:
        y = np.digitize(y, np.quantile(y, np.linspace(0, 1, n_classes + 1)[1:-1]))
    return Data(X[:n], y[:n], X_test=X[n:], y_test=y[n:])


def squared_error(data, forest):
    """Return the mean squared error on new rows."""
    return float(np.mean((forest.predict(data.X_test) - data.y_test) ** 2))


def deviance(data, forest):
    """Return the log-loss on new rows; no share is taken for 0."""
    shares = np.clip(forest.predict_proba(data.X_test), 1e-3, None)
    return log_loss(data.y_test, shares / shares.sum(axis=1, keepdims=True))


def asked(name, **params):
    """Return {contender: fit} that ask a forest, grown once before the clock runs, of all rows."""
    forests = {}

    def ask(contender, cls, data):
        key = contender, len(data.X)
        if key not in forests:
            forests[key] = cls(**params).fit(data.X[:20_000], data.y[:20_000])
        forests[key].predict_proba(data.X)
        return forests[key]

    found = classes("ensemble", name).items()
    return {contender: partial(ask, contender, cls) for contender, cls in found}


def intervals(**params):
    """Return {contender: fit} of quantile forests, which are asked for three quantiles."""
    from skcourse.ensemble import QuantileForestRegressor

    def ours(data):
        forest = QuantileForestRegressor(**params).fit(data.X, data.y)
        forest.predict(data.X_test, quantiles=[0.05, 0.5, 0.95])
        return forest

    def theirs(data):
        from quantile_forest import RandomForestQuantileRegressor

        forest = RandomForestQuantileRegressor(max_samples_leaf=None, **params)
        forest.fit(data.X, data.y)
        forest.predict(data.X_test, quantiles=[0.05, 0.5, 0.95])
        return forest

    return {"skcourse": ours} | (
        {"quantile-forest": theirs} if find_spec("quantile_forest") else {}
    )


def pinball(data, forest):
    """Return the mean loss of the median and of the ends of a 90 % interval, on new rows."""
    levels = np.array([0.05, 0.5, 0.95])
    misses = data.y_test[:, np.newaxis] - forest.predict(data.X_test, quantiles=list(levels))
    return float(np.mean(np.maximum(levels * misses, (levels - 1) * misses)))


SETTINGS = {}
HOW = {"n_estimators": 100, "n_jobs": 2, "random_state": 0}
ONEDAL = ("scikit-learn-intelex",)

WORKLOADS = [
    Workload(
        f"{name}, {n_trees} trees, 50,000 x 30",
        data=partial(bumps, 50_000, 30, n_classes),
        contenders=partial(estimators, "ensemble", name, **HOW | {"n_estimators": n_trees}),
        loss=deviance if n_classes else squared_error,
        floor=floor,
        rivals=ONEDAL,
        slack=0.02,  # chance, where cuts tie; other peers draw other numbers
    )
    for name, n_classes, n_trees, floor in (  # regressors of few trees: theirs are slow
        ("RandomForestClassifier", 3, 100, 6.0),
        ("RandomForestRegressor", 0, 10, 6.0),
        ("ExtraTreesClassifier", 3, 100, 3.0),
        ("ExtraTreesRegressor", 0, 10, 3.0),
    )
]
WORKLOADS += [
    Workload(
        "RandomForestClassifier, predict_proba of 100,000 x 30 by 100 trees",
        data=partial(bumps, 100_000, 30, 3),
        contenders=partial(asked, "RandomForestClassifier", **HOW),
        loss=deviance,
        floor=3.0,
        slack=0.02,
    ),
    Workload(
        "QuantileForestRegressor, 100 trees, 20,000 x 30, three quantiles of 10,000 rows",
        data=partial(bumps, 20_000, 30, 0),
        contenders=partial(intervals, min_samples_leaf=5, **HOW),
        loss=pinball,
        slack=0.02,
        namesake=False,
    ),
]
