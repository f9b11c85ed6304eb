"""Decision trees: node by node scikit-learn's, what every parameter does, and what is beyond."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn.tree
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skcourse.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)
from skcourse.tree.nodes import LEAF

STRUCTURE = ("children_left", "children_right", "feature", "threshold", "n_node_samples")
N = 300


def make_rows(missing=False, seed=0):
    """Return rows of few values (ties), three classes and whole numbers (exact sums)."""
    rng = np.random.default_rng(seed)
    X = np.round(2 * rng.normal(size=(N, 5)), 1)
    z = X[:, 0] + X[:, 1] * X[:, 2] + rng.normal(size=N)
    if missing:
        X[rng.random(X.shape) < 0.15] = np.nan
    return X, np.digitize(z, [-1.0, 1.0]), np.maximum(np.round(3 * z) + 20.0, 1.0)


def assert_same_tree(ours, theirs):
    """Assert that the nodes are the same, their numbers to rounding."""
    ours, theirs = ours.tree_, theirs.tree_
    for name in STRUCTURE:
        assert_array_equal(getattr(ours, name), getattr(theirs, name), err_msg=name)
    inner = ours.children_left != LEAF
    assert_array_equal(ours.missing_go_to_left[inner], theirs.missing_go_to_left[inner])
    for name in ("value", "impurity", "weighted_n_node_samples"):
        assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-9, atol=1e-9)


PARAMETERS = [
    {},
    {"splitter": "random"},
    {"max_depth": 3},
    {"min_samples_split": 30},
    {"min_samples_split": 0.2},
    {"min_samples_leaf": 9},
    {"min_samples_leaf": 0.05},
    {"min_weight_fraction_leaf": 0.06},
    {"max_features": 2},
    {"max_features": 0.5},
    {"max_features": "sqrt"},
    {"max_features": "log2", "max_depth": 5},
    {"max_leaf_nodes": 12},
    {"max_leaf_nodes": 12, "splitter": "random", "max_features": 2},
    {"min_impurity_decrease": 0.02},
    {"ccp_alpha": 0.02},
]


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", ["Classifier", "Regressor"])
def test_the_trees_of_scikit_learn(kind, weighted, missing):
    X, classes, numbers = make_rows(missing)
    y = classes if kind == "Classifier" else numbers
    weights = np.random.default_rng(1).integers(0, 4, N) if weighted else None
    mine, theirs = {
        "Classifier": (DecisionTreeClassifier, sklearn.tree.DecisionTreeClassifier)
    }.get(kind) or (DecisionTreeRegressor, sklearn.tree.DecisionTreeRegressor)
    plain = mine(random_state=0).fit(X, y, sample_weight=weights).tree_
    for parameters in PARAMETERS:
        pair = [c(random_state=0, **parameters).fit(X, y, weights) for c in (mine, theirs)]
        assert_same_tree(*pair)
        assert pair[0].max_features_ == pair[1].max_features_
        changed = not np.array_equal(pair[0].tree_.threshold, plain.threshold)
        assert changed or not parameters, f"{parameters} did nothing"


CRITERIA = [
    (DecisionTreeClassifier, "entropy"),
    (DecisionTreeClassifier, "log_loss"),
    (DecisionTreeRegressor, "poisson"),
    (DecisionTreeRegressor, "absolute_error"),
]


@pytest.mark.parametrize(("cls", "criterion"), CRITERIA)
@pytest.mark.parametrize("weighted", [False, True])
def test_other_criteria_are_those_of_scikit_learn(cls, criterion, weighted):
    X, classes, numbers = make_rows()
    y = classes if cls is DecisionTreeClassifier else numbers
    weights = np.random.default_rng(1).integers(0, 4, N) if weighted else None
    theirs = getattr(sklearn.tree, cls.__name__)
    for more in ({"max_depth": 5}, {"max_leaf_nodes": 9}, {"max_depth": 4, "splitter": "random"}):
        pair = [c(criterion=criterion, random_state=0, **more) for c in (cls, theirs)]
        assert_same_tree(*(tree.fit(X, y, sample_weight=weights) for tree in pair))


def test_several_outputs_with_weights_of_their_classes():
    X, classes, numbers = make_rows()
    labels = np.column_stack([classes, X[:, 3] > 0, classes + 5])
    weights = [{0: 1, 1: 3, 2: 1}, {0: 2, 1: 1}, {5: 1, 6: 1, 7: 4}]
    for class_weight in (None, "balanced", weights):
        pair = [
            c(class_weight=class_weight, max_depth=4, random_state=0).fit(X, labels)
            for c in (DecisionTreeClassifier, sklearn.tree.DecisionTreeClassifier)
        ]
        assert_same_tree(*pair)
    ours, theirs = pair
    assert_array_equal(ours.n_classes_, theirs.n_classes_)
    assert_array_equal(ours.predict(X), theirs.predict(X))
    for mine, reference in zip(ours.predict_proba(X), theirs.predict_proba(X), strict=True):
        assert_array_equal(mine, reference)
    Y = np.column_stack([numbers, X[:, 1] * 10])
    pair = [c.fit(X, Y) for c in (DecisionTreeRegressor(), sklearn.tree.DecisionTreeRegressor())]
    assert_allclose(pair[0].predict(X), pair[1].predict(X), rtol=1e-12)


@pytest.mark.parametrize("class_weight", ["balanced", {"a": 1, "b": 5, "c": 1}])
def test_class_weight_and_names_of_classes(class_weight):
    X, classes, _ = make_rows()
    y = np.array(["a", "b", "c"])[classes]
    ours, theirs = (
        c(class_weight=class_weight, max_depth=4, random_state=0).fit(X, y, np.arange(N) % 3)
        for c in (DecisionTreeClassifier, sklearn.tree.DecisionTreeClassifier)
    )
    assert_same_tree(ours, theirs)
    assert_array_equal(ours.predict(X), theirs.predict(X))
    for rows in (X, X[:1], X.astype(np.float32), pd.DataFrame(X).to_numpy(), X.tolist()):
        for method in ("predict_proba", "predict_log_proba"):
            with np.errstate(divide="ignore"):
                expected = getattr(theirs, method)(rows)
            assert_allclose(getattr(ours, method)(rows), expected, rtol=1e-12)
        assert_array_equal(ours.apply(rows), theirs.apply(rows))
        assert (ours.decision_path(rows) != theirs.decision_path(rows)).nnz == 0


@pytest.mark.parametrize("kind", [sp.csr_matrix, sp.csc_array, sp.coo_array])
def test_sparse_rows_are_dense_rows(kind):
    X, classes, _ = make_rows(missing=True)
    X[np.abs(X) < 1] = 0
    dense, sparse = DecisionTreeClassifier(random_state=0), DecisionTreeClassifier(random_state=0)
    assert_same_tree(dense.fit(X, classes), sparse.fit(kind(X), classes))
    assert_array_equal(dense.predict_proba(X), sparse.predict_proba(kind(X)))


def test_one_random_number_is_drawn():
    X, y, _ = make_rows()
    ours, theirs = np.random.RandomState(3), np.random.RandomState(3)
    pair = [
        c(max_features=1, random_state=rng)
        for c, rng in (
            (DecisionTreeClassifier, ours),
            (sklearn.tree.DecisionTreeClassifier, theirs),
        )
    ]
    for _ in range(2):
        assert_same_tree(*(tree.fit(X, y) for tree in pair))
    assert ours.randint(1000) == theirs.randint(1000)


@pytest.mark.parametrize(
    "tree",
    [
        DecisionTreeClassifier(criterion="entropy"),
        DecisionTreeRegressor(),
        DecisionTreeRegressor(criterion="absolute_error"),
        DecisionTreeRegressor(criterion="poisson"),
        ExtraTreeClassifier(splitter="best", max_features=None),
        ExtraTreeRegressor(criterion="absolute_error", splitter="best", max_features=1.0),
    ],
)
def test_missing_values_tell_something(tree):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=80), 1 + np.arange(80) % 2
    X = np.column_stack([np.where(y == 2, np.nan, x), rng.normal(size=80)])
    tree = tree.set_params(max_depth=1, random_state=0).fit(X, y)
    assert tree.score(X, y) == 1
    assert_array_equal(tree.predict([[np.nan, 0.0], [0.5, 0.0]]), [2, 1])
    sparse = sp.csr_matrix(X)
    assert_array_equal(tree.fit(sparse, y).predict(sparse), y)
    with pytest.raises(ValueError, match="infinity"):
        tree.predict([[np.inf, 0.0]])


COLOURS = np.array(["red", "green", "blue", "white", "black"])


@pytest.mark.parametrize(
    "tree",
    [
        DecisionTreeClassifier(),
        DecisionTreeRegressor(),
        DecisionTreeRegressor(criterion="poisson"),
        ExtraTreeClassifier(max_features=None),
    ],
)
def test_a_set_of_categories_is_one_split(tree):
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 5, 200)
    y = 1 + np.isin(codes, [1, 3, 4])
    table = pd.DataFrame({"x": rng.normal(size=200), "colour": COLOURS[codes]})
    one_split = tree.set_params(max_depth=1, splitter="best", random_state=0)
    for named in (["colour"], [1], [False, True]):
        fit = one_split.set_params(categorical_features=named).fit(table, y)
        assert_array_equal(fit.predict(table), y)
    typed = table.astype({"colour": "category"})
    fit = one_split.set_params(categorical_features="from_dtype").fit(typed, y)
    assert_array_equal(fit.predict(typed), y)
    new = pd.DataFrame({"x": [0.0, 0.0], "colour": ["pink", None]})
    seen_as_missing = fit.predict(new)
    assert seen_as_missing[0] == seen_as_missing[1]


def test_interactions_stay_within_their_sets():
    X, classes, numbers = make_rows()
    for tree, y in ((DecisionTreeClassifier(), classes), (DecisionTreeRegressor(), numbers)):
        for sets in ([[0, 3], [1, 2]], "no_interactions"):
            tree.set_params(interaction_cst=sets, random_state=0).fit(X, y)
            allowed = (
                [{0, 3}, {1, 2}, {4}] if sets != "no_interactions" else [{f} for f in range(5)]
            )
            paths = tree.decision_path(X)
            for i in range(0, N, 10):
                met = set(tree.tree_.feature[paths[[i]].indices]) - {-2}
                assert any(met <= group for group in allowed), met
            assert tree.get_depth() > 2
    plain = DecisionTreeRegressor(random_state=0).fit(X, numbers)
    assert plain.get_depth() != tree.get_depth()


def test_monotonic_predictions_also_by_name():
    X, classes, numbers = make_rows()
    table = pd.DataFrame(X, columns=list("abcde"))
    for tree, y in ((DecisionTreeClassifier(), classes > 0), (DecisionTreeRegressor(), numbers)):
        by_name = tree.set_params(monotonic_cst={"a": 1, "d": -1}, random_state=0).fit(table, y)
        grown = by_name.tree_.threshold
        tree.set_params(monotonic_cst=[1, 0, 0, -1, 0]).fit(X, y)
        assert_array_equal(tree.tree_.threshold, grown)
        for feature, sign in ((0, 1), (3, -1)):
            higher = X.copy()
            higher[:, feature] += 1.5
            change = sign * (rising_answer(tree, higher) - rising_answer(tree, X))
            assert np.all(change >= 0) and (np.any(change > 0) or feature == 3)


def rising_answer(tree, X):
    """Return what a rising feature makes larger."""
    return tree.predict_proba(X)[:, 1] if hasattr(tree, "classes_") else tree.predict(X)


def test_shapley_values_add_up_to_the_answer():
    X, classes, numbers = make_rows(missing=True)
    tree = DecisionTreeRegressor(max_depth=4, random_state=0).fit(X, numbers)
    total = tree.shap_values(X).sum(axis=1) + tree.shap_expected_value_
    assert_allclose(total, tree.predict(X), rtol=1e-12)
    assert tree.shap_expected_value_ == pytest.approx(numbers.mean(), rel=1e-12)
    tree = DecisionTreeClassifier(max_depth=4, random_state=0).fit(X, classes)
    total = tree.shap_values(X).sum(axis=1) + tree.shap_expected_value_
    assert_allclose(total, tree.predict_proba(X), atol=1e-14)
    both = np.column_stack([classes, classes > 0])
    tree.fit(X, both)
    for k, shares in enumerate(tree.predict_proba(X)):
        total = tree.shap_values(X)[k].sum(axis=1) + tree.shap_expected_value_[k]
        assert_allclose(total, shares, atol=1e-14)


def test_unchecked_input_gives_the_same():
    X, y, _ = make_rows()
    X32 = X.astype(np.float32)
    ours = DecisionTreeClassifier(random_state=0).fit(X32, y, check_input=False)
    assert_same_tree(ours, DecisionTreeClassifier(random_state=0).fit(X, y))
    assert_array_equal(ours.predict(X32, check_input=False), ours.predict(X))
    assert_array_equal(ours.apply(X32, check_input=False), ours.apply(X))
    with pytest.raises(ValueError, match="features"):
        ours.predict(X32[:, :2], check_input=False)


def test_a_chain_of_5000_levels():
    n = 5001  # alternating classes: each split takes the first
    X, y = np.arange(n)[:, np.newaxis], np.arange(n) % 2
    tree = DecisionTreeClassifier(random_state=0).fit(X, y)
    assert tree.get_depth() == n - 1
    assert_array_equal(tree.predict(X), y)
    assert tree.decision_path(X[-1:]).nnz == n
    assert DecisionTreeClassifier(max_depth=10**9, random_state=0).fit(X, y).get_depth() == n - 1


@pytest.mark.parametrize("cls", [DecisionTreeClassifier, DecisionTreeRegressor])
def test_nothing_to_split(cls):
    for X, y in (([[1.0, 2.0]], [1]), (np.ones((9, 2)), np.arange(9) % 3), ([[0], [1]], [1, 1])):
        tree = cls().fit(X, y)
        assert tree.get_n_leaves() == 1 and tree.get_depth() == 0
        assert len(tree.predict(X)) == len(X)
        assert_array_equal(tree.feature_importances_, np.zeros(np.shape(X)[1]))


def test_rows_of_weight_zero_are_not_there():
    X, y, numbers = make_rows()
    weights = (np.arange(N) % 3 > 0).astype(float)
    kept = weights > 0
    for tree, target in ((DecisionTreeClassifier(), y), (DecisionTreeRegressor(), numbers)):
        tree.set_params(random_state=0)
        thresholds = tree.fit(X[kept], target[kept]).tree_.threshold
        assert_array_equal(tree.fit(X, target, weights).tree_.threshold, thresholds)
        assert tree.tree_.n_node_samples[0] == kept.sum()
        with pytest.raises(ValueError, match="non-zero"):
            tree.fit(X, target, np.zeros(N))


REFUSED = [
    (DecisionTreeRegressor(criterion="poisson"), [-1.0, 2.0, 3.0], "negative"),
    (DecisionTreeRegressor(criterion="poisson"), [0.0, 0.0, 0.0], "not positive"),
    (DecisionTreeRegressor(monotonic_cst=[1]), [0.0, 1.0, 2.0], "shape 1"),
    (DecisionTreeRegressor(monotonic_cst=[1, 3]), [0.0, 1.0, 2.0], "-1, 0 or 1"),
    (DecisionTreeRegressor(monotonic_cst=[1, 0]), np.eye(3), "multiple outputs"),
    (DecisionTreeClassifier(monotonic_cst=[1, 0]), [0, 1, 2], "multiclass"),
    (DecisionTreeClassifier(), [0.1, 0.2, 0.35], "Unknown label type"),
    (DecisionTreeClassifier(), [0, 1], "Number of labels=2"),
    (DecisionTreeClassifier(), None, "requires y"),
    (DecisionTreeClassifier(class_weight=[{0: 1}, {0: 1}]), [0, 1, 1], "class_weight"),
    (DecisionTreeClassifier(interaction_cst=[[0, 7]]), [0, 1, 1], "nteraction"),
    (DecisionTreeClassifier(categorical_features=[7]), [0, 1, 1], "categorical_features"),
]


@pytest.mark.parametrize(("tree", "y", "message"), REFUSED)
def test_refused(tree, y, message):
    with pytest.raises(ValueError, match=message):
        tree.fit([[0.0, 1.0], [1.0, 0.0], [2.0, 5.0]], y)
    assert not [name for name in vars(tree) if name.endswith("_")]
    for method in ("predict", "apply", "decision_path"):
        with pytest.raises(NotFittedError):
            getattr(tree, method)([[0.0, 1.0]])


def test_the_old_name_of_squared_error():
    with pytest.warns(FutureWarning, match="friedman_mse") as caught:
        tree = DecisionTreeRegressor(criterion="friedman_mse")
    assert tree.criterion == "squared_error" and caught[0].filename == __file__
    with pytest.warns(FutureWarning, match="friedman_mse"):
        assert ExtraTreeRegressor(criterion="friedman_mse").criterion == "squared_error"


@pytest.mark.parametrize("options", [{}, {"max_leaf_nodes": 12}, {"splitter": "random"}])
@pytest.mark.parametrize("offset", [1e9, -1e12])
def test_numbers_far_from_zero_are_split_as_those_near_it(options, offset):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 3))
    y = np.round(4 * (X[:, 0] - X[:, 1] * X[:, 2]))  # y + offset is exact
    model = DecisionTreeRegressor(max_depth=5, random_state=0, **options)
    near, far = clone(model).fit(X, y), clone(model).fit(X, y + offset)
    assert_array_equal(far.tree_.feature, near.tree_.feature)
    # a value is the sum of the offset and of a mean, each rounded
    assert_allclose(far.predict(X), near.predict(X) + offset, rtol=4 * np.finfo(float).eps)


@pytest.mark.parametrize("unit", [2.0**530, 2.0**1000])
def test_numbers_whose_squares_overflow(unit):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 3))
    y = X[:, 0] - X[:, 1] * X[:, 2]
    near = DecisionTreeRegressor(max_depth=5, random_state=0).fit(X, y)
    far = DecisionTreeRegressor(max_depth=5, random_state=0).fit(X, y * unit)
    assert_array_equal(far.tree_.feature, near.tree_.feature)
    assert_allclose(far.predict(X) / unit, near.predict(X), rtol=1e-12)  # sums of 300 in order


@pytest.mark.parametrize("weight", [2.0**44, 2.0**70])
def test_large_weights_grow_the_tree_of_weights_of_one(weight):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 3))
    y = X[:, 0] - X[:, 1] * X[:, 2] + 0.3 * rng.standard_normal(400)
    one = DecisionTreeRegressor(max_depth=4, random_state=0).fit(X, y)
    many = DecisionTreeRegressor(max_depth=4, random_state=0).fit(X, y, np.full(400, weight))
    assert_array_equal(many.tree_.feature, one.tree_.feature)
    assert_allclose(many.predict(X), one.predict(X), rtol=1e-12)  # sums of 400 in another order


def test_negative_weights_are_refused():
    with pytest.raises(ValueError, match="Negative values in data passed to `sample_weight`"):
        DecisionTreeRegressor().fit([[0.0], [1.0]], [0, 1], [1, -1])
