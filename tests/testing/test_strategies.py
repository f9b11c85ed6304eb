"""What the strategies draw: what was asked for, and with the troubles that were asked for."""

import numpy as np
import pytest
from hypothesis import find, given
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.decomposition import NMF
from sklearn.linear_model import LinearRegression, RidgeClassifier
from sklearn.svm import LinearSVR

from skcourse.testing.strategies import integer_weights, matrices, problems


@given(matrices(rows=(3, 20), columns=(2, 5)))
def test_matrices_are_what_was_asked_for(X):
    assert 3 <= len(X) <= 20
    assert 2 <= X.shape[1] <= 5
    assert X.dtype in (np.float32, np.float64)
    assert X.flags.c_contiguous
    assert np.isfinite(X).all()


@given(matrices(rows=(20, 40), columns=(3, 3), flaws=("none",), conditions=(1e4,), offsets=(0.0,)))
def test_condition_and_scale(X):
    if X.dtype == np.float64:
        s = np.linalg.svd(X, compute_uv=False)
        assert s[0] / s[-1] == pytest.approx(1e4, rel=1e-6)
        assert s[0] / np.sqrt(len(X)) == pytest.approx(1e-3, rel=1e-6) or s[0] > 0.1


@pytest.mark.parametrize(
    ("flaw", "shows"),
    [
        ("duplicate rows", lambda X: len(np.unique(X, axis=0)) < len(X)),
        ("constant column", lambda X: np.ptp(X[:, -1]) == 0),
        ("equal columns", lambda X: (X[:, 0] == X[:, -1]).all()),
        ("few values", lambda X: len(np.unique(X)) < X.size),
    ],
)
def test_flaws(flaw, shows):
    drawn = matrices(rows=(15, 30), columns=(2, 4), flaws=(flaw,))

    @given(drawn)
    def all_have_it(X):
        assert shows(X)

    all_have_it()


@given(st.integers(2, 30).flatmap(integer_weights))
def test_weights_are_whole_and_half_of_them_count(weights):
    assert (weights == np.round(weights)).all()
    assert (weights >= 0).all()
    assert (weights > 0).sum() >= len(weights) // 2


def test_some_weights_are_zero():
    assert (find(integer_weights(9), lambda w: (w == 0).any()) == 0).sum() == 4


def test_targets_follow_the_tags():
    assert find(problems(KMeans()), lambda problem: True).y is None
    assert find(problems(LinearRegression()), lambda p: p.y.ndim == 2).y.shape[1] >= 1
    assert find(problems(NMF()), lambda problem: True).X.min() >= 0

    @given(problems(RidgeClassifier(), weighted=True))
    def classes_have_weight(problem):
        for label in np.unique(problem.y):
            assert problem.weights[problem.y == label].sum() > 0

    @given(problems(LinearSVR()))
    def one_target(problem):
        assert problem.y.ndim == 1
        assert problem.queries.shape[1] == problem.X.shape[1]

    classes_have_weight()
    one_target()
