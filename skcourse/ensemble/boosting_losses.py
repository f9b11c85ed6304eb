"""The losses of gradient boosting: where it begins, its slopes, and the step of a leaf.

Problem     A sum of trees predicts z_i, K numbers for K > 2 classes; lower the mean loss
                L = sum_i w_i l(y_i, z_i) / sum_i w_i.                                          (1)
Iteration   A tree is grown on the slopes g_i = dl/dz_i, for Newton's steps also on the curvatures
            h_i = d2l/dz_i2, both times w_i where the tree is not told of the weights. `gradients`
            writes them and returns (1) in one pass over the rows, on threads.
Leaves      Where (1) has kinks, h is set to 1, and the value of a leaf is what is best for the
            residuals r = y - z of its rows: their median, or quantile. Huber's loss moves from the
            median m by the mean of the cut-off rest,
                v = m + mean(sign(r - m) min(delta, |r - m|)),                                  (2)
            and its delta is the alpha-quantile of |r| over all rows, anew in each iteration.
Names       squared_error  r^2 / 2              absolute_error  |r|
            quantile       a r or (a - 1) r     huber, poisson, gamma, log_loss: see core.losses
            exponential    exp(-s z), s = -1, 1: half the logit of the probability is z.
            Several classes: the slopes of log_loss are p_k - [y = k], the curvatures p_k (1 - p_k).
Reference   J. Friedman, Greedy function approximation: a gradient boosting machine, Annals of
            Statistics 29, 2001; T. Chen, C. Guestrin, XGBoost, KDD 2016.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit, softmax

from skcourse.core.chunks import sum_over_chunks
from skcourse.core.losses import (
    ABSOLUTE,
    EXPONENTIAL,
    GAMMA,
    HUBER,
    LOGISTIC,
    MULTINOMIAL,
    PINBALL,
    POISSON,
    SQUARED,
    Loss,
)
from skcourse.ensemble.boosting_passes import TILE, Result, binary_pass, class_pass, number_pass
from skcourse.ensemble.boosting_quantiles import leaf_quantiles, quantile_of

EPS = np.finfo(np.float64).eps
NOTHING = np.empty(0)
NOTHING.flags.writeable = False


class Form(NamedTuple):
    """What is known of a loss of boosting."""

    code: int
    link: str = "identity"
    kinked: bool = False  # a leaf's value is a quantile of its residuals
    constant_hessian: bool = False


FORMS = {
    "squared_error": Form(SQUARED, constant_hessian=True),
    "absolute_error": Form(ABSOLUTE, kinked=True, constant_hessian=True),
    "quantile": Form(PINBALL, kinked=True, constant_hessian=True),
    "huber": Form(HUBER, kinked=True),
    "poisson": Form(POISSON, "log"),
    "gamma": Form(GAMMA, "log"),
    "log_loss": Form(LOGISTIC, "logit"),
    "exponential": Form(EXPONENTIAL, "half_logit"),
    "multinomial": Form(MULTINOMIAL, "softmax"),
}


class BoostingLoss:
    """One loss of gradient boosting, by the name that the estimators know it by.

    Parameters
    ----------
    name : {"squared_error", "absolute_error", "quantile", "huber", "poisson", "gamma", \
            "log_loss", "exponential"}
    n_classes : int or None, default=None
        Of a classifier: y then holds the class numbers 0 .. n_classes - 1, as int32.
    quantile : float, default=0.5
        Of "quantile"; of "huber" the share of residuals that count as squares.
    interpolate : bool, default=True
        Whether a quantile may lie between two numbers, as `numpy.quantile` has it where weights are
        None or count repetitions; else it is the least number not below which it reaches its share.

    Attributes
    ----------
    n_raw : int
        Raw predictions per row: 1, or one for each of several classes.
    constant_hessian : bool
        The curvature is 1 for all rows; without weights it is not written.
    kinked : bool
        The values of the leaves are to be taken from `leaf_values`.

    Examples
    --------
    >>> import numpy as np
    >>> from skcourse.ensemble.boosting_losses import BoostingLoss
    >>> loss = BoostingLoss("squared_error")
    >>> y, gradients = np.array([1.0, 3.0]), np.empty((1, 2))
    >>> raw = np.repeat(loss.baseline(y)[:, None], 2, axis=1)
    >>> loss.gradients(y, raw, None, gradients, None), gradients
    (0.5, array([[ 1., -1.]]))
    """

    def __init__(self, name, n_classes=None, *, quantile=0.5, interpolate=True):
        self.name, self.n_classes = name, n_classes
        several = n_classes is not None and n_classes > 2
        form = FORMS["multinomial" if several else name]
        self.n_raw = n_classes if several else 1
        self.code, self.link_name, self.kinked, self.constant_hessian = form
        self.quantile = 0.5 if form.code == ABSOLUTE else float(quantile)
        self.interpolate = interpolate
        self.delta = np.inf  # of Huber's loss, until `set_delta`

    def set_delta(self, y, raw, weights=None):
        """Let Huber's loss turn straight at the quantile of |r|; other losses stay as they are."""
        if self.code == HUBER:
            far = np.abs(y - raw[0])
            self.delta = quantile_of(far, weights, self.quantile, self.interpolate)

    def baseline(self, y, weights=None):
        """Return the constant raw prediction, float64 (n_raw,), at which boosting begins."""
        if self.n_classes is not None:
            shares = np.bincount(y, weights, minlength=self.n_classes)
            shares = shares / shares.sum()
            return self.raw_of_shares(np.clip(shares, EPS, 1 - EPS)[np.newaxis])[:, 0]
        if self.kinked:
            quantile = 0.5 if self.code == HUBER else self.quantile
            best = quantile_of(y, weights, quantile, self.interpolate)
            if self.code == HUBER:
                best += cut_off_mean(y - best, weights, self.delta)
            return np.array([best])
        return self.raw_of_means(np.array([np.average(y, weights=weights)]))[0]

    def gradients(self, y, raw, weights, gradients, hessians, n_jobs=-1, *, scaled=True):
        """Write slopes and curvatures at `raw`; return the mean loss (1), NaN without any weight.

        Parameters
        ----------
        y : float64 array of shape (n,); int32 class numbers for a classifier
        raw : float32 or float64 array of shape (n_raw, n), C-contiguous
        weights : float64 array of shape (n,), or None for ones
        gradients, hessians : arrays like `raw`, overwritten, or None if not wanted
        n_jobs : int or None, default=-1
        scaled : bool, default=True
            Whether slopes and curvatures are multiplied by the weights, as the loss always is.
        """
        n = raw.shape[1]
        y, weights, raw = frozen(y), frozen(NOTHING if weights is None else weights), frozen(raw)
        if gradients is None:
            gradients = np.empty((self.n_raw, 0), raw.dtype)
        if hessians is None or (self.constant_hessian and len(weights) == 0):
            hessians = np.empty((self.n_raw, 0), gradients.dtype)
        loss = Loss(self.code, self.delta if self.code == HUBER else self.quantile)

        def several_classes(rows):
            result = Result(gradients, hessians, scaled)
            return class_pass(y, raw, weights, result, rows.start, rows.stop)

        def one_number(rows):
            result = Result(gradients[0, rows], hessians[0, rows], scaled)
            one_pass = number_pass if self.n_classes is None else binary_pass
            return one_pass(loss, y[rows], raw[0, rows], weights[rows], result)

        part = several_classes if self.n_raw > 1 else one_number
        row_bytes = 16 + 3 * raw.itemsize * self.n_raw
        total, mass = sum_over_chunks(
            part, n, row_bytes=row_bytes, min_rows=8 * TILE, n_jobs=n_jobs
        )
        return total / mass if mass else np.nan

    def value(self, y, raw, weights=None, n_jobs=-1):
        """Return the mean loss (1) at `raw`."""
        return self.gradients(y, raw, weights, None, None, n_jobs)

    def leaf_values(self, leaves, n_leaves, y, raw, weights=None, n_jobs=-1):
        """Return what is best to add to the raw predictions of each leaf, where losses have kinks.

        Parameters
        ----------
        leaves : integer array of shape (n,)
            The number of each row's leaf in 0 .. n_leaves - 1; rows with -1 do not count.
        n_leaves : int
            May include numbers that no row has; their value is 0.
        y, raw, weights : as in `gradients`

        Returns
        -------
        values : float64 array of shape (n_leaves,), without any shrinkage
        """
        residuals = y - raw[0]
        quantile = 0.5 if self.code == HUBER else self.quantile
        best = leaf_quantiles(
            leaves, n_leaves, residuals, weights, quantile, self.interpolate, n_jobs=n_jobs
        )
        if self.code == HUBER:
            there = leaves >= 0
            leaves, rest = leaves[there], (residuals - best[leaves])[there]
            rest = np.sign(rest) * np.minimum(self.delta, np.abs(rest))
            mass = np.ones(len(rest)) if weights is None else weights[there]
            sums = np.bincount(leaves, mass, n_leaves)
            best += np.bincount(leaves, mass * rest, n_leaves) / np.where(sums > 0, sums, 1.0)
        return best

    def raw_of_means(self, means):
        """Return the raw predictions, float64 (1, n), whose means are given, of shape (n,)."""
        means = np.asarray(means, np.float64)
        return (np.log(means) if self.link_name == "log" else means)[np.newaxis]

    def raw_of_shares(self, shares):
        """Return the raw predictions (n_raw, n) of probabilities of shape (n, n_classes)."""
        if self.n_raw == 1:
            raw = logit(shares[:, 1])
            return (0.5 * raw if self.link_name == "half_logit" else raw)[np.newaxis]
        raw = np.log(shares.T)
        return raw - raw.mean(axis=0)

    def mean(self, raw):
        """Return the mean of y, of shape (n,), that raw predictions (1, n) stand for."""
        return np.exp(raw[0]) if self.link_name == "log" else raw[0]

    def proba(self, raw):
        """Return the probabilities of the classes, of shape (n, n_classes)."""
        if self.n_raw > 1:
            return softmax(raw.T, axis=1)
        found = np.empty((raw.shape[1], 2), raw.dtype)
        found[:, 1] = expit(2 * raw[0] if self.link_name == "half_logit" else raw[0])
        found[:, 0] = 1 - found[:, 1]
        return found


def frozen(array):
    """Return a read-only C view, so that kernels are compiled for one kind of array."""
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def cut_off_mean(rest, weights, delta):
    """Return the second term of (2)."""
    return np.average(np.sign(rest) * np.minimum(delta, np.abs(rest)), weights=weights)
