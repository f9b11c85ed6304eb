"""Mixtures of Gaussians, from one start for all, so that the work is the same."""

from functools import partial
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from benchmarks.contenders import classes
from benchmarks.data import Data
from benchmarks.harness import Workload


class Found(NamedTuple):
    """What oneDAL finds, under scikit-learn's names."""

    weights_: np.ndarray
    means_: np.ndarray
    covariances_: np.ndarray


def overlapping(n, p, k, shrink=1, *, dtype=np.float64, spread=1.0):
    """Return n rows of p features from k Gaussians whose means are `spread` per feature apart."""
    rng, n = np.random.default_rng(0), max(n // shrink, 200 * k)  # fewer tell no covariance
    centres = rng.standard_normal((k, p)) * spread
    shapes = rng.standard_normal((k, p, p)) / np.sqrt(p) + np.eye(p)
    labels, X = rng.integers(k, size=n), rng.standard_normal((n, p))
    for j in range(k):
        X[labels == j] = X[labels == j] @ shapes[j] + centres[j]
    X = X.astype(dtype)
    return Data(X, start=X[rng.choice(n, k, replace=False)])


def settings(data, covariance_type, n_iter):
    """Return parameters by which a mixture runs `n_iter` iterations from the start in the data."""
    k, p = data.start.shape
    one = np.eye(p)
    precisions = {
        "full": np.stack([one] * k),
        "tied": one,
        "diag": np.ones((k, p)),
        "spherical": np.ones(k),
    }
    start = {"weights_init": np.full(k, 1 / k), "means_init": data.start}
    start["precisions_init"] = precisions[covariance_type]
    how = {"n_components": k, "covariance_type": covariance_type, "max_iter": n_iter, "tol": 0}
    return start | how | ({"reg_covar": 1e-3} if data.X.dtype == np.float32 else {})


def from_one_start(covariance_type, n_iter):
    """Return {contender: fit} of `n_iter` iterations."""

    def fit(cls, data):
        return cls(**settings(data, covariance_type, n_iter)).fit(data.X)

    found = {name: partial(fit, cls) for name, cls in classes("mixture", "GaussianMixture").items()}
    if find_spec("daal4py") and covariance_type in ("full", "diag"):
        found["oneDAL"] = partial(fit_onedal, covariance_type, n_iter)
    return found


def fit_onedal(covariance_type, n_iter, data):
    """Run oneDAL's EM from the same start; its covariances are full or diagonal."""
    import daal4py

    if data.X.dtype == np.float32:
        raise NotImplementedError("adds nothing to variances, and some components collapse")
    k, p = data.start.shape
    kind = {"full": "full", "diag": "diagonal"}[covariance_type]
    one = np.eye(p) if kind == "full" else np.ones((1, p))
    algorithm = daal4py.em_gmm(
        nComponents=k, maxIterations=n_iter, accuracyThreshold=0.0, covarianceStorage=kind
    )
    X = np.ascontiguousarray(data.X, dtype=np.float64)
    start = np.full((1, k), 1 / k), np.asarray(data.start, np.float64), [one] * k
    result = algorithm.compute(X, *start)
    covariances = np.array(list(result.covariances)).reshape(
        (k, p, p) if kind == "full" else (k, p)
    )
    return Found(result.weights.ravel(), result.means, covariances)


def triangle(fitted, C, j):
    """Return U with U U' the precision of component j, (p, p), as found, or from its covariance.

    A covariance in float32 need not be positive definite, to the last bit.
    """
    if C.ndim == 3 and getattr(fitted, "precisions_cholesky_", C[0]).ndim == 3:
        return np.asarray(fitted.precisions_cholesky_[j], float)
    p = np.shape(fitted.means_)[1]
    full = C[j] if C.ndim == 3 else np.diag(np.broadcast_to(C[j].ravel(), p))
    return np.linalg.inv(np.linalg.cholesky(full)).T


def minus_log_likelihood(data, fitted):
    """Return minus the mean log-density of the rows, in float64."""
    weights, means = np.asarray(fitted.weights_, float), np.asarray(fitted.means_, float)
    (k, p), C = means.shape, np.asarray(fitted.covariances_, float)
    if C.shape == (p, p) and C.shape != (k, p):
        C = np.broadcast_to(C, (k, p, p))
    total = 0.0
    for first in range(0, len(data.X), 8192):
        x = data.X[first : first + 8192].astype(np.float64)
        scores = np.empty((len(x), k))
        for j in range(k):
            upper = triangle(fitted, C, j)
            z = (x - means[j]) @ upper
            scores[:, j] = -0.5 * np.sum(z**2, axis=1) + np.sum(np.log(np.diag(upper)))
        total += logsumexp(scores + np.log(weights) - p / 2 * np.log(2 * np.pi), axis=1).sum()
    return -total / len(data.X)


SETTINGS = {}

WORKLOADS = [
    Workload(
        f"GaussianMixture {kind}, 100,000 x 16, k=10, 30 iterations",
        data=partial(overlapping, 100_000, 16, 10),
        contenders=partial(from_one_start, kind, 30),
        loss=minus_log_likelihood,
        floor=floor,
    )
    for kind, floor in (("full", 12.0), ("diag", 4.0), ("tied", 3.0), ("spherical", 3.0))
]
WORKLOADS.append(
    Workload(
        "GaussianMixture full, 20,000 x 64, k=20, float32, 30 iterations",
        data=partial(overlapping, 20_000, 64, 20, dtype=np.float32, spread=0.3),
        contenders=partial(from_one_start, "full", 30),
        loss=minus_log_likelihood,
        floor=4.0,
        slack=1e-3,
    )
)
