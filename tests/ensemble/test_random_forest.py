"""Random forests: scikit-learn's trees for the same seed, out of bag, and what is new."""

import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn.ensemble
from sklearn.exceptions import NotFittedError
from sklearn.metrics import accuracy_score, balanced_accuracy_score, r2_score

from skcourse.ensemble import RandomForestClassifier, RandomForestRegressor
from skcourse.tree import DecisionTreeClassifier

N, D = 300, 6
FEW = {"n_estimators": 8, "random_state": 0}


def classes(n=N, n_classes=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, D)).astype(np.float32)
    score = X[:, 0] + X[:, 1] * X[:, 2] + 0.3 * rng.normal(size=n)
    return X, np.digitize(score, np.quantile(score, np.linspace(0, 1, n_classes + 1)[1:-1]))


def numbers(n=N, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, D)).astype(np.float32)
    return X, X[:, 0] + np.sin(3 * X[:, 1]) + 0.1 * rng.normal(size=n)


def assert_same_trees(ours, theirs):
    """Compare the splits of all trees; thresholds are the same midpoints of float32 numbers."""
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert a.random_state == b.random_state
        np.testing.assert_array_equal(a.tree_.feature, b.tree_.feature)
        np.testing.assert_array_equal(a.tree_.threshold, b.tree_.threshold)
        np.testing.assert_array_equal(a.tree_.n_node_samples, b.tree_.n_node_samples)


# Weights of classes that no binary fraction is: only above nodes that are pure up to rounding.
@pytest.mark.parametrize(
    "options",
    [
        {"max_leaf_nodes": 25},
        {"bootstrap": False, "max_features": 2},
        {"max_samples": 0.6, "class_weight": "balanced_subsample", "max_depth": 2},
        {"max_samples": 50, "class_weight": {0: 1, 1: 5, 2: 1}, "criterion": "log_loss"},
        {"ccp_alpha": 0.01, "min_weight_fraction_leaf": 0.02, "class_weight": "balanced"},
    ],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_trees_are_scikit_learns(options, weighted):
    X, y = classes()
    weights = np.random.default_rng(1).integers(0, 3, N).astype(float) if weighted else None
    ours = RandomForestClassifier(**FEW, **options).fit(X, y, weights)
    theirs = sklearn.ensemble.RandomForestClassifier(**FEW, **options).fit(X, y, weights)
    assert_same_trees(ours, theirs)
    eps = len(ours) * np.finfo(float).eps
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=eps)
    np.testing.assert_array_equal(ours.apply(X), theirs.apply(X))
    np.testing.assert_allclose(ours.feature_importances_, theirs.feature_importances_, atol=1e-12)
    for a, b in zip(ours.estimators_samples_, theirs.estimators_samples_, strict=True):
        np.testing.assert_array_equal(a, b)


def test_regression_trees_are_scikit_learns():
    X, y = numbers()
    options = {"min_samples_leaf": 5, "max_features": 0.5, "max_depth": 5, **FEW}
    ours = RandomForestRegressor(**options).fit(X, y)
    theirs = sklearn.ensemble.RandomForestRegressor(**options).fit(X, y)
    assert_same_trees(ours, theirs)
    slack = 100 * np.finfo(float).eps * np.abs(y).max()  # sums in another order
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), atol=slack)
    path, ends = ours.decision_path(X[:20])
    expected, expected_ends = theirs.decision_path(X[:20])
    np.testing.assert_array_equal(path.toarray(), expected.toarray())
    np.testing.assert_array_equal(ends, expected_ends)
    grid, features = np.linspace(-1, 1, 5, dtype=np.float32)[:, np.newaxis], np.array([1])
    wanted = theirs._compute_partial_dependence_recursion(grid, features)
    found = ours._compute_partial_dependence_recursion(grid, features)
    np.testing.assert_allclose(found, wanted, atol=slack)


@pytest.mark.parametrize("scoring", [True, balanced_accuracy_score])
def test_out_of_bag_is_what_unseen_trees_say(scoring):
    X, y = classes()
    forest = RandomForestClassifier(60, oob_score=scoring, random_state=0).fit(X, y)
    shares, counts = np.zeros((N, 3)), np.zeros(N)
    for tree, rows in zip(forest.estimators_, forest.estimators_samples_, strict=True):
        unseen = np.setdiff1d(np.arange(N), rows)
        shares[unseen] += tree.predict_proba(X[unseen])
        counts[unseen] += 1
    eps = 60 * np.finfo(float).eps
    np.testing.assert_allclose(forest.oob_decision_function_, shares / counts[:, None], atol=eps)
    score = accuracy_score if scoring is True else scoring
    assert forest.oob_score_ == score(y, shares.argmax(axis=1))
    assert forest.history_["oob_score"][-1] == forest.oob_score_
    assert forest.history_["n_trees"][-1] == 60
    assert len(forest.history_["oob_score"]) == (60 if scoring is True else 10)
    leaves = sum(tree.get_n_leaves() for tree in forest)
    assert forest.history_["n_leaves"][-1] == leaves


