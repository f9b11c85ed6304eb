"""KMeans: the answers of scikit-learn, what must not matter, and what is beyond."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.cluster
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.callback import ScoringMonitor
from sklearn.datasets import load_digits, make_blobs
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import v_measure_score

from skcourse.cluster import BisectingKMeans, KMeans, MiniBatchKMeans, k_means

BLOBS, _ = make_blobs(900, 6, centers=9, cluster_std=2.0, random_state=0)


def assert_same_fit(ours, theirs, rtol=1e-9):
    assert_array_equal(ours.labels_, theirs.labels_)
    assert ours.n_iter_ == theirs.n_iter_
    size = np.abs(theirs.cluster_centers_).max()
    assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, rtol=0, atol=rtol * size)
    assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=rtol)
    assert ours.cluster_centers_.dtype == theirs.cluster_centers_.dtype
    assert ours.labels_.dtype == np.int32


@pytest.mark.parametrize("init", ["k-means++", "random"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", [np.asarray, sp.csr_matrix])
@pytest.mark.parametrize("seed", range(3))
def test_one_random_state_one_clustering(init, weighted, kind, seed):
    X, weights = kind(BLOBS), np.random.default_rng(seed).random(900) if weighted else None
    ours, theirs = (
        model(n_clusters=7, init=init, n_init=2, random_state=seed).fit(X, sample_weight=weights)
        for model in (KMeans, sklearn.cluster.KMeans)
    )
    assert_same_fit(ours, theirs)
    assert_allclose(ours.transform(X), theirs.transform(X), rtol=1e-9)
    assert ours.score(X, sample_weight=weights) == pytest.approx(-ours.inertia_, rel=1e-12)


def test_float32_stays_and_agrees():
    X = BLOBS.astype(np.float32)
    ours, theirs = (model(7, random_state=0).fit(X) for model in (KMeans, sklearn.cluster.KMeans))
    assert_same_fit(ours, theirs, rtol=1e-5)  # theirs adds up 900 numbers in float32
    assert ours.transform(X).dtype == np.float32


@pytest.mark.parametrize(
    "convert",
    [
        sp.csr_matrix,
        sp.csc_matrix,
        sp.coo_array,
        np.asfortranarray,
        lambda X: np.repeat(X, 2, axis=0)[::2],
        lambda X: X.tolist(),
        lambda X: read_only(X),
    ],
)
def test_any_container(convert):
    X = np.round(np.maximum(BLOBS, 0), 1)
    expected = KMeans(5, init=X[:5], random_state=0).fit(X)
    model = KMeans(5, init=X[:5], random_state=0).fit(convert(X))
    assert_array_equal(model.labels_, expected.labels_)
    assert_allclose(model.cluster_centers_, expected.cluster_centers_, atol=1e-12)
    assert_array_equal(model.predict(convert(X)), expected.predict(X))


def read_only(X):
    X = X.copy()
    X.flags.writeable = False
    return X


def test_indices_of_64_bits_are_refused_as_by_scikit_learn():
    X = sp.csr_matrix(BLOBS)
    X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    for model in (KMeans(3), sklearn.cluster.KMeans(3)):
        with pytest.raises(ValueError, match="Only sparse matrices with 32-bit integer indices"):
            model.fit(X)


def test_a_memory_map_is_read_where_it_lies(tmp_path):
    path = tmp_path / "X.npy"
    np.save(path, BLOBS)
    model = KMeans(7, random_state=0).fit(np.load(path, mmap_mode="r"))
    expected = KMeans(7, random_state=0).fit(BLOBS)
    assert_array_equal(model.cluster_centers_, expected.cluster_centers_)
    assert_array_equal(model.predict(np.load(path, mmap_mode="r")), expected.labels_)


@pytest.mark.parametrize("max_iter", [1, 3, 300])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_predict_gives_the_labels_of_the_fit(max_iter, dtype):
    X = load_digits().data.astype(dtype)  # a grid, with ties
    model = KMeans(10, max_iter=max_iter, random_state=0).fit(X)
    assert_array_equal(model.predict(X), model.labels_)
    assert_array_equal([model.predict(X[i : i + 1])[0] for i in range(40)], model.labels_[:40])


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_matrix])
def test_distances_of_one_row_are_those_of_all(kind):
    model = KMeans(10, random_state=0).fit(BLOBS)
    X = kind(BLOBS)
    one_by_one = np.vstack([model.transform(X[[i]]) for i in range(20)])
    assert_allclose(one_by_one, model.transform(X)[:20], rtol=1e-13)


def test_the_order_of_rows_does_not_matter():
    order = np.random.default_rng(0).permutation(900)
    model = KMeans(9, init=BLOBS[:9]).fit(BLOBS)
    shuffled = KMeans(9, init=BLOBS[:9]).fit(BLOBS[order])
    assert_array_equal(shuffled.labels_, model.labels_[order])
    assert_allclose(shuffled.cluster_centers_, model.cluster_centers_, rtol=1e-12)


@pytest.mark.parametrize("offset", [1e6, -1e8])
def test_a_shift_of_the_data_does_not_matter(offset):
    model = KMeans(9, init=BLOBS[:9]).fit(BLOBS)
    X = BLOBS + offset
    shifted = KMeans(9, init=X[:9]).fit(X)
    assert_array_equal(shifted.labels_, model.labels_)
    atol = 8 * abs(offset) * np.finfo(float).eps  # the data themselves are rounded so
    assert_allclose(shifted.cluster_centers_ - offset, model.cluster_centers_, atol=atol)
    assert shifted.inertia_ == pytest.approx(model.inertia_, rel=1e-5)


def test_an_integer_weight_is_a_repetition_and_a_weight_of_0_an_absence():
    weights = np.arange(900) % 4
    init = BLOBS[1:8]
    weighted = KMeans(7, init=init).fit(BLOBS, sample_weight=weights)
    repeated = KMeans(7, init=init).fit(np.repeat(BLOBS, weights, axis=0))
    assert_array_equal(np.repeat(weighted.labels_, weights), repeated.labels_)
    assert_allclose(weighted.cluster_centers_, repeated.cluster_centers_, rtol=1e-11)
    assert weighted.inertia_ == pytest.approx(repeated.inertia_, rel=1e-11)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (6, 1), (130, 140)])
def test_one_cluster_and_as_many_as_rows(shape):
    X = np.random.default_rng(0).normal(size=shape)
    model = KMeans(1, random_state=0).fit(X)
    assert_allclose(model.cluster_centers_[0], X.mean(axis=0), atol=1e-15)
    model = KMeans(len(X), random_state=0).fit(X)
    assert_array_equal(np.sort(model.labels_), np.arange(len(X)))
    assert model.inertia_ == pytest.approx(0, abs=1e-25)


def test_fewer_distinct_rows_than_clusters():
    X = np.array([[0.0, 0], [1, 1], [1, 1], [1, 0], [0, 1]])
    with pytest.warns(ConvergenceWarning, match=r"distinct clusters \(4\) found smaller") as seen:
        model = KMeans(5, init=X).fit(X)
    assert seen[0].filename == __file__
    assert model.n_iter_ == 1
    assert_array_equal(model.labels_, [0, 1, 1, 3, 4])


def test_a_constant_column_and_constant_data():
    X = np.column_stack([BLOBS, np.full(900, 7.0)])
    model = KMeans(9, init=X[:9]).fit(X)
    assert_array_equal(model.labels_, KMeans(9, init=BLOBS[:9]).fit(BLOBS).labels_)
    assert_allclose(model.cluster_centers_[:, -1], 7.0, rtol=1e-15)
    with pytest.warns(ConvergenceWarning):
        assert KMeans(3).fit(np.full((20, 2), 3.0)).inertia_ == 0


def test_history():
    model = KMeans(9, random_state=0, tol=0).fit(BLOBS)
    inertia, shift = model.history_["inertia"], model.history_["center_shift"]
    assert len(inertia) == len(shift) == model.n_iter_
    assert np.all(np.diff(inertia) <= 0)
    assert inertia[-1] == pytest.approx(model.inertia_, rel=1e-12)
    assert shift[-1] == 0


def test_every_parameter_has_an_effect():
    X = load_digits().data
    base = {"n_clusters": 8, "random_state": 0}
    model = KMeans(**base).fit(X)
    for change in (
        {"n_clusters": 5},
        {"init": "random"},
        {"init": X[:8]},
        {"n_init": 5},
        {"max_iter": 2},
        {"tol": 0.5},
        {"random_state": 1},
    ):
        other = KMeans(**(base | change)).fit(X)
        assert other.inertia_ != model.inertia_, change
    # two are there for compatibility and promise the same fit
    for change in ({"copy_x": False}, {"algorithm": "elkan"}):
        before = X.copy()
        assert_array_equal(KMeans(**(base | change)).fit(X).labels_, model.labels_)
        assert_array_equal(X, before)


def test_more_runs_are_never_worse():
    inertias = [
        KMeans(9, init="random", n_init=n, max_iter=2, random_state=0).fit(BLOBS).inertia_
        for n in (1, 5, 10)
    ]
    assert inertias == sorted(inertias, reverse=True)


def test_a_callable_gets_centred_rows():
    def first_rows(X, n_clusters, random_state):
        assert_allclose(X.mean(axis=0), 0, atol=1e-12)
        assert isinstance(random_state, np.random.RandomState)
        return X[:n_clusters].copy()  # theirs would write into a view of X

    ours, theirs = (
        model(9, init=first_rows, n_init=1).fit(BLOBS) for model in (KMeans, sklearn.cluster.KMeans)
    )
    assert_same_fit(ours, theirs)


def test_verbose(capsys):
    KMeans(3, init=BLOBS[:3], verbose=1, tol=0).fit(BLOBS)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Initialization complete"
    assert lines[1].startswith("Iteration 0, inertia ")
    assert lines[-1].endswith("strict convergence.")
    KMeans(3, init=BLOBS[:3], verbose=1, tol=10.0).fit(BLOBS)
    assert "within tolerance" in capsys.readouterr().out


class Recorder:
    """A callback that notes the tasks and stops at one of them."""

    def __init__(self, stop_at=None):
        self.stop_at, self.ended, self.inertias = stop_at, [], []

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context, **kwargs):
        pass

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        self.ended.append(context.task_name)
        if context.task_name == "iteration":
            self.inertias.append(fitted_estimator.inertia_)
            assert fitted_estimator.predict(BLOBS).shape == (900,)
        return len(self.ended) == self.stop_at


def test_callbacks_hear_of_runs_and_iterations():
    recorder = Recorder()
    model = KMeans(5, init="random", n_init=2, random_state=0).set_callbacks(recorder).fit(BLOBS)
    assert recorder.ended.count("run") == 2
    assert len(recorder.inertias) >= model.n_iter_
    assert model.history_["inertia"][-1] in recorder.inertias
    assert recorder.ended[-1] == "fit"


def test_a_callback_can_stop_a_run():
    model = KMeans(5, random_state=0).set_callbacks(Recorder(stop_at=2)).fit(BLOBS)
    assert model.n_iter_ == 2
    assert_array_equal(model.predict(BLOBS), model.labels_)


def test_a_monitor_can_score_every_iteration():
    monitor = ScoringMonitor(scoring=lambda model, X, y=None: model.score(X))
    model = KMeans(5, random_state=0).set_callbacks(monitor).fit(BLOBS)
    assert model.n_iter_ > 1  # and no iteration failed to make an estimator that can score


@pytest.mark.parametrize("method", ["fit", "fit_predict", "fit_transform"])
def test_a_monitor_scores_with_the_weights_and_y(method):
    y, weights, seen = np.arange(900) % 3, np.linspace(0, 1, 900), []

    def inertia(model, X, y, sample_weight):
        seen.append((y, sample_weight))
        return {"inertia": -model.score(X, sample_weight=sample_weight)}

    model = KMeans(5, random_state=0).set_callbacks(ScoringMonitor(scoring=inertia))
    getattr(model, method)(BLOBS, y, sample_weight=weights)
    assert len(seen) >= model.n_iter_
    assert all(given[0] is y and given[1] is weights for given in seen)


def test_a_monitor_scores_by_name():
    y, weights = np.arange(900) % 3, np.linspace(0, 1, 900)
    monitor = ScoringMonitor(scoring="v_measure_score")
    model = KMeans(5, tol=0, random_state=0).set_callbacks(monitor)
    labels = model.fit_predict(BLOBS, y, sample_weight=weights)
    scores = [row["v_measure_score"] for row in monitor.get_logs().data]
    assert scores[-1] == pytest.approx(v_measure_score(y, labels))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_clusters": 901}, "n_samples=900 should be >= n_clusters=901"),
        ({"init": BLOBS[:2]}, r"initial centers \(2, 6\) does not match the number of clusters 8"),
        ({"init": BLOBS[:8, :2]}, "does not match the number of features of the data 6"),
        ({"init": lambda X, k, random_state: X[:2]}, "does not match the number of clusters 8"),
        ({"init": lambda X, k, random_state: X[:8, :2]}, "does not match the number of features"),
        ({"init": "nowhere"}, "The 'init' parameter of KMeans"),
        ({"max_iter": 0}, "The 'max_iter' parameter of KMeans"),
        ({"algorithm": "full"}, "The 'algorithm' parameter of KMeans"),
    ],
)
def test_bad_parameters(params, message):
    model = KMeans(**params)
    with pytest.raises(ValueError, match=message):
        model.fit(BLOBS)
    assert not [name for name in vars(model) if name in ("cluster_centers_", "labels_")]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_bad_numbers(bad):
    X = BLOBS.copy()
    X[700, 3] = bad
    refused = (X, sp.csr_matrix(X)) if bad == np.inf else (sp.csr_matrix(X),)  # NaN is missing
    model = KMeans(3, random_state=0).fit(BLOBS)
    for data in refused:
        for method in (KMeans(3).fit, model.predict, model.transform, model.score):
            with pytest.raises(ValueError, match=r"Input X contains (NaN|infinity)"):
                method(data)


def test_bad_weights():
    for weights in ([1.0], np.zeros(900), np.full(900, np.nan), -np.ones(900)):
        with pytest.raises(ValueError, match=r"[Ww]eight"):
            KMeans(3).fit(BLOBS, sample_weight=weights)


def test_warnings_about_parameters():
    with pytest.warns(RuntimeWarning, match="performing only one init in KMeans instead") as seen:
        KMeans(9, init=BLOBS[:9], n_init=10).fit(BLOBS)
    assert seen[0].filename == __file__
    with pytest.warns(RuntimeWarning, match="doesn't make sense for a single cluster"):
        KMeans(1, algorithm="elkan").fit(BLOBS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        KMeans(9, init=BLOBS[:9]).fit(BLOBS)


def test_not_fitted():
    with pytest.raises(NotFittedError):
        KMeans().predict(BLOBS)


def test_k_means():
    centers, labels, inertia, n_iter = k_means(BLOBS, 9, random_state=0, return_n_iter=True)
    model = KMeans(9, random_state=0).fit(BLOBS)
    assert_array_equal(centers, model.cluster_centers_)
    assert_array_equal(labels, model.labels_)
    assert (inertia, n_iter) == (model.inertia_, model.n_iter_)
    assert len(k_means(BLOBS, 9, random_state=0)) == 3


def test_names_of_the_output():
    model = KMeans(3, random_state=0).set_output(transform="pandas").fit(BLOBS)
    names = ["kmeans0", "kmeans1", "kmeans2"]
    assert list(model.transform(BLOBS).columns) == names
    assert list(model.fit_transform(BLOBS).columns) == names


@pytest.mark.parametrize(("dtype", "far"), [(np.float32, 1e6), (np.float64, 1e10)])
def test_one_far_cluster_spoils_no_label(dtype, far):
    rng = np.random.default_rng(0)
    places = rng.uniform(-10, 10, size=(9, 6))
    X = np.vstack([places[np.arange(600) % 9] + rng.normal(size=(600, 6)), np.full((1, 6), far)])
    X, init = X.astype(dtype), np.vstack([places, np.full((1, 6), far)]).astype(dtype)
    model = KMeans(10, init=init, n_init=1).fit(X)
    away = X[:, np.newaxis].astype(float) - model.cluster_centers_.astype(float)
    squares = (away**2).sum(axis=2)
    chosen = squares[np.arange(len(X)), model.predict(X)]
    # scores about a place among the rows: wrong by some d eps |x|^2, and |x| is at most 60
    assert_allclose(chosen, squares.min(axis=1), atol=6 * 8 * np.finfo(dtype).eps * 60**2)
    np.testing.assert_array_equal(model.labels_, model.predict(X))


@pytest.mark.parametrize("cls", [BisectingKMeans, KMeans, MiniBatchKMeans])
@pytest.mark.parametrize(("dtype", "unit"), [(np.float64, 1e200), (np.float32, 1e30)])
def test_squares_that_overflow_are_refused(cls, dtype, unit):
    X = (np.random.default_rng(0).normal(size=(50, 3)) * unit).astype(dtype)
    for given in (X, sp.csr_array(X)):
        with pytest.raises(ValueError, match=f"overflow {np.dtype(dtype)}"):
            cls(2, random_state=0).fit(given)
    with pytest.raises(ValueError, match="infinity"):
        cls(2).fit(np.where(X > 0, np.inf, X))
