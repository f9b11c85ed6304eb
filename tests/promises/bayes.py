"""What the Bayesian regressions promise."""

from skcourse.testing import Case, shift


def bayesian_ridge(cls):
    """Only where rows lie about their mean counts."""
    yield Case(cls(), symmetries=(shift(),))
    yield Case(cls(fit_intercept=False, compute_score=True))


def ard_regression(cls):
    """The same; which features are left out does not depend on where the rows lie."""
    yield Case(cls(), symmetries=(shift(),))
    yield Case(cls(fit_intercept=False, compute_score=True))


PROMISES = {"ARDRegression": ard_regression, "BayesianRidge": bayesian_ridge}
