"""Stochastic gradient descent: epoch after epoch, until the objective has ceased to fall.

Iteration   Epochs of `sgd_steps`. The objective of an epoch is the mean of l(y_i, z_i) + P(w), each
            term as it was just before its step: it costs nothing, and lags behind the true one.
Stop        After `patience` epochs in a row none of which was better than the best by `tol`; with
            the adaptive step that is 5 times shorter then, until it is 1e-6.
Validation  Rows kept back judge in place of the objective, if there are any.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse

from skcourse.core.history import SILENCE, History
from skcourse.core.interrupts import held
from skcourse.core.losses import Loss, slope
from skcourse.linear_model.risk import SparseRows
from skcourse.linear_model.sgd_order import shuffle
from skcourse.linear_model.sgd_steps import (
    ADAPTIVE,
    GAIN,
    MEAN_B,
    OPTIMAL,
    PA1,
    PULL,
    SCALE,
    SCHEDULES,
    SIZE,
    SPREAD,
    SQUARES,
    STEP,
    B,
    Rules,
    State,
    T,
    dense_epoch,
    sparse_epoch,
)

SPARSE_INTERCEPT = 0.01  # c of b over c of w, where rows are sparse
SHORTEST = 1e-6  # the adaptive step becomes no shorter
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


class Stop(NamedTuple):
    """When a descent ends."""

    max_iter: int
    tol: float | None
    patience: int


class Descent(NamedTuple):
    """Where it ended."""

    w: np.ndarray  # (p,), float64
    b: float
    mean: np.ndarray  # (p,) or (0,)
    mean_b: float
    t: float  # the number of the first step
    n_iter: int
    history: dict


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
    )


def first_state(start, rules):
    """Return the state before the first step."""
    w = np.array(start.w, np.float64)
    numbers = np.zeros(10)
    numbers[[B, MEAN_B, T, STEP]] = start.b, start.mean_b, start.t, rules.first_step
    numbers[[PULL, SQUARES, SIZE]] = 0.0, w @ w, np.abs(w).sum()
    numbers[[SCALE, GAIN, SPREAD]] = 1.0, 0.0, 1.0
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
    stop : Stop
    kept_back : bool array of shape (n,), default=None
        Rows not to learn from.
    shuffled : bool, default=True
    verbose : int, default=0
    """

    def __init__(self, X, rules, stop, kept_back=None, *, shuffled=True, verbose=0):
        self.rows, self.rules, self.stop, self.verbose = as_rows(X), rules, stop, verbose
        self.epoch = sparse_epoch if issparse(X) else dense_epoch
        self.n, self.kept_back, self.shuffled = X.shape[0], kept_back, shuffled

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
        state, history = first_state(start, self.rules), History()
        order = np.arange(self.n, dtype=np.int64)
        best, n_stale = np.inf, 0
        for n_iter in range(1, self.stop.max_iter + 1):
            step = task.subtask("epoch")
            loss, objective = self.one_epoch(samples, order, state, seed, n_iter)
            history.append(loss=loss, objective=objective)
            judged = objective
            if validate is not None:
                judged = -validate(state.w, state.numbers[B])
                history.append(validation_score=-judged)
            if self.verbose:
                report(n_iter, state, history)
            tol = self.stop.tol
            n_stale = n_stale + 1 if tol is not None and judged > best - tol else 0
            best = min(best, judged)
            ended = step.end(lambda n=n_iter: attributes(result(state, start, n, history)))
            held.deliver()
            if n_stale >= self.stop.patience:
                shorter = self.rules.schedule == ADAPTIVE and state.numbers[STEP] > SHORTEST
                if not shorter:
                    break
                state.numbers[STEP] /= 5
                n_stale = 0
            if ended:
                break
        return result(state, start, n_iter, history)

    def one_epoch(self, samples, order, state, seed, n_iter):
        """Go through the rows once; return the mean loss and the mean objective."""
        with np.errstate(all="ignore"):  # where kernels run as Python; what overflows is found here
            if self.shuffled:
                shuffle(order, seed)
            todo = order if self.kept_back is None else order[~self.kept_back[order]]
            loss, penalties = self.epoch(self.rows, samples, todo, self.rules, state)
        finite = np.isfinite(state.numbers[B]) and np.isfinite(state.numbers[SQUARES])
        if not finite and not np.isfinite([state.numbers[B], *state.w]).all():
            raise ValueError(OVERFLOW.format(n_iter))
        passive = self.rules.schedule >= PA1  # knows no penalty
        return loss / len(todo), (loss if passive else loss + penalties) / len(todo)


def result(state, start, n_iter, history):
    """Return the descent so far."""
    b, mean_b = float(state.numbers[B]), float(state.numbers[MEAN_B])
    return Descent(state.w, b, state.mean, mean_b, start.t, n_iter, history.arrays())


def report(n_iter, state, history):
    """Print how an epoch went."""
    norm, nonzero = np.sqrt(state.numbers[SQUARES]), np.count_nonzero(state.w)
    last = ", ".join(f"{name}: {values[-1]:.6f}" for name, values in history.values.items())
    print(
        f"Epoch {n_iter}. Norm: {norm:.2f}, NNZs: {nonzero}, Bias: {state.numbers[B]:.6f}, {last}"
    )
