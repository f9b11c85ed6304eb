"""BisectingKMeans: the splits of scikit-learn, its tree, what each parameter does, bad input."""

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.cluster
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import make_blobs
from threadpoolctl import threadpool_limits

from skcourse.cluster import BisectingKMeans
from skcourse.cluster.base import rows_of
from skcourse.cluster.bisecting_tree import Leaf, Tree, descend

BLOBS, _ = make_blobs(900, 6, centers=9, cluster_std=2.0, random_state=0)


def both(X, weights=None, **options):
    """Return ours and theirs, fitted."""
    with threadpool_limits(1):
        theirs = sklearn.cluster.BisectingKMeans(**options).fit(X, sample_weight=weights)
    return BisectingKMeans(**options).fit(X, sample_weight=weights), theirs


def assert_same_fit(ours, theirs, X, rtol=1e-9):
    assert_array_equal(ours.labels_, theirs.labels_)
    size = np.abs(theirs.cluster_centers_).max()
    assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, rtol=0, atol=rtol * size)
    assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=rtol)
    assert ours.cluster_centers_.dtype == theirs.cluster_centers_.dtype
    assert ours.labels_.dtype == ours.predict(X).dtype == np.int32
    assert_array_equal(ours.predict(X), theirs.predict(X))
    assert_array_equal(ours.predict(X), ours.labels_)


@pytest.mark.parametrize("strategy", ["biggest_inertia", "largest_cluster"])
@pytest.mark.parametrize("init", ["k-means++", "random"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", [np.asarray, sp.csr_matrix])
def test_one_random_state_one_tree(strategy, init, weighted, kind):
    weights = np.random.default_rng(1).random(900) if weighted else None
    options = {"init": init, "bisecting_strategy": strategy}
    for seed in range(2):
        X = kind(BLOBS)
        fits = both(X, weights, n_clusters=7, random_state=seed, **options)
        assert_same_fit(*fits, X)


def test_float32_stays_and_agrees():
    X = BLOBS.astype(np.float32)
    ours, theirs = both(X, n_clusters=7, random_state=0)
    assert_same_fit(ours, theirs, X, rtol=1e-5)  # theirs adds up 900 numbers in float32
    assert ours.transform(X).dtype == np.float32


@pytest.mark.parametrize(
    "options",
    [
        {"n_init": 4},
        {"max_iter": 1},
        {"tol": 1.0},
        {"init": "k-means++"},
        {"bisecting_strategy": "largest_cluster"},
        {"n_clusters": 4},
        {"random_state": 1},
    ],
    ids=str,
)
def test_each_parameter_does_what_theirs_does(options):
    options = {"n_clusters": 8, "random_state": 0} | options
    ours, theirs = both(BLOBS, **options)
    assert_same_fit(ours, theirs, BLOBS)
    plain = BisectingKMeans(8, random_state=0).fit(BLOBS)
    assert ours.cluster_centers_.tolist() != plain.cluster_centers_.tolist()


def test_parameters_for_compatibility_change_nothing():
    X = BLOBS.copy()
    plain = BisectingKMeans(5, random_state=0).fit(X)
    for options in ({"algorithm": "elkan"}, {"copy_x": False}):
        model = BisectingKMeans(5, random_state=0, **options).fit(X)
        assert_array_equal(model.cluster_centers_, plain.cluster_centers_)
    assert_array_equal(X, BLOBS)


def test_a_callable_gets_the_rows_less_the_mean_of_all():
    asked = []

    def first_two(X, n_clusters, random_state):
        asked.append((len(X), n_clusters, np.round(X.sum(), 6)))
        return X[:2].copy()  # theirs would write its centres into X

    options = {"n_clusters": 4, "init": first_two}
    assert_same_fit(*both(BLOBS + 100.0, **options), BLOBS + 100.0)
    assert asked[:3] == asked[3:]
    assert asked[0] == (900, 2, 0.0)


def test_the_way_down_is_taken_literally():
    model = BisectingKMeans(6, random_state=0).fit(BLOBS)
    tree = model._tree
    for x, label in zip(BLOBS[::9], model.predict(BLOBS[::9]), strict=True):
        node = 0
        while tree.children[node, 0] >= 0:
            a, b = tree.children[node]
            nearer = np.sum((x - tree.centers[a]) ** 2) <= np.sum((x - tree.centers[b]) ** 2)
            node = a if nearer else b
        assert tree.labels[node] == label
        assert_array_equal(tree.centers[node], model.cluster_centers_[label])
    assert np.any(model.labels_ != np.argmin(model.transform(BLOBS), axis=1))


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_matrix])
def test_equal_distances_go_left(kind):
    tree = Tree(
        np.array([[0.0], [1.0], [-1.0]]),
        np.array([[1, 2], [-1, -1], [-1, -1]], np.int32),
        np.array([-1, 0, 1], np.int32),
    )
    rows = rows_of(kind(np.array([[0.0], [-0.1], [0.1]])))
    assert_array_equal(descend(rows, tree), [0, 1, 0])


