"""What a fitted estimator answers, and when two sets of answers are the same.

How far may two computations of one thing differ? As far as rounding the data moves the answer,
and no further. So the tolerance is measured, not chosen: the problem is solved again with each
number moved by n rounding errors, which is what reordering a sum of n terms can amount to, and
the largest movement seen is the yardstick. It is tight where the problem is well conditioned, wide
where it is not, and knows nothing of the algorithm.
"""

import pickle
import reprlib

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import has_fit_parameter

from skcourse.testing.problems import wobble

METHODS = ("predict", "decision_function", "predict_proba", "transform", "score_samples")
DRAWS = 4  # wobbled problems that are solved
SEQUENCES = (list, tuple, np.ndarray)
SAFETY = 8  # the largest of a few random movements against the largest possible one


def takes_weights(estimator):
    """Tell whether `fit` has the parameter `sample_weight`."""
    return has_fit_parameter(estimator, "sample_weight")


def seeded(estimator, seed=0):
    """Return a clone that has `seed` wherever a `random_state`, of a part too, is no integer."""
    estimator = clone(estimator)
    states = {name: value for name, value in estimator.get_params().items() if is_seed(name)}
    return estimator.set_params(
        **{name: seed for name, value in states.items() if not isinstance(value, int)}
    )


def is_seed(name):
    """Tell whether a parameter, perhaps of a part of the estimator, is a `random_state`."""
    return name.rpartition("__")[2] == "random_state"


def refit(estimator, problem):
    """Fit `estimator` itself on the problem and return it."""
    if problem.weights is None:
        return estimator.fit(problem.X, problem.y)
    return estimator.fit(problem.X, problem.y, sample_weight=problem.weights)


def fitted(estimator, problem):
    """Return a seeded clone of `estimator`, fitted on the problem."""
    return refit(seeded(estimator), problem)


def answers(estimator, X, methods=METHODS):
    """Return what a fitted estimator says about the rows X.

    Parameters
    ----------
    estimator : fitted estimator
    X : array of shape (n_samples, n_features)
    methods : sequence of str
        Those to call, if it has them; all by default.

    Returns
    -------
    answers : dict of arrays by the name of the method

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from skcourse.testing import answers
    >>> answers(LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0]), [[2.0]])
    {'predict': array([5.])}
    """
    found = {name: getattr(estimator, name)(X) for name in methods if hasattr(estimator, name)}
    return {name: np.asarray(dense(value)) for name, value in found.items()}


def dense(values):
    """Return a sparse matrix as an array, and all else as it is."""
    return values.toarray() if hasattr(values, "toarray") else values


def numbers(values):
    """Tell whether the array holds measurements, not labels."""
    return values.dtype.kind in "fc"


def state(estimator):
    """Return the fitted attributes by name: those in `vars` that end with an underscore."""
    return {
        name: value
        for name, value in vars(estimator).items()
        if name.endswith("_") and not name.startswith("_")
    }


def movement(first, second):
    """Return by how much answers differ: the largest |a - b|, and for labels where they differ."""
    moves = {}
    for name, a in first.items():
        b = second[name]
        if numbers(a):
            moves[name] = np.max(np.abs(a.astype(float) - b), initial=0.0)
        else:
            moves[name] = a != b
    return moves


def allowance(estimator, problem, *, n_terms=None, fitted_estimator=None, methods=METHODS):
    """Measure how far rounding the data moves the answers: see the top of this module.

    Parameters
    ----------
    estimator : estimator
    problem : Problem
    n_terms : int or None, default=None
        How many rounding errors; None is the number of rows or of columns, whichever is larger.
    fitted_estimator : fitted estimator or None, default=None
        Ask this one about wobbled queries instead of fitting wobbled problems.
    methods : sequence of str
        See `answers`.

    Returns
    -------
    allowance : dict by method name: a number for measurements, a mask of shaky ones for labels
    """
    eps = np.finfo(problem.X.dtype).eps if problem.X.dtype.kind == "f" else np.finfo(float).eps
    n_terms = n_terms or max(problem.X.shape)
    rng = np.random.default_rng(0)
    reference = fitted_estimator or fitted(estimator, problem)
    said = answers(reference, problem.asked, methods)
    allowed = {
        name: n_terms * eps * np.max(np.abs(a), initial=0.0) if numbers(a) else False
        for name, a in said.items()
    }
    for _ in range(DRAWS):
        moved = wobble(problem, n_terms * eps, rng)
        other = answers(fitted_estimator or fitted(estimator, moved), moved.asked, methods)
        for name, step in movement(said, other).items():
            if numbers(said[name]):
                allowed[name] = max(allowed[name], SAFETY * step)
            else:
                allowed[name] = allowed[name] | step
    if "predict" in said and not numbers(said["predict"]):
        allowed["predict"] = allowed["predict"] | close_call(said, allowed)
    return allowed


