"""The root of the information, by either route, and its rank."""

import numpy as np
import pytest

from skcourse.inspection import information
from skcourse.inspection.class_likelihood import ClassLikelihood
from skcourse.inspection.fitted import Fitted
from skcourse.inspection.information import RankDeficient, root
from skcourse.inspection.likelihood import Data, Likelihood


@pytest.fixture(params=["Cholesky", "QR"])
def route(request, monkeypatch):
    if request.param == "QR":
        monkeypatch.setattr(information, "certified", lambda m, unit: None)
    return request.param


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_it_is_a_root_of_the_inverse(route, intercept, weighted):
    rng = np.random.default_rng(0)
    X, v = rng.normal([0, 1, 10, 100], size=(300, 4)), rng.uniform(size=300)
    L = root(X, v if weighted else None, intercept=intercept)
    Z = np.column_stack([np.ones(300), X]) if intercept else X
    A = (Z.T * v) @ Z if weighted else Z.T @ Z
    # A, as it is, has a condition of about 1e7
    np.testing.assert_allclose(L.matrix @ L.matrix.T @ A, np.eye(len(A)), atol=1e-8)
    q = L.whitened(X)
    np.testing.assert_allclose(q, Z @ L.matrix, atol=1e-8)
    np.testing.assert_allclose((q.T * v) @ q if weighted else q.T @ q, np.eye(len(A)), atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_column_within_rounding_of_others_is_one_too_many(route, dtype):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3)).astype(dtype)
    X[:, 2] = X[:, 0] + X[:, 1]  # up to the rounding of dtype
    with pytest.raises(RankDeficient) as caught:
        root(X, None, intercept=True)
    assert list(caught.value.columns) == [0, 1, 2]
    X[:, 2] += (1e3 * np.finfo(dtype).eps * rng.normal(size=300)).astype(dtype)
    assert np.isfinite(root(X, None, intercept=True).matrix).all()


def test_a_column_that_differs_only_by_its_rounding_is_constant(route):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    X[:, 1] = 1e9 + 1e-7 * X[:, 1]  # 1e9, or the number next to it
    with pytest.raises(RankDeficient) as caught:
        root(X, None, intercept=True)
    assert list(caught.value.columns) == [1]


def test_rows_without_weight_give_no_rank():
    rng = np.random.default_rng(0)
    v = np.repeat([1.0, 0.0], [3, 97])
    with pytest.raises(RankDeficient):
        root(rng.normal(size=(100, 3)), v, intercept=True)


@pytest.mark.parametrize("has_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_two_classes_are_the_smallest_case_of_several(has_intercept, weighted):
    """Multinomial of two classes is logistic regression, at any coefficients."""
    rng = np.random.default_rng(0)
    X, codes = rng.normal(size=(80, 2)), rng.integers(0, 2, 80)
    w = rng.integers(1, 4, 80).astype(float) if weighted else None
    b, b_0 = np.array([[0.3, -0.2]]), np.array([0.1]) * has_intercept
    n = 80.0 if w is None else w.sum()
    shared = {"has_intercept": has_intercept, "classes": np.arange(2), "rank": None}
    two = Likelihood(
        Fitted("two", "log_loss", 0.0, b, b_0, **shared),
        Data(X, (2.0 * codes - 1)[np.newaxis], w, n),
    )
    several = ClassLikelihood(
        Fitted(
            "several", "multinomial", 0.0, np.vstack([b - b, b]), np.append(0 * b_0, b_0), **shared
        ),
        Data(X, codes, w, n),
    )
    assert two.n_wrong == several.n_wrong
    two.invert()
    several.invert()
    for name in ("estimate", "scores", "step"):
        np.testing.assert_allclose(getattr(two, name), getattr(several, name), atol=1e-13)
    np.testing.assert_allclose(two.classical()[0], several.classical()[0], rtol=1e-10)
    np.testing.assert_allclose(two.robust(0.0)[0], several.robust(0.0)[0], rtol=1e-10)
    np.testing.assert_allclose(two.recession(), several.recession(), rtol=1e-10)


def test_the_step_of_least_squares_leads_to_the_solution():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(50, 3)) + 5, rng.normal(size=(50, 2))
    wrong = rng.normal(size=(2, 3)), rng.normal(size=2)
    fitted = Fitted("wrong", "squared_error", 0.0, *wrong, True, None, None)
    there = Likelihood(fitted, Data(X, np.ascontiguousarray(Y.T), None, 50.0))
    there.invert()
    Z = np.column_stack([np.ones(50), X])
    solution = np.linalg.lstsq(Z, Y, rcond=None)[0].T
    np.testing.assert_allclose(there.estimate + there.step, solution, rtol=1e-10)
