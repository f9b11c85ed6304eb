"""Quantile forests: the exact quantiles of Meinshausen's distribution, and their coverage."""

import pickle

import numpy as np
import pytest

from skcourse.ensemble import QuantileForestRegressor, RandomForestRegressor

FEW = {"n_estimators": 12, "random_state": 0}
LEVELS = [0.0, 0.1, 0.5, 0.9, 1.0]


def rows(n=300, d=4, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.uniform(size=(n, d)).astype(np.float32)
    return X, X[:, 0] * rng.normal(size=n) + X[:, 1]


def weights_of(forest, X, x, counts, unseen=None):
    """Return w_j(x), taken literally: the mean of the shares of row j in the leaf of x."""
    shares = []
    for t, tree in enumerate(forest):
        if unseen is None or unseen[t]:
            together = counts[t] * (tree.apply(X) == tree.apply(x[np.newaxis])[0])
            shares.append(together / together.sum())
    return np.mean(shares, axis=0)


def quantile(y, weights, level):
    """Return inf {y : F(y) >= level}; sums that differ by rounding only are equal."""
    order = np.argsort(y)
    kept = order[weights[order] > 0]
    place = np.searchsorted(np.cumsum(weights[kept]) + 1e-12, level)
    return y[kept[min(place, len(kept) - 1)]]


@pytest.mark.parametrize("bootstrap", [True, False])
def test_quantiles_are_those_of_the_weights(bootstrap):
    X, y = rows()
    y = np.round(y, 1)  # ties
    weights = None if bootstrap else 1.0 + np.arange(len(y)) % 4
    forest = QuantileForestRegressor(bootstrap=bootstrap, max_features=2, **FEW)
    forest.fit(X, y, weights)
    counts = [np.bincount(r, minlength=len(y)) for r in forest.estimators_samples_]
    counts = counts if bootstrap else [weights] * 12
    found, means = forest.predict(X[:40], quantiles=LEVELS), forest.predict(X[:40])
    for i in range(40):
        w = weights_of(forest, X, X[i], counts)
        np.testing.assert_allclose(w @ y, means[i], atol=1e-12)
        assert found[i].tolist() == [quantile(y, w, level) for level in LEVELS]


def test_out_of_bag_leaves_out_the_trees_that_have_seen_a_row():
    X, y = rows()
    forest = QuantileForestRegressor(**FEW).fit(X, y)
    counts = np.array([np.bincount(r, minlength=len(y)) for r in forest.estimators_samples_])
    found = forest.predict(X, quantiles=LEVELS, out_of_bag=True)
    for i in range(40):
        if (counts[:, i] > 0).all():
            assert np.isnan(found[i]).all()
        else:
            w = weights_of(forest, X, X[i], counts, unseen=counts[:, i] == 0)
            assert found[i].tolist() == [quantile(y, w, level) for level in LEVELS]
    # 80 % of new rows: the binomial deviation of 300 rows is 2.3 %, the forest is not ideal
    lower, upper = forest.predict_interval(X, coverage=0.8, out_of_bag=True).T
    assert 0.7 < np.mean((lower <= y) & (y <= upper)) < 0.92


def test_shapes_outputs_and_the_forest_itself():
    X, y = rows()
    both = np.column_stack([y, X[:, 2] + y])
    forest = QuantileForestRegressor(n_jobs=2, **FEW).fit(X, both)
    single = QuantileForestRegressor(**FEW).fit(X, y)
    plain = RandomForestRegressor(min_samples_leaf=5, **FEW).fit(X, y)
    np.testing.assert_array_equal(single.predict(X), plain.predict(X))
    assert single.predict(X, quantiles=0.5).shape == (300,)
    assert single.predict(X, quantiles=[0.5]).shape == (300, 1)
    assert single.predict_interval(X).shape == (300, 2)
    assert forest.predict(X, quantiles=0.5).shape == (300, 2)
    assert forest.predict(X, quantiles=LEVELS).shape == (300, 2, 5)
    found = forest.predict_interval(X, coverage=0.9)
    ends = forest.predict(X, quantiles=[0.05, 0.95])
    np.testing.assert_array_equal(found, ends)
    serial = QuantileForestRegressor(**FEW).fit(X, both)
    np.testing.assert_array_equal(serial.predict_interval(X), found)
    again = pickle.loads(pickle.dumps(forest))
    np.testing.assert_array_equal(again.predict_interval(X), found)


def test_trees_that_are_taken_away_or_added():
    X, y = rows()
    forest = QuantileForestRegressor(**FEW).fit(X, y)
    few = QuantileForestRegressor(n_estimators=5, random_state=0, warm_start=True).fit(X, y)
    expected = few.predict(X, quantiles=LEVELS)
    few.set_params(n_estimators=12).fit(X, y)
    np.testing.assert_array_equal(
        few.predict(X, quantiles=LEVELS), forest.predict(X, quantiles=LEVELS)
    )
    forest.estimators_ = forest.estimators_[:5]
    np.testing.assert_array_equal(forest.predict(X, quantiles=LEVELS), expected)
    other = RandomForestRegressor(n_estimators=1, random_state=7).fit(X, y)
    forest.estimators_ = [*forest.estimators_, *other.estimators_]
    with pytest.raises(ValueError, match="has not grown"):
        forest.predict(X, quantiles=0.5)


@pytest.mark.parametrize("quantiles", [-0.1, [0.5, 1.1], [], [[0.5]], np.nan])
def test_quantiles_lie_between_0_and_1(quantiles):
    X, y = rows()
    forest = QuantileForestRegressor(n_estimators=2, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="quantiles must be numbers from 0 to 1"):
        forest.predict(X, quantiles=quantiles)


def test_refused():
    X, y = rows()
    forest = QuantileForestRegressor(n_estimators=2, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="300 rows of fit"):
        forest.predict(X[:9], quantiles=0.5, out_of_bag=True)
    with pytest.raises(ValueError, match="needs quantiles"):
        forest.predict(X, out_of_bag=True)
    with pytest.raises(ValueError, match="coverage"):
        forest.predict_interval(X, coverage=1.0)
    forest = QuantileForestRegressor(n_estimators=2, bootstrap=False).fit(X, y)
    with pytest.raises(ValueError, match="bootstrap=True"):
        forest.predict(X, quantiles=0.5, out_of_bag=True)
