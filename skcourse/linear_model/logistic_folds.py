"""Paths of logistic regressions over penalties, fold by fold, and how they score on left-out rows.

Iteration   On each fold, for each `l1_ratio`, the values of C follow each other, and each fit
            begins at the optimum of the one before.
"""

import operator
from collections.abc import Callable
from inspect import signature
from typing import NamedTuple

import numpy as np
from sklearn.metrics import accuracy_score, make_scorer

from skcourse.core.chunks import reduce_blocks
from skcourse.linear_model.logistic_problem import risk_of, solve, split, start_of


class Samples(NamedTuple):
    """The training data."""

    X: object  # array or CSR matrix, (n, p)
    y: np.ndarray  # labels, (n,)
    codes: np.ndarray  # their numbers in `classes`
    classes: np.ndarray
    weights: np.ndarray | None  # of rows times classes, (n,)


class Grid(NamedTuple):
    """The penalties to be tried."""

    Cs: np.ndarray  # (n_cs,)
    l1_ratios: list  # of numbers or None, (n_l1_ratios,)


class Paths(NamedTuple):
    """What became of each fold, `l1_ratio` and C."""

    thetas: np.ndarray  # (n_folds, n_l1_ratios, n_cs, (p + 1) K)
    n_iter: np.ndarray  # (n_folds, n_l1_ratios, n_cs)
    unfinished: list  # the Minimum of each fit that has not converged


class Watch(NamedTuple):
    """Who listens to the fits: each is a part of the task, and its iterations are parts of it."""

    task: object
    attributes: Callable  # of theta: what a model fitted so far has

    def solve(self, name, risk, options, C, l1_ratio, theta):
        """Return what `logistic_problem.solve` does."""
        part = self.task.subtask(name, max(options.max_iter, 1) + 1)
        found = solve(risk, options, C, l1_ratio, theta, task=part, attributes=self.attributes)
        part.end(lambda: self.attributes(found.theta))
        return found


def risk_on(samples, rows, fit_intercept):
    """Return the risk on some of the rows, an array of indices."""
    weights = None if samples.weights is None else samples.weights[rows]
    n_classes = len(samples.classes)
    return risk_of(samples.X[rows], samples.codes[rows], n_classes, weights, fit_intercept)


def fit_paths(samples, folds, grid, options, n_jobs, watch):
    """Fit all paths.

    Parameters
    ----------
    samples : Samples
    folds : list of (train, test), arrays of indices
    grid : Grid
    options : Options
    n_jobs : int or None
        How many folds are fitted at once; each uses the cores that are left.
    watch : Watch

    Returns
    -------
    paths : Paths
    """

    def part(block):
        (train, _), ratio = block
        risk = risk_on(samples, train, options.fit_intercept)
        start = start_of(risk, 0 if options.solver == "liblinear" else options.max_iter)
        found = []
        for C in grid.Cs:
            begin = found[-1].theta if found and options.solver != "liblinear" else start
            found.append(watch.solve("fold", risk, options, C, ratio, begin))
        unfinished = [minimum for minimum in found if not minimum.converged]
        thetas = [minimum.theta for minimum in found]
        return [(thetas, [minimum.n_iter for minimum in found], unfinished)]

    blocks = [(fold, ratio) for fold in folds for ratio in grid.l1_ratios]
    results = reduce_blocks(part, blocks, operator.add, n_jobs=n_jobs)
    thetas, n_iter, unfinished = zip(*results, strict=True)
    shape = (len(folds), len(grid.l1_ratios), len(grid.Cs))
    return Paths(
        np.reshape(thetas, (*shape, -1)),
        np.reshape(n_iter, shape).astype(np.int32),
        [one for several in unfinished for one in several],
    )


def score_paths(model, samples, folds, thetas, scorer, score_params, sample_weight):
    """Return the scores, (n_folds, n_l1_ratios, n_cs), in that order.

    Parameters
    ----------
    model : LogisticModel, not fitted; it is given the coefficients one by one
    samples : Samples
    folds : list of (train, test)
    thetas : array, see Paths
    scorer : callable or None
        None means the accuracy, weighted by `sample_weight`.
    score_params : dict, for the scorer; arrays with one entry per row are cut as the rows are
    sample_weight : array of shape (n,) or None
    """
    scores = np.empty(thetas.shape[:-1])
    outputs = 1 if len(samples.classes) == 2 else len(samples.classes)
    for i, (_, test) in enumerate(folds):
        X, y = samples.X[test], samples.y[test]
        weights = None if sample_weight is None else sample_weight[test]
        some = {name: cut(value, test, len(samples.y)) for name, value in score_params.items()}
        for at in np.ndindex(scores.shape[1:]):
            model.coef_, model.intercept_ = split(thetas[i][at], outputs)
            if scorer is None:
                scores[i][at] = accuracy_score(y, model.predict(X), sample_weight=weights)
            else:
                scores[i][at] = scorer(model, X, y, **some)
    return scores


def cut(value, rows, n):
    """Return the entries of a parameter that belong to some rows, if it has one for each."""
    if not hasattr(value, "__len__") or isinstance(value, str) or len(value) != n:
        return value
    return value.iloc[rows] if hasattr(value, "iloc") else np.asarray(value)[rows]


def scorer_for(scorer, classes):
    """Return a scorer that knows all classes, which a fold may lack, if it asks for them."""
    function = getattr(scorer, "_score_func", None)
    parameters = signature(function).parameters if function is not None else {}
    if "labels" not in parameters:
        return scorer
    more = {"labels": classes}
    if len(classes) <= 2 and "pos_label" in parameters:
        more["pos_label"] = classes[-1]
    return make_scorer(
        function,
        greater_is_better=scorer._sign == 1,
        response_method=scorer._response_method,
        **more | getattr(scorer, "_kwargs", {}),
    )
