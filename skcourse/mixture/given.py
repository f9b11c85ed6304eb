"""What a user gives to start EM from, checked in scikit-learn's words."""

from typing import NamedTuple

import numpy as np
from sklearn.utils import check_array

from skcourse.core.validation import FLOATS


class Given(NamedTuple):
    """Weights (k,), means (k, d) and precisions to start from; None for what is not given."""

    weights: np.ndarray | None
    means: np.ndarray | None
    precisions: np.ndarray | None


def check_given(weights, means, precisions, covariance_type, k, d):
    """Return what is given, in float64.

    Raises
    ------
    ValueError
        If a shape is wrong, weights are no shares of 1, or precisions are not positive definite.
    """
    return Given(
        None if weights is None else check_weights(weights, k),
        None if means is None else check(means, (k, d), "means"),
        None if precisions is None else check_precisions(precisions, covariance_type, k, d),
    )


def check(values, shape, name):
    """Return `values` as a finite float64 array of a certain shape."""
    values = check_array(values, dtype=FLOATS, ensure_2d=False, allow_nd=len(shape) > 2)
    if values.shape != shape:
        raise ValueError(
            f"The parameter '{name}' should have the shape of {shape}, but got {values.shape}"
        )
    return values.astype(np.float64, copy=False)


def check_weights(weights, k):
    """Return shares of 1."""
    given = np.asarray(weights).dtype
    weights = check(weights, (k,), "weights")
    if np.any(weights < 0) or np.any(weights > 1):
        raise ValueError(
            "The parameter 'weights' should be in the range [0, 1], but got max value "
            f"{weights.max():.5f}, min value {weights.min():.5f}"
        )
    total = weights.sum()
    if not abs(1 - total) <= (1e-6 if given == np.float32 else 1e-8):
        raise ValueError(
            f"The parameter 'weights' should be normalized, but got sum(weights) = {total:.5f}"
        )
    return weights


def check_precisions(precisions, covariance_type, k, d):
    """Return precisions that are positive definite."""
    shape = {"full": (k, d, d), "tied": (d, d), "diag": (k, d), "spherical": (k,)}[covariance_type]
    precisions = check(precisions, shape, f"{covariance_type} precision")
    if covariance_type in ("diag", "spherical"):
        if np.any(precisions <= 0):
            raise ValueError(f"'{covariance_type} precision' should be positive")
        return precisions
    turned = np.swapaxes(precisions, -1, -2)
    if not np.allclose(precisions, turned) or np.any(np.linalg.eigvalsh(precisions) <= 0):
        raise ValueError(f"'{covariance_type} precision' should be symmetric, positive-definite")
    return precisions
