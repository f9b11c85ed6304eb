"""The short way through validation gives what scikit-learn's way gives, errors included."""

from numbers import Integral

import numpy as np
import pytest
import sklearn
from scipy import sparse
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import validate_data

from skcourse.core.validation import (
    Interval,
    check_finite_sums,
    check_folds,
    check_routed,
    check_weights,
    fit_context,
    read_X,
    read_Xy,
)


class Plain(RegressorMixin, BaseEstimator):
    """An estimator with nothing in it but one parameter."""

    _parameter_constraints: dict = {"depth": [Interval(Integral, 1, None, closed="left")]}

    def __init__(self, depth=1):
        self.depth = depth

    @fit_context
    def fit(self, X, y=None, fail=False):
        self.X_ = read_X(self, X, reset=True)
        if fail:
            raise RuntimeError
        return self


def outcome(read, *args, **kwargs):
    """Return the type of what is raised, or dtype and values."""
    try:
        result = read(*args, **kwargs)
    except Exception as error:
        return type(error), str(error)
    results = result if isinstance(result, tuple) else (result,)
    return [(r.dtype, r.tolist(), r.flags.c_contiguous) for r in results]


X = np.arange(12.0).reshape(4, 3)
with_nan, with_inf = X.copy(), X.astype(np.float32)
with_nan[1, 1], with_inf[2, 0] = np.nan, -np.inf
read_only = X.copy()
read_only.setflags(write=False)
MATRICES = {
    "float64": X,
    "float32": X.astype(np.float32),
    "float16": X.astype(np.float16),
    "int": X.astype(int),
    "fortran": np.asfortranarray(X),
    "strided": X[:, ::2],
    "reversed": X[::-1],
    "big-endian": X.astype(">f8"),
    "read-only": read_only,
    "huge": X * 1e307,
    "list": X.tolist(),
    "nan": with_nan,
    "inf": with_inf,
    "no rows": X[:0],
    "no columns": X[:, :0],
    "vector": X[0],
    "cube": X[None],
    "number": np.float64(3),
    "complex": X * 1j,
    "strings": np.array([["a", "b", "c"]]),
    "objects": np.array([[1, None, "x"]], dtype=object),
    "masked": np.ma.masked_array(X),
    "none": None,
}


@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.filterwarnings("ignore:overflow")
def test_read_X_is_validate_data(name):
    options = {"dtype": [np.float64, np.float32], "order": "C"}
    theirs, ours = Plain(), Plain()
    expected = outcome(validate_data, theirs, MATRICES[name], reset=True, **options)
    assert outcome(read_X, ours, MATRICES[name], reset=True) == expected
    if isinstance(expected, list):
        assert ours.n_features_in_ == theirs.n_features_in_


def test_no_copy_is_made():
    for matrix in (X, X.astype(np.float32), read_only):
        assert read_X(Plain(), matrix, reset=True) is matrix
    assert read_X(Plain(), X, reset=True, copy=True) is not X


def test_order_is_as_asked():
    F = np.asfortranarray(X)
    assert read_X(Plain(), F, reset=True, order=None) is F
    assert read_X(Plain(), F, reset=True, order="F") is F
    assert read_X(Plain(), X, reset=True, order="F").flags.f_contiguous
    assert read_X(Plain(), F, reset=True).flags.c_contiguous


def test_number_of_features_is_checked():
    estimator = Plain().fit(X)
    with pytest.raises(ValueError, match="X has 2 features, but Plain is expecting 3"):
        read_X(estimator, X[:, :2].copy())
    assert read_X(estimator, X[:1]) is not None


def test_number_of_samples_is_checked():
    with pytest.raises(ValueError, match="minimum of 5 is required"):
        read_X(Plain(), X, reset=True, ensure_min_samples=5)


def test_names_are_kept_checked_and_dropped():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=list("abc"))
    estimator = Plain().fit(frame)
    assert list(estimator.feature_names_in_) == list("abc")
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        read_X(estimator, X)
    with pytest.raises(ValueError, match="feature names"):
        read_X(estimator, frame[["b", "a", "c"]])
    assert not hasattr(estimator.fit(X), "feature_names_in_")


def test_nan_is_left_to_the_caller_if_asked():
    assert read_X(Plain(), with_nan, reset=True, finite=False) is with_nan
    with sklearn.config_context(assume_finite=True):
        assert read_X(Plain(), with_nan, reset=True) is with_nan


Y = {
    "vector": np.arange(4.0),
    "columns": np.arange(8.0).reshape(4, 2),
    "ints": np.arange(4),
    "float32": np.arange(4, dtype=np.float32),
    "nan": np.array([0, 1, np.nan, 3]),
    "too short": np.arange(3.0),
    "none": None,
    "strings": np.array(list("abcd")),
    "empty": np.empty((4, 0)),
    "cube": np.zeros((4, 1, 1)),
    "objects": np.array([0, 1, 2.5, 3], dtype=object),
}


