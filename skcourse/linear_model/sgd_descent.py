"""Stochastic gradient descent: from the parameters of an estimator to where it ends.

The steps are in `sgd_steps`, epochs and when they end in `sgd_epochs`. Of few rows many epochs run
in one call; where somebody watches (callbacks, rows kept back, prints), each is a call.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse

from skcourse.core.history import SILENCE, History
from skcourse.core.interrupts import held
from skcourse.core.losses import Loss, slope
from skcourse.linear_model.risk import SparseRows
from skcourse.linear_model.sgd_epochs import Course, dense_epochs, is_over, sparse_epochs
from skcourse.linear_model.sgd_steps import (
    BEST,
    CUT,
    GAIN,
    MEAN_B,
    OPTIMAL,
    PULL,
    SCALE,
    SCHEDULES,
    SIZE,
    SPREAD,
    SQUARES,
    STALE,
    STEP,
    B,
    Rules,
    State,
    T,
)

SPARSE_INTERCEPT = 0.01  # c of b over c of w, where rows are sparse
AT_ONCE = 2**20  # entries of X to look at in one call, in which nobody can interrupt
OVERFLOW = (
    "Floating-point under-/overflow occurred at epoch #{}: the steps are too long for features of "
    "this size. Scaling input data with StandardScaler or MinMaxScaler might help. So might a "
    "smaller eta0, or a larger alpha where learning_rate is 'optimal'."
)


class Start(NamedTuple):
    """Where a descent begins; coefficients of one target."""

    w: np.ndarray  # (p,)
    b: float
    mean: np.ndarray  # of all w so far, (p,), or (0,) if none is wanted
    mean_b: float
    t: float  # the number of the next step, from 1


class Descent(NamedTuple):
    """Where it ended."""

    w: np.ndarray  # (p,), float64
    b: float
    mean: np.ndarray  # (p,) or (0,)
    mean_b: float
    t: float  # the number of the first step
    n_iter: int
    history: dict
    diverges: bool = False  # slopes were cut off to the end


def make_rules(estimator, loss, *, alpha, sparse, one_class=False):
    """Return the rules of a descent from the parameters of an estimator.

    Parameters
    ----------
    estimator : estimator with the parameters of `SGDClassifier`
    loss : Loss
    alpha : float, a of (1) in `sgd_steps`
    sparse : bool, whether the rows are
    one_class : bool, default=False
        Whether b is pulled down by alpha a step, as the one-class machine wants.
    """
    share = {"l1": 1.0, "l2": 0.0, None: 0.0}.get(estimator.penalty, estimator.l1_ratio)
    strength = 0.0 if estimator.penalty is None else float(alpha)
    schedule, offset = SCHEDULES[estimator.learning_rate], 0.0
    if schedule == OPTIMAL:
        typical = np.sqrt(1.0 / np.sqrt(alpha))  # of |w|; then no first step is longer than that
        first = typical / max(1.0, slope(loss, 1.0, -typical))
        offset = 1.0 / (first * alpha)
    rate = SPARSE_INTERCEPT if sparse else 1.0
    return Rules(
        loss=Loss(loss.code, float(loss.parameter)),
        l1=strength * share,
        l2=strength * (1.0 - share),
        schedule=schedule,
        decay=float(alpha),
        offset=float(offset),
        first_step=float(estimator.eta0),
        power=float(estimator.power_t),
        average_from=float(estimator.average),
        intercept_rate=rate if estimator.fit_intercept else 0.0,
        drift=float(alpha) if one_class else 0.0,
        tol=-np.inf if estimator.tol is None else float(estimator.tol),
        patience=int(estimator.n_iter_no_change),
        by_objective=True,
    )


def first_state(start, rules):
    """Return the state before the first step."""
    w = np.array(start.w, np.float64)
    numbers = np.zeros(13)
    numbers[[B, MEAN_B, T, STEP]] = start.b, start.mean_b, start.t, rules.first_step
    with np.errstate(over="ignore"):
        numbers[[PULL, SQUARES, SIZE]] = 0.0, w @ w, np.abs(w).sum()
    numbers[[SCALE, GAIN, SPREAD]] = 1.0, 0.0, 1.0
    numbers[[BEST, STALE]] = np.inf, 0.0
    pulled = np.zeros(len(w) if rules.l1 > 0 else 0)
    return State(w, np.array(start.mean, np.float64), pulled, numbers)


def as_rows(X):
    """Return X as the kernels take it: an array that they may only read, or SparseRows.

    The indices are unsigned: numba need not ask whether one of them counts from the end.
    """
    if not issparse(X):
        X = np.ascontiguousarray(X).view()
        X.flags.writeable = False
        return X
    if not X.has_canonical_format:  # |x_i|^2 is the sum of the squares of what is stored
        X = X.copy()
        X.sum_duplicates()
    dtype = np.int32 if X.shape[1] < 2**31 else np.int64
    indices = X.indices.astype(dtype, copy=False).view(f"u{np.dtype(dtype).itemsize}")
    return SparseRows(X.indptr.astype(np.uint64), indices, X.data)


class Descender:
    """Descents on the same rows, one for each target.

    Parameters
    ----------
    X : array or CSR matrix of shape (n, p)
    rules : Rules
    max_iter : int
    kept_back : bool array of shape (n,), default=None
        Rows not to learn from.
    shuffled : bool, default=True
    verbose : int, default=0
    """

    def __init__(self, X, rules, max_iter, kept_back=None, *, shuffled=True, verbose=0):
        self.rows, self.rules, self.max_iter, self.verbose = as_rows(X), rules, max_iter, verbose
        self.epochs = sparse_epochs if issparse(X) else dense_epochs
        self.n, self.shuffled = X.shape[0], bool(shuffled)
        self.kept_back = np.zeros(0, np.bool_) if kept_back is None else kept_back
        entries = X.nnz if issparse(X) else X.size
        self.at_once = max(1, AT_ONCE // (entries + 1))

    def run(self, samples, start, seed, *, validate=None, task=SILENCE, attributes=None):
        """Descend for one target, in an order of its own.

        Parameters
        ----------
        samples : float64 array of shape (n, 2), targets and weights
        start : Start
        seed : uint64
        validate : callable, default=None
            From w and b to a score, the higher the better.
        task : task of `fit_task`, told about every epoch
        attributes : callable, default=None
            From a `Descent` to the fitted attributes; called only if a callback wants them.

        Returns
        -------
        descent : Descent

        Raises
        ------
        ValueError
            If numbers become too large.
        """
        rules = self.rules._replace(by_objective=validate is None)
        watched = validate is not None or task is not SILENCE or self.verbose
        state, history = first_state(start, rules), History()
        course, n_iter, over = self.course(seed), 0, False
        while n_iter < self.max_iter and not over:
            step = task.subtask("epoch")
            means = np.empty((1 if watched else min(self.at_once, self.max_iter - n_iter), 2))
            with np.errstate(all="ignore"):  # where kernels run as Python
                n_done, over = self.epochs(self.rows, samples, course, rules, state, means)
            for loss, objective in means[:n_done]:
                history.append(loss=loss, objective=objective)
            n_iter += n_done
            over = check_overflow(state, n_iter) and over
            if validate is not None:
                score = validate(state.w, state.numbers[B])
                history.append(validation_score=score)
                over = is_over(-score, rules, state.numbers)
            if self.verbose:
                report(n_iter, state, history)
            ended = step.end(lambda n=n_iter: attributes(result(state, start, n, history)))
            over = over or ended
            held.deliver()
        return result(state, start, n_iter, history)

    def course(self, seed):
        """Return the course before its first shuffle."""
        n_kept_back = np.count_nonzero(self.kept_back)
        order, learnt = np.arange(self.n), np.empty(self.n - n_kept_back, np.int64)
        return Course(order.astype(np.int64), learnt, self.kept_back, seed, self.shuffled)


def check_overflow(state, n_iter):
    """Raise ValueError if w or b is not finite; return whether |w|^2 and b are."""
    finite = bool(np.isfinite(state.numbers[B]) and np.isfinite(state.numbers[SQUARES]))
    if not finite and not np.isfinite([state.numbers[B], *state.w]).all():
        raise ValueError(OVERFLOW.format(n_iter))
    return finite


def result(state, start, n_iter, history):
    """Return the descent so far."""
    b, mean_b = float(state.numbers[B]), float(state.numbers[MEAN_B])
    at_end = (start.t, n_iter, history.arrays(), state.numbers[CUT] > 0)
    return Descent(state.w, b, state.mean, mean_b, *at_end)


def report(n_iter, state, history):
    """Print how an epoch went."""
    norm, nonzero = np.sqrt(state.numbers[SQUARES]), np.count_nonzero(state.w)
    last = ", ".join(f"{name}: {values[-1]:.6f}" for name, values in history.values.items())
    print(
        f"Epoch {n_iter}. Norm: {norm:.2f}, NNZs: {nonzero}, Bias: {state.numbers[B]:.6f}, {last}"
    )
