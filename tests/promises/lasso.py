"""What the lasso and its relatives promise."""

import numpy as np

from skcourse.testing import Case, scale, shift

TIGHT = {"tol": 1e-12, "max_iter": 100_000}
SINGLE = ("Lasso", "ElasticNet", "MultiTaskLasso", "MultiTaskElasticNet")
CHOSEN = tuple(f"{name}CV" for name in SINGLE)
SHARP = {name: {"alpha": 0.01} | TIGHT for name in SINGLE}
SHARP |= {name: {"alphas": 10, "eps": 0.01, "cv": 3} | TIGHT for name in CHOSEN}
UNIT = 3.0


def penalised(fit, problem):
    """Return |y - f(X)|^2 / 2 n + alpha (r sum_j |w_j| + (1 - r) |w|^2 / 2), r the l1_ratio.

    About the means, where the intercept is the best one, and no offset hides the coefficients.
    """
    X, y = problem.X.astype(float), problem.y.reshape(len(problem.y), -1).astype(float)
    coef = np.atleast_2d(fit.coef_).astype(float)
    lengths = np.linalg.norm(coef, axis=0)
    penalty = fit.l1_ratio * lengths.sum() + (1 - fit.l1_ratio) / 2 * np.sum(lengths**2)
    residuals = y - y.mean(axis=0) - (X - X.mean(axis=0)) @ coef.T
    return np.sum(residuals**2) / (2 * len(y)) + fit.alpha * penalty


def best_error(fit, problem):
    """Return the least mean squared error on rows left out, to 6 digits.

    Theirs predicts before it takes off the means: an offset of 1e8 leaves it 7 or 8 digits.
    """
    return float(f"{np.min(np.mean(fit.mse_path_, axis=-1)):.6g}")


def ridge_optimum(problem):
    """Return the optimum for alpha = 0.1 and l1_ratio = 0, in closed form."""
    X, y = problem.X.astype(float), problem.y.reshape(len(problem.y), -1).astype(float)
    n, p = X.shape
    A = np.vstack([X - X.mean(axis=0), np.sqrt(0.1 * n) * np.eye(p)])
    b = np.vstack([y - y.mean(axis=0), np.zeros((p, y.shape[1]))])
    return np.sum((b - A @ np.linalg.lstsq(A, b)[0]) ** 2) / (2 * n)


JUDGES = dict.fromkeys(SINGLE, penalised) | dict.fromkeys(CHOSEN, best_error)


def of_unit(name="alpha"):
    """Return the symmetry of the lasso: X in a unit c times smaller, its penalty c times."""
    return scale(UNIT, parameters=lambda fit: {name: UNIT * getattr(fit, name)})


def lasso(cls):
    """With any of its options; run until nothing changes."""
    yield Case(cls(alpha=0.1, **TIGHT), draws=False, symmetries=(shift(), of_unit()))
    yield Case(cls(alpha=0.1, positive=True, **TIGHT), draws=False, symmetries=(of_unit(),))
    yield Case(cls(alpha=0.1, precompute=True, fit_intercept=False, **TIGHT), draws=False)
    yield Case(cls(alpha=0.1, selection="random", **TIGHT))


def elastic_net(cls):
    """Between the lasso and ridge regression, and at the latter."""
    yield Case(cls(alpha=0.1, **TIGHT), draws=False, symmetries=(shift(),))
    best = {"objective": penalised, "optimum": ridge_optimum, "reached": True}
    yield Case(cls(alpha=0.1, l1_ratio=0.0, **TIGHT), draws=False, symmetries=(shift(),), **best)


def multi_task(cls):
    """Several targets."""
    yield Case(cls(alpha=0.1, **TIGHT), draws=False, symmetries=(shift(),))
    yield Case(cls(alpha=0.1, fit_intercept=False, **TIGHT), draws=False)


def chosen(cls):
    """Folds are slices of the rows in their order, and a weight is not a row in them."""
    yield Case(cls(alphas=5, eps=0.1, cv=3, **TIGHT), draws=True)


PROMISES = {
    "ElasticNet": elastic_net,
    "ElasticNetCV": chosen,
    "Lasso": lasso,
    "LassoCV": chosen,
    "MultiTaskElasticNet": multi_task,
    "MultiTaskElasticNetCV": chosen,
    "MultiTaskLasso": multi_task,
    "MultiTaskLassoCV": chosen,
}
