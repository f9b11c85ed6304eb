"""Categories become codes, in place; what is missing or was not seen becomes NaN."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator

from skcourse.tree import DecisionTreeRegressor
from skcourse.tree.categories import CategoryEncoder, read_table

NAMES = ["x", "y", None, "x"]
NUMBERS = [1.5, 2.0, np.nan, 4.0]
NAN = np.nan


def read(X, spec, **options):
    """Return X as an estimator reads it in fit, the encoder and the estimator."""
    estimator, encoder = BaseEstimator(), CategoryEncoder(spec).fit(X)
    return read_table(estimator, X, reset=True, encoder=encoder, **options), encoder, estimator


@pytest.mark.parametrize(
    ("spec", "X"),
    [
        ("from_dtype", pd.DataFrame({"c": pd.Categorical(NAMES, ["y", "x", "z"]), "n": NUMBERS})),
        (["c"], pd.DataFrame({"c": NAMES, "n": NUMBERS})),
        ([0], pd.DataFrame({"c": pd.array(NAMES, dtype="string"), "n": NUMBERS})),
        ([True, False], pd.DataFrame({"c": pd.array([3, 7, None, 3], "Int64"), "n": NUMBERS})),
        (["c"], pd.DataFrame({"c": [-2.5, 0.0, NAN, -2.5], "n": NUMBERS})),
        (["c"], pd.DataFrame({"c": [False, True, None, False], "n": NUMBERS})),
        ("from_dtype", pl.DataFrame({"c": pl.Series(NAMES, dtype=pl.Categorical), "n": NUMBERS})),
        (
            "from_dtype",
            pl.DataFrame({"c": pl.Series(NAMES, dtype=pl.Enum(["y", "x"])), "n": NUMBERS}),
        ),
        (["c"], pl.DataFrame({"c": [1, 2, None, 1], "n": NUMBERS})),
        ([0], np.array([NAMES, NUMBERS], dtype=object).T),
        ([0], [["x", 1.5], ["y", 2.0], [None, NAN], ["x", 4.0]]),
        ([0], [["x", 1.5], [pd.NA, 2.0], [NAN, NAN], ["x", 4.0]]),
        ([0], np.array([[-1.0, NAN, NAN, -1.0], NUMBERS]).T),
    ],
)
def test_sorted_categories_become_codes_among_the_numbers(spec, X):
    coded, encoder, _ = read(X, spec)
    second = 1.0 if len(encoder.categories_[0]) == 2 else NAN
    expected = np.array([[0.0, second, NAN, 0.0], NUMBERS], np.float32).T
    np.testing.assert_array_equal(coded, expected)
    assert coded.dtype == np.float32
    np.testing.assert_array_equal(encoder.is_categorical, [True, False])
    assert encoder.categories_[1] is None


def test_features_stay_where_they_were_and_keep_their_names():
    X = pd.DataFrame({"n": [0.5, 1.5], "c": ["b", "a"], "m": [7, 8]})
    coded, encoder, estimator = read(X, ["c"], dtype=[np.float64, np.float32])
    np.testing.assert_array_equal(coded, [[0.5, 1.0, 7.0], [1.5, 0.0, 8.0]])
    assert coded.dtype == np.float64
    assert list(estimator.feature_names_in_) == ["n", "c", "m"]
    assert estimator.n_features_in_ == 3
    with pytest.raises(ValueError, match="feature names should match"):
        read_table(estimator, X[["c", "n", "m"]], reset=False, encoder=encoder)


@pytest.mark.parametrize("unseen", [["c"], [1.0], [None], [pd.NA], [NAN]])
def test_unseen_categories_are_missing(unseen):
    encoder = CategoryEncoder([0]).fit([["a"], ["b"]])
    assert np.isnan(encoder.transform([unseen])).all()
    encoder = pickle.loads(pickle.dumps(encoder))
    np.testing.assert_array_equal(encoder.transform([["b"], ["a"]]), [[1.0], [0.0]])


def test_numbers_are_found_in_columns_of_any_type():
    encoder = CategoryEncoder([0]).fit(np.array([[3.0], [-1.0], [NAN], [2.5]]))
    expected = [[2.0], [0.0], [NAN]]
    np.testing.assert_array_equal(encoder.transform(np.array([[3], [-1], [4]])), expected)
    np.testing.assert_array_equal(encoder.transform([[3], [-1], [None]]), expected)
    frame = pd.DataFrame({0: pd.Categorical([3.0, -1.0, 99.0])})
    np.testing.assert_array_equal(encoder.transform(frame), expected)


def test_names_and_numbers_in_one_column():
    coded, encoder, _ = read(np.array([["a"], [2], [1.5], ["a"]], dtype=object), [0])
    assert len(encoder.categories_[0]) == 3
    assert len(np.unique(coded)) == 3
    assert coded[0] == coded[3]


def test_column_that_is_all_missing():
    for X in (np.full((3, 1), NAN), np.full((3, 1), None)):
        coded, encoder, _ = read(X, [0])
        assert np.isnan(coded).all()
        assert len(encoder.categories_[0]) == 0


@pytest.mark.parametrize("spec", [None, "from_dtype", [False, False], []])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_plain_array_passes_untouched(spec, dtype):
    X = np.ones((4, 2), dtype)
    coded, encoder, estimator = read(X, spec, dtype=[np.float64, np.float32])
    assert coded is X
    assert not encoder.is_categorical.any()
    assert encoder.is_categorical.shape == (2,)
    assert read_table(estimator, X, reset=False, encoder=encoder, dtype=dtype) is X
    assert read_table(estimator, X, reset=False, encoder=encoder).dtype == np.float32


def test_sparse_input_passes_where_it_is_allowed():
    X = csr_array(np.eye(3))
    assert read(X, None, accept_sparse="csc")[0].format == "csc"
    with pytest.raises(TypeError, match="Sparse data was passed"):
        read(X, [0])


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ([0.5], "must be an array-like of bool, int or str, got: float64"),
        (np.array(["a", 1], dtype=object), "bool, int or str, got: int, str"),
        ([0, 2], r"integer indices must be in \[0, n_features - 1\]"),
        ([-1], r"integer indices must be in \[0, n_features - 1\]"),
        ([True], r"must have shape \(n_features,\), got: \(1,\)"),
        (["z"], "item value 'z' which is not a valid feature name"),
    ],
)
def test_bad_categorical_features(spec, message):
    X = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
    with pytest.raises(ValueError, match=message):
        CategoryEncoder(spec).fit(X)


def test_names_ask_for_a_dataframe():
    with pytest.raises(ValueError, match="data without feature names"):
        CategoryEncoder(["a"]).fit(np.ones((2, 2)))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([["a", "b"]], "could not convert string to float"),
        ([["a", np.inf]], "contains infinity"),
        ([["a", 1e300]], "too large for dtype"),
        (["a", "b"], "Expected 2D array"),
        (np.empty((0, 2)), "minimum of 1 is required"),
    ],
)
def test_bad_tables(X, message):
    with pytest.raises(ValueError, match=message):
        read(X, [0])


def test_missing_numbers_where_they_are_not_allowed():
    X = [["a", NAN], [None, 1.0]]
    assert np.isnan(read(X, [0])[0][0, 1])
    with pytest.raises(ValueError, match="contains NaN"):
        read(X, [0], finite=True)
    with pytest.raises(ValueError, match="contains NaN"):
        read(np.full((2, 2), NAN, np.float32), None, finite=True)


@pytest.mark.parametrize("constraints", [[1, 0], {"c": -1}])
def test_categories_have_no_order(constraints):
    X = pd.DataFrame({"c": ["a", "b"], "n": [0.0, 1.0]})
    tree = DecisionTreeRegressor(categorical_features=["c"], monotonic_cst=constraints)
    with pytest.raises(ValueError, match="Categorical features cannot have monotonic constraints"):
        tree.fit(X, [0.0, 1.0])


def test_too_large_for_float32():
    with pytest.raises(ValueError, match="too large for dtype"):
        read(np.full((2, 2), 1e300), None)
