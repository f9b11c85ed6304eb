"""MiniBatchKMeans: the batches and centres of scikit-learn, what each parameter does, bad input."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.cluster
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.utils import check_random_state
from threadpoolctl import threadpool_limits

from skcourse.cluster import MiniBatchKMeans, minibatch_step
from skcourse.cluster.dense import DenseRows
from skcourse.cluster.minibatch_run import Draws
from skcourse.cluster.minibatch_step import Batch, pull, sum_batch
from skcourse.cluster.sparse import SparseRows

BLOBS, _ = make_blobs(1500, 5, centers=9, cluster_std=2.0, random_state=0)


def both(X, weights=None, **options):
    """Return ours and theirs, fitted."""
    with threadpool_limits(1):  # small batches on busy cores: theirs would wait for its threads
        theirs = sklearn.cluster.MiniBatchKMeans(**options).fit(X, sample_weight=weights)
    return MiniBatchKMeans(**options).fit(X, sample_weight=weights), theirs


def assert_same_fit(ours, theirs, rtol=1e-9):
    assert (ours.n_steps_, ours.n_iter_) == (theirs.n_steps_, theirs.n_iter_)
    size = np.abs(theirs.cluster_centers_).max()
    assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, rtol=0, atol=rtol * size)
    assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=rtol)
    assert ours.cluster_centers_.dtype == theirs.cluster_centers_.dtype
    if hasattr(theirs, "labels_"):
        assert_array_equal(ours.labels_, theirs.labels_)
        assert ours.labels_.dtype == np.int32


@pytest.mark.parametrize("init", ["k-means++", "random", BLOBS[:7]], ids=str)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", [np.asarray, sp.csr_matrix])
def test_one_random_state_one_clustering(init, weighted, kind):
    weights = np.random.default_rng(3).random(1500) if weighted else None
    for seed in range(2):
        options = {"n_clusters": 7, "init": init, "batch_size": 100, "random_state": seed}
        assert_same_fit(*both(kind(BLOBS), weights, **options))


def test_float32_stays_and_agrees():
    ours, theirs = both(BLOBS.astype(np.float32), n_clusters=7, random_state=0, batch_size=200)
    assert_same_fit(ours, theirs, rtol=1e-5)  # theirs rounds centres to float32 in every step
    assert ours.transform(BLOBS.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize(
    "options",
    [
        {"max_iter": 1},
        {"max_iter": 3, "max_no_improvement": None},
        {"max_no_improvement": 2},
        {"max_no_improvement": 0},
        {"tol": 0.05},
        {"init_size": 20},
        {"n_init": 3},
        {"init": "random", "n_init": 1},
        {"reassignment_ratio": 0.0},
        {"reassignment_ratio": 0.9},
        {"batch_size": 30, "n_clusters": 20},
        {"batch_size": 5000},
        {"compute_labels": False},
    ],
    ids=str,
)
def test_each_parameter_does_what_theirs_does(options):
    options = {"n_clusters": 7, "batch_size": 64, "random_state": 5} | options
    assert_same_fit(*both(BLOBS, **options))


@pytest.mark.parametrize(
    "options", [{"tol": 0.05}, {"init_size": 20}, {"n_init": 3}, {"reassignment_ratio": 0.9}]
)
def test_each_parameter_does_something(options):
    plain = MiniBatchKMeans(n_clusters=7, batch_size=64, random_state=5)
    changed = clone(plain).set_params(**options).fit(BLOBS)
    assert changed.cluster_centers_.tolist() != plain.fit(BLOBS).cluster_centers_.tolist()


def test_a_callable_gets_the_rows_as_they_are():
    asked = []

    def first_rows(X, n_clusters, random_state):
        asked.append((X.shape, X.mean() > 50))
        return X[:n_clusters]

    options = {"n_clusters": 4, "init": first_rows, "init_size": 50, "random_state": 0}
    ours, theirs = both(BLOBS + 100.0, n_init=2, **options)
    assert_same_fit(ours, theirs)
    assert asked == [((50, 5), True)] * 4


def test_rows_are_drawn_as_by_choice():
    weights = np.random.default_rng(0).random(500)
    weights[::3] = 0.0
    for rows in (DenseRows(BLOBS[:500]), DenseRows(BLOBS[:500], weights)):
        p = rows.weights / rows.weights.sum() if len(rows.weights) else np.full(500, 1 / 500)
        ours, theirs = check_random_state(1), check_random_state(1)
        draw = Draws(rows, ours)
        for size in (1, 7, 1000):
            expected = theirs.choice(500, size, p=p, replace=True)
            assert_array_equal(draw(size), expected)


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_matrix])
@pytest.mark.parametrize("weighted", [False, True])
def test_partial_fit_is_theirs(kind, weighted):
    weights = np.random.default_rng(3).random(1500) if weighted else None
    ours, theirs = (
        model(n_clusters=6, random_state=2, reassignment_ratio=0.05)
        for model in (MiniBatchKMeans, sklearn.cluster.MiniBatchKMeans)
    )
    for i in range(0, 1500, 150):
        for model in (ours, theirs):
            here = slice(i, i + 150)
            model.partial_fit(
                kind(BLOBS[here]), sample_weight=None if weights is None else weights[here]
            )
        assert ours.n_steps_ == theirs.n_steps_
        assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, rtol=1e-9)
        assert_array_equal(ours.labels_, theirs.labels_)
        assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=1e-9)


def test_partial_fit_after_a_fit_moves_the_centres_little():
    model = MiniBatchKMeans(n_clusters=5, random_state=0, reassignment_ratio=0).fit(BLOBS)
    theirs = sklearn.cluster.MiniBatchKMeans(5, random_state=0, reassignment_ratio=0).fit(BLOBS)
    before = model.cluster_centers_.copy()
    for fitted in (model, theirs):
        fitted.partial_fit(BLOBS[:50] + 1.0)
    assert_allclose(model.cluster_centers_, theirs.cluster_centers_, rtol=1e-9)
    assert 0 < np.abs(model.cluster_centers_ - before).max() < 1.0


def test_a_centre_is_the_mean_of_all_that_were_its_own():
    rng = np.random.default_rng(0)
    centers, seen = rng.normal(size=(3, 2)), np.zeros(3)
    sums, weights = np.zeros((3, 2)), np.zeros(3)
    X, w = rng.normal(size=(400, 2)), rng.random(400)
    rows = DenseRows(X, w)
    for first in range(0, 400, 100):
        members = np.arange(first, first + 100, dtype=np.uint32)
        squares = ((X[members, np.newaxis] - centers) ** 2).sum(axis=2)
        z = squares.argmin(axis=1)
        np.add.at(sums, z, w[members, np.newaxis] * X[members])
        np.add.at(weights, z, w[members])
        batch = sum_batch(rows, members, centers, np.zeros(2))
        assert batch.inertia[0] == pytest.approx(w[members] @ squares.min(axis=1))
        pull(centers, seen, batch)
        assert_allclose(seen, weights)
        assert_allclose(centers, sums / weights[:, np.newaxis])


def test_a_batch_without_rows_of_a_centre_leaves_it():
    centers, seen = np.arange(6.0).reshape(3, 2), np.array([1.0, 0.0, 2.0])
    shift = pull(centers, seen, Batch.zeros(3, 2))
    assert_array_equal(centers, np.arange(6.0).reshape(3, 2))
    assert shift == 0.0


@pytest.mark.parametrize("kind", [DenseRows, lambda X: SparseRows(sp.csr_matrix(X))])
def test_a_batch_in_chunks_on_any_threads(kind, monkeypatch):
    monkeypatch.setattr(minibatch_step, "PRODUCTS", 256 * 9 * 5)
    rows, members = kind(BLOBS), np.arange(1499, -1, -1, dtype=np.uint32)
    found = []
    for n_threads in ("1", "3"):
        monkeypatch.setenv("OMP_NUM_THREADS", n_threads)
        found.append(sum_batch(rows, members, BLOBS[:9].copy(), np.zeros(5)))
    for one, three in zip(*found, strict=True):
        assert_array_equal(one, three)
    monkeypatch.setattr(minibatch_step, "PRODUCTS", 2**30)
    whole = sum_batch(rows, members, BLOBS[:9].copy(), np.zeros(5))
    assert_allclose(whole.sums, found[0].sums, rtol=1e-12)  # 1500 terms in another order
    assert_array_equal(whole.weights, found[0].weights)


def test_far_from_zero():
    options = {"n_clusters": 7, "batch_size": 100, "random_state": 0}
    near, far = (MiniBatchKMeans(**options).fit(X) for X in (BLOBS, BLOBS + 2.0**26))
    # 2^26 rounds the rows to 2^-26 eps / 2, about 1e-8, which moves centres as much
    assert_allclose(far.cluster_centers_ - 2.0**26, near.cluster_centers_, atol=1e-6)
    assert_array_equal(far.labels_, near.labels_)


def test_history_is_of_the_steps():
    model = MiniBatchKMeans(n_clusters=7, batch_size=100, random_state=0, tol=1e-3).fit(BLOBS)
    history = model.history_
    assert {name: len(values) for name, values in history.items()} == dict.fromkeys(
        ("inertia", "smoothed", "center_shift", "n_reassigned"), model.n_steps_
    )
    assert history["smoothed"][-1] < history["inertia"][0]
    assert history["center_shift"][-1] < history["center_shift"][0]
    many = MiniBatchKMeans(n_clusters=40, batch_size=50, random_state=0, reassignment_ratio=0.9)
    assert many.fit(BLOBS).history_["n_reassigned"].max() > 0


def test_verbose_tells_of_steps(capsys):
    options = {"n_clusters": 7, "batch_size": 50, "random_state": 0, "verbose": 1, "n_init": 2}
    for tol, why in ((0.0, "lack of improvement in inertia"), (1e3, "small centers change")):
        MiniBatchKMeans(tol=tol, reassignment_ratio=0.9, **options).fit(BLOBS)
        ours = capsys.readouterr().out
        sklearn.cluster.MiniBatchKMeans(tol=tol, reassignment_ratio=0.9, **options).fit(BLOBS)
        theirs = capsys.readouterr().out
        assert f"Converged ({why})" in ours
        assert len(ours.splitlines()) == len(theirs.splitlines())
        assert [line.split(":")[0] for line in ours.splitlines()] == [
            line.split(":")[0] for line in theirs.splitlines()
        ]


def test_all_centres_may_start_anew():
    """Theirs fails where no centre is left that has seen enough."""
    model = MiniBatchKMeans(n_clusters=2, reassignment_ratio=3.0, random_state=0, max_iter=2)
    assert np.isfinite(model.fit(BLOBS).cluster_centers_).all()


def test_one_step_without_labels():
    """Theirs fails where no second batch was there to smooth with."""
    model = MiniBatchKMeans(
        n_clusters=3, max_iter=1, batch_size=1500, compute_labels=False, random_state=0
    ).fit(BLOBS)
    assert model.n_steps_ == 1
    assert model.inertia_ == pytest.approx(1500 * model.history_["inertia"][0])


def test_warnings_and_errors():
    with pytest.warns(RuntimeWarning, match="init_size=3 should be larger than n_clusters=8"):
        MiniBatchKMeans(init_size=3, random_state=0).fit(BLOBS)
    with pytest.warns(RuntimeWarning, match="performing only one init in MiniBatchKMeans"):
        MiniBatchKMeans(3, init=BLOBS[:3], n_init=2).fit(BLOBS)
    for X, options, message in (
        (BLOBS[:3], {"n_clusters": 4}, "n_samples=3 should be >= n_clusters=4"),
        (BLOBS, {"init": BLOBS[:3]}, "does not match the number of clusters 8"),
        (BLOBS, {"init": BLOBS[:8, :2]}, "does not match the number of features"),
        (np.where(BLOBS > 9, np.nan, BLOBS), {}, "Input X contains NaN"),
        (BLOBS, {"reassignment_ratio": -1.0}, "The 'reassignment_ratio' parameter"),
        (BLOBS, {"batch_size": 0}, "The 'batch_size' parameter"),
    ):
        for method in ("fit", "partial_fit"):
            model = MiniBatchKMeans(**options)
            with warnings.catch_warnings(), pytest.raises(ValueError, match=message):
                warnings.simplefilter("ignore")
                getattr(model, method)(X)
            assert not hasattr(model, "cluster_centers_")
    for weights, message in ((np.zeros(1500), "non-zero"), (-np.ones(1500), "Negative")):
        with pytest.raises(ValueError, match=message):
            MiniBatchKMeans().fit(BLOBS, sample_weight=weights)


def test_a_failed_partial_fit_changes_nothing():
    model = MiniBatchKMeans(3, random_state=0).partial_fit(BLOBS[:200])
    before = model.cluster_centers_.copy(), model._counts.copy(), model.n_steps_
    with pytest.raises(ValueError, match="features"):
        model.partial_fit(BLOBS[:, :3])
    with pytest.raises(ValueError, match="NaN"):
        model.partial_fit(np.full((5, 5), np.nan))
    for old, new in zip(
        before, (model.cluster_centers_, model._counts, model.n_steps_), strict=True
    ):
        assert_array_equal(old, new)
