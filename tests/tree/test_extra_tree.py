"""Extremely randomised trees: scikit-learn's draws, and its defaults."""

import numpy as np
import pytest
import sklearn.tree

from skcourse.tree import ExtraTreeClassifier, ExtraTreeRegressor
from tests.tree.test_decision_tree import assert_same_tree, make_rows


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_the_draws_of_scikit_learn(seed, missing):
    X, classes, numbers = make_rows(missing, seed)
    weights = np.random.default_rng(seed).integers(0, 3, len(X))
    for cls, y in ((ExtraTreeClassifier, classes), (ExtraTreeRegressor, numbers)):
        for more in ({}, {"max_leaf_nodes": 20}, {"max_features": 1, "min_samples_leaf": 3}):
            ours, theirs = (
                c(random_state=seed, **more).fit(X, y, sample_weight=weights)
                for c in (cls, getattr(sklearn.tree, cls.__name__))
            )
            assert_same_tree(ours, theirs)


def test_thresholds_are_drawn_between_the_rows():
    X, y, _ = make_rows()
    found = [ExtraTreeClassifier(random_state=i).fit(X, y).tree_.threshold[0] for i in range(20)]
    assert len(set(found)) == 20
    best = ExtraTreeClassifier(random_state=0, splitter="best", max_features=None).fit(X, y)
    plain = sklearn.tree.DecisionTreeClassifier(random_state=0).fit(X, y)
    assert_same_tree(best, plain)
