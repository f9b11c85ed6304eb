"""One estimator beside its namesake: the scores, how far the answers differ, the times.

Both are fitted once to warm up, and that pair of fits gives the answers; then in turns, so that
whatever else the machine does meets both. The time of a library is the median of its turns. It is
that of the estimator itself, on rows already scaled, or of the whole search where there is one.
"""

import time
import warnings
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score
from sklearn.metrics.cluster import contingency_matrix
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier

from skcourse.tour.cases import Case, kind, model_of
from skcourse.tour.data import load

LEAST, MOST = 5, 41  # turns
BUDGET, LIMIT = 0.8, 2.0  # seconds after which LEAST turns are enough, after which any number is
ALL = 10.0  # seconds in which LEAST turns are enough for all cases together
PAUSE = 0.04  # seconds in which the spinning threads of the other library come to rest
TURN = 0.005  # seconds: short fits are repeated within a turn
UNSTEADY = 2.0  # the upper quartile of a library's times over the lower, on a busy machine


class Row(NamedTuple):
    """What the table shows; "theirs" is None where scikit-learn has no such class."""

    case: Case
    measure: str = ""  # what the scores are
    scores: tuple = (None, None)  # theirs, ours
    difference: str = ""  # of the answers on the rows held out
    seconds: tuple = (None, None)  # theirs, ours
    turns: int = 0
    steady: bool = True  # no time varied by more than UNSTEADY
    error: str | None = None

    @property
    def ratio(self):
        """How many times faster ours is, or None."""
        theirs, ours = self.seconds
        return theirs / ours if theirs and ours else None


def compare(case, n_cases=1):
    """Return the row of `case`, one of `n_cases`; an error of either library becomes its row."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the settings are small on purpose
            return row_of(case, min(BUDGET, ALL / n_cases))
    except Exception as error:
        return Row(case, error=f"{type(error).__name__}: {error}".splitlines()[0])


def row_of(case, budget):
    """Fit, ask, and time, `budget` as in `time_in_turns`."""
    data = load(case.data)
    classes = [cls for cls in (case.theirs, case.ours) if cls is not None]
    models = [fit(model_of(case, cls), data) for cls in classes]
    answers = [answer(model, data) for model in models]
    scored = [
        score(model, said, data, kind(case.ours))
        for model, said in zip(models, answers, strict=True)
    ]
    times = time_in_turns([timed_part(model, data) for model in models], budget)
    low, middle, high = np.quantile(times, [0.25, 0.5, 0.75], axis=0)
    alone = () if case.theirs else (None,)
    return Row(
        case,
        measure=scored[-1][0],
        scores=(*alone, *[value for _, value in scored]),
        difference=difference(*answers, kind(case.ours)) if case.theirs else "",
        seconds=(*alone, *middle.tolist()),
        turns=len(times),
        steady=bool(np.all(high <= UNSTEADY * low)),
    )


def fit(model, data):
    """Fit on the rows to learn from."""
    return model.fit(data.X) if data.y is None else model.fit(data.X, data.y)


def timed_part(model, data):
    """Return a function without arguments that fits what is to be timed once more."""
    if isinstance(model, GridSearchCV):
        return lambda: fit(model, data)
    scaled = data._replace(X=model[:-1].transform(data.X))
    return lambda: fit(model[-1], scaled)


def time_in_turns(fits, budget=BUDGET):
    """Return the times of `fits`, run in turns: for each turn, that of each of them.

    After `budget` seconds LEAST turns are enough.
    """
    started = time.perf_counter()
    once = [seconds(call) for call in fits]
    repeats = [max(1, int(TURN / spent)) for spent in once]
    first = zip(fits, once, repeats, strict=True)  # a long fit has had its turn already
    times = [[spent if n == 1 else seconds(call, n) for call, spent, n in first]]
    while len(times) < MOST:
        if time.perf_counter() - started > (budget if len(times) >= LEAST else LIMIT):
            break
        order = reversed(range(len(fits))) if len(times) % 2 else range(len(fits))
        turn = {i: seconds(fits[i], repeats[i]) for i in order}
        times.append([turn[i] for i in range(len(fits))])
    return times


def seconds(call, repeats=1):
    """Return how long `call()` takes, the mean of `repeats` calls in a row."""
    time.sleep(PAUSE)
    started = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - started) / repeats


def answer(model, data):
    """Return what the model says: of the rows held out if it can, else of those it learnt from."""
    for method in ("predict", "transform", "score_samples"):
        if hasattr(model, method):
            return np.asarray(getattr(model, method)(data.X_held))
    fitted = model[-1]
    return fitted.labels_ if hasattr(fitted, "labels_") else fitted.embedding_


def score(model, said, data, estimator_kind):
    """Return (what is measured, its value): the greater, the better."""
    X, y = (data.X_held, data.y_held) if len(said) == len(data.X_held) else (data.X, data.y)
    if estimator_kind == "classifier":
        return "accuracy", np.mean(said == y)
    if estimator_kind == "regressor":
        return "R2", explained(y, said)
    if estimator_kind == "clusterer":
        return (
            ("variance", within(X, said))
            if y is None
            else ("Rand index", adjusted_rand_score(y, said))
        )
    if estimator_kind == "density_estimator":
        return "log-likelihood", float(np.mean(model.score_samples(X)))
    if hasattr(model, "inverse_transform"):
        return "variance", explained(X, model.inverse_transform(said))
    if said.ndim == 2 and y is not None:
        return "5-NN", KNeighborsClassifier().fit(said[::2], y[::2]).score(said[1::2], y[1::2])
    return "", None


def explained(truth, guess):
    """Return 1 - sum |truth - guess|^2 / sum |truth - mean|^2."""
    return 1 - np.sum((truth - guess) ** 2) / np.sum((truth - truth.mean(axis=0)) ** 2)


def within(X, labels):
    """Return the share of the variance that the means of the clusters explain."""
    clusters, numbers = np.unique(labels, return_inverse=True)
    means = np.stack([X[numbers == j].mean(axis=0) for j in range(len(clusters))])
    return explained(X, means[numbers])


def difference(theirs, ours, estimator_kind):
    """Say how far two answers are apart: rows relabelled, or largest gap over largest value."""
    if theirs.shape != ours.shape:
        return f"{theirs.shape} {ours.shape}"
    if estimator_kind in ("classifier", "clusterer", "outlier_detector"):
        if estimator_kind == "clusterer":
            theirs, ours = matched(theirs, ours)
        return f"{np.sum(theirs != ours)} of {len(ours)}"
    if estimator_kind == "transformer":
        ours = ours * np.where(np.sum(theirs * ours, axis=0) < 0, -1, 1)  # a component has no sign
    return f"{np.max(np.abs(theirs - ours)) / np.max(np.abs(theirs)):.0e}"


def matched(theirs, ours):
    """Number our clusters as theirs, as well as can be: the names of clusters are arbitrary."""
    common = contingency_matrix(theirs, ours)
    rows, columns = linear_sum_assignment(-common)
    number = np.full(common.shape[1], -1)
    number[columns] = rows
    return np.unique(theirs, return_inverse=True)[1], number[
        np.unique(ours, return_inverse=True)[1]
    ]