def test_out_of_bag_curve_of_a_regression():
    X, y = numbers()
    both = np.column_stack([y, -2 * y + X[:, 3]])
    forest = RandomForestRegressor(40, oob_score=True, random_state=0).fit(X, both)
    theirs = sklearn.ensemble.RandomForestRegressor(40, oob_score=True, random_state=0)
    theirs.fit(X, both)
    assert forest.oob_prediction_.shape == both.shape == forest.predict(X).shape
    assert forest.oob_score_ == r2_score(both, forest.oob_prediction_)
    assert forest.oob_score_ == pytest.approx(theirs.oob_score_, abs=0.03)  # ties in deep nodes
    np.testing.assert_allclose(forest.history_["oob_score"][-1], forest.oob_score_, rtol=1e-12)
    unseen = np.setdiff1d(np.arange(N), forest.estimators_samples_[0])
    first = r2_score(both[unseen], forest.estimators_[0].predict(X[unseen]))
    np.testing.assert_allclose(forest.history_["oob_score"][0], first, rtol=1e-12)


def test_multilabel_and_multioutput():
    X, y = classes()
    labels = np.column_stack([y > 0, y > 1]).astype(int)
    options = {"oob_score": True, **FEW, "n_estimators": 30}
    ours = RandomForestClassifier(**options).fit(X, labels)
    theirs = sklearn.ensemble.RandomForestClassifier(**options).fit(X, labels)
    assert_same_trees(ours, theirs)
    for a, b in zip(ours.predict_proba(X), theirs.predict_proba(X), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-14)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    np.testing.assert_allclose(
        ours.oob_decision_function_, theirs.oob_decision_function_, atol=1e-14
    )
    assert ours.oob_score_ == theirs.oob_score_
    named = np.column_stack([np.array(["a", "b", "c"])[y], np.array(["x", "y", "y"])[y]])
    mixed = RandomForestClassifier(**FEW).fit(X, named)
    assert [list(c) for c in mixed.classes_] == [["a", "b", "c"], ["x", "y"]]
    assert np.mean(mixed.predict(X) == named) > 0.9
    with pytest.raises(ValueError, match="multiclass-multioutput"):
        RandomForestClassifier(**options).fit(X, np.column_stack([y, y]))


def test_warm_start_grows_what_is_missing():
    X, y = classes()
    whole = RandomForestClassifier(n_estimators=8, oob_score=True, random_state=0)
    with pytest.warns(UserWarning, match="do not have OOB scores"):
        whole.fit(X, y)
    grown = RandomForestClassifier(n_estimators=3, warm_start=True, random_state=0).fit(X, y)
    first = grown.predict_proba(X)
    with pytest.warns(UserWarning, match="do not have OOB scores"):
        grown.set_params(n_estimators=8, oob_score=True).fit(X, y)
    assert_same_trees(grown, whole)
    assert not np.array_equal(first, grown.predict_proba(X))  # the packed trees are not the old
    np.testing.assert_array_equal(grown.predict_proba(X), whole.predict_proba(X))
    assert grown.oob_score_ == whole.oob_score_
    with pytest.warns(UserWarning, match="does not fit new trees"):
        grown.fit(X, y)
    with pytest.raises(ValueError, match="must be larger or equal"):
        grown.set_params(n_estimators=2).fit(X, y)


def test_users_may_take_trees_away():
    X, y = classes()
    forest = RandomForestClassifier(**FEW).fit(X, y)
    forest.predict_proba(X)
    forest.estimators_ = forest.estimators_[2:4]
    mean = np.mean([tree.predict_proba(X) for tree in forest], axis=0)
    np.testing.assert_allclose(forest.predict_proba(X), mean, atol=1e-15)
    forest.estimators_[0] = DecisionTreeClassifier().fit(X, y)  # in place
    mean = np.mean([tree.predict_proba(X) for tree in forest], axis=0)
    np.testing.assert_allclose(forest.predict_proba(X), mean, atol=1e-15)


def test_a_pickle_holds_no_packed_trees():
    X, y = classes()
    forest = RandomForestClassifier(**FEW).fit(X, y)
    before = pickle.dumps(forest)
    answer = forest.predict_proba(X)
    assert len(pickle.dumps(forest)) == len(before)
    np.testing.assert_array_equal(pickle.loads(before).predict_proba(X), answer)


def test_sparse_rows_and_threads_change_nothing():
    X, y = classes()
    X = np.where(np.abs(X) < 0.5, 0, X)
    dense = RandomForestClassifier(**FEW).fit(X, y)
    for kind in (sp.csr_array, sp.csc_matrix):
        rows = RandomForestClassifier(n_jobs=2, **FEW).fit(kind(X), y)
        assert_same_trees(rows, dense)
        np.testing.assert_array_equal(rows.predict_proba(kind(X)), dense.predict_proba(X))


