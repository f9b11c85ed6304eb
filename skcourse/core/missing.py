"""Rows by what is missing of them: those that lack the same features are computed together.

NaN stands for what was not observed. With a Gaussian, or a plane, what there is to know of the
missing features depends on which these are, through one factorisation for each pattern; the rows
of a pattern then share it.
"""

from typing import NamedTuple

import numpy as np


class Pattern(NamedTuple):
    """Rows that have the same features."""

    seen: np.ndarray  # which features they have, bool (d,)
    rows: np.ndarray  # their indices, in rising order, (m,)


def patterns(X):
    """Return the patterns of NaN among the rows of X, (n, d); the order is that of the masks.

    Returns
    -------
    patterns : list of Pattern, whose rows together are 0 .. n - 1
    """
    missing = np.isnan(X)
    bits = np.packbits(missing, axis=1)
    keys = np.ascontiguousarray(bits).view(np.dtype((np.void, bits.shape[1])))[:, 0]
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.r_[True, keys[order[1:]] != keys[order[:-1]]])
    return [Pattern(~missing[rows[0]], rows) for rows in np.split(order, starts[1:])]


def check_columns_seen(X, estimator):
    """Raise ValueError if a column of X, (n, d), is NaN throughout: nothing tells of it."""
    empty = np.flatnonzero(np.isnan(X).all(axis=0))
    if len(empty):
        raise ValueError(
            f"{type(estimator).__name__} cannot learn of features without any value: "
            f"X has only NaN in column(s) {', '.join(map(str, empty[:10]))}."
        )
