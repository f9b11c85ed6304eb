"""The picture of a choice shows the scores, the choice, and the errors if there are any."""

import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import load_iris

from skcourse.cluster import KMeans, select_n_clusters
from skcourse.inspection import ElbowDisplay

X = load_iris().data


def test_from_estimator_draws_the_selection():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    display = ElbowDisplay.from_estimator(
        KMeans(random_state=0), X, n_clusters=range(1, 8), color="red", random_state=0
    )
    expected = select_n_clusters(KMeans(random_state=0), X, n_clusters=range(1, 8))
    assert_array_equal(display.line_.get_xdata(), expected.candidates)
    assert_array_equal(display.line_.get_ydata(), expected.scores)
    assert display.line_.get_color() == "red"
    assert set(display.chosen_.get_xdata()) == {expected.n_clusters}
    assert display.ax_.get_ylabel() == "inertia"
    assert display.errorbar_ is None
    again = ElbowDisplay(expected).plot(display.ax_)
    assert again.figure_ is display.figure_


def test_the_gap_has_error_bars():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    display = ElbowDisplay.from_estimator(
        KMeans(random_state=0), X, n_clusters=[1, 2, 3], method="gap", n_references=2
    )
    assert display.errorbar_ is not None
    assert display.ax_.get_ylabel() == "gap statistic"


def test_an_axis_of_the_users_own_kind_is_left_as_it_is():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    ax = pyplot.figure().subplots()
    ax.set_xscale("log")
    assert ElbowDisplay.from_estimator(KMeans(random_state=0), X, ax=ax).ax_ is ax
    assert ax.get_xscale() == "log"
    pyplot.close("all")
