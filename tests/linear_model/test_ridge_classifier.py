"""Ridge classifiers: scikit-learn's answers, labels of any kind, weights of classes."""

import numpy as np
import pytest
import sklearn.linear_model as reference
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.metrics import accuracy_score, make_scorer

from skcourse.linear_model import Ridge, RidgeClassifier, RidgeClassifierCV
from skcourse.linear_model.ridge_classifier import encode

LABELS = {
    "two": np.array(["no", "yes"]),
    "three": np.array([-2.0, 0.0, 7.0]),
    "four": np.array(["a", "b", "c", "d"], dtype=object),
}


def draw(kind, n=90, p=5, seed=0):
    rng = np.random.default_rng(seed)
    labels = LABELS[kind]
    codes = rng.integers(0, len(labels), n)
    centres = 2 * rng.normal(size=(len(labels), p))
    return centres[codes] + rng.normal(size=(n, p)), labels[codes], rng.uniform(0.1, 2, n)


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
@pytest.mark.parametrize("name", ["RidgeClassifier", "RidgeClassifierCV"])
def test_scikit_learn_agrees(kind, container, class_weight, name):
    X, y, w = draw(kind)
    ours, theirs = RidgeClassifier, reference.RidgeClassifier
    parameters = {"class_weight": class_weight, "alpha": 0.5, "tol": 1e-12}
    if name == "RidgeClassifierCV":
        ours, theirs = RidgeClassifierCV, reference.RidgeClassifierCV
        parameters = {"class_weight": class_weight, "store_cv_results": True}
    ours, theirs = (cls(**parameters).fit(container(X), y, w) for cls in (ours, theirs))
    assert_array_equal(ours.classes_, theirs.classes_)
    assert ours.coef_.shape == theirs.coef_.shape
    assert_allclose(ours.coef_, theirs.coef_, rtol=1e-8, atol=1e-10)
    assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-8, atol=1e-10)
    assert_array_equal(ours.predict(X), theirs.predict(X))
    scores = theirs.decision_function(X)
    assert_allclose(ours.decision_function(X), scores, atol=1e-8)
    if name == "RidgeClassifierCV":
        assert ours.alpha_ == theirs.alpha_
        assert_allclose(ours.cv_results_, theirs.cv_results_, rtol=1e-6, atol=1e-10)


@pytest.mark.parametrize("cls", [RidgeClassifier, RidgeClassifierCV])
def test_several_labels_of_a_sample(cls):
    X, y, _ = draw("four")
    Y = np.column_stack([y == "a", (y == "b") | (y == "c"), X[:, 0] > 0]).astype(int)
    model = cls().fit(X, Y)
    theirs = getattr(reference, cls.__name__)().fit(X, Y)
    assert model.predict(X).shape == Y.shape
    assert_array_equal(model.predict(X), theirs.predict(X))
    assert_allclose(model.coef_, theirs.coef_, rtol=1e-9)


def test_it_is_ridge_regression_on_signs():
    X, y, w = draw("two")
    model = RidgeClassifier(2.0).fit(X, y, w)
    ridge = Ridge(2.0).fit(X, np.where(y == "yes", 1.0, -1.0), w)
    assert_array_equal(model.coef_, ridge.coef_)
    assert_array_equal(model.decision_function(X), ridge.predict(X))


def test_weights_of_classes_are_weights_of_their_samples():
    X, y, w = draw("three")
    by_class = RidgeClassifier(class_weight={7.0: 10.0}).fit(X, y, w)
    by_sample = RidgeClassifier().fit(X, y, w * np.where(y == 7.0, 10.0, 1.0))
    assert_allclose(by_class.coef_, by_sample.coef_, rtol=1e-12)


@pytest.mark.parametrize("kind", LABELS)
def test_codes(kind):
    _, y, _ = draw(kind)
    same, Y, classes, binarizer = encode(y)
    assert binarizer is None
    assert_array_equal(same, y)
    assert_array_equal(classes, np.unique(y))
    if len(classes) == 2:
        assert_array_equal(classes[(Y[:, 0] > 0).astype(int)], y)
    else:
        assert_array_equal(classes[Y.argmax(axis=1)], y)
        assert_array_equal(Y.sum(axis=1), 2 - len(classes))


@pytest.mark.parametrize("kind", LABELS)
def test_scorers_judge_what_was_left_out(kind):
    X, y, _ = draw(kind)
    alphas = [1e4, 1.0, 0.1]
    model = RidgeClassifierCV(alphas, scoring="accuracy", store_cv_results=True).fit(X, y)
    scores = []
    for alpha in alphas:
        predicted = np.empty_like(y)
        for i in range(len(X)):
            others = np.arange(len(X)) != i
            one = RidgeClassifier(alpha, solver="svd").fit(X[others], y[others])
            predicted[i] = one.predict(X[i : i + 1])[0]
        scores.append(accuracy_score(y, predicted))
    assert model.best_score_ == max(scores)
    assert model.alpha_ == alphas[int(np.argmax(scores))]


def test_a_scorer_sees_the_labels_and_the_weights():
    X, y, w = draw("two")
    seen = []

    def judge(y_true, y_pred, sample_weight=None):
        seen.append((set(y_true), set(y_pred), sample_weight))
        return 0.5

    model = RidgeClassifierCV(scoring=make_scorer(judge)).fit(X, y, w)
    assert model.alpha_ == 0.1 and model.best_score_ == 0.5
    for truth, guess, weights in seen:
        assert truth == {"no", "yes"} and guess <= truth
        assert_array_equal(weights, w)
    RidgeClassifierCV(scoring="roc_auc").fit(X, y)


def test_other_ways_of_cross_validation():
    X, y, w = draw("three")
    ours = RidgeClassifierCV(cv=4).fit(X, y, w)
    theirs = reference.RidgeClassifierCV(cv=4).fit(X, y, w)
    assert ours.alpha_ == theirs.alpha_
    assert_allclose(ours.best_score_, theirs.best_score_)
    assert_allclose(ours.coef_, theirs.coef_, rtol=1e-9)
    Y = np.column_stack([y == 0, X[:, 0] > 0]).astype(int)
    assert RidgeClassifierCV(cv=3).fit(X, Y).predict(X).shape == Y.shape


@pytest.mark.parametrize("cls", [RidgeClassifier, RidgeClassifierCV])
def test_one_row_is_as_many(cls):
    X, y, _ = draw("three")
    model = cls().fit(X, y)
    singly = np.concatenate([model.predict(X[i : i + 1]) for i in range(len(X))])
    assert_array_equal(singly, model.predict(X))


@pytest.mark.parametrize("cls", [RidgeClassifier, RidgeClassifierCV])
@pytest.mark.parametrize("name", ["targets", "outputs", "nan"])
def test_bad_labels(cls, name):
    X, y, _ = draw("three")
    bad = {
        "targets": np.linspace(0, 1, len(y)),
        "outputs": np.column_stack([y, y]),
        "nan": np.where(y == 7.0, np.nan, y),
    }[name]
    model = cls().fit(X, y)
    before = model.coef_
    with pytest.raises(ValueError, match=r"label type|Multioutput|NaN"):
        model.fit(X, bad)
    assert model.coef_ is before
    with pytest.raises(ValueError, match=r"NaN"):
        cls().fit(np.where(X > 2, np.nan, X), y)
