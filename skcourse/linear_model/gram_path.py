"""A path of elastic nets from Z'Z, Z'y and |y|^2 alone.

Problem     (1) of `duality_gap` for many penalties, one after the other, where there are more rows
            than features: once the products are summed up, the rows are not needed any more.
Iteration   Start where the last penalty ended, with Z'r = Z'y - (Z'Z) w computed anew; then
            `gram_descent` over all features.
            Only the first penalty may be left where it starts: a gap within the tolerance at the
            next one says that the path has not moved enough to be seen, not that it has not.
Cost        n p^2 / 2 products for the sums, which are those of least squares (`core.moments`);
            p |{w_j not 0}| per sweep. A whole path of one target is one call.
Limits      |r|^2 = |y|^2 - <w, Z'y + Z'r> is wrong by rounding where r is small. It enters the gap,
            (4) of `duality_gap`, through a factor that vanishes at the optimum.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.coordinate_step import Rules
from skcourse.core.duality_gap import Net, duality_gap, largest_slope
from skcourse.core.gram_descent import NO_PAST, descend, descend_gram
from skcourse.core.kernel import kernel


class Products(NamedTuple):
    """What is kept of the rows."""

    gram: np.ndarray  # Z'Z, (p, p), C-contiguous
    slopes: np.ndarray  # Z'y, (t, p)
    squares: float  # |y|^2


class Path(NamedTuple):
    """What is found, penalty by penalty."""

    coefs: np.ndarray  # (n_penalties, t, p)
    gaps: np.ndarray  # (n_penalties,)
    n_sweeps: np.ndarray  # (n_penalties,), int64
    done: np.ndarray  # (n_penalties,), bool


@kernel
def start_over(products, w, slopes):
    """Compute Z'r from w; return |r|^2."""
    total = 0.0
    for t in range(w.shape[0]):
        for f in range(w.shape[1]):
            slopes[t, f] = products.slopes[t, f]
        for j in range(w.shape[1]):
            if w[t, j] != 0:
                for f in range(w.shape[1]):
                    slopes[t, f] -= products.gram[j, f] * w[t, j]
        for j in range(w.shape[1]):
            total += w[t, j] * (products.slopes[t, j] + slopes[t, j])
    return max(products.squares - total, 0.0)


@kernel
def descend_path(products, norms, strengths, positive, rules, w, no_past, path):
    """Minimise for each row (a, b) of `strengths` in turn, from w on, (1, k); fill in `path`.

    `norms` is the diagonal of Z'Z; `no_past` has no rows: there is no extrapolation.
    """
    slopes = np.empty(w.shape)
    for i in range(len(strengths)):
        net = Net(strengths[i, 0], strengths[i, 1], positive)
        squares = start_over(products, w, slopes)
        top = largest_slope(slopes, w, net)
        gap = duality_gap(w, slopes, squares, top, net)
        settled = i == 0 and gap <= rules.gap
        if not settled:
            gram = products.gram
            n, settled, _, _ = descend(gram, norms, net, rules, w, slopes, squares, no_past)
            path.n_sweeps[i] = n
            squares = start_over(products, w, slopes)
            top = largest_slope(slopes, w, net)
            gap = duality_gap(w, slopes, squares, top, net)
        path.gaps[i], path.done[i] = gap, settled and gap <= rules.gap
        for t in range(w.shape[0]):
            for j in range(w.shape[1]):
                path.coefs[i, t, j] = w[t, j]


def descend_jointly(products, norms, strengths, positive, rules, w, path):
    """Do as `descend_path` does for several targets, with extrapolation."""
    slopes = np.empty(w.shape)
    for i, (a, b) in enumerate(strengths):
        net = Net(a, b, positive)
        squares = start_over(products, w, slopes)
        gap = duality_gap(w, slopes, squares, largest_slope(slopes, w, net), net)
        settled = i == 0 and gap <= rules.gap
        if not settled:
            found = descend_gram(products.gram, norms, net, rules, w, slopes, squares)
            w, settled, path.n_sweeps[i] = found.w, found.settled, found.n_sweeps
            squares = start_over(products, w, slopes)
            gap = duality_gap(w, slopes, squares, largest_slope(slopes, w, net), net)
        path.gaps[i], path.done[i] = gap, settled and gap <= rules.gap
        path.coefs[i] = w


def gram_path(products, strengths, settings, *, positive=False, start=None):
    """Return the Path of the penalties `strengths`, rows (a, b), each starting at the last one.

    Parameters
    ----------
    products : Products
    strengths : array of shape (n_penalties, 2)
    settings : working_set.Settings
    positive : bool, default=False
    start : array of shape (t, p), default=None, zeros
    """
    t, p = products.slopes.shape
    norms = np.diag(products.gram).copy()
    w = np.zeros((t, p)) if start is None else np.where(norms == 0, 0.0, start)
    target = settings.tol * products.squares
    rules = Rules(settings.tol, target, -1.0, settings.max_iter, settings.random, settings.seed)
    n = len(strengths)
    path = Path(np.empty((n, t, p)), np.empty(n), np.zeros(n, np.int64), np.zeros(n, np.bool_))
    if t == 1:
        descend_path(products, norms, strengths, positive, rules, w, NO_PAST, path)
    else:
        descend_jointly(products, norms, strengths, positive, rules, w, path)
    return path
