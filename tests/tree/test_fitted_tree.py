"""The `tree_` of a tree is scikit-learn's, also for those who draw, write to or pickle it."""

import copy
import pickle

import joblib
import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.tree
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_diabetes, load_iris
from sklearn.inspection import partial_dependence
from sklearn.tree import export_graphviz, export_text, plot_tree

from skcourse.tree import DecisionTreeClassifier, DecisionTreeRegressor
from skcourse.tree.base import adopt
from skcourse.tree.fitted_tree import Tree
from skcourse.tree.nodes import LEAF, Nodes
from tests.tree.given_trees import grown_at_random, nodes_of

IRIS = load_iris(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)
NUMBERS = ("node_count", "n_features", "n_outputs", "max_n_classes", "n_leaves", "max_depth")


def pair(kind, **parameters):
    """Return a fitted tree of theirs, and ours around the same nodes."""
    X, y = IRIS if kind == "Classifier" else DIABETES
    theirs = getattr(sklearn.tree, f"DecisionTree{kind}")(random_state=0, **parameters).fit(X, y)
    ours = {"Classifier": DecisionTreeClassifier, "Regressor": DecisionTreeRegressor}[kind]
    classes = theirs.classes_ if kind == "Classifier" else None
    made = adopt(
        ours(random_state=0, **parameters),
        nodes_of(theirs.tree_),
        n_features=X.shape[1],
        classes=classes,
    )
    return made, theirs, X


@pytest.mark.parametrize("kind", ["Classifier", "Regressor"])
def test_attributes_and_answers_are_theirs(kind):
    ours, theirs, X = pair(kind, max_leaf_nodes=40)
    X = X.astype(np.float32)
    for name in (*Nodes._fields[:9], *NUMBERS, "n_classes"):
        assert_array_equal(getattr(ours.tree_, name), getattr(theirs.tree_, name), err_msg=name)
    for rows in (X, sp.csr_matrix(X)):
        assert_array_equal(ours.tree_.apply(rows), theirs.tree_.apply(rows))
        assert_array_equal(ours.tree_.predict(rows), theirs.tree_.predict(rows))
        mine, reference = ours.tree_.decision_path(rows), theirs.tree_.decision_path(rows)
        assert type(mine) is type(reference) and (mine != reference).nnz == 0
    for normalize in (True, False):
        expected = theirs.tree_.compute_feature_importances(normalize)
        assert_array_equal(ours.tree_.compute_feature_importances(normalize), expected)
    assert_array_equal(ours.tree_.compute_node_depths(), theirs.tree_.compute_node_depths())
    fitted = {name for name in vars(theirs) if name.endswith("_")}
    assert fitted <= {name for name in vars(ours) if name.endswith("_")}
    for name in fitted - {"tree_"}:
        assert_array_equal(getattr(ours, name), getattr(theirs, name), err_msg=name)


@pytest.mark.parametrize("kind", ["Classifier", "Regressor"])
def test_pictures_are_theirs(kind):
    ours, theirs, _ = pair(kind, max_depth=3)
    assert export_text(ours) == export_text(theirs)
    assert export_graphviz(ours) == export_graphviz(theirs)
    pytest.importorskip("matplotlib").use("agg")
    texts = [[box.get_text() for box in plot_tree(tree, filled=True)] for tree in (ours, theirs)]
    assert texts[0] == texts[1]


def test_partial_dependence_by_recursion_is_theirs():
    ours, theirs, X = pair("Regressor", max_depth=5)
    for features in ([2], [(2, 8)]):
        options = {"method": "recursion", "grid_resolution": 9}
        mine = partial_dependence(ours, X, features, **options)["average"]
        assert_allclose(mine, partial_dependence(theirs, X, features, **options)["average"])


def test_partial_dependence_goes_by_categories_and_missing_values():
    rng = np.random.default_rng(0)
    nodes = grown_at_random(rng, n_features=1, n_categories=9, depth=3)
    tree = Tree(nodes, 1)
    codes = np.array([[*range(9), 200, np.nan]], np.float32).T
    out = np.zeros(len(codes))
    tree.compute_partial_dependence(codes, np.array([0]), out)
    assert_array_equal(out, tree.predict(codes)[:, 0])  # nothing is left to average


def test_copies_and_pickles_are_the_same(tmp_path):
    rng = np.random.default_rng(0)
    sets = grown_at_random(rng, n_features=3, n_categories=70, n_values=2)
    joblib.dump(Tree(sets, 3, [2]), tmp_path / "tree")
    for tree in (Tree(sets, 3, [2]), pair("Classifier")[0].tree_):
        others = [pickle.loads(pickle.dumps(tree)), copy.deepcopy(tree)]
        if tree.nodes is sets:
            others.append(joblib.load(tmp_path / "tree", mmap_mode="r"))
        rows = rng.integers(0, 9, (50, tree.n_features)).astype(np.float32)
        for other in others:
            for name in Nodes._fields:
                mine, yours = getattr(tree.nodes, name), getattr(other.nodes, name)
                assert mine.dtype == yours.dtype
                assert_array_equal(mine, yours, err_msg=name)
            assert_array_equal(other.predict(rows), tree.predict(rows))
            assert pickle.dumps(other) == pickle.dumps(tree)
    assert set(pair("Classifier")[1].tree_.__getstate__()) <= set(tree.__getstate__())


def test_who_writes_to_the_nodes_is_heard():
    ours, theirs, X = pair("Classifier")
    ours.predict(X)
    for tree in (ours.tree_, theirs.tree_):
        tree.children_left[4] = tree.children_right[4] = LEAF
        tree.value[2] = [[0, 0, 1]]
    left = ours.tree_.children_left
    assert_array_equal(ours.predict(X), theirs.predict(X))
    left[0] = ours.tree_.children_right[0] = LEAF
    assert_array_equal(ours.apply(X), np.zeros(len(X)))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[1.0, 2.0]], "np.ndarray format"),
        (np.ones((2, 4)), "float32"),
        (sp.csc_matrix(np.ones((2, 4), np.float32)), "CSR"),
        (sp.csr_matrix(np.ones((2, 4))), "float32"),
    ],
)
def test_rows_of_another_kind_are_refused(rows, message):
    tree = pair("Classifier")[0].tree_
    for method in (tree.apply, tree.predict, tree.decision_path):
        with pytest.raises(ValueError, match=message):
            method(rows)
