"""What is asked of every estimator, and the problem on which it is asked.

The estimators are found by looking (`skcourse.discovery`); each is compared with its namesakes.
"""

import inspect
from typing import NamedTuple

import numpy as np
from sklearn.utils import get_tags

from benchmarks.contenders import classes
from benchmarks.data import Data
from benchmarks.workloads import settings

N_GROUPS = 8  # clusters in X


class Subject(NamedTuple):
    """An estimator of ours."""

    name: str
    chapter: str


def subjects():
    """List our estimators."""
    from skcourse.discovery import all_estimators

    return [Subject(name, cls.__module__.split(".")[1]) for name, cls in all_estimators()]


def namesakes(subject, names=("scikit-learn", "skcourse"), *, same_work=False):
    """Return {contender: function that makes a new estimator}."""
    found = classes(subject.chapter, subject.name)
    return {name: maker(found[name], same_work=same_work) for name in names if name in found}


def maker(cls, *, same_work=False):
    """Return the function that makes a new estimator of this class, with a seed if it takes one.

    Its parameters are the defaults, or with `same_work` those of `settings`.
    """
    params = dict(settings(cls.__name__)) if same_work else {}
    if "random_state" in inspect.signature(cls).parameters:
        params["random_state"] = 0
    return lambda: cls(**params)


def problem(estimator, n, p):
    """Make what `estimator` can fit: Gaussian clusters X, and y, numbers or classes linear in X.

    X and y are positive for those that want them so; y has two columns for those that want several.

    X, of shape (n, p), is filled in place, never copied: memory is measured on it.
    """
    rng = np.random.default_rng(0)
    X = np.empty((n, p))
    rng.standard_normal(out=X)
    for group, centre in enumerate(rng.uniform(-5, 5, (N_GROUPS, p))):
        X[group::N_GROUPS] += centre
    scores = X @ rng.standard_normal((p, 3))
    tags = get_tags(estimator)
    if tags.input_tags.positive_only:
        np.abs(X, out=X)
    if tags.classifier_tags is not None:
        return Data(X, np.argmax(scores, axis=1))
    if tags.regressor_tags is not None:
        y = scores[:, 0] + rng.standard_normal(n)
        if tags.target_tags.positive_only:
            y = np.exp(y / np.abs(y).max())
        several = not tags.target_tags.single_output
        return Data(X, np.column_stack([y, scores[:, 1]]) if several else y)
    return Data(X)


def fit(estimator, data):
    """Fit to X, or to X and y."""
    return estimator.fit(data.X) if data.y is None else estimator.fit(data.X, data.y)
