"""Rows by what is missing of them: those that lack the same features are computed together.

NaN stands for what was not observed. With a Gaussian, or a plane, what there is to know of the
missing features depends on which these are, through one factorisation for each pattern; the rows
of a pattern then share it.
"""

from typing import NamedTuple

import numpy as np


class Groups(NamedTuple):
    """Rows in the order of their patterns, as kernels want them."""

    order: np.ndarray  # indices of the rows, pattern by pattern, rising within each, (n,)
    pattern: np.ndarray  # of the row order[i], (n,), from 0 on without gaps
    starts: np.ndarray  # pattern p lacks lacking[starts[p] : starts[p + 1]], (n_patterns + 1,)
    lacking: np.ndarray  # features, in falling order within each pattern


class Pattern(NamedTuple):
    """Rows that have the same features."""

    seen: np.ndarray  # which features they have, bool (d,)
    rows: np.ndarray  # their indices, in rising order, (m,)


def any_missing(X):
    """Tell whether there is NaN in X: its sum has no NaN to tell of, or a look at each does."""
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.add.reduce(X, axis=None)
    return bool(np.isnan(total) and np.isnan(X).any())


def patterns(X):
    """Return the patterns of NaN among the rows of X, (n, d); the order is that of the masks.

    Returns
    -------
    patterns : list of Pattern, whose rows together are 0 .. n - 1
    """
    missing = np.isnan(X)
    order, starts = in_order(missing)
    return [Pattern(~missing[rows[0]], rows) for rows in np.split(order, starts[1:])]


def groups(X):
    """Return the same as arrays: however many patterns there are, no object is made of each."""
    missing = np.isnan(X)
    order, starts = in_order(missing)
    lengths = np.diff(np.append(starts, len(X)))
    masks = missing[order[starts], ::-1]
    found, places = np.nonzero(masks)
    ends = np.searchsorted(found, np.arange(len(starts) + 1))
    pattern = np.repeat(np.arange(len(starts)), lengths)
    return Groups(order, pattern, ends, X.shape[1] - 1 - places)


def in_order(missing):
    """Return the rows of the masks, (n, d), in their order, and where in it each mask begins."""
    bits = np.packbits(missing, axis=1)
    keys = np.ascontiguousarray(bits).view(np.dtype((np.void, bits.shape[1])))[:, 0]
    order = np.argsort(keys, kind="stable")
    return order, np.flatnonzero(np.r_[True, keys[order[1:]] != keys[order[:-1]]])


def check_columns_seen(X, estimator):
    """Raise ValueError if a column of X, (n, d), is NaN throughout: nothing tells of it."""
    empty = np.flatnonzero(np.isnan(X).all(axis=0))
    if len(empty):
        raise ValueError(
            f"{type(estimator).__name__} cannot learn of features without any value: "
            f"X has only NaN in column(s) {', '.join(map(str, empty[:10]))}."
        )
