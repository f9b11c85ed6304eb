"""`history_`, tasks with and without listeners, warnings that point at the user's line."""

import linecache
import pathlib

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin
from sklearn.exceptions import ConvergenceWarning

from skcourse.core.history import HOUSE, SILENCE, History, fit_task, warn_not_converged
from skcourse.core.validation import fit_context


class Halving(CallbackSupportMixin, BaseEstimator):
    """Halves a number `max_iter` times."""

    _parameter_constraints: dict = {}

    def __init__(self, max_iter=5, fail_at=None):
        self.max_iter = max_iter
        self.fail_at = fail_at

    @fit_context
    def fit(self, X, y=None, sample_weight=None):
        history, value = History(), 1.0
        task = fit_task(self, X, y, sample_weight, max_subtasks=self.max_iter)
        for i in range(self.max_iter):
            step = task.subtask("halving")
            value /= 2
            history.append(loss=value, place=np.array([value, i]))
            if i == self.fail_at:
                raise RuntimeError("failed")
            if step.end(lambda: {"value_": value}):  # noqa: B023  called at once or never
                break
        task.end(lambda: {"value_": value})
        self.value_, self.history_, self.n_features_in_ = value, history.arrays(), 1
        return self


class Listener:
    """Notes what it is told, and stops the loop when the value is small enough."""

    def __init__(self, stop_below=0.0):
        self.stop_below = stop_below
        self.events = []

    def setup(self, estimator, context):
        self.events.append("setup")

    def teardown(self, estimator, context):
        self.events.append("teardown")

    def on_fit_task_begin(self, estimator, context, *, X, y):
        self.events.append(("begin", context.task_name))
        self.X = X

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        self.events.append(("end", context.task_name, fitted_estimator.value_))
        return fitted_estimator.value_ < self.stop_below


def test_history_is_arrays_by_name():
    fitted = Halving(3).fit([[0]])
    np.testing.assert_array_equal(fitted.history_["loss"], [0.5, 0.25, 0.125])
    assert fitted.history_["place"].shape == (3, 2)
    assert History().arrays() == {}


def test_nobody_listens():
    assert fit_task(Halving(), None) is SILENCE
    assert SILENCE.subtask("x", max_subtasks=3) is SILENCE
    assert SILENCE.end(lambda: 1 / 0) is False  # nothing is made for nobody


def test_listener_hears_every_task_and_its_state():
    X, listener = np.zeros((1, 1)), Listener()
    Halving(2).set_callbacks(listener).fit(X)
    assert listener.events == [
        "setup",
        ("begin", "fit"),
        ("begin", "halving"),
        ("end", "halving", 0.5),
        ("begin", "halving"),
        ("end", "halving", 0.25),
        ("end", "fit", 0.25),
        "teardown",
    ]
    assert listener.X is X


class Clerk(Listener):
    """Keeps all data that it is given."""

    def __init__(self):
        super().__init__()
        self.data = []

    def on_fit_task_begin(self, estimator, context, *, X, y, metadata):
        self.data.append((X, y, metadata))

    def on_fit_task_end(self, estimator, context, *, X, y, metadata):
        self.data.append((X, y, metadata))


def test_every_task_is_told_all_the_data():
    X, y, weights = np.zeros((2, 1)), np.zeros(2), np.ones(2)
    weighted, plain = Clerk(), Clerk()
    Halving(1).set_callbacks(weighted).fit(X, y, sample_weight=weights)
    Halving(1).set_callbacks(plain).fit(X)
    assert len(weighted.data) == len(plain.data) == 4  # two tasks begin and end
    for told in weighted.data:
        assert told[0] is X and told[1] is y and told[2]["sample_weight"] is weights
    assert plain.data == [(X, None, None)] * 4


def test_callback_stops_the_loop():
    fitted = Halving(50).set_callbacks(Listener(stop_below=0.2)).fit([[0]])
    assert fitted.value_ == 0.125


def test_failed_fit_tears_down_and_leaves_nothing():
    listener = Listener()
    estimator = Halving(5, fail_at=2).set_callbacks(listener)
    before = dict(vars(estimator))
    with pytest.raises(RuntimeError, match="failed"):
        estimator.fit([[0]])
    assert listener.events[-1] == "teardown"
    assert vars(estimator) == before


def test_failed_refit_keeps_the_old_fit():
    estimator = Halving(3).fit([[0]])
    estimator.fail_at = 0
    with pytest.raises(RuntimeError):
        estimator.fit([[0]])
    assert estimator.value_ == 0.125


def through_a_library(message):
    """Warn from as deep as a fit does: ours calls scikit-learn's wrapper, and that calls ours."""
    source = "def inner(message): warn(message)\ndef outer(message): inner(message)"
    names = {"warn": warn_not_converged}
    exec(compile(source, str(HOUSE / "cluster" / "somewhere.py"), "exec"), names)
    wrapper = {"call": names["outer"]}
    theirs = str(pathlib.Path(sklearn.__file__).parent / "base.py")
    exec(compile("def wrapped(message): call(message)", theirs, "exec"), wrapper)
    wrapper["wrapped"](message)


def test_a_warning_names_the_first_line_that_is_neither_ours_nor_scikit_learns():
    with pytest.warns(ConvergenceWarning, match="too early") as found:
        through_a_library("too early")
    assert found[0].filename == __file__
    assert "wrapper" in linecache.getline(found[0].filename, found[0].lineno)
