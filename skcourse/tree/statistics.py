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

CLASS_BITS = 8
HARMLESS = 2.0**-20  # a grid may be that coarse, beside a typical distance from the median
SAMPLE = 1000  # rows that tell what is typical


class Statistics(NamedTuple):
    """The rows as the search sums them: one of these; or none, where a search asks for Targets.

    A search whose rows are None is not compiled.
    """

    counts: np.ndarray | None = None  # int32 (n,): integer weight * 2^CLASS_BITS + class
    classes: np.ndarray | None = None  # int32 (n,), where weights are no integers
    products: np.ndarray | None = None  # float64 (n,): w y, rounded


def pack(criterion, targets):
    """Choose how to sum, and lay the rows out for it."""
    weights = targets.weights
    if targets.n_outputs > 1 or criterion not in (GINI, SQUARED):
        return Statistics()
    if criterion == SQUARED:
        return Statistics(products=rounded_products(targets.y[:, 0], weights))
    if targets.n_classes > 1 << CLASS_BITS:
        return Statistics()
    codes = targets.codes[:, 0]
    if len(weights) == 0:
        return Statistics(counts=codes + np.int32(1 << CLASS_BITS))
    if np.max(weights) < 2.0**22 and np.sum(weights) < 2.0**31:
        whole = weights.astype(np.int32)
        if np.array_equal(whole, weights):
            return Statistics(counts=codes + (whole << np.int32(CLASS_BITS)))
    return Statistics(classes=codes.copy())


def rounded_products(y, weights):
    """Return w y on the grid (1), w times y on that grid: a whole w is then w repetitions of y.

    Products that have no such grid are left alone.
    """
    wy = y * weights if len(weights) else y
    largest = np.max(np.abs(wy))
    if not 0 < largest < 1e280:
        return np.ascontiguousarray(wy)
    step = 2.0 ** (np.ceil(np.log2(len(wy) * largest)) - 53)
    sample = y[:: max(1, len(y) // SAMPLE)]  # it is y that is rounded
    far = np.abs(sample - np.median(sample))
    far = far[far > 0]  # slopes of boosting are often one number for most rows
    if len(far) and step > HARMLESS * np.median(far):
        return np.ascontiguousarray(wy)
    steps = np.rint(y / step)
    return (np.rint(steps * weights) if len(weights) else steps) * step
