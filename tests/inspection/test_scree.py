"""The scree plot shows the shares, their sums, and what chance would explain."""

import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import decomposition as theirs
from sklearn.cluster import KMeans
from sklearn.datasets import load_wine
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import scale

from skcourse import decomposition as ours
from skcourse.inspection import ScreeDisplay
from skcourse.inspection.scree import broken_stick

X = scale(load_wine().data)
LIKES = [
    getattr(house, name)
    for house in (ours, theirs)
    for name in ("PCA", "IncrementalPCA", "TruncatedSVD")
]


@pytest.fixture
def ax():
    figure = pytest.importorskip("matplotlib.figure")
    return figure.Figure().subplots()


@pytest.mark.parametrize("cls", LIKES)
def test_shares_and_their_sums(cls, ax):
    pca = cls(n_components=5).fit(X)
    display = ScreeDisplay.from_estimator(pca, ax=ax)
    assert isinstance(display, ScreeDisplay)
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert_allclose([bar.get_height() for bar in display.bars_], pca.explained_variance_ratio_)
    assert_allclose(display.line_.get_ydata(), np.cumsum(pca.explained_variance_ratio_))
    assert_array_equal(display.line_.get_xdata(), [1, 2, 3, 4, 5])
    assert display.threshold_line_ is display.reference_line_ is None
    assert display.n_for_threshold_ is display.n_above_reference_ is None


def test_threshold(ax):
    pca = ours.PCA().fit(X)
    display = ScreeDisplay.from_estimator(pca, threshold=0.9, ax=ax)
    assert display.n_for_threshold_ == ours.PCA(0.9, svd_solver="full").fit(X).n_components_
    assert set(display.threshold_line_.get_ydata()) == {0.9}
    assert ScreeDisplay.from_estimator(pca, threshold=1.0, ax=ax).n_for_threshold_ == 13
    few = ours.PCA(2).fit(X)
    assert ScreeDisplay.from_estimator(few, threshold=0.9, ax=ax).n_for_threshold_ is None


def test_pieces_of_a_broken_stick(ax):
    assert_allclose(broken_stick(3), [11 / 18, 5 / 18, 2 / 18])
    breaks = np.sort(np.random.default_rng(0).random((100_000, 4)), axis=1)
    ends = np.column_stack([np.zeros(len(breaks)), breaks, np.ones(len(breaks))])
    pieces = np.sort(np.diff(ends, axis=1), axis=1)[:, ::-1]
    assert_allclose(broken_stick(5), pieces.mean(axis=0), atol=2e-3)  # 0.2 / sqrt(100,000), thrice
    display = ScreeDisplay.from_estimator(ours.PCA(4).fit(X), reference="broken stick", ax=ax)
    assert_allclose(display.reference_line_.get_ydata(), broken_stick(13)[:4])
    assert display.n_above_reference_ == 2


@pytest.mark.parametrize("cls", [ours.PCA, theirs.PCA])
def test_parallel_analysis_finds_the_factors(cls, ax):
    rng = np.random.default_rng(0)
    made = rng.standard_normal((500, 2)) @ rng.standard_normal((2, 10))
    made += 0.7 * rng.standard_normal((500, 10))
    options = {"reference": "parallel", "n_rounds": 5, "ax": ax}
    pca = cls().fit(made)
    before = pca.components_.copy()
    display = ScreeDisplay.from_estimator(pca, made, random_state=0, **options)
    assert display.n_above_reference_ == 2
    assert_array_equal(pca.components_, before)
    same = ScreeDisplay.from_estimator(pca, made, random_state=0, **options)
    other = ScreeDisplay.from_estimator(pca, made, random_state=1, **options)
    assert_array_equal(same.reference, display.reference)
    assert not np.array_equal(other.reference, display.reference)
    noise = rng.standard_normal((500, 10))
    display = ScreeDisplay.from_estimator(cls().fit(noise), noise, random_state=0, **options)
    assert display.n_above_reference_ <= 1


def test_styles_are_taken(ax):
    display = ScreeDisplay.from_estimator(
        ours.PCA().fit(X),
        threshold=0.5,
        reference="broken stick",
        bar_kwargs={"color": "red"},
        line_kwargs={"color": "green"},
        threshold_kwargs={"color": "blue"},
        reference_kwargs={"color": "black"},
        ax=ax,
    )
    assert display.bars_[0].get_facecolor() == (1, 0, 0, 1)
    lines = (display.line_, display.threshold_line_, display.reference_line_)
    assert [line.get_color() for line in lines] == ["green", "blue", "black"]
    assert ScreeDisplay([0.6, 0.4]).plot(ax, cumulative=False).line_ is None


def test_a_figure_of_its_own():
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("agg")
    display = ScreeDisplay.from_estimator(ours.PCA().fit(X))
    assert display.figure_.axes == [display.ax_]
    plt.close(display.figure_)


def test_refusals():
    pca = ours.PCA().fit(X)
    with pytest.raises(NotFittedError, match="not fitted"):
        ScreeDisplay.from_estimator(ours.PCA())
    with pytest.raises(TypeError, match="KMeans has no explained_variance_ratio_"):
        ScreeDisplay.from_estimator(KMeans(2, n_init=1).fit(X))
    with pytest.raises(TypeError, match="not an estimator instance"):
        ScreeDisplay.from_estimator(X)
    with pytest.raises(ValueError, match="is none of"):
        ScreeDisplay.from_estimator(pca, reference="chance")
    with pytest.raises(ValueError, match="pass X"):
        ScreeDisplay.from_estimator(pca, reference="parallel")
    with pytest.raises(ValueError, match="no share of the variance"):
        ScreeDisplay.from_estimator(pca, threshold=90)


def test_rounds_are_counted():
    for n_rounds in (0, 1.5):
        with pytest.raises(ValueError, match="n_rounds"):
            ScreeDisplay.from_estimator(
                ours.PCA().fit(np.eye(3)), np.eye(3), reference="parallel", n_rounds=n_rounds
            )


def test_without_matplotlib_a_plot_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"ScreeDisplay\.plot needs matplotlib"):
        ScreeDisplay([0.6, 0.4]).plot()
