"""The ellipses are the covariances, whatever their type, and move with the iterations."""

import numpy as np
import pytest
import sklearn.mixture
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression

from skcourse.inspection import EMDisplay
from skcourse.mixture import GaussianMixture

X = load_iris().data


@pytest.fixture(autouse=True)
def without_a_screen():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


def mixture(covariance_type="full", **options):
    options = {"random_state": 0, "record": "path", "init_params": "random"} | options
    return GaussianMixture(3, covariance_type=covariance_type, **options).fit(X)


def covariance_of(ellipse, n_std):
    """Return the matrix whose ellipse at `n_std` deviations this is."""
    angle = np.radians(ellipse.get_angle())
    axes = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    lengths = np.array([ellipse.get_width(), ellipse.get_height()]) / (2 * n_std)
    return (axes * lengths**2) @ axes.T


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
def test_ellipses_are_the_covariances_of_two_features(covariance_type):
    model = mixture(covariance_type)
    display = EMDisplay.from_estimator(model, X, features=(3, 1), n_std=(1, 2.5))
    full = {
        "full": lambda c: c,
        "tied": lambda c: np.stack([c] * 3),
        "diag": lambda c: np.stack([np.diag(v) for v in c]),
        "spherical": lambda c: np.stack([v * np.eye(4) for v in c]),
    }[covariance_type](model.covariances_)
    assert len(display.ellipses_) == 6
    for i, ellipse in enumerate(display.ellipses_):
        j, n_std = i // 2, (1, 2.5)[i % 2]
        expected = full[j][np.ix_([3, 1], [3, 1])]  # of order 1: a few roundings of it by the angle
        assert_allclose(covariance_of(ellipse, n_std), expected, rtol=1e-9, atol=1e-14)
        assert_allclose(ellipse.get_center(), model.means_[j, [3, 1]])
    assert_array_equal(display.scatter_.get_offsets(), X[:, [3, 1]])
    assert_array_equal(display.scatter_.get_array(), model.predict(X))


def test_the_animation_goes_through_all_iterations():
    model = mixture()
    display = EMDisplay.from_estimator(model, X)
    n = len(model.history_["means"])
    assert len(display.means) == n + 1 > 2
    movie = display.animate(interval=20)
    assert movie is display.animation_
    for i in range(n):
        movie._func(i)
        assert_array_equal(
            np.transpose(display.centers_.get_data()), model.history_["means"][i, :, :2]
        )
        assert f"iteration {i}" in display.ax_.get_title()
        assert f"{model.history_['log_likelihood'][i]:.4f}" in display.ax_.get_title()
    movie._func(n)
    assert_array_equal(np.transpose(display.centers_.get_data()), model.means_[:, :2])
    assert f"{model.score(X):.4f}" in display.ax_.get_title()
    movie._draw_was_started = True  # it was not saved, and need not say so


def test_one_iteration_can_be_asked_for():
    model = mixture()
    display = EMDisplay.from_estimator(model, X, iteration=0, s=3)
    shown = np.transpose(display.centers_.get_data())
    assert_array_equal(shown, model.history_["means"][0, :, :2])
    assert display.scatter_.get_sizes() == [3]
    with pytest.raises(IndexError):
        display.plot(iteration=10_000)


def test_scikit_learns_mixture_is_drawn_as_it_ended():
    model = sklearn.mixture.GaussianMixture(2, random_state=0).fit(X)
    display = EMDisplay.from_estimator(model, X)
    assert_array_equal(np.transpose(display.centers_.get_data()), model.means_[:, :2])
    with pytest.raises(ValueError, match="record"):
        display.animate()


def test_names_of_a_frame_are_on_the_axes():
    frame = load_iris(as_frame=True).data
    model = GaussianMixture(2, random_state=0).fit(frame)
    names = "petal width (cm)", "sepal width (cm)"
    display = EMDisplay.from_estimator(model, frame, features=names)
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == names
    assert_array_equal(display.points, frame[list(names)])


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(TypeError, match="mixtures of Gaussians"):
        EMDisplay.from_estimator(LinearRegression().fit(X, X[:, 0]), X)
    with pytest.raises(NotFittedError):
        EMDisplay.from_estimator(GaussianMixture(2), X)
    model = mixture()
    for features in ((0,), (0, 4), (0, "petal"), (0, 1, 2), (1, 1), (0, -4)):
        with pytest.raises(ValueError, match="two of the 4 features"):
            EMDisplay.from_estimator(model, X, features=features)


def test_what_is_shown_is_where_the_samples_are():
    far = X + 1e4
    model = GaussianMixture(2, record="path", random_state=0).fit(far)
    for display in (
        EMDisplay.from_estimator(model, far),
        EMDisplay.from_estimator(model, far).plot(),
    ):
        low, high = display.ax_.get_xlim()
        assert 1e4 < low < far[:, 0].min()
        assert far[:, 0].max() < high < 1.1e4


@pytest.mark.parametrize("given", [{"color": "black"}, {"c": "black"}, {"facecolors": "none"}])
def test_colours_of_samples_may_be_given(given):
    display = EMDisplay.from_estimator(mixture(), X, n_std=2, **given)
    assert len({patch.get_edgecolor() for patch in display.ellipses_}) == len(display.ellipses_)
    assert len(np.unique(display.scatter_.get_edgecolor(), axis=0)) <= 1
