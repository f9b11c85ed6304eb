"""What the Bayesian regressions and orthogonal matching pursuit promise."""

from skcourse.testing import Case, shift, target_affine


def bayesian_ridge(cls):
    """Only where rows lie about their mean counts."""
    yield Case(cls(), symmetries=(shift(),))
    yield Case(cls(fit_intercept=False, compute_score=True))


def ard_regression(cls):
    """The same; which features are left out does not depend on where the rows lie."""
    yield Case(cls(), symmetries=(shift(),))
    yield Case(cls(fit_intercept=False, compute_score=True))


def matching_pursuit(cls):
    """By rows and by products; |r| falls with every atom."""
    falls = {"falls": ("residual_norm",), "symmetries": (shift(), target_affine())}
    yield Case(cls(), **falls)
    yield Case(cls(n_nonzero_coefs=2, precompute=False), **falls)
    jumps = {"check_dtype_kept": "the number of atoms jumps where the residual meets tol"}
    yield Case(cls(tol=1.0, fit_intercept=False, precompute=False), excused=jumps)


def matching_pursuit_cv(cls):
    """Folds are slices of the rows in their order."""
    near_tie = "what float32 does to rows far from 0 may decide how many features are best"
    yield Case(cls(), draws=True, excused={"check_dtype_kept": near_tie})


PROMISES = {
    "ARDRegression": ard_regression,
    "BayesianRidge": bayesian_ridge,
    "OrthogonalMatchingPursuit": matching_pursuit,
    "OrthogonalMatchingPursuitCV": matching_pursuit_cv,
}
