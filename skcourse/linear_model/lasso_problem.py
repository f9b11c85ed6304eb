"""From X, y and what users ask for to coordinate descent, and back: the elastic net's front desk.

Problem     With weights w_i and W their sum, for the coefficients B and the free intercept b_0,
                sum_i w_i |y_i - B x_i - b_0|^2 / (2 W)
                    + alpha (l1_ratio sum_j |B_j| + (1 - l1_ratio) |B|^2 / 2)                    (1)
            Times W, on centred and weighted data, it is (1) of `duality_gap` with
                a = W alpha l1_ratio,   b = W alpha (1 - l1_ratio).                              (2)
Grid        From alpha_max = max_j |z_j'y| / (W l1_ratio), where all coefficients are 0, down to
            eps alpha_max in equal ratios.
"""

from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from sklearn.utils import check_array, check_random_state

from skcourse.core.duality_gap import Net
from skcourse.core.history import warn_not_converged
from skcourse.core.validation import Interval, StrOptions, check_weights
from skcourse.linear_model.base import as_columns
from skcourse.linear_model.columns import AT_ONCE, columns_of
from skcourse.linear_model.working_set import Settings

RESOLUTION = np.finfo(np.float64).resolution  # an alpha that is as good as 0

CONSTRAINTS = {  # of the parameters that all estimators of this family share
    "fit_intercept": ["boolean"],
    "copy_X": ["boolean"],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "tol": [Interval(Real, 0, None, closed="left")],
    "random_state": ["random_state"],
    "selection": [StrOptions({"cyclic", "random"})],
}


class Problem(NamedTuple):
    """(1) for one target or several, centred and weighted."""

    columns: object  # DenseColumns or SparseColumns, of Z
    Y: np.ndarray  # s_i (y_i - mean), (t, n)
    y_mean: np.ndarray  # (t,)
    weight: float  # W

    def net(self, alpha, l1_ratio, *, positive=False):
        """Return (2)."""
        a, b = strengths([alpha], l1_ratio, self.weight)[0]
        return Net(a, b, bool(positive))

    def intercept(self, coef):
        """Return b_0 of coefficients (t, p)."""
        return self.y_mean - coef @ self.columns.means


def problem_of(X, y, weights=None, *, centre=True, estimator=None):
    """Return the Problem of X, dense or CSC, and y, (n,) or (n, t).

    Raises
    ------
    ValueError
        scikit-learn's, if a dense X holds NaN or infinity.
    """
    Y = as_columns(y).T
    with np.errstate(over="ignore", invalid="ignore"):
        columns = columns_of(X, weights, centre=centre, estimator=estimator)
        y_mean = np.average(Y, axis=1, weights=weights) if centre else np.zeros(len(Y))
        Y = np.subtract(Y, y_mean[:, np.newaxis], order="C")
    if weights is not None:
        Y *= columns.roots
    weight = float(X.shape[0]) if weights is None else float(np.sum(weights, dtype=np.float64))
    return Problem(columns, Y, y_mean, weight)


def as_read(X):
    """Return X with rows or columns in one piece; rows, so that bits agree, if X is small."""
    if not isinstance(X, np.ndarray) or X.flags.c_contiguous:
        return X
    return X if X.flags.f_contiguous and X.nbytes > AT_ONCE else np.ascontiguousarray(X)


def read_weights(sample_weight, X):
    """Return the weights as float64, their mean 1, or None; a number weighs all rows alike."""
    if sample_weight is None or isinstance(sample_weight, Real):
        return None
    weights = check_weights(sample_weight, X, dtype=np.float64)
    return weights * (len(weights) / weights.sum())


def settings_of(estimator, *, whole=False):
    """Return the Settings of an estimator, with a seed drawn if coordinates are to be."""
    random = estimator.selection == "random"
    max_iter = 1000 if estimator.max_iter is None else estimator.max_iter
    seed = seed_of(estimator.random_state) if random else np.uint64(0)
    return Settings(max_iter, float(estimator.tol), random, seed, whole)


def seed_of(random_state):
    """Draw a seed of 32 bits."""
    return np.uint64(check_random_state(random_state).randint(0, 2**32, dtype=np.uint64))


def strengths(alphas, l1_ratio, weight):
    """Return (2) for many alphas, in the rows of an array."""
    alphas = np.asarray(alphas, dtype=np.float64)[:, np.newaxis] * weight
    return alphas * [[l1_ratio, 1.0 - l1_ratio]]


def alpha_grid(slopes, weight, *, l1_ratio, eps, n_alphas, positive=False):
    """Return the grid of alphas, from the slopes Z'y, (t, p)."""
    if l1_ratio == 0:
        raise ValueError(
            "Automatic alpha grid generation is not supported for l1_ratio=0. Please supply a "
            "grid by providing your estimator with the appropriate `alphas=` argument."
        )
    top = max(slopes.max(), 0.0) if positive else np.sqrt(np.max(np.sum(slopes**2, axis=0)))
    alpha_max = top / (weight * l1_ratio)
    if alpha_max <= RESOLUTION:
        return np.full(n_alphas, RESOLUTION)
    return np.geomspace(alpha_max, alpha_max * eps, num=n_alphas)


def checked_gram(gram, columns, y_dtype):
    """Return a Gram matrix that the user brings, if one entry of it, computed anew, is right.

    Raises
    ------
    ValueError
        If it is not.
    """
    gram = check_array(gram, dtype=[np.float64, np.float32], order="C")
    p = columns.shape[1]
    pair = np.array([p // 2, min(p // 2 + 1, p - 1)])
    rows = np.empty((2, columns.shape[0]))
    columns.gather(pair, rows)
    expected, actual = rows[0] @ rows[1], gram[tuple(pair)]
    single = np.float32 in (gram.dtype, columns.X.dtype, y_dtype)
    if not np.isclose(expected, actual, rtol=1e-4 if single else 1e-7, atol=1e-5):
        raise ValueError(
            "Gram matrix passed in via 'precompute' did not pass validation: the entry "
            f"{pair.tolist()} should be {expected}, but is {actual}."
        )
    return gram


def check_coefficients(*arrays):
    """Raise ValueError if coefficients are not finite."""
    if not all(np.isfinite(array).all() for array in arrays):
        raise ValueError(
            "Coordinate descent iterations resulted in non-finite parameter values. The input "
            "data may contain large values and need to be preprocessed."
        )


def warn_unconverged(gap, target, alpha):
    """Warn that `max_iter` was reached with the gap, and what can be done."""
    message = (
        "Objective did not converge. You might want to increase the number of iterations "
        "(max_iter), check the scale of the features or consider increasing regularisation. "
        f"Duality gap: {gap:.6e}, tolerance: {target:.3e}"
    )
    if alpha == 0:
        message += (
            "\nWithout an l1 penalty, Ridge, RidgeCV and LinearRegression are exact and quicker."
        )
    warn_not_converged(message)
