"""Single trees: exact splits, unlimited and shallow, best and random."""

from functools import partial

import numpy as np
from sklearn.datasets import make_classification
from sklearn.metrics import log_loss, mean_squared_error

from benchmarks.contenders import classes
from benchmarks.data import Data
from benchmarks.harness import Workload


def three_classes(n, p, shrink=1):
    """Return n rows of p features, ten of which tell three classes apart, not quite."""
    X, y = make_classification(
        max(n // shrink, 200), p, n_informative=10, n_classes=3, flip_y=0.1, random_state=0
    )
    return Data(X.astype(np.float32), y)


def curves(n, p, shrink=1):
    """Return n rows of p features and a noisy sum of lines and a sine."""
    rng, n = np.random.default_rng(0), max(n // shrink, 200)
    X = rng.standard_normal((n, p)).astype(np.float32)
    y = X[:, :5].sum(axis=1) + 3 * np.sin(2 * X[:, 6]) + rng.standard_normal(n)
    return Data(X, y)


def fitted(name, **options):
    """Return {contender: fit} of a tree."""

    def fit(cls, data):
        return cls(random_state=0, **options).fit(data.X, data.y)

    return {key: partial(fit, cls) for key, cls in classes("tree", name).items()}


def training_loss(data, tree):
    """Return the loss on the training rows: equal trees have equal losses."""
    if hasattr(tree, "predict_proba"):
        return log_loss(data.y, tree.predict_proba(data.X))
    return mean_squared_error(data.y, tree.predict(data.X))


SETTINGS = {}

CASES = [
    ("DecisionTreeClassifier", three_classes, {}, 8.0),
    ("DecisionTreeRegressor", curves, {}, 8.0),
    ("DecisionTreeClassifier", three_classes, {"max_depth": 8}, 6.0),
    ("DecisionTreeRegressor", curves, {"max_depth": 8}, 6.0),
    ("ExtraTreeClassifier", three_classes, {}, 3.0),
    ("ExtraTreeRegressor", curves, {}, 3.0),
]

WORKLOADS = [
    Workload(
        f"{name} {'depth 8' if options else 'unlimited'}, 100,000 x 30",
        data=partial(data, 100_000, 30),
        contenders=partial(fitted, name, **options),
        loss=training_loss,
        floor=floor,
    )
    for name, data, options, floor in CASES
]
