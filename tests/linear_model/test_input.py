"""What linear models have in common: what they refuse, and pieces that add nothing."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from skcourse.linear_model import (
    ElasticNetCV,
    LassoCV,
    LinearRegression,
    LogisticRegressionCV,
    Ridge,
    RidgeClassifier,
    RidgeClassifierCV,
    RidgeCV,
)


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 5))
    return X, rng.normal(size=(40, 2)), rng.random(40)


@pytest.mark.parametrize("cls", [LinearRegression, Ridge])
def test_piece_without_weight_adds_nothing(cls, data):
    X, Y, weights = data
    whole = cls().partial_fit(X, Y, weights)
    before = whole.coef_.copy()
    whole.partial_fit(X[:1], Y[:1], sample_weight=[0.0])
    np.testing.assert_allclose(whole.coef_, before, rtol=1e-12)
    with pytest.raises(ValueError, match="at least one non-zero"):
        cls().partial_fit(X, Y, np.zeros(len(X)))


@pytest.mark.parametrize("cls", [LinearRegression, Ridge, RidgeClassifier])
def test_numbers_in_strings_are_refused_in_predict(cls, data):
    X = data[0]
    model = cls().fit(X, X[:, 0] > 0)
    for strings in (X.astype(str), X.astype(str).tolist()):
        with pytest.raises(ValueError, match="dtype='numeric' is not compatible"):
            model.predict(strings)
    integers = np.round(X).astype(int)
    np.testing.assert_allclose(model.predict(integers), model.predict(integers.astype(float)))


@pytest.mark.parametrize("cls", [RidgeClassifier, RidgeClassifierCV])
@pytest.mark.parametrize("balance", [{0: 0, 1: 0}, {0: -1, 1: 1}])
def test_class_weights_that_leave_nothing_are_refused(cls, balance, data):
    X = data[0]
    with pytest.raises(ValueError, match=r"non-zero|Negative"):
        cls(class_weight=balance).fit(X, (X[:, 0] > 0).astype(int))


def test_penalties_in_a_matrix_are_refused(data):
    with pytest.raises(TypeError, match=r"alphas\[0\]"):
        RidgeCV(alphas=np.ones((2, 2))).fit(*data[:2])


@pytest.mark.parametrize("n_targets", [None, 30])
def test_predictions_do_not_depend_on_the_threads_of_BLAS(n_targets):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 600))
    y = rng.normal(size=100 if n_targets is None else (100, n_targets))
    model = LinearRegression().fit(X, y)
    found = []
    for n in (1, 2, 4):
        with threadpool_limits(n, user_api="blas"):
            found.append(model.predict(X).tobytes())
    assert len(set(found)) == 1


@pytest.mark.parametrize("cls", [LinearRegression, Ridge])
def test_targets_keep_their_shape_from_piece_to_piece(cls, data):
    X, Y, _ = data
    for first, later in [(Y[:, 0], Y[:, :1]), (Y[:, :1], Y[:, 0])]:
        model = cls().partial_fit(X, first)
        with pytest.raises(ValueError, match="in every piece"):
            model.partial_fit(X, later)
    with pytest.raises(ValueError, match="2 targets, but 1 were expected"):
        cls().partial_fit(X, Y[:, :1]).partial_fit(X, Y)


@pytest.mark.parametrize("cls", [ElasticNetCV, LassoCV, LogisticRegressionCV])
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_fold_without_weight_is_refused(cls):
    X, y = np.random.default_rng(0).normal(size=(12, 3)), np.arange(12) % 2
    folds = [(np.arange(6), np.arange(6, 12)), (np.arange(6, 12), np.arange(6))]
    with pytest.raises(ValueError, match="Fold 0 has no row of positive sample_weight"):
        cls(cv=folds).fit(X, y, sample_weight=(np.arange(12) < 4).astype(float))
