"""How mixed a node is: Gini, entropy, squared error and Poisson deviance, from its sums.

A node of rows of total weight W holds, per output, the weights s_c of its classes, or S = sum w y
and Q = sum w y^2 (for Poisson Q = sum w y log y). Its impurity is

    Gini            1 - sum_c (s_c / W)^2                                                  (1)
    entropy         - sum_c (s_c / W) log2(s_c / W)                                        (2)
    squared error   Q / W - (S / W)^2                                                      (3)
    Poisson         Q / W - (S / W) log(S / W)                                             (4)

the mean over outputs. A split is as good as W_l impurity_l + W_r impurity_r is small; what the
search compares leaves out what is the same for all splits of a node ("merit"). Merits are computed
operation by operation as scikit-learn does, so that ties fall alike.

Reference   L. Breiman, J. Friedman, R. Olshen, C. Stone, Classification and regression trees, 1984.
"""

from math import log

import numpy as np

from skcourse.core.kernel import kernel

GINI, ENTROPY, SQUARED, POISSON, ABSOLUTE = 0, 1, 2, 3, 4
CRITERIA = {
    "gini": GINI,
    "entropy": ENTROPY,
    "log_loss": ENTROPY,
    "squared_error": SQUARED,
    "friedman_mse": SQUARED,
    "poisson": POISSON,
    "absolute_error": ABSOLUTE,
}
NOTHING = 10 * np.finfo(float).eps  # a Poisson mean must be larger
LN2 = log(2.0)


@kernel(exact=True)
def impurity(criterion, sums, squares, weight, n_outputs):
    """Return (1), (2), (3) or (4) of a node.

    Parameters
    ----------
    criterion : int
    sums : float64 array of shape (n_outputs * n_classes,), s_c or S
    squares : float, Q over all outputs
    weight : float, W
    n_outputs : int
    """
    width = sums.shape[0] // n_outputs
    mixed = 0.0
    if criterion == GINI:
        for k in range(n_outputs):
            total = 0.0
            for c in range(k * width, (k + 1) * width):
                total += sums[c] * sums[c]
            mixed += 1.0 - total / (weight * weight)
    elif criterion == ENTROPY:
        for c in range(sums.shape[0]):
            if sums[c] > 0:
                share = sums[c] / weight
                mixed -= share * (np.log(share) / LN2)
    elif criterion == SQUARED:
        mixed = squares / weight
        for k in range(n_outputs):
            mean = sums[k] / weight
            mixed -= mean * mean
        mixed = max(mixed, 0.0)
    else:
        mixed = squares / weight
        for k in range(n_outputs):
            if sums[k] <= NOTHING:
                return np.inf
            mixed -= sums[k] / weight * np.log(sums[k] / weight)
        mixed = max(mixed, 0.0)
    return mixed / n_outputs


@kernel(exact=True)
def merit(criterion, left, right, weights, n_outputs):
    """Return how good a split is, up to what all splits of the node have in common.

    Parameters
    ----------
    criterion : int
    left, right : float64 arrays of shape (n_outputs * n_classes,), sums of the two sides
    weights : tuple of two floats, W of the two sides
    n_outputs : int
    """
    w_left, w_right = weights
    if criterion <= ENTROPY:
        mixed_left = impurity(criterion, left, 0.0, w_left, n_outputs)
        mixed_right = impurity(criterion, right, 0.0, w_right, n_outputs)
        return -w_right * mixed_right - w_left * mixed_left
    good_left = good_right = 0.0
    if criterion == SQUARED:
        for k in range(n_outputs):
            good_left += left[k] * left[k]
            good_right += right[k] * right[k]
        return good_left / w_left + good_right / w_right
    for k in range(n_outputs):
        nothing = NOTHING * max(left[k] + right[k], 1.0)  # one side is the rest of the other
        if left[k] <= nothing or right[k] <= nothing:
            return -np.inf
        good_left += left[k] * (np.log(left[k] / w_left) / LN2)
        good_right += right[k] * (np.log(right[k] / w_right) / LN2)
    return good_left + good_right
