"""What the robust regressions promise."""

import numpy as np
from scipy.optimize import linprog

from skcourse.testing import Case, rotation, scale, shift, stretch, target_affine


def pinball(fit, problem):
    """Return the mean pinball loss plus alpha |b|_1."""
    r = problem.y - problem.X.astype(float) @ fit.coef_ - fit.intercept_
    loss = np.mean(np.maximum(fit.quantile * r, (fit.quantile - 1) * r))
    return loss + fit.alpha * np.abs(fit.coef_).sum()


def least_pinball(quantile, alpha):
    """Return a function of a problem: the optimum, by scipy, of the program written out."""

    def optimum(problem):
        X, y = problem.X.astype(float), problem.y.astype(float)
        n, p = X.shape
        A = np.column_stack([np.ones(n), -np.ones(n), X, -X, np.eye(n), -np.eye(n)])
        price = [[0, 0], np.full(2 * p, alpha), np.full(n, quantile / n)]
        price = np.concatenate([*price, np.full(n, (1 - quantile) / n)])
        return linprog(price, A_eq=A, b_eq=y).fun

    return optimum


def quantile_regressor(cls):
    """The units of X and y, and the side from which one looks, are nothing."""
    unit = scale(parameters=lambda model: {"alpha": 3.0 * model.alpha})
    upside_down = target_affine()._replace(
        parameters=lambda model: {"quantile": 1 - model.quantile}
    )
    # Where several planes are best, rounding decides whether they are.
    generic = {"flaws": ("none",), "conditions": (1.0, 1e2), "offsets": (0.0, 1.0)}
    yield Case(cls(quantile=0.3), symmetries=(shift(), unit, upside_down))
    yield Case(
        cls(quantile=0.7, alpha=0.01),
        symmetries=(shift(), unit, upside_down),
        objective=pinball,
        optimum=least_pinball(0.7, 0.01),
        reached=True,
        problems=generic,
    )
    yield Case(cls(alpha=0.0), symmetries=(shift(), unit, stretch()), problems=generic)
    turned = target_affine(plus=0.0)._replace(parameters=upside_down.parameters)
    yield Case(cls(quantile=0.3, alpha=0.01, fit_intercept=False), symmetries=(unit, turned))


def huber_objective(fit, problem):
    """Return the mean of what is minimised, for the scale that was found."""
    r = problem.y - problem.X.astype(float) @ fit.coef_ - fit.intercept_
    return huber_mean(r, fit.scale_, fit) + fit.alpha * fit.coef_ @ fit.coef_ / len(r)


def huber_mean(r, scale, fit):
    """Return the mean of c + c H(r / c)."""
    u, e = np.abs(r / scale), fit.epsilon
    return scale * np.mean(1 + np.where(u <= e, u * u, 2 * e * u - e * e))


def huber_regressor(cls):
    """No shift of X, no rotation and no unit of X and y change a prediction, without a penalty."""
    free = {"alpha": 0.0, "tol": 0.0}
    solid = {"flaws": ("none", "few values"), "conditions": (1.0, 1e2), "offsets": (0.0, 1.0)}
    moves = (shift(), rotation(), scale(), stretch(), target_affine())
    yield Case(cls(), problems=solid)
    yield Case(cls(**free), symmetries=moves, problems=solid)
    yield Case(cls(epsilon=2.0, fit_intercept=False, **free), problems=solid)


# The median of an even number of rows is any number between two of them.
SHARP = {"QuantileRegressor": {"quantile": 0.41, "alpha": 0.0123}}
JUDGES = {"HuberRegressor": huber_objective}
PROMISES = {"HuberRegressor": huber_regressor, "QuantileRegressor": quantile_regressor}
