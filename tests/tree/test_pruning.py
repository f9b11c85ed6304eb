"""Cost-complexity pruning: scikit-learn's path and trees, and the optimum of (1) by brute force."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import make_classification
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skcourse.tree.nodes import LEAF, UNDEFINED, Nodes
from skcourse.tree.pruning import prune, pruning_path
from tests.tree.given_trees import grown_at_random, nodes_of

X, Y = make_classification(600, 8, n_informative=5, flip_y=0.2, random_state=0)
WEIGHTS = np.random.default_rng(0).integers(0, 3, 600).astype(float)
GROWN = {
    "classes": DecisionTreeClassifier(random_state=0),
    "best first": DecisionTreeClassifier(random_state=0, max_leaf_nodes=60),
    "numbers": DecisionTreeRegressor(random_state=0),
    "one split": DecisionTreeClassifier(random_state=0, max_depth=1),
}


@pytest.mark.parametrize("name", GROWN)
def test_the_path_of_scikit_learn_and_its_trees(name):
    theirs = GROWN[name].fit(X, Y, sample_weight=WEIGHTS)
    nodes = nodes_of(theirs.tree_)
    expected = theirs.cost_complexity_pruning_path(X, Y, sample_weight=WEIGHTS)
    prices, impurities = pruning_path(nodes)
    assert_array_equal(prices, expected.ccp_alphas)
    assert_array_equal(impurities, expected.impurities)
    for alpha in np.quantile(prices[prices > 0], [0, 0.2, 0.6, 0.9, 1], method="nearest"):
        theirs.set_params(ccp_alpha=alpha).fit(X, Y, sample_weight=WEIGHTS)
        ours, smaller = prune(nodes, alpha), nodes_of(theirs.tree_)
        for field in Nodes._fields[:9]:
            assert_array_equal(getattr(ours, field), getattr(smaller, field), err_msg=field)
    theirs.set_params(ccp_alpha=0.0)


def least_cost(nodes, t, alpha):
    """Return the least R(T) + alpha |leaves| of a subtree below t, by trying both everywhere."""
    w = nodes.weighted_n_node_samples
    here = w[t] * nodes.impurity[t] / w[0] + alpha
    if nodes.children_left[t] == LEAF:
        return here
    sides = nodes.children_left[t], nodes.children_right[t]
    return min(here, sum(least_cost(nodes, side, alpha) for side in sides))


def test_nothing_is_cheaper():
    nodes = nodes_of(GROWN["classes"].fit(X, Y).tree_)
    w = nodes.weighted_n_node_samples
    for alpha in (1e-4, 1e-3, 3e-3, 1e-2, 0.1):
        kept = prune(nodes, alpha)
        leaf = kept.children_left == LEAF
        shares = kept.weighted_n_node_samples[leaf] / w[0]
        cost = np.sum(shares * kept.impurity[leaf]) + alpha * np.count_nonzero(leaf)
        assert cost == pytest.approx(least_cost(nodes, 0, alpha), rel=1e-12)


def test_sets_of_categories_follow_their_nodes():
    rng = np.random.default_rng(0)
    nodes = grown_at_random(rng, n_features=2, depth=6, n_categories=100)
    depth = np.zeros(len(nodes.feature))
    for side in (nodes.children_left, nodes.children_right):
        depth[side[side >= 0]] = 1
    impurity = 1 / (1 + np.arange(len(depth)))
    nodes = nodes._replace(impurity=impurity * nodes.weighted_n_node_samples[0])
    prices, _ = pruning_path(nodes)
    kept = prune(nodes, np.median(prices))
    assert 0 < np.count_nonzero(kept.category_set >= 0) < np.count_nonzero(nodes.category_set >= 0)
    for t in np.flatnonzero(kept.category_set >= 0):
        old = np.flatnonzero(nodes.impurity == kept.impurity[t])[0]
        assert_array_equal(words(kept, t), words(nodes, old))
    assert np.all(kept.category_set[kept.feature == UNDEFINED] == -1)


def words(nodes, t):
    """Return the set of categories that go left at node t."""
    s = nodes.category_set[t]
    return nodes.set_words[nodes.set_start[s] : nodes.set_start[s + 1]]


def test_a_chain_is_no_recursion():
    n = 3001  # of alternating classes, of which each split takes the first
    y = np.arange(n) % 2
    nodes = nodes_of(DecisionTreeClassifier(random_state=0).fit(np.arange(n)[:, None], y).tree_)
    prices, impurities = pruning_path(nodes)
    assert len(prices) >= 2 and impurities[-1] == nodes.impurity[0]
    assert len(prune(nodes, 1.0).feature) == 1
