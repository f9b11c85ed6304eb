"""What the Bayesian regressions promise."""

from skcourse.testing import Case, shift


def bayesian_ridge(cls):
    """Only where rows lie about their mean counts."""
    yield Case(cls(), symmetries=(shift(),))
    yield Case(cls(fit_intercept=False, compute_score=True))


PROMISES = {"BayesianRidge": bayesian_ridge}