def test_leaves_are_numbered_from_left_to_right():
    root = Leaf(np.zeros(1), None, 0.0)
    root.children = [Leaf(np.array([c]), None, 0.0) for c in (-2.0, 2.0)]
    root.children[0].children = [Leaf(np.array([c]), None, 0.0) for c in (-3.0, -1.0)]
    tree = root.tree()
    assert [leaf.center[0] for leaf in root.leaves()] == [-3.0, -1.0, 2.0]
    assert_array_equal(tree.children, [[1, 2], [3, 4], [-1, -1], [-1, -1], [-1, -1]])
    assert_array_equal(tree.labels, [-1, -1, 2, 0, 1])


def test_history_is_of_the_splits():
    model = BisectingKMeans(7, random_state=0, bisecting_strategy="largest_cluster").fit(BLOBS)
    inertia, size = model.history_["inertia"], model.history_["size"]
    assert len(inertia) == len(size) == model.n_iter_ == 6
    assert np.all(np.diff(inertia) < 0)
    assert inertia[-1] == pytest.approx(model.inertia_)
    assert size[0] == 900
    assert np.all(np.diff(size) <= 0)


def test_one_cluster_has_no_split():
    model = BisectingKMeans(1).fit(BLOBS)
    assert model.n_iter_ == 0
    assert_allclose(model.cluster_centers_, BLOBS.mean(axis=0, keepdims=True))
    assert_array_equal(model.predict(BLOBS), np.zeros(900))
    assert model.inertia_ == pytest.approx(900 * BLOBS.var(axis=0).sum())


def test_as_many_clusters_as_rows():
    """Equal rows are split when there is nothing else to split; theirs fails on a single row."""
    X = np.array([[0.0], [1.0], [1.0], [5.0], [1.0], [7.0]])
    for strategy in ("biggest_inertia", "largest_cluster"):
        model = BisectingKMeans(6, bisecting_strategy=strategy, random_state=0).fit(X)
        assert model.inertia_ == 0.0
        assert_array_equal(model.cluster_centers_[model.labels_], X)
        assert_array_equal(model.predict(X), model.labels_)


def test_rows_of_weight_0_lead_no_cluster():
    weights = np.zeros(900)
    weights[:4] = 1.0
    model = BisectingKMeans(4, random_state=0).fit(BLOBS, sample_weight=weights)
    assert_allclose(np.sort(model.cluster_centers_, axis=0), np.sort(BLOBS[:4], axis=0))
    with pytest.raises(ValueError, match="samples of positive sample_weight, 4, should be >="):
        BisectingKMeans(5).fit(BLOBS, sample_weight=weights)


def test_verbose_tells_of_splits(capsys):
    BisectingKMeans(3, random_state=0, n_init=2, verbose=1).fit(BLOBS)
    told = capsys.readouterr().out
    assert told.count("New centroids from bisection:") == 2
    assert told.count("Initialization complete") == told.count("Converged at iteration") == 4


@pytest.mark.parametrize(
    ("X", "options", "message"),
    [
        (BLOBS[:3], {"n_clusters": 4}, "n_samples=3 should be >= n_clusters=4"),
        (np.where(BLOBS > 9, np.nan, BLOBS), {}, "Input X contains NaN"),
        (BLOBS, {"init": BLOBS[:2]}, "The 'init' parameter of BisectingKMeans"),
        (BLOBS, {"init": lambda X, k, random_state: X[:3]}, "match the number of clusters 2"),
        (BLOBS, {"n_init": "auto"}, "The 'n_init' parameter"),
        (BLOBS, {"bisecting_strategy": "smallest"}, "The 'bisecting_strategy' parameter"),
    ],
)
def test_bad_input(X, options, message):
    model = BisectingKMeans(**options)
    with pytest.raises(ValueError, match=message):
        model.fit(X)
    assert not hasattr(model, "cluster_centers_")