@pytest.mark.parametrize("name", Y)
def test_read_Xy_is_validate_data(name):
    options = {"dtype": [np.float64, np.float32], "order": "C"}
    numeric = {"y_numeric": True, "multi_output": True}
    expected = outcome(validate_data, Plain(), X, Y[name], **options, **numeric)
    assert outcome(read_Xy, Plain(), X, Y[name]) == expected


@pytest.mark.parametrize("y", [np.array([0, 1, None, 3], dtype=object), [0, 1, None, 3]])
def test_none_in_y_is_nan(y):
    with pytest.raises(ValueError, match="NaN"):
        read_Xy(Plain(), X, y, finite=False)


def test_y_that_float32_cannot_hold_is_refused_if_coefficients_will_be_float32():
    X, y = np.ones((3, 2)), np.array([0.0, 1.0, 1e60])
    assert read_Xy(Plain(), X, y)[1] is y
    with pytest.raises(ValueError, match="infinity or a value too large for dtype"):
        read_Xy(Plain(), X.astype(np.float32), y)


def test_sparse_y_is_refused():
    with pytest.raises(TypeError, match="dense data is required"):
        read_Xy(Plain(), X, sparse.csr_array(np.ones((4, 2))))


def test_finite_sums_need_no_look_at_X():
    assert check_finite_sums(np.ones(3), None)
    assert not check_finite_sums(np.array([np.inf]), X)  # finite numbers whose sum is not
    with pytest.raises(ValueError, match="Input X contains NaN"):
        check_finite_sums(np.array([np.nan]), with_nan)
    with pytest.raises(ValueError, match="Input X contains infinity"):
        check_finite_sums(np.array([np.nan]), with_inf, estimator=Plain())


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones((4, 1)), "Sample weights must be 1D array or scalar, got 2D array"),
        (np.ones(3), r"sample_weight.shape == \(3,\), expected \(4,\)!"),
        (np.zeros(4), "at least one non-zero"),
        (0, "at least one non-zero"),
        ([1, 1, -1, 1], "Negative values"),
        ([1, 1, np.nan, 1], "NaN"),
        ([1, 1, np.inf, 1], "infinity"),
        (list("abcd"), "could not convert"),
    ],
)
def test_bad_weights(weights, message):
    with pytest.raises(ValueError, match=message):
        check_weights(weights, X)


def test_good_weights():
    assert check_weights(None, X) is None
    np.testing.assert_array_equal(check_weights(2, X), [2.0] * 4)
    assert check_weights(np.ones(4, np.float32), X).dtype == np.float32
    assert check_weights([1, 0, 2, 3], X).dtype == np.float64
    assert check_weights(np.ones(4), X, dtype=np.float32).dtype == np.float32
    assert check_weights(np.zeros(4), X, zero=True).sum() == 0
    assert check_weights([1, -1, 1, 1], X, non_negative=False).min() == -1


def test_parameters_are_checked_before_the_fit():
    with pytest.raises(ValueError, match="The 'depth' parameter of Plain must be"):
        Plain(depth=0).fit(X)
    with sklearn.config_context(skip_parameter_validation=True):
        Plain(depth=0).fit(X)


@pytest.mark.parametrize("bad", [lambda e: e.fit(with_nan), lambda e: e.fit(X[:, :2], fail=True)])
def test_failure_leaves_the_estimator_as_it_was(bad):
    estimator = Plain()
    with pytest.raises((ValueError, RuntimeError)):
        bad(estimator)
    assert vars(estimator) == {"depth": 1}
    estimator.fit(X)
    with pytest.raises((ValueError, RuntimeError)):
        bad(estimator)
    assert estimator.n_features_in_ == 3
    assert estimator.X_ is X


def test_a_fold_without_weight_is_refused():
    weights = np.array([1.0, 1.0, 0.0, 0.0])
    check_folds([([0, 2], [1, 3])], weights)
    check_folds([([0, 1], [2, 3])], None)
    with pytest.raises(ValueError, match="Fold 1 has no row of positive sample_weight"):
        check_folds([([0, 2], [1, 3]), ([0, 1], [2, 3])], weights)


def test_metadata_that_are_not_routed_are_refused():
    check_routed(Plain(), {})
    with pytest.raises(ValueError, match=r"Plain\.score is only supported if enable_metadata"):
        check_routed(Plain(), {"groups": [1]}, "score")
    with sklearn.config_context(enable_metadata_routing=True):
        check_routed(Plain(), {"groups": [1]})
