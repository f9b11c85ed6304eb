"""Logistic regression: two classes, ten, and sparse text.

The loss is the objective: the penalised loss of the training rows. Each contender gets a tolerance
by which it is within a millionth of the optimum.
"""

from functools import partial

import numpy as np
import scipy.sparse as sp

from benchmarks.contenders import estimators
from benchmarks.data import Data
from benchmarks.harness import Workload


def gaussian_rows(n, p, n_classes, shrink):
    """Return correlated rows and classes drawn from a multinomial model."""
    rng = np.random.default_rng(0)
    n = max(n // shrink, 20 * n_classes)
    X = rng.normal(size=(n, p)) @ (np.eye(p) + 0.3 * rng.normal(size=(p, p)) / np.sqrt(p))
    scores = X @ rng.normal(size=(p, n_classes)) / np.sqrt(p) + rng.gumbel(size=(n, n_classes))
    return Data(X, scores.argmax(axis=1))


def sparse_text(n, p, per_row, shrink):
    """Return rows with `per_row` words, of frequencies by Zipf's law, and two classes."""
    rng = np.random.default_rng(0)
    n = max(n // shrink, 100)
    words = np.minimum(p * rng.random(n * per_row) ** 2.5, p - 1).astype(np.int32)
    starts = np.arange(0, n * per_row + 1, per_row, dtype=np.int32)
    X = sp.csr_array((rng.exponential(size=n * per_row), words, starts), shape=(n, p))
    X.sum_duplicates()
    w = rng.normal(size=p) * (rng.random(p) < 0.2)
    return Data(X, (X @ w + rng.logistic(size=n) > 0).astype(int))


def objective(data, fitted):
    """Return C sum_i -log p(y_i | x_i) + |W|^2 / 2, for C = 1."""
    z = data.X @ np.asarray(fitted.coef_).T + np.asarray(fitted.intercept_)
    z = np.hstack([np.zeros_like(z), z]) if z.shape[1] == 1 else z
    highest = z.max(axis=1)
    logs = highest + np.log(np.exp(z - highest[:, np.newaxis]).sum(axis=1))
    losses = logs - z[np.arange(len(z)), data.y]
    return losses.sum() + 0.5 * np.sum(np.square(fitted.coef_))


logistic = partial(estimators, "linear_model", "LogisticRegression")

SETTINGS = {}

WORKLOADS = [
    Workload(
        "LogisticRegression 200,000 x 50",
        data=partial(gaussian_rows, 200_000, 50, 2),
        contenders=partial(logistic, tol=1e-5),
        loss=objective,
        floor=2,
        rivals=("scikit-learn-intelex",),
    ),
    Workload(
        "LogisticRegression 60,000 x 200, 10 classes",
        data=partial(gaussian_rows, 60_000, 200, 10),
        contenders=partial(logistic, tol=1e-5, max_iter=1000),
        loss=objective,
        floor=3,
    ),
    Workload(
        "LogisticRegression, sparse text 100,000 x 50,000",
        data=partial(sparse_text, 100_000, 50_000, 50),
        contenders=partial(logistic, tol=1e-5, max_iter=1000),
        loss=objective,
        floor=1.2,
    ),
    Workload(
        "LogisticRegression 569 x 30, 100 fits",
        data=partial(gaussian_rows, 569, 30, 2),
        contenders=partial(logistic, repeat=100),
        loss=objective,
        floor=1,
        slack=1e-5,
    ),
    Workload(
        "LogisticRegression 150 x 4, 3 classes, 100 fits",
        data=partial(gaussian_rows, 150, 4, 3),
        contenders=partial(logistic, repeat=100),
        loss=objective,
        floor=1,
        slack=1e-5,
    ),
]
