"""The picture of clusters shows what the clusterer says of each point of the plane."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator
from sklearn.cluster import DBSCAN
from sklearn.cluster import KMeans as Theirs
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.metrics import pairwise_distances

from skcourse.cluster import KMeans, KMedoids
from skcourse.inspection import VoronoiDisplay

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
pyplot = pytest.importorskip("matplotlib.pyplot")
X = load_iris().data
NAMES = ["a", "b", "c", "d"]


@pytest.fixture(autouse=True)
def figures_are_closed():
    yield
    pyplot.close("all")


@pytest.fixture(scope="module")
def kmeans():
    return KMeans(n_clusters=3, random_state=0).fit(X)


def nearest(points, centers):
    return np.argmin(np.sum((points[:, np.newaxis] - centers) ** 2, axis=2), axis=1)


def cells(display):
    """Return the middle of each cell of the picture."""
    left, right, bottom, top = display.extent
    rows, columns = display.regions.shape
    across = left + (np.arange(columns) + 0.5) * (right - left) / columns
    up = bottom + (np.arange(rows) + 0.5) * (top - bottom) / rows
    return np.column_stack([np.tile(across, rows), np.repeat(up, columns)])


def test_two_features_are_shown_in_their_units():
    two = X[:, 2:]
    model = KMeans(n_clusters=4, random_state=0).fit(two)
    display = VoronoiDisplay.from_estimator(model, two, grid_resolution=30)
    assert_allclose(display.points, two)
    assert_allclose(display.centers, model.cluster_centers_)
    assert_array_equal(display.regions.ravel(), nearest(cells(display), model.cluster_centers_))
    assert_array_equal(display.labels, model.labels_)
    assert display.ax_.get_xlabel() == "feature 0"
    assert_allclose(display.scatter_.get_offsets(), two)
    assert_allclose(np.column_stack(display.centers_.get_data()), model.cluster_centers_)
    assert_array_equal(display.image_.get_array(), display.regions)
    assert display.image_.origin == "lower"


def test_plane_along_two_of_several_features(kmeans):
    display = VoronoiDisplay.from_estimator(kmeans, X, features=(3, 1), grid_resolution=20)
    assert_allclose(display.points, X[:, [3, 1]])
    asked = np.tile(X.mean(axis=0), (400, 1))
    asked[:, [3, 1]] = cells(display)
    assert_array_equal(display.regions.ravel(), nearest(asked, kmeans.cluster_centers_))


def test_plane_of_principal_axes(kmeans):
    display = VoronoiDisplay.from_estimator(kmeans, X, grid_resolution=20)
    pca = PCA(2).fit(X)
    signs = np.sign(np.sum(pca.transform(X) * display.points, axis=0))
    assert_allclose(display.points * signs, pca.transform(X), atol=1e-10)
    assert_allclose(display.centers * signs, pca.transform(kmeans.cluster_centers_), atol=1e-10)
    asked = pca.inverse_transform(cells(display) * signs)
    assert_array_equal(display.regions.ravel(), nearest(asked, kmeans.cluster_centers_))
    assert display.ax_.get_ylabel() == "principal axis 1"


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize("cls", [KMeans, Theirs])
def test_features_by_name(frame, cls):
    table = frame(dict(zip(NAMES, X.T, strict=True)))
    model = cls(n_clusters=3, random_state=0, n_init=1).fit(table)
    display = VoronoiDisplay.from_estimator(model, table, features=("c", "d"), grid_resolution=9)
    assert_allclose(display.points, X[:, 2:])
    assert display.names == ["c", "d"]


def test_all_that_is_drawn_is_inside(kmeans):
    display = VoronoiDisplay.from_estimator(kmeans, X, margin=0.1, grid_resolution=9)
    left, right, bottom, top = display.extent
    low, high = display.points.min(axis=0), display.points.max(axis=0)
    assert_allclose([left, bottom], low - 0.1 * (high - low))
    assert_allclose([right, top], high + 0.1 * (high - low))


def test_options_reach_matplotlib(kmeans):
    _, ax = pyplot.subplots()
    display = VoronoiDisplay.from_estimator(kmeans, X, ax=ax, grid_resolution=9, s=3, marker="^")
    assert display.ax_ is ax and display.figure_ is ax.figure
    assert display.scatter_.get_sizes() == [3]
    assert display.plot().figure_ is not ax.figure


def test_many_clusters_have_many_colours():
    model = KMeans(n_clusters=25, random_state=0).fit(X)
    display = VoronoiDisplay.from_estimator(model, X, grid_resolution=60)
    values = np.unique(display.scatter_.get_array())
    assert len(np.unique(display.scatter_.cmap(display.scatter_.norm(values)), axis=0)) == 25


def test_what_has_no_centres_is_drawn_without():
    class Halves(BaseEstimator):
        def fit(self, X):
            self.fitted_ = True
            return self

        def predict(self, X):
            return np.where(X[:, 0] < 6, -1, 7)

    display = VoronoiDisplay.from_estimator(Halves().fit(X), X, features=(0, 1), grid_resolution=9)
    assert display.centers_ is None
    assert set(display.regions.ravel()) == {-1, 7}


def test_refused(kmeans):
    with pytest.raises(TypeError, match="has none"):
        VoronoiDisplay.from_estimator(DBSCAN().fit(X), X)
    for features in [(0, 4), (1, 1), (0,), (0, 1, 2), ("a", "b")]:
        with pytest.raises(ValueError, match="features must be two different ones"):
            VoronoiDisplay.from_estimator(kmeans, X, features=features)
    with pytest.raises(ValueError, match="1 feature"):
        VoronoiDisplay.from_estimator(KMeans(2).fit(X[:, :1]), X[:, :1])
    with pytest.raises(ValueError, match="not fitted"):
        VoronoiDisplay.from_estimator(KMeans(2), X)


@pytest.mark.parametrize("given", [{"color": "black"}, {"c": "black"}, {"c": X[:, 0]}])
def test_colours_of_samples_may_be_given(given):
    display = VoronoiDisplay.from_estimator(KMeans(3, random_state=0).fit(X), X, **given)
    if "c" in given and np.ndim(given["c"]):
        assert_array_equal(display.scatter_.get_array(), X[:, 0])
    else:
        assert_array_equal(display.scatter_.get_facecolor(), [[0, 0, 0, 1]])


def test_distances_are_no_samples():
    D = pairwise_distances(X)
    with pytest.raises(TypeError, match="asks for distances"):
        VoronoiDisplay.from_estimator(KMedoids(3, metric="precomputed").fit(D), D)
