"""What rows mean: a weight counts them, their order is nothing, and each is answered by itself."""

import numpy as np

from skcourse.testing.answers import allowance, answers, assert_agree, fitted
from skcourse.testing.problems import Problem, make_problem

MANY_ROWS = 40_000  # more than a chunk: predictions then go over threads


def check_weights_repeat_rows(estimator, problem=None):
    """A row of weight k = k rows: fit(X, y, w) answers as fit(repeat(X, w), repeat(y, w)) does.

    The weights of `problem` are used, 0 as 1, if they are whole numbers; otherwise 1, 2 and 3 are.
    """
    problem = problem or make_problem(estimator)
    counts = problem.weights
    if counts is None or np.any(counts != np.round(counts)):
        counts = np.arange(len(problem.X)) % 4
    counts = np.maximum(counts, 1)
    repeated = problem._replace(weights=None).rows(
        np.repeat(np.arange(len(counts)), counts.astype(int))
    )
    weighted = problem._replace(weights=counts.astype(float))
    assert_agree(
        answers(fitted(estimator, repeated), problem.asked),
        answers(fitted(estimator, weighted), problem.asked),
        allowance(estimator, repeated),
        "if rows are weighted instead of repeated",
    )


def check_zero_weight_is_absence(estimator, problem=None):
    """A row of weight 0 = no row, wherever it lies."""
    problem = problem or make_problem(estimator)
    weights = np.ones(len(problem.X)) if problem.weights is None else problem.weights
    present = problem._replace(weights=weights)
    far = problem.X[::2] * 3 + 1
    y = None if problem.y is None else np.concatenate([problem.y[::2][::-1], problem.y])
    padded = Problem(
        np.concatenate([far, problem.X]),
        y,
        np.concatenate([np.zeros(len(far)), weights]),
        problem.asked,
    )
    assert_agree(
        answers(fitted(estimator, present), problem.asked),
        answers(fitted(estimator, padded), problem.asked),
        allowance(estimator, present, n_terms=max(padded.X.shape)),
        "if rows of weight 0 are added",
    )


def check_equal_weights_are_none(estimator, problem=None):
    """All weights 1 = no weights."""
    problem = problem or make_problem(estimator)
    plain = problem._replace(weights=None)
    ones = problem._replace(weights=np.ones(len(problem.X)))
    assert_agree(
        answers(fitted(estimator, plain), problem.asked),
        answers(fitted(estimator, ones), problem.asked),
        allowance(estimator, plain),
        "if all weights are 1",
    )


def check_row_order(estimator, problem=None):
    """A fit does not depend on the order of the rows."""
    problem = problem or make_problem(estimator)
    order = np.random.default_rng(1).permutation(len(problem.X))
    assert_agree(
        answers(fitted(estimator, problem), problem.asked),
        answers(fitted(estimator, problem.rows(order)), problem.asked),
        allowance(estimator, problem),
        "if the rows are in another order",
    )


def check_rows_one_by_one(estimator, problem=None):
    """What a row is answered does not depend on its company: one row, a few, or very many."""
    problem = problem or make_problem(estimator)
    fit = fitted(estimator, problem)
    X = np.ascontiguousarray(problem.asked)
    together = answers(fit, X)
    allowed = allowance(fit, problem, n_terms=X.shape[1] + 1, fitted_estimator=fit)
    each = [answers(fit, X[i : i + 1]) for i in range(len(X))]
    single = {name: np.concatenate([part[name] for part in each]) for name in together}
    assert_agree(together, single, allowed, "if rows are asked one by one")
    copies = -(-MANY_ROWS // len(X))
    many = answers(fit, np.tile(X, (copies, 1)))
    for name, values in many.items():
        for part in np.split(values, copies)[:: copies - 1]:
            assert_agree({name: together[name]}, {name: part}, allowed, "among very many rows")
