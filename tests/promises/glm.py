"""Promises of generalised linear models: by a deviance, by any loss and penalty, mean and variance.

Their optima are known in another way from least squares (for normal targets), and otherwise from
tests/linear_model, which compare with scipy.
"""

from skcourse.testing import Case, shift

TIGHT = {"tol": 1e-10, "max_iter": 1000}
SHARP = {
    name: {"solver": "newton-cholesky"} | TIGHT
    for name in ("GammaRegressor", "PoissonRegressor", "TweedieRegressor")
}
SHARP["GeneralizedLinearRegressor"] = {"loss": "huber", "epsilon": 1.0}  # more than one iteration
# exp of a linear prediction: no scales and offsets at which it leaves the range of numbers.
MILD = {"scales": (1e-3, 1.0), "conditions": (1.0, 1e2), "offsets": (0.0, 1.0)}


def deviance(cls):
    """Regression by a deviance: a shift of X is one of the intercept."""
    newton = cls(solver="newton-cholesky", max_iter=1000, tol=1e-14)  # until rounding is all
    yield Case(newton, falls=("loss",), symmetries=(shift(),), problems=MILD)
    yield Case(cls(alpha=0.1, fit_intercept=False, **TIGHT), falls=("loss",), problems=MILD)


def by_newton(cls):
    """Any loss and penalty; what ends at a gap or a tolerance is in tests/linear_model."""
    yield Case(cls(**TIGHT), falls=("loss",), problems=MILD)


def mean_and_variance(cls):
    """Both, by maximum likelihood, held by a penalty: else the likelihood may have no maximum."""
    yield Case(cls(alpha=0.1, max_iter=1000, tol=1e-14), falls=("loss",), problems=MILD)


PROMISES = {
    "GeneralizedLinearClassifier": by_newton,
    "GeneralizedLinearRegressor": by_newton,
    "MeanVarianceRegressor": mean_and_variance,
    "GammaRegressor": deviance,
    "PoissonRegressor": deviance,
    "TweedieRegressor": deviance,
}
