"""The elastic net over a growing set of features.

Problem     (1) of `duality_gap`, where p is large and few w_j are not 0.
Iteration   1. r = y - Z w and all slopes Z'r, from the data; the gap from them. Small? Done.
            2. Add the features that are nearest to wanting a coefficient, those of the smallest
                   (a - s |c_j|) / (|z_j|^2 + b)^(1/2),                                          (1)
               about as many as there are; but none for which (1) is above (2 gap)^(1/2): they are
               0 at the optimum (the gap-safe rule).
            3. Coordinate descent on the set, to a tenth of the gap at least.
Path        From one a to the next, a' < a, slopes seldom move faster than a does: who may enter
            has |c_j| >= 2 a' - a (the strong rule). Step 1 finds out if somebody was missed.
Cost        One pass over X in step 1, a few times; the rest happens among the features of the set.
            What their Gram matrix loses to rounding, step 1 puts right.
Reference   M. Massias, A. Gramfort, J. Salmon, Celer: a fast solver for the Lasso with dual
            extrapolation, ICML 2018. R. Tibshirani et al., Strong rules, JRSS B, 2012.
            E. Ndiaye et al., Gap safe screening rules, JMLR, 2017.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.coordinate_step import Rules
from skcourse.core.duality_gap import duality_gap, largest_slope
from skcourse.core.extrapolation import WINDOW
from skcourse.core.gram_descent import descend_gram
from skcourse.linear_model.coordinate_descent import descend_rows
from skcourse.linear_model.features_at_hand import ALL_WORK, DenseSet, SparseSet

FEW = 100  # features that are not worth a choice
FEW_ENTRIES = 2**15  # of sparse features: as well
LOOSE = 0.1  # step 3 ends at this part of the gap, as long as features may be missing


class Settings(NamedTuple):
    """How coordinate descent runs; as the parameters of the estimators."""

    max_iter: int
    tol: float
    random: bool
    seed: np.uint64
    whole: bool = False  # start with all features


class Descent:
    """Coordinate descent on given columns, ready for one penalty after the other.

    Parameters
    ----------
    columns : DenseColumns or SparseColumns
    Y : array of shape (t, n), the targets, centred and weighted
    settings : Settings
    at_hand : DenseSet or SparseSet, default=None
        The features at hand; those of an earlier descent on the same columns are as good.

    Attributes
    ----------
    w : array of shape (t, p), the coefficients
    gap : float, the duality gap there
    """

    def __init__(self, columns, Y, settings, at_hand=None):
        self.columns, self.Y, self.settings = columns, Y, settings
        self.at_hand = features_at_hand(columns) if at_hand is None else at_hand
        self.squares = float(np.vdot(Y, Y))
        self.target = settings.tol * self.squares
        self.w = np.zeros((len(Y), columns.shape[1]))
        self.residual, self.slopes, self.gap, self.l1 = None, None, np.inf, None
        n, p = columns.shape
        self.whole = settings.whole or p <= FEW or n * p * p <= ALL_WORK
        if columns.is_sparse:
            self.whole |= columns.X.nnz <= FEW_ENTRIES

    def start(self, w):
        """Begin at coefficients of shape (t, p)."""
        self.w[:] = w
        self.w[:, self.columns.norms == 0] = 0.0
        self.at_hand.add(np.flatnonzero(self.w.any(axis=0) | self.whole))
        self.residual = None

    def solve(self, net):
        """Minimise P; return the number of sweeps, and whether gap and changes are within `tol`."""
        if self.residual is None:
            self.look()
        n_iter, settled = 0, self.l1 is None
        reach = net.l1 if self.l1 is None else min(2 * net.l1 - self.l1, net.l1)
        while True:
            top, squares = self.measure(net)
            done = settled and self.gap <= self.target
            if done or n_iter >= self.settings.max_iter or not np.isfinite(self.gap):
                break
            strict = self.grow(net, top, reach)
            n, settled = self.descend(net, squares, n_iter, strict)
            n_iter, reach = n_iter + n, net.l1
            self.look()
        self.l1 = net.l1
        return n_iter, done

    def measure(self, net):
        """Find the gap; return max_j |c_j| and |r|^2."""
        top = largest_slope(self.slopes, self.w, net)
        squares = float(np.vdot(self.residual, self.residual))
        self.gap = float(duality_gap(self.w, self.slopes, squares, top, net))
        return top, squares

    def round_to(self, dtype, net):
        """Round w to what will be returned; the gap is then that of the rounded."""
        if dtype != np.float64:
            self.w[:] = self.w.astype(dtype)
            self.look()
            self.measure(net)

    def look(self):
        """Step 1: residual and slopes, from the data."""
        self.residual = self.at_hand.residual(self.Y, self.w)
        self.slopes = self.columns.products(self.residual)

    def grow(self, net, top, reach):
        """Step 2; return whether no feature is missing, as far as one can see."""
        outside = self.at_hand.outside()
        if net.l1 == 0 or self.whole:
            self.at_hand.add(outside)
            return True
        s = net.l1 / max(net.l1, top)
        c = self.slopes[:, outside]  # w_j = 0
        if len(c) > 1:
            c = np.sqrt(np.einsum("tj,tj->j", c, c))
        else:
            c = c[0] if net.positive else np.abs(c[0])
        distance = (net.l1 - s * c) / np.sqrt(self.columns.norms[outside] + net.l2)  # (1)
        safe = distance <= np.sqrt(2 * self.gap)
        n_keen, n_safe = np.count_nonzero(c > reach), np.count_nonzero(safe)
        size = min(
            max(n_keen, 10), max(int(np.sqrt(10 * self.w.shape[1])), len(self.at_hand)), n_safe
        )
        if n_keen == 0 or size == n_safe:
            self.at_hand.add(outside[safe & (c > reach)])
            return True
        nearest = np.argpartition(distance, size)[:size]
        self.at_hand.add(outside[np.sort(nearest)])
        return False

    def descend(self, net, squares, n_iter, strict):
        """Step 3; return the number of sweeps, and whether the last one changed little."""
        at_hand, left = self.at_hand, self.settings.max_iter - n_iter
        w, slopes = (np.take(a, at_hand.members, axis=1) for a in (self.w, self.slopes))
        loose = LOOSE * self.gap
        rules = Rules(
            self.settings.tol,
            self.target,
            -1.0 if strict or loose <= self.target else loose,
            left,
            self.settings.random,
            self.settings.seed + np.uint64(n_iter),
        )
        n, ended, settled, patience = 0, False, False, at_hand.patience() // WINDOW * WINDOW
        if patience >= WINDOW:
            first = rules._replace(max_sweeps=int(min(patience, left)))
            shift = at_hand.shift(self.residual)
            found = descend_rows(at_hand.features(), net, first, w, self.residual, shift)
            w, slopes, squares, n, settled, ended = found
        if not ended and n < left:
            at_hand.add_gram()
            rules = rules._replace(max_sweeps=left - n)
            found = descend_gram(at_hand.gram, at_hand.norms, net, rules, w, slopes, squares)
            w, settled = found.w, found.settled
            n += found.n_sweeps
        self.w[:, at_hand.members] = w
        return n, settled


def features_at_hand(columns):
    """Return an empty set of features of the right kind."""
    return SparseSet(columns) if columns.is_sparse else DenseSet(columns)