def test_missing_values_and_categories():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"town": pd.Categorical(rng.choice(list("abcdefgh"), N)), "x": rng.normal(size=N)}
    )
    y = frame["town"].isin(list("acf")).to_numpy().astype(int)
    frame.loc[rng.random(N) < 0.1, "x"] = np.nan
    named = {"categorical_features": "from_dtype"}
    forest = RandomForestClassifier(oob_score=True, max_depth=2, **named, **FEW)
    forest.set_params(n_estimators=30).fit(frame, y)
    assert forest.oob_score_ > 0.95  # a split by a set tells all; thresholds on codes do not
    unknown = frame.assign(town=pd.Categorical(["z"] * N))
    assert np.isfinite(forest.predict_proba(unknown)).all()
    by_index = RandomForestClassifier(categorical_features=[0], max_depth=2, **FEW)
    by_index.set_params(n_estimators=30).fit(frame, y)
    np.testing.assert_array_equal(by_index.predict(frame), forest.predict(frame))


def test_monotonic_constraints():
    X, y = numbers()
    rising = RandomForestRegressor(monotonic_cst=[1, 0, 0, 0, 0, 0], **FEW).fit(X, -y)
    steps = np.tile(X[:1], (50, 1))
    steps[:, 0] = np.linspace(-3, 3, 50)
    assert np.all(np.diff(rising.predict(steps)) >= -1e-12)


def test_interaction_constraints():
    X, y = numbers()
    alone = RandomForestRegressor(interaction_cst="no_interactions", max_depth=3, **FEW).fit(X, y)
    for tree in alone:
        for path in tree.decision_path(X).toarray():
            used = tree.tree_.feature[np.flatnonzero(path)]
            assert len(set(used[used >= 0])) <= 1


def test_shapley_values_add_up():
    X, y = classes()
    labels = np.column_stack([y > 0, y > 1]).astype(int)
    for target in (y, labels):
        forest = RandomForestClassifier(max_depth=4, **FEW).fit(X, target)
        values, first = forest.shap_values(X[:9]), forest.shap_expected_value_
        found, told = forest.predict_proba(X[:9]), isinstance(values, list)
        pairs = zip(values, first, found, strict=True) if told else [(values, first, found)]
        for v, e, p in pairs:
            np.testing.assert_allclose(v.sum(axis=1) + e, p, atol=1e-12)
    X, y = numbers()
    forest = RandomForestRegressor(max_depth=4, **FEW).fit(X, y)
    total = forest.shap_values(X[:9]).sum(axis=1) + forest.shap_expected_value_
    np.testing.assert_allclose(total, forest.predict(X[:9]), atol=1e-12)


def test_one_class_one_row_and_nobody():
    X, _ = classes()
    forest = RandomForestClassifier(**FEW).fit(X, np.full(N, 7))
    np.testing.assert_array_equal(forest.predict(X), 7)
    np.testing.assert_array_equal(forest.feature_importances_, 0)
    assert RandomForestRegressor(**FEW).fit(X[:1], [3.5]).predict(X[:2]).tolist() == [3.5, 3.5]
    with pytest.raises(NotFittedError):
        RandomForestClassifier().predict(X)


@pytest.mark.parametrize(
    ("options", "weights", "match"),
    [
        ({"bootstrap": False, "max_samples": 5}, None, "max_sample"),
        ({"bootstrap": False, "oob_score": True}, None, "Out of bag"),
        ({"class_weight": {0: 1, "x": 2}}, None, "class"),
        ({}, np.zeros(N), "non-zero"),
        ({}, np.full(N, -1.0), "Negative"),
        ({"monotonic_cst": [1, 0, 0, 0, 0, 0]}, None, "multiclass"),
    ],
)
def test_refused(options, weights, match):
    X, y = classes()
    with pytest.raises(ValueError, match=match):
        RandomForestClassifier(**options).fit(X, y, weights)


def test_poisson_and_infinity_are_checked():
    X, y = numbers()
    with pytest.raises(ValueError, match="negative"):
        RandomForestRegressor(criterion="poisson").fit(X, y)
    with pytest.raises(ValueError, match="strictly positive"):
        RandomForestRegressor(criterion="poisson").fit(X, 0 * y)
    with pytest.raises(ValueError, match="infinity"):
        RandomForestRegressor().fit(np.where(X > 2, np.inf, X), y)


def test_verbose_tells_of_each_tree(capsys):
    X, y = classes()
    RandomForestClassifier(n_estimators=2, verbose=2, random_state=0).fit(X, y)
    assert capsys.readouterr().out.splitlines() == ["building tree 1 of 2", "building tree 2 of 2"]