def close_call(said, allowed):
    """Tell of which rows the label is a toss-up: by the scores or distances that decide it."""
    for name, sign in (("decision_function", -1), ("predict_proba", -1), ("transform", 1)):
        if name in said:
            scores = sign * said[name].reshape(len(said["predict"]), -1)
            if scores.shape[1] == 1:
                return np.abs(scores[:, 0]) <= 2 * allowed[name]
            best = np.partition(scores, 1, axis=1)
            return best[:, 1] - best[:, 0] <= 2 * allowed[name]
    return np.zeros(len(said["predict"]), bool)


def assert_agree(first, second, allowed, what):
    """Raise AssertionError if two sets of answers differ by more than is allowed.

    Parameters
    ----------
    first, second : dict of arrays, of `answers`
    allowed : dict, of `allowance`
    what : str, ends the message
    """
    assert first.keys() == second.keys(), f"{sorted(first)} against {sorted(second)} {what}"
    for name, a in first.items():
        assert a.shape == second[name].shape, (
            f"{name}: shape {a.shape} against {second[name].shape} {what}"
        )
        step = movement({name: a}, second)[name]
        if numbers(a):
            assert step <= allowed[name], (
                f"{name} moves by {step:.3g} {what}; rounding explains {allowed[name]:.3g}"
            )
        else:
            wrong = int(np.sum(step & ~np.asarray(allowed[name])))
            assert not wrong, f"{name} changes for {wrong} of {len(a)} rows {what}"


def assert_same_bits(first, second, what):
    """Raise AssertionError unless two dicts of anything hold the same, to the bit.

    Parameters
    ----------
    first, second : dict of arrays, numbers or other values, of `answers` or `state`
    what : str, ends the message
    """
    assert first.keys() == second.keys(), f"{sorted(first)} against {sorted(second)} {what}"
    for name, a in first.items():
        b = second[name]
        assert same_bits(a, b), f"{name} is not the same {what}: {difference(a, b)}"


def difference(a, b):
    """Say in a line how two values differ that are not the same."""
    a, b = dense(a), dense(b)
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        key = next(key for key in a if not same_bits(a[key], b[key]))
        return f"[{key!r}] {difference(a[key], b[key])}"
    if isinstance(a, list | tuple) and isinstance(b, list | tuple) and len(a) == len(b):
        return difference(dict(enumerate(a)), dict(enumerate(b)))
    if not (isinstance(a, np.ndarray | np.generic) and isinstance(b, np.ndarray | np.generic)):
        return f"{reprlib.repr(a)} against {reprlib.repr(b)}"
    if a.dtype != b.dtype or a.shape != b.shape:
        return f"{a.dtype} of shape {a.shape} against {b.dtype} of shape {b.shape}"
    n_wrong = sum(not same_bits(*pair) for pair in zip(a.flat, b.flat, strict=True))
    text = f"{n_wrong} of {a.size} entries differ"
    if a.dtype.kind not in "iufc":
        return text
    wide = complex if a.dtype.kind == "c" else float
    with np.errstate(invalid="ignore"):
        return f"{text}, by at most {np.max(np.abs(a.astype(wide) - b), initial=0.0):.3g}"


def same_bits(a, b):
    """Tell whether two values are the same, to the bit; estimators by their fitted attributes.

    Objects that cannot be compared are the same if their pickles are.
    """
    a, b = dense(a), dense(b)
    if isinstance(a, np.ndarray) and a.dtype != object:
        b = np.asarray(b)
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same_bits(a[key], b[key]) for key in a)
    if isinstance(a, SEQUENCES) and isinstance(b, SEQUENCES):
        return len(a) == len(b) and all(map(same_bits, a, b))
    if hasattr(a, "get_params"):
        return same_bits(state(a), state(b))
    if type(a) is not type(b):
        return False
    if isinstance(a, np.generic):
        return a.tobytes() == b.tobytes()
    return bool(a == b or a != a) or (type(a).__eq__ is object.__eq__ and same_pickle(a, b))


def same_pickle(a, b):
    """Tell whether two objects can be pickled, and to the same bytes."""
    try:
        return pickle.dumps(a) == pickle.dumps(b)
    except (pickle.PicklingError, AttributeError, TypeError):
        return False
