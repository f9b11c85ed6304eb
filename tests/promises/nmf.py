"""What non-negative factorisation promises."""

import numpy as np

from skcourse.testing import Case, scale

UNIT = 4.0  # a power of 2 whose root is one, too: nothing is rounded


def squared_error(nmf, problem):
    """Return |X - W H|^2 for the W that is best for the components."""
    return np.sum((problem.X - nmf.inverse_transform(nmf.transform(problem.X))) ** 2)


def least_squared_error(problem, k=2):
    """Return that of a product of rank k of any sign, a bound (Eckart, Young 1936)."""
    return np.sum(np.linalg.svd(problem.X.astype(float), compute_uv=False)[k:] ** 2)


def nmf(cls):
    """By each solver: the objective never rises, and is no less than that of any sign."""
    # A start by singular vectors is decided by the last bit where two of them are alike, or where
    # what is left is rounding; and 1e8 as condition leaves a second component of that kind.
    plain = {"columns": (4, 6), "flaws": ("none", "duplicate rows"), "conditions": (1.0, 10.0)}
    falls = {"falls": ("loss",), "problems": plain}
    bound = {"objective": squared_error, "optimum": least_squared_error}
    sharp = {"n_components": 2, "tol": 1e-10, "max_iter": 500}
    unit = scale(UNIT, transform=lambda W, X: np.sqrt(UNIT) * W)
    yield Case(cls(init="random", **sharp), symmetries=(unit,), **falls, **bound)
    yield Case(cls(init="random", shuffle=True, **sharp), **falls, **bound)
    yield Case(cls(init="random", alpha_W=0.01, l1_ratio=0.5, **sharp), **falls)
    few = {"n_components": 2, "init": "random", "solver": "mu", "tol": 0.0, "max_iter": 20}
    together = {"excused": {}}
    for beta in (2, 1, 1.5):
        yield Case(cls(beta_loss=beta, **few), **falls, **together)


# Both take the same steps; by tol, a row ends when it is solved here, and with all others there.
SHARP = {"NMF": {"n_components": 2, "init": "random", "tol": 0.0, "max_iter": 50}}
PROMISES = {"NMF": nmf}
LONG = {"NMF": 60_000}
