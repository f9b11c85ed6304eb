"""Random trees as features: scikit-learn's codes for the same seed."""

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.ensemble

from skcourse.ensemble import RandomTreesEmbedding

FEW = {"n_estimators": 6, "random_state": 0}


def rows(n=200, d=5):
    return np.random.default_rng(0).normal(size=(n, d)).astype(np.float32)


@pytest.mark.parametrize("options", [{}, {"max_leaf_nodes": 9, "max_depth": None}])
def test_the_codes_are_scikit_learns(options):
    X = rows()
    ours, theirs = (
        cls(**options, **FEW)
        for cls in (RandomTreesEmbedding, sklearn.ensemble.RandomTreesEmbedding)
    )
    codes = ours.fit_transform(X)
    assert sp.issparse(codes)
    np.testing.assert_array_equal(codes.toarray(), theirs.fit_transform(X).toarray())
    np.testing.assert_array_equal(
        ours.transform(X + 1).toarray(), theirs.transform(X + 1).toarray()
    )
    np.testing.assert_array_equal(ours.get_feature_names_out(), theirs.get_feature_names_out())
    np.testing.assert_array_equal(codes.sum(axis=1), 6)


def test_dense_codes_of_sparse_rows_with_weights():
    X = rows()
    X[np.abs(X) < 0.5] = 0
    weights = np.arange(len(X)) % 2
    dense = RandomTreesEmbedding(sparse_output=False, **FEW).fit(X, sample_weight=weights)
    codes = RandomTreesEmbedding(**FEW).fit_transform(sp.csr_array(X), sample_weight=weights)
    np.testing.assert_array_equal(dense.transform(X), codes.toarray())
    kept = [tree.tree_.n_node_samples[0] for tree in dense]
    assert kept == [len(X) // 2] * 6


def test_missing_values_and_names():
    X = rows()
    X[::7, 1] = np.nan
    embedding = RandomTreesEmbedding(**FEW).fit(X)
    np.testing.assert_array_equal(embedding.transform(X).sum(axis=1), 6)
    with pytest.raises(ValueError, match="input_features"):
        embedding.get_feature_names_out(["a"])
