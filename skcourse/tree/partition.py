"""A split divides the rows of a node: the left ones first, and either side in the order it had.

Stable, so that what was sorted stays sorted: every feature's order of the node becomes the orders
of its children in one pass, without a comparison.
"""

import numpy as np

from skcourse.core.kernel import kernel


@kernel
def choose_sides(order, n_left, n_missing, missing_left, sides):
    """Mark in `sides` which rows of a node go left, 1, or right, 0.

    Parameters
    ----------
    order : int32 array, the rows of the node by the feature of the split, missing ones last
    n_left : int, how many go left
    n_missing : int, how many miss the value
    missing_left : bool, whether those go left
    sides : uint8 array of shape (n,)
    """
    m = order.shape[0]
    n_low = n_left - n_missing if missing_left else n_left
    for i in range(n_low):
        sides[order[i]] = 1
    for i in range(n_low, m - n_missing):
        sides[order[i]] = 0
    for i in range(m - n_missing, m):
        sides[order[i]] = missing_left


@kernel
def split_stably(source, target, sides, spare, both):
    """Copy `source` to `target`, which may be the same array: the left ones, then the right ones.

    Parameters
    ----------
    source, target : int32 arrays of row numbers
    sides : uint8 array of shape (n,)
    spare : int32 array at least as long as `source`, for scratch
    both : bool, False if the right ones are dropped
    """
    n_left = n_right = 0
    n = target.shape[0]
    for i in range(source.shape[0]):
        row = source[i]
        left = np.int64(sides[row])
        if n_left < n:
            target[n_left] = row
        spare[n_right] = row
        n_left += left
        n_right += 1 - left
    if both:
        for i in range(n_right):
            target[n_left + i] = spare[i]
