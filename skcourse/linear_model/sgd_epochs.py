"""Stochastic gradient descent: epochs, until the objective has ceased to fall.

Objective   The mean of l(y_i, z_i) + P(w) over the steps of an epoch, each term as it was just
            before its step: it costs nothing, and lags behind the true one.
Stop        After `patience` epochs in a row none of which was better than the best by `tol`; with
            the adaptive step that is 5 times shorter then, until it is 1e-6.
Cost        Of few rows an epoch is shorter than a call from Python: a kernel runs several.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.linear_model.sgd_order import shuffle
from skcourse.linear_model.sgd_steps import (
    ADAPTIVE,
    BEST,
    PA1,
    SQUARES,
    STALE,
    STEP,
    B,
    dense_epoch,
    sparse_epoch,
)

SHORTEST = 1e-6  # the adaptive step becomes no shorter


class Course(NamedTuple):
    """Which samples are taken, and in which order."""

    order: np.ndarray  # (n,), int64
    learnt: np.ndarray  # the same without the rows kept back
    kept_back: np.ndarray  # bool, (n,), or (0,) for none
    seed: np.uint64  # of the shuffles
    shuffled: bool


@kernel
def next_course(course):
    """Write the order of the next epoch."""
    order, learnt = course.order, course.learnt
    if course.shuffled:
        shuffle(order, course.seed)
    n = 0
    for k in range(len(order)):
        if len(course.kept_back) == 0 or not course.kept_back[order[k]]:
            learnt[n] = order[k]
            n += 1


@kernel
def is_over(value, rules, numbers):
    """Tell whether the descent ends after an epoch with this objective; shorten adaptive steps."""
    numbers[STALE] = numbers[STALE] + 1 if value > numbers[BEST] - rules.tol else 0
    numbers[BEST] = min(numbers[BEST], value)
    if numbers[STALE] < rules.patience:
        return False
    if rules.schedule == ADAPTIVE and numbers[STEP] > SHORTEST:
        numbers[STEP] /= 5
        numbers[STALE] = 0
        return False
    return True


@kernel
def ends(loss, penalties, rules, state, means):
    """Write the mean loss and objective of an epoch; tell whether to return to Python."""
    objective = loss if rules.schedule >= PA1 else loss + penalties  # those know no penalty
    means[0], means[1] = loss, objective
    numbers = state.numbers
    if not (np.isfinite(numbers[B]) and np.isfinite(numbers[SQUARES])):
        return True
    return rules.by_objective and is_over(objective, rules, numbers)


@kernel
def dense_epochs(X, samples, course, rules, state, means):
    """Run epochs, at most as many as `means` has rows, until the descent ends or overflows.

    Parameters
    ----------
    X : array of shape (n, p), C-contiguous
    samples : float64 array of shape (n, 2), targets and weights
    course : Course
    rules : Rules
    state : State, overwritten
    means : float64 array of shape (n_epochs, 2), overwritten with loss and objective

    Returns
    -------
    n_epochs : int
    over : bool
    """
    n = len(course.learnt)
    for e in range(len(means)):
        next_course(course)
        loss, penalties = dense_epoch(X, samples, course.learnt, rules, state)
        if ends(loss / n, penalties / n, rules, state, means[e]):
            return e + 1, True
    return len(means), False


@kernel
def sparse_epochs(rows, samples, course, rules, state, means):
    """Do as `dense_epochs` does; `rows` are SparseRows."""
    n = len(course.learnt)
    for e in range(len(means)):
        next_course(course)
        loss, penalties = sparse_epoch(rows, samples, course.learnt, rules, state)
        if ends(loss / n, penalties / n, rules, state, means[e]):
            return e + 1, True
    return len(means), False
