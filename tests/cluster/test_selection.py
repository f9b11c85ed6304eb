"""The number of clusters: where there is no doubt about it, every method finds it."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_iris, make_blobs
from sklearn.metrics import pairwise_distances, silhouette_score

from skcourse.cluster import KMeans, KMedoids, select_n_clusters
from skcourse.cluster.selection import METHODS, first_gap, knee
from skcourse.mixture import GaussianMixture

X, _ = make_blobs(
    240, centers=[[0, 0], [20, 0], [0, 20], [20, 20]], cluster_std=1.0, random_state=0
)
K_MEANS = KMeans(n_init=5, random_state=0)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "estimator", [K_MEANS, KMedoids(), GaussianMixture(n_init=3, random_state=0)]
)
def test_four_clusters_far_apart_are_four(estimator, method):
    before = clone(estimator).get_params()
    selection = select_n_clusters(estimator, X, method=method, random_state=0, n_references=5)
    assert selection.n_clusters == 4
    assert selection.method == method
    assert len(np.unique(selection.estimator.fit_predict(X))) == 4
    assert_array_equal(selection.candidates, np.arange(2 if method == "silhouette" else 1, 11))
    assert estimator.get_params() == before
    assert not hasattr(estimator, "n_features_in_")


@pytest.mark.parametrize("method", ["gap", "bic"])
def test_without_clusters_there_is_one(method):
    shapeless = np.random.default_rng(0).uniform(size=(300, 2))
    if method == "bic":  # a uniform square is not round: a Gaussian cloud is
        shapeless = np.random.default_rng(0).normal(size=(300, 2))
    found = select_n_clusters(K_MEANS, shapeless, method=method, random_state=0)
    assert found.n_clusters == 1


def test_scores_are_what_their_names_say():
    numbers = [2, 3, 4]
    fits = [clone(K_MEANS).set_params(n_clusters=k).fit(X) for k in numbers]
    elbow = select_n_clusters(K_MEANS, X, n_clusters=numbers).scores
    assert_allclose(elbow, [fit.inertia_ for fit in fits])
    silhouette = select_n_clusters(K_MEANS, X, n_clusters=numbers, method="silhouette").scores
    assert_allclose(silhouette, [silhouette_score(X, fit.labels_) for fit in fits])
    mixture = GaussianMixture(random_state=0)
    bic = select_n_clusters(mixture, X, n_clusters=numbers, method="bic").scores
    fits = [clone(mixture).set_params(n_components=k).fit(X) for k in numbers]
    assert_allclose(bic, [fit.bic(X) for fit in fits])


def test_bic_of_k_means_is_that_of_round_gaussians():
    """One cluster: by scipy's log-density, with d + 1 parameters."""
    from scipy.stats import multivariate_normal

    n, d = X.shape
    variance = np.mean((X - X.mean(axis=0)) ** 2)
    likelihood = multivariate_normal(X.mean(axis=0), variance * np.eye(d)).logpdf(X).sum()
    expected = -2 * likelihood + (d + 1) * np.log(n)
    found = select_n_clusters(K_MEANS, X, n_clusters=[1, 2], method="bic").scores[0]
    assert_allclose(found, expected, rtol=1e-12)


def test_the_knee_of_two_lines_is_where_they_meet():
    candidates = np.arange(1, 11)
    scores = np.where(candidates < 4, 100.0 - 30 * (candidates - 1), 11.0 - candidates)
    assert candidates[knee(candidates, scores)] == 4
    assert knee(candidates, np.ones(10)) == 0


def test_the_gap_is_the_first_that_the_next_does_not_exceed():
    scores, errors = np.array([0.1, 0.9, 0.95, 0.3]), np.array([0.01, 0.02, 0.1, 0.01])
    assert first_gap(scores, errors) == 1
    assert first_gap(np.arange(4.0), np.zeros(4)) == 3


def test_more_references_are_drawn_and_the_seed_decides_them():
    def gap(**options):
        return select_n_clusters(K_MEANS, X, n_clusters=[1, 2], method="gap", **options)

    assert_array_equal(gap(random_state=0).scores, gap(random_state=0).scores)
    assert (gap(random_state=0).scores != gap(random_state=1).scores).any()
    few, many = gap(random_state=0, n_references=2), gap(random_state=0, n_references=9)
    assert (few.scores != many.scores).any()
    assert few.errors.shape == (2,)


