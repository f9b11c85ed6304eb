"""Stochastic gradient descent: dense rows and sparse text, a fixed number of epochs.

Ours takes the samples in scikit-learn's order: the same seed is the same descent, and the training
objectives are equal but for rounding.
"""

from functools import partial

import numpy as np
from scipy import sparse

from benchmarks.contenders import estimators
from benchmarks.data import Data, classification, regression
from benchmarks.harness import Workload

EPOCHS = {"max_iter": 10, "tol": None, "random_state": 0}
SETTINGS = {}


def text(n, p, shrink=1):
    """Make documents as sparse rows: 0.1% of p words each, few of them frequent; two classes."""
    rng, n = np.random.default_rng(0), n // shrink
    per_row = p // 1000
    words = (p * rng.random((n, per_row)) ** 3).astype(np.int32)
    starts = np.arange(n + 1) * per_row
    X = sparse.csr_matrix((rng.random(n * per_row), words.ravel(), starts), shape=(n, p))
    X.sum_duplicates()
    scores = X @ rng.standard_normal(p)
    return Data(X, np.where(scores + 0.1 * rng.standard_normal(n) > 0, 1, 0))


def small(shrink=1):
    """Return iris, centred and scaled: what a fit costs beside its steps."""
    from sklearn.datasets import load_iris

    X, y = load_iris(return_X_y=True)
    return Data((X - X.mean(axis=0)) / X.std(axis=0), y)


def objective(data, fitted):
    """Return the mean loss on the rows of the fit, plus the penalty."""
    penalty = 0.5 * fitted.alpha * np.sum(fitted.coef_**2)
    if fitted.loss == "squared_error":
        return np.mean((fitted.predict(data.X) - data.y) ** 2) / 2 + penalty
    scores = fitted.decision_function(data.X)
    if scores.ndim == 1:
        scores = scores[:, np.newaxis]
    signs = np.where(data.y[:, np.newaxis] == fitted.classes_[-scores.shape[1] :], 1, -1)
    margins = signs * scores
    if fitted.loss == "log_loss":
        return np.mean(np.logaddexp(0, -margins)) + penalty
    return np.mean(np.maximum(0, 1 - margins)) + penalty


def sgd(name, **parameters):
    """Return {contender: fit} for a class of stochastic gradient descent."""
    return partial(estimators, "linear_model", name, **EPOCHS | parameters)


WORKLOADS = [
    Workload(
        "SGDRegressor 200,000 x 50, 10 epochs",
        data=partial(regression, 200_000, 50),
        contenders=sgd("SGDRegressor"),
        loss=objective,
        floor=1.5,
    ),
    Workload(
        "SGDClassifier 200,000 x 50, 10 epochs",
        data=partial(classification, 200_000, 50, 2),
        contenders=sgd("SGDClassifier"),
        loss=objective,
        floor=1.5,
    ),
    Workload(
        "SGDClassifier 200,000 x 50, log_loss, 10 epochs",
        data=partial(classification, 200_000, 50, 2),
        contenders=sgd("SGDClassifier", loss="log_loss"),
        loss=objective,
        floor=1.5,
        slack=0.05,  # of few rows the first steps are huge, and a rounding grows in them
    ),
    Workload(
        "SGDClassifier on sparse text 100,000 x 50,000, 10 epochs",
        data=partial(text, 100_000, 50_000),
        contenders=sgd("SGDClassifier"),
        loss=objective,
        floor=1.2,
    ),
    Workload(
        "SGDClassifier on iris, 100 fits",
        data=small,
        contenders=sgd("SGDClassifier", repeat=100),
        loss=objective,
        floor=1.0,
    ),
]
