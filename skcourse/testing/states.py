"""What an estimator remembers: the last fit, all of it, nothing else, and the same every time."""

import contextlib
import functools
import os
import pickle
from unittest import mock

import numpy as np
from sklearn.base import clone
from sklearn.utils import get_tags
from threadpoolctl import threadpool_limits

from skcourse.testing.answers import (
    allowance,
    answers,
    assert_agree,
    assert_same_bits,
    fitted,
    refit,
    same_bits,
    seeded,
    state,
    takes_weights,
)
from skcourse.testing.problems import make_problem

THREADS = (1, 2, 3, 8)
LONG = 60_000  # rows: several chunks


def check_repeatable(estimator, problem=None):
    """The same seed and the same data give the same bits."""
    problem = problem or make_problem(estimator)
    first, second = fitted(estimator, problem), fitted(estimator, problem)
    assert_same_bits(state(first), state(second), "in a second fit")
    asked = problem.asked
    assert_same_bits(answers(first, asked), answers(second, asked), "in a second fit")
    assert_same_bits(answers(first, asked), answers(first, asked), "if asked twice")


def check_fit_forgets(estimator, problem=None):
    """A second `fit` is as good as a first one: nothing of the data before is left."""
    problem = problem or make_problem(estimator)
    other = make_problem(estimator, n_samples=50, n_features=problem.X.shape[1] + 1, seed=5)
    used = refit(refit(seeded(estimator), other), problem)
    fresh = fitted(estimator, problem)
    assert_same_bits(state(fresh), state(used), "after a fit on other data")
    assert_same_bits(
        answers(fresh, problem.asked), answers(used, problem.asked), "after a fit on other data"
    )


def check_threads_agree(estimator, problem=None, *, bits=False, n_samples=LONG):
    """One thread or many, the answers are the same: by `n_jobs`, OpenMP and BLAS.

    Sums in another order differ in their last bits; with `bits`, not even these may, and no
    fitted attribute.
    """
    problem = problem or make_problem(estimator, n_samples=n_samples, n_features=8)
    with threads(1):
        fit = fitted(estimator, problem)
        expected = state(fit), answers(fit, problem.asked)
    allowed = functools.cache(lambda: allowance(estimator, problem))

    def compare(fit, what):
        found = answers(fit, problem.asked)
        if bits:
            assert_same_bits(expected[0], state(fit), what)
            assert_same_bits(expected[1], found, what)
        elif not same_bits(expected[1], found):
            assert_agree(expected[1], found, allowed(), what)

    for n in THREADS[1:]:
        with threads(n):
            compare(fitted(estimator, problem), f"on {n} threads")
    if "n_jobs" in estimator.get_params(deep=False):
        for n in (*THREADS, -1):
            fit = fitted(clone(estimator).set_params(n_jobs=n), problem)
            compare(fit, f"with n_jobs={n}")


@contextlib.contextmanager
def threads(n):
    """Allow `n` threads to OpenMP, to BLAS, and to whoever reads OMP_NUM_THREADS."""
    environment = mock.patch.dict(os.environ, OMP_NUM_THREADS=str(n))
    with environment, threadpool_limits(limits=n):
        yield


def check_pickle(estimator, problem=None):
    """What comes back from a pickle, before and after `fit`, is what went in."""
    problem = problem or make_problem(estimator)
    again, fit = pickle.loads(pickle.dumps(seeded(estimator))), fitted(estimator, problem)
    copy = pickle.loads(pickle.dumps(fit))
    assert_same_bits(state(fit), state(copy), "after pickling")
    assert_same_bits(answers(fit, problem.asked), answers(copy, problem.asked), "after pickling")
    assert_same_bits(state(fit), state(refit(again, problem)), "if pickled before fit")


def check_clone(estimator, problem=None):
    """A clone has the parameters and nothing of the fit; its own fit is the same."""
    problem = problem or make_problem(estimator)
    fit = fitted(estimator, problem)
    copy = clone(fit)
    assert not state(copy), f"a clone keeps {sorted(state(copy))}"
    assert_same_bits(state(fit), state(refit(copy, problem)), "in the fit of a clone")


def check_inputs_unchanged(estimator, problem=None):
    """`fit`, and being asked, change neither the data nor the parameters."""
    problem = problem or make_problem(estimator)
    if problem.weights is None and takes_weights(estimator):
        problem = problem._replace(weights=np.linspace(0.5, 2, len(problem.X)))
    before = {name: np.copy(value) for name, value in present(problem).items()}
    unfitted = seeded(estimator)
    parameters = dict(unfitted.get_params())
    answers(refit(unfitted, problem), problem.asked)
    assert_same_bits(before, present(problem), "after fit: it wrote into its input")
    for name, value in unfitted.get_params().items():
        assert value is parameters[name], f"fit replaced the parameter {name}"


def present(problem):
    """Return the arrays of the problem by name."""
    return {name: value for name, value in problem._asdict().items() if value is not None}


def check_failed_fit_leaves_no_trace(estimator, problem=None):
    """A `fit` that raises leaves an unfitted estimator unfitted, and a fitted one as it was."""
    problem = problem or make_problem(estimator)
    wide = make_problem(estimator, n_features=problem.X.shape[1] + 1)
    broken = {"an X of one dimension": wide._replace(X=wide.X[:, 0])}
    if not get_tags(estimator).input_tags.allow_nan:
        for value in (np.nan, np.inf):
            X = wide.X.copy()
            X[len(X) // 2, 0] = value
            broken[f"{value} in X"] = wide._replace(X=X)
    if wide.y is not None and get_tags(estimator).target_tags.required:
        broken["a y that is too short"] = wide._replace(y=wide.y[:-1])
    for what, bad in broken.items():
        unfitted, fit = seeded(estimator), fitted(estimator, problem)
        before = dict(vars(unfitted)), dict(vars(fit))
        for tried in (unfitted, fit):
            try:
                refit(tried, bad)
            except (ValueError, TypeError):
                continue
            raise AssertionError(f"fit took what it should have refused: {what}")
        assert_same_bits(before[0], dict(vars(unfitted)), f"after a fit that failed on {what}")
        assert_same_bits(before[1], dict(vars(fit)), f"after a fit that failed on {what}")
