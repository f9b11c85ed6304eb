"""The plain lane of the grower makes the nodes that the general loop makes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skcourse.tree import grower
from skcourse.tree.columns import rank_columns
from skcourse.tree.grower import Growth, grow
from skcourse.tree.targets import class_targets, number_targets

EXACT = ("children_left", "children_right", "feature", "threshold", "missing_go_to_left")
OPTIONS = {
    "all": {},
    "some features": {"max_features": 2},
    "random": {"splitter": "random", "max_features": 3},
    "leaves of three": {"min_samples_leaf": 3, "min_samples_split": 8},
    "heavy leaves": {"min_weight_leaf": 20.0},
    "worth it": {"min_impurity_decrease": 0.01, "max_depth": 6},
}


def table(n, n_values):
    rng = np.random.default_rng(n)
    X = rng.integers(0, n_values, size=(n, 6)).astype(np.float32)
    numbers = rng.integers(0, 50, size=n) + (X[:, 0] % 10) * (X[:, 1] % 10)
    return X, rng.integers(0, 4, size=n), numbers.astype(float), rng.integers(0, 3, size=n)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=list(OPTIONS))
@pytest.mark.parametrize("shape", [(700, 10), (3000, 10**6)], ids=["ties", "no ties"])
@pytest.mark.parametrize("criterion", ["gini", "squared_error"])
def test_both_lanes_lead_to_the_same_tree(monkeypatch, options, shape, criterion):
    X, classes, numbers, times = table(*shape)
    columns = rank_columns(X)
    gini = criterion == "gini"
    targets = class_targets(classes, [4]) if gini else number_targets(numbers)
    growth = Growth(criterion, max_features=6)._replace(**options)
    for weights in (None, times.astype(float)):
        leaves = np.empty((2, len(X)), np.int64)
        plain = grow(columns, targets, growth, seed=7, weights=weights, leaves=leaves[0])
        with monkeypatch.context() as patch:
            patch.setattr(grower, "is_plain", lambda *arguments: False)
            slow = grow(columns, targets, growth, seed=7, weights=weights, leaves=leaves[1])
        for name in EXACT:
            assert_array_equal(getattr(plain, name), getattr(slow, name), err_msg=name)
        assert_array_equal(*leaves)
        assert_array_equal(plain.n_node_samples, slow.n_node_samples)
        # sums of at most 3,000 numbers below 2^8, and of their squares, in another order
        assert_allclose(plain.value, slow.value, rtol=1e-11)
        assert_allclose(plain.impurity, slow.impurity, rtol=1e-9, atol=1e-9)
