"""What the search sums as rows move from the right side of a cut to the left, packed small.

Class counts: a row's class and its integer weight share one int32. Numbers: the products w y,
rounded once to a grid so fine that nobody notices, on which sums are exact:
    step = 2^ceil(log2(n max |w y|)) / 2^53.                                            (1)
Exact sums do not depend on the order of the rows, so equal cuts tie whichever feature makes them.

Reference   J. Demmel, H. D. Nguyen, Fast reproducible floating-point summation, ARITH 2013.
"""

from typing import NamedTuple

import numpy as np

from skcourse.tree.impurity import GINI, SQUARED

GENERAL, COUNTS, WEIGHTED_COUNTS, MEANS = range(4)
CLASS_BITS = 8
HARMLESS = 2.0**-20  # a grid may be that coarse, beside a typical distance from the median
SAMPLE = 1000  # rows that tell what is typical


class Statistics(NamedTuple):
    """The rows as the search sums them."""

    kind: int
    packed: np.ndarray  # int32 (n,): weight * 2^CLASS_BITS + class; (0,) unless COUNTS
    wy: np.ndarray  # float64 (n,): w y, rounded; (0,) unless MEANS


def pack(criterion, targets):
    """Choose how to sum, and lay the rows out for it."""
    n, weights = len(targets.codes), targets.weights
    packed, wy = np.empty(0, np.int32), np.empty(0)
    if targets.n_outputs > 1 or criterion not in (GINI, SQUARED):
        return Statistics(GENERAL, packed, wy)
    if criterion == SQUARED:
        return Statistics(MEANS, packed, rounded_products(targets.y[:, 0], weights))
    if targets.n_classes > 1 << CLASS_BITS:
        return Statistics(GENERAL, packed, wy)
    codes = targets.codes[:, 0]
    if len(weights) == 0:
        return Statistics(COUNTS, codes + np.int32(1 << CLASS_BITS), wy)
    whole = weights.astype(np.int32) if np.max(weights) < 2.0**22 else np.zeros(n, np.int32)
    if np.array_equal(whole, weights) and np.sum(weights) < 2.0**31:
        return Statistics(COUNTS, codes + (whole << np.int32(CLASS_BITS)), wy)
    return Statistics(WEIGHTED_COUNTS, codes.copy(), wy)


def rounded_products(y, weights):
    """Return w y on the grid (1), w times y on that grid: a whole w is then w repetitions of y.

    Products that have no such grid are left alone.
    """
    wy = y * weights if len(weights) else y
    largest = np.max(np.abs(wy))
    if not 0 < largest < 1e280:
        return np.ascontiguousarray(wy)
    step = 2.0 ** (np.ceil(np.log2(len(wy) * largest)) - 53)
    sample = wy[:: max(1, len(wy) // SAMPLE)]
    far = np.abs(sample - np.median(sample))
    far = far[far > 0]  # slopes of boosting are often one number for most rows
    if len(far) and step > HARMLESS * np.median(far):
        return np.ascontiguousarray(wy)
    steps = np.rint(y / step)
    return (np.rint(steps * weights) if len(weights) else steps) * step
