"""Generalised linear models: counts, amounts, support vectors, groups."""

from functools import partial

import numpy as np
from sklearn.metrics import mean_tweedie_deviance
from sklearn.svm import LinearSVC

from benchmarks.contenders import estimators
from benchmarks.data import Data, classification
from benchmarks.harness import Workload


def counts(n, p, shrink=1, *, dtype=np.float64, amounts=False):
    """Make Poisson counts, or gamma `amounts`, of mean exp(X w + 0.3), w of length about 1/2."""
    rng, n = np.random.default_rng(0), max(n // shrink, 4 * p)
    X = rng.standard_normal((n, p))
    mean = np.exp(X @ (rng.standard_normal(p) / (2 * np.sqrt(p))) + 0.3)
    y = mean * rng.gamma(2, 0.5, size=n) if amounts else rng.poisson(mean)
    return Data(X.astype(dtype), y.astype(dtype))


def penalised_deviance(power, data, fitted):
    """Return half the mean deviance plus alpha |w|^2 / 2."""
    mean = fitted.predict(data.X).astype(np.float64)
    deviance = mean_tweedie_deviance(data.y.astype(np.float64), mean, power=power)
    return 0.5 * deviance + 0.5 * fitted.alpha * np.sum(fitted.coef_.astype(np.float64) ** 2)


def by_glum(alpha, data):
    """Fit by glum, a package for generalised linear models."""
    from glum import GeneralizedLinearRegressor

    if data.X.dtype != np.float64:
        raise NotImplementedError("measured in float64")
    return GeneralizedLinearRegressor(family="poisson", alpha=alpha, l1_ratio=0).fit(data.X, data.y)


def poisson_contenders(**parameters):
    """Return {contender: fit}: scikit-learn with both solvers, glum where it is installed."""
    found = estimators("linear_model", "PoissonRegressor", **parameters)
    newton = estimators("linear_model", "PoissonRegressor", solver="newton-cholesky", **parameters)
    found["scikit-learn newton-cholesky"] = newton["scikit-learn"]
    found["glum"] = partial(guarded, by_glum, parameters["alpha"])
    return found


def guarded(fit, *args):
    """Fit by a peer; raise NotImplementedError where it is not installed."""
    try:
        return fit(*args)
    except ImportError as error:
        raise NotImplementedError(f"{error.name} is not installed") from error


def hinge_objective(data, fitted):
    """Return the mean hinge loss plus |w|^2 / (2 C n), C = 1."""
    margins = np.where(data.y == 1, 1.0, -1.0) * fitted.decision_function(data.X)
    w = fitted.coef_
    return np.mean(np.maximum(0, 1 - margins)) + 0.5 * np.sum(w**2) / len(data.y)


def hinge_contenders():
    """Return {contender: fit}: the linear support vector machine with C = 1."""
    from skcourse.linear_model import GeneralizedLinearClassifier

    def ours(data):
        model = GeneralizedLinearClassifier("hinge", alpha=1 / len(data.y), fit_intercept=False)
        return model.fit(data.X, data.y)

    def theirs(data):
        machine = LinearSVC(loss="hinge", fit_intercept=False, max_iter=2_000, tol=1e-3)
        return machine.fit(data.X, data.y)

    return {"skcourse": ours, "scikit-learn": theirs}


SETTINGS = {}

WORKLOADS = [
    Workload(
        "PoissonRegressor 200,000 x 50",
        data=partial(counts, 200_000, 50),
        contenders=partial(poisson_contenders, alpha=1e-3),
        loss=partial(penalised_deviance, 1),
        floor=2,
        rivals=("glum",),
    ),
    Workload(
        "PoissonRegressor 200,000 x 50, float32",
        data=partial(counts, 200_000, 50, dtype=np.float32),
        contenders=partial(poisson_contenders, alpha=1e-3),
        loss=partial(penalised_deviance, 1),
        floor=2,
        slack=1e-5,  # coefficients in float32
    ),
    Workload(
        "GammaRegressor 200,000 x 50",
        data=partial(counts, 200_000, 50, amounts=True),
        contenders=partial(estimators, "linear_model", "GammaRegressor", alpha=1e-3),
        loss=partial(penalised_deviance, 2),
        floor=2,
    ),
    Workload(
        "PoissonRegressor 500 x 10, 50 fits",
        data=partial(counts, 500, 10),
        contenders=partial(estimators, "linear_model", "PoissonRegressor", repeat=50),
        loss=partial(penalised_deviance, 1),
        floor=1,
    ),
    Workload(
        "GeneralizedLinearClassifier, hinge (a support vector machine), 20,000 x 30",
        data=partial(classification, 20_000, 30, 2),
        contenders=hinge_contenders,
        loss=hinge_objective,
        slack=1e-4,  # of liblinear's end
    ),
]