def test_silhouettes_of_a_sample_are_near_those_of_all():
    options = {"n_clusters": [4], "method": "silhouette"}
    part = select_n_clusters(K_MEANS, X, sample_size=120, random_state=0, **options).scores
    whole = select_n_clusters(K_MEANS, X, **options).scores
    assert part != whole
    assert abs(part - whole) < 0.05  # four clusters 20 apart: each silhouette is within 0.2 of 0.9


def test_sparse_rows_are_taken_but_by_the_gap():
    rows = sp.csr_array(X)
    assert select_n_clusters(K_MEANS, rows).n_clusters == 4
    assert select_n_clusters(K_MEANS, rows, method="bic").n_clusters == 4
    with pytest.raises(ValueError, match="must not be sparse"):
        select_n_clusters(K_MEANS, rows, method="gap")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_clusters": [0, 1, 2]}, "between 1 and 240"),
        ({"n_clusters": [1, 2, 300]}, "between 1 and 240"),
        ({"n_clusters": [1, 2], "method": "silhouette"}, "between 2 and 239"),
        ({"n_clusters": [2, 3]}, "needs at least 3 candidates"),
        ({"n_clusters": [2], "method": "gap"}, "needs at least 2 candidates"),
        ({"n_clusters": [2, 4], "method": "gap"}, "holes"),
        ({"n_clusters": [2.5, 3.0, 4.0]}, "list of integers"),
        ({"method": "guess"}, "'method' parameter"),
    ],
)
def test_bad_candidates_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        select_n_clusters(K_MEANS, X, **options)


def test_what_has_no_number_of_clusters_is_refused():
    from sklearn.cluster import DBSCAN

    with pytest.raises(TypeError, match="n_clusters or n_components"):
        select_n_clusters(DBSCAN(), X)


def test_missing_values_go_to_estimators_that_take_them():
    holes = np.where(np.random.default_rng(0).random(X.shape) < 0.1, np.nan, X)
    holes = holes[~np.isnan(holes).all(axis=1)]
    for estimator in (KMeans(random_state=0), GaussianMixture(random_state=0)):
        assert select_n_clusters(estimator, holes, method="bic").n_clusters == 4
    assert select_n_clusters(KMeans(random_state=0), holes).n_clusters == 4
    one = select_n_clusters(KMeans(random_state=0), holes, method="bic", n_clusters=[1]).scores[0]
    flat, n = holes[~np.isnan(holes)], len(holes)
    W = np.nansum((holes - np.nanmean(holes, axis=0)) ** 2)
    assert_allclose(one, flat.size * (np.log(2 * np.pi * W / flat.size) + 1) + 3 * np.log(n))
    for estimator, method in ((KMeans(), "gap"), (KMeans(), "silhouette"), (KMedoids(), "elbow")):
        with pytest.raises(ValueError, match="NaN"):
            select_n_clusters(estimator, holes, method=method)


def test_distances_are_taken_as_distances():
    D = pairwise_distances(X)
    by_rows = select_n_clusters(KMedoids(), X, method="silhouette")
    by_distances = select_n_clusters(KMedoids(metric="precomputed"), D, method="silhouette")
    assert_allclose(by_distances.scores, by_rows.scores)
    for method in ("gap", "bic"):
        with pytest.raises(ValueError, match="the estimator for distances"):
            select_n_clusters(KMedoids(metric="precomputed"), D, method=method)


def test_silhouettes_do_not_depend_on_the_origin():
    here = select_n_clusters(KMeans(random_state=0), X, method="silhouette")
    there = select_n_clusters(KMeans(random_state=0), X + 1e8, method="silhouette")
    assert_allclose(there.scores, here.scores, rtol=1e-6)  # X itself is rounded to 1e-8


def test_feature_names_reach_the_estimator():
    frame = load_iris(as_frame=True).data
    for method in ("elbow", "silhouette", "bic", "gap"):
        found = select_n_clusters(KMeans(random_state=0), frame, method=method, n_references=2)
        assert list(found.estimator.feature_names_in_) == list(frame.columns)


def test_too_few_samples_for_a_silhouette():
    with pytest.raises(ValueError, match="n_samples=2"):
        select_n_clusters(KMeans(), [[0.0], [1.0]], method="silhouette")
    with pytest.raises(TypeError, match="got <class"):
        select_n_clusters(KMeans, [[0.0], [1.0]])
