"""Bad input gets scikit-learn's kind of error, odd input the right answer, from every estimator."""

import importlib
import inspect
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone, is_clusterer, is_regressor
from sklearn.utils import get_tags

from skcourse.discovery import all_estimators
from skcourse.testing import allowance, answers, assert_agree, make_problem
from skcourse.testing.answers import movement
from tests.cases import small
from tests.promises import judges

# Their sums overflow too, and scipy says so aloud.
pytestmark = pytest.mark.filterwarnings("ignore")


def pairs():
    for name, cls in all_estimators():
        chapter = cls.__module__.split(".")[1]
        theirs = getattr(importlib.import_module(f"sklearn.{chapter}"), name, None)
        if theirs is not None:
            yield pytest.param(small(cls), small(theirs), id=name)


def with_value(X, value):
    X = X.copy()
    X[3, 1] = value
    return X


def with_constant(X):
    return np.column_stack([X, np.full(len(X), 7.0, X.dtype), np.zeros(len(X), X.dtype)])


REFUSED = {
    "NaN": lambda X: with_value(X, np.nan),
    "infinity": lambda X: with_value(X, np.inf),
    "minus infinity": lambda X: with_value(X, -np.inf),
    "no rows": lambda X: X[:0],
    "no columns": lambda X: X[:, :0],
    "one dimension": lambda X: X[:, 0],
    "three dimensions": lambda X: X[:, :, np.newaxis],
    "a number": lambda X: 3.0,
    "None": lambda X: None,
    "strings": lambda X: X.astype(str).astype(object) + "a",
    "objects": lambda X: np.array([[object()] * X.shape[1]] * len(X)),
    "NaN among objects": lambda X: with_value(X, np.nan).astype(object),
    "complex numbers": lambda X: X + 1j,
    "ragged lists": lambda X: [[1.0], [1.0, 2.0]] * (len(X) // 2),
    "NaN in float32": lambda X: with_value(X.astype(np.float32), np.nan),
    "a number beyond float64": lambda X: with_value(X.astype(object), 10**400),
    "sparse NaN": lambda X: sp.csr_array(with_value(X, np.nan)),
}

ODD = {
    "one column": lambda X: X[:, :1],
    "constant columns": with_constant,
    "nothing but constants": lambda X: np.full_like(X, 2.5),
    "zeros": np.zeros_like,
    "equal columns": lambda X: np.column_stack([X, X]),
    "duplicates": lambda X: np.repeat(X[::4], 4, axis=0),
    "more columns than rows": lambda X: np.hstack([np.sin(k * X) for k in range(1, 20)]),
    "denormal numbers": lambda X: X * 1e-310,
    "tiny numbers": lambda X: X * 1e-150,
    "large numbers": lambda X: X * 1e140,
    "huge offset": lambda X: X + 1e8,
    "float16": lambda X: X.astype(np.float16),
    "int8": lambda X: (X * 10).astype(np.int8),
    "booleans": lambda X: X > 0,
    "lists": lambda X: X.tolist(),
    "numbers as objects": lambda X: X.astype(object),
    "numbers as strings": lambda X: X.astype(str),
    "long double": lambda X: X.astype(np.longdouble),
    "big-endian": lambda X: X.astype(">f8"),
    "csr": sp.csr_array,
    "csc matrix": sp.csc_matrix,
    "coo": sp.coo_array,
}


ASKED = ("predict", "decision_function", "transform")  # densities of a plane are not defined


def outcome(estimator, X, y, **weights):
    """Fit a clone and ask it; return its answers and itself, or the exception and itself."""
    estimator = clone(estimator)
    try:
        return answers(estimator.fit(X, y, **weights), X, ASKED), estimator
    except Exception as error:
        return error, estimator


def is_accident(error):
    """Tell whether theirs did not refuse the input, but trips over it in the tools that it uses."""
    tools = (
        "NoneType",
        "scipy.sparse",
        "sparse array",
        "linprog",
        "l-BFGS-b",
        "ufunc",
        "2nd argument b",
        "empty sequence",
        "full of zeros",
    )
    return isinstance(error, Exception) and any(tool in str(error) for tool in tools)


def assert_same_kind(ours, theirs):
    """Raise AssertionError unless both are exceptions, of one type or one more special."""
    assert isinstance(ours, Exception), f"took what theirs refuses by {theirs!r}"
    same = isinstance(ours, type(theirs)) or isinstance(theirs, type(ours))
    assert same or is_accident(theirs), f"{ours!r} instead of {theirs!r}"


def gave_up(estimator, said):
    """Tell whether an iterative regressor still says the same of all rows, as at its start."""
    if not is_regressor(estimator) or not hasattr(estimator, "n_iter_"):
        return False
    return np.ptp(said["predict"]) <= 1e-6 * np.abs(said["predict"]).max()


def takes_nan(estimator):
    """Tell whether NaN is a missing value, not an error."""
    return get_tags(estimator).input_tags.allow_nan


def fitted_attributes(estimator):
    """List the names of what a fit has left."""
    return [name for name in vars(estimator) if name.endswith("_")]


# To these only the order of values counts, infinite ones too; theirs rounds slopes to float32.
OF_ORDER = ("HistGradientBoostingClassifier", "HistGradientBoostingRegressor")


def moved_by_slopes(y, said):
    """Bound what slopes g and curvatures h that are rounded to float32 do to boosting.

    Its ten steps are 0.1 G / H each, sums over a leaf, and off by 0.1 eps max |g / h| at most; what
    an error moves later steps by is less than as much again, 1.1^10 < 1 + 2. With slopes rounded
    likewise, ours say what theirs do to the bit.
    """
    scores = np.abs(said.get("decision_function", 0.0)).max()  # g / h = 1 + exp(score), or y - f
    steepest = 1 + np.exp(scores) if "decision_function" in said else np.ptp(y)
    return 2 * np.finfo(np.float32).eps * steepest


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize(("ours", "theirs"), list(pairs()))
def test_refused(ours, theirs, kind):
    problem = make_problem(ours)
    X = REFUSED[kind](problem.X)
    expected, _ = outcome(theirs, X, problem.y)
    found, estimator = outcome(ours, X, problem.y)
    if "NaN" in kind and takes_nan(ours) and not (sp.issparse(X) and isinstance(found, Exception)):
        assert not isinstance(found, Exception), repr(found)
        return
    if "infinity" in kind and type(ours).__name__ in OF_ORDER:
        assert not isinstance(expected, Exception)
        assert not isinstance(found, Exception), repr(found)
        assert movement(expected, found)["predict"].max() <= moved_by_slopes(problem.y, expected)
        return
    if not isinstance(expected, Exception):  # theirs does not look
        assert isinstance(found, ValueError), repr(found)
        return
    assert_same_kind(found, expected)
    assert not fitted_attributes(estimator)


# To these, dense and sparse rows are two problems: the intercept learns more slowly from sparse.
OWN_WAY_WITH_SPARSE = ("Perceptron", "SGDClassifier", "SGDOneClassSVM", "SGDRegressor")


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize(("ours", "theirs"), list(pairs()))
def test_odd(ours, theirs, kind):
    problem = make_problem(ours)
    X = ODD[kind](problem.X)
    if sp.issparse(X) and "n_components" in ours.get_params():  # all of them: only if X is dense
        ours, theirs = (clone(e).set_params(n_components=2) for e in (ours, theirs))
    expected, reference = outcome(theirs, X, problem.y)
    found, estimator = outcome(ours, X, problem.y)
    if sp.issparse(X) and get_tags(ours).input_tags.sparse > get_tags(theirs).input_tags.sparse:
        expected, reference = outcome(theirs, X.toarray(), problem.y)  # ours take more
    if is_accident(expected) and not isinstance(found, Exception):
        expected, reference = outcome(theirs, np.asarray(X, dtype=np.float64), problem.y)
        if is_accident(expected):
            assert all(np.isfinite(values).all() for values in found.values())
            return
    if isinstance(expected, Exception):
        assert_same_kind(found, expected)
        return
    if isinstance(found, ValueError) and not np.isfinite(expected.get("predict", 0)).all():
        return  # theirs answers with NaN: what it should say is beyond the range of numbers
    if "too large for dtype('float32')" in str(found):
        return  # and theirs, which does not look, has taken infinities for numbers
    assert not isinstance(found, Exception), repr(found)
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert found[name].shape == values.shape, name
        finite = np.isfinite(values.astype(float))
        assert np.isfinite(found[name].astype(float)[finite]).all(), f"{name} is not finite"
    if is_clusterer(ours):  # the numbers of clusters have no meaning, and optima are local
        assert estimator.inertia_ <= reference.inertia_ * 1.5 + np.finfo(float).tiny
        return
    if gave_up(reference, expected) and estimator.score(X, problem.y) > reference.score(
        X, problem.y
    ):
        return
    plain = np.asarray(X.toarray() if sp.issparse(X) else X, dtype=np.float64)
    if (judge := judges().get(type(ours).__name__)) is not None:
        at = problem._replace(X=plain)
        judged = problem.X if problem.y is None else problem.y
        slack = len(plain) * np.finfo(float).eps * np.abs(judged).mean()
        assert judge(estimator, at) <= judge(reference, at) * (1 + 1e-9) + slack
        return
    codes = type(ours).__name__ == "RandomTreesEmbedding"  # zeros and ones, in no unit
    if (
        kind == "denormal numbers" and "transform" in found and not codes
    ):  # squares vanish, and theirs with them
        unit = 2.0**1000
        power = 0.5 if type(ours).__name__ == "NMF" else 1.0  # X is a product of two that are alike
        plain, found = plain * unit, {"transform": found["transform"] * unit**power}
    same = problem._replace(X=plain, queries=plain)
    wanted, _ = outcome(theirs, plain, problem.y)
    if sp.issparse(X) and type(ours).__name__ in OWN_WAY_WITH_SPARSE:
        wanted = expected
    try:
        allowed = allowance(theirs, same, methods=ASKED)
    except Exception as error:  # where theirs gets through, a little to the side it does not
        assert is_accident(error), repr(error)
        return
    if type(ours).__name__ in OF_ORDER:
        slack = moved_by_slopes(problem.y, wanted)
        allowed = {k: v if np.ndim(v) else v + slack for k, v in allowed.items()}
    assert_agree(wanted, found, allowed, f"on {kind}")


BAD_WEIGHTS = {
    "negative": lambda n: -np.ones(n),
    "one negative": lambda n: np.where(np.arange(n) == 3, -1.0, 1.0),
    "NaN": lambda n: np.where(np.arange(n) == 3, np.nan, 1.0),
    "infinity": lambda n: np.where(np.arange(n) == 3, np.inf, 1.0),
    "zeros": np.zeros,
    "two dimensions": lambda n: np.ones((n, 2)),
    "too few": lambda n: np.ones(n - 1),
    "strings": lambda n: np.array(["a"] * n),
}


@pytest.mark.parametrize("kind", BAD_WEIGHTS)
@pytest.mark.parametrize(("ours", "theirs"), list(pairs()))
def test_bad_weights(ours, theirs, kind):
    if "sample_weight" not in inspect.signature(ours.fit).parameters:
        return
    problem = make_problem(ours)
    weights = {"sample_weight": BAD_WEIGHTS[kind](len(problem.X))}
    expected, _ = outcome(theirs, problem.X, problem.y, **weights)
    found, estimator = outcome(ours, problem.X, problem.y, **weights)
    if "sample_weight" not in inspect.signature(theirs.fit).parameters:
        expected = ValueError("theirs takes no weights")
    if isinstance(expected, Exception):
        assert_same_kind(found, expected)
        assert not fitted_attributes(estimator)
    elif isinstance(found, Exception):  # theirs answers with NaN, or worse
        assert isinstance(found, ValueError), repr(found)


def with_target(y, value):
    y = y.astype(float)
    y[3] = value
    return y


BAD_TARGETS = {
    "NaN": lambda y: with_target(y, np.nan),
    "infinity": lambda y: with_target(y, np.inf),
    "too few": lambda y: y[:-1],
    "None": lambda y: None,
    "three dimensions": lambda y: np.ones((len(y), 2, 2)),
    "strings": lambda y: np.array(["a", "b"] * (len(y) // 2)),
    "complex": lambda y: y + 1j,
    "one value": np.zeros_like,
    "objects": lambda y: np.array([object()] * len(y)),
}


@pytest.mark.parametrize("kind", BAD_TARGETS)
@pytest.mark.parametrize(
    ("ours", "theirs"), [p for p in pairs() if get_tags(p.values[0]).target_tags.required]
)
def test_bad_targets(ours, theirs, kind):
    problem = make_problem(ours)
    y = BAD_TARGETS[kind](problem.y)
    expected, _ = outcome(theirs, problem.X, y)
    found, estimator = outcome(ours, problem.X, y)
    if is_accident(expected) and not isinstance(found, Exception):
        assert all(np.isfinite(values).all() for values in found.values())
    elif isinstance(expected, Exception):
        assert_same_kind(found, expected)
        assert not fitted_attributes(estimator)
    else:
        assert not isinstance(found, Exception), repr(found)


TOO_MANY = [
    ("n_clusters", 61),
    ("n_components", 61),
    ("n_components", 5),
    ("n_components", -1),
    ("n_clusters", 0),
]


@pytest.mark.parametrize(("name", "value"), TOO_MANY)
@pytest.mark.parametrize(("ours", "theirs"), list(pairs()))
def test_too_many_parts(ours, theirs, name, value):
    if name not in ours.get_params():
        return
    problem = make_problem(ours)
    ours, theirs = (clone(e).set_params(**{name: value}) for e in (ours, theirs))
    expected, _ = outcome(theirs, problem.X, problem.y)
    found, _ = outcome(ours, problem.X, problem.y)
    if not isinstance(expected, Exception):  # a factorisation may have as many parts as one likes
        assert not isinstance(found, Exception)
        return
    assert_same_kind(found, expected)


# Theirs do: an infinite number lies beyond the last threshold.
TAKE_INFINITY = (
    "HistGradientBoostingClassifier",
    "HistGradientBoostingRegressor",
    "IsolationForest",
)


@pytest.mark.parametrize(("ours", "theirs"), list(pairs()))
def test_asked_wrongly(ours, theirs):
    problem = make_problem(ours)
    X = problem.X
    bad = with_value(X, np.inf if takes_nan(ours) else np.nan)
    wrong = [X[:, :-1], np.column_stack([X, X]), X[0], X[:0], bad, None, "a"]
    for method in ("predict", "transform", "decision_function", "score_samples"):
        if not hasattr(theirs, method):
            continue
        unfitted = clone(ours), clone(theirs)
        fitted = clone(ours).fit(X, problem.y), clone(theirs).fit(X, problem.y)
        for pair, questions in ((unfitted, [X]), (fitted, wrong)):
            for asked in questions:
                if asked is bad and type(ours).__name__ in TAKE_INFINITY:
                    assert np.isfinite(getattr(pair[1], method)(asked)).all()
                    continue
                assert_same_kind(*[raised(getattr(fit, method), asked) for fit in pair])


def raised(function, X):
    """Return the exception of the call, which is to raise one."""
    with warnings.catch_warnings(), pytest.raises(Exception) as caught:
        warnings.simplefilter("ignore")
        function(X)
    return caught.value


@pytest.mark.parametrize(("ours", "theirs"), list(pairs()))
def test_one_row(ours, theirs):
    problem = make_problem(ours).rows(slice(0, 1))
    expected, _ = outcome(theirs, problem.X, problem.y)
    found, _ = outcome(ours, problem.X, problem.y)
    if isinstance(expected, Exception):
        assert_same_kind(found, expected)
    else:
        assert not isinstance(found, Exception), repr(found)
