"""The biplot shows scores and loadings, in colours and by name."""

import sys

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import decomposition as theirs
from sklearn.cluster import AgglomerativeClustering
from sklearn.datasets import load_diabetes, load_wine
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import scale

from skcourse import decomposition as ours
from skcourse.inspection import BiplotDisplay

WINE = load_wine()
X, y = scale(WINE.data), WINE.target_names[WINE.target]
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
def test_rows_and_arrows(cls, ax):
    whole = {"batch_size": 1000} if cls.__name__ == "IncrementalPCA" else {}
    pca = cls(n_components=3, **whole).fit(X)
    display = BiplotDisplay.from_estimator(pca, X, components=(0, 2), n_arrows=None, ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    (rows,) = display.scatters_
    assert_allclose(rows.get_offsets(), pca.transform(X)[:, [0, 2]])
    # in standard units, loadings are correlations of features and scores
    scores = pca.transform(X)[:, [0, 2]]
    n = len(X)
    correlations = np.corrcoef(X.T, scores.T)[:13, 13:]
    assert_allclose(display.loadings, correlations, rtol=1 / n)
    arrows = np.column_stack([display.arrows_.U, display.arrows_.V])
    assert_allclose(arrows, display.factor_ * display.loadings[display.shown_])
    assert np.all(np.abs(arrows).max(axis=0) <= np.abs(scores).max(axis=0))
    lengths = np.linalg.norm(arrows, axis=1)
    assert np.all(np.diff(lengths) <= 0)
    assert sorted(display.shown_) == list(range(13))
    assert cls.__name__.lower() + "2" in ax.get_ylabel()


def test_classes_have_a_legend(ax):
    display = BiplotDisplay.from_estimator(ours.PCA(2).fit(X), X, y, ax=ax)
    assert [len(rows.get_offsets()) for rows in display.scatters_] == [59, 71, 48]
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["class_0", "class_1", "class_2"]
    assert_array_equal(
        display.scatters_[1].get_offsets(), ours.PCA(2).fit_transform(X)[y == "class_1"]
    )


@pytest.mark.parametrize("quantity", [lambda y: y, lambda y: y + 0.5])
def test_quantities_have_a_bar(quantity, ax):
    D, target = load_diabetes(return_X_y=True)
    display = BiplotDisplay.from_estimator(ours.PCA(2).fit(D), D, quantity(target), ax=ax)
    (rows,) = display.scatters_
    assert_allclose(rows.get_array(), quantity(target))
    assert len(ax.figure.axes) == 2


def test_names(ax):
    frame = pd.DataFrame(X, columns=WINE.feature_names)
    display = BiplotDisplay.from_estimator(ours.PCA(2).fit(frame), frame, n_arrows=3, ax=ax)
    longest = np.argsort(-np.linalg.norm(display.loadings, axis=1))[:3]
    shown = [text.get_text() for text in display.texts_]
    assert shown == [WINE.feature_names[f] for f in longest]
    display = BiplotDisplay.from_estimator(ours.PCA(2).fit(X), X, ax=ax)
    assert {text.get_text() for text in display.texts_} == {f"x{f}" for f in display.shown_}
    assert len(display.texts_) == 10
    names = [f"feature {f}" for f in range(13)]
    display = BiplotDisplay.from_estimator(ours.PCA(2).fit(X), X, feature_names=names, ax=ax)
    assert display.texts_[0].get_text() == f"feature {display.shown_[0]}"


def test_whitened_scores_and_models_without_variances(ax):
    plain, white = (ours.PCA(2, whiten=whiten).fit(X) for whiten in (False, True))
    one, other = (BiplotDisplay.from_estimator(pca, X, ax=ax) for pca in (plain, white))
    assert_allclose(one.loadings, other.loadings)
    assert_allclose(other.scores.std(axis=0), 1, rtol=1e-2)
    factors = theirs.FactorAnalysis(2).fit(X)
    display = BiplotDisplay.from_estimator(factors, X, ax=ax)
    deviations = factors.transform(X).std(axis=0)
    assert_allclose(display.loadings, factors.components_.T * deviations)


def test_sparse_rows_and_styles(ax):
    svd = ours.TruncatedSVD(2).fit(sparse.csr_array(X))
    display = BiplotDisplay.from_estimator(
        svd,
        sparse.csr_array(X),
        scatter_kwargs={"s": 3},
        arrow_kwargs={"color": "red"},
        text_kwargs={"color": "green"},
        ax=ax,
    )
    assert_array_equal(display.scatters_[0].get_sizes(), [3])
    assert_array_equal(display.arrows_.get_facecolor(), [[1, 0, 0, 1]])
    assert display.texts_[0].get_color() == "green"


def test_a_figure_of_its_own_and_rows_in_one_place():
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("agg")
    display = BiplotDisplay(np.zeros((3, 2)), np.eye(2), ["a", "b"]).plot()
    assert display.factor_ == 1.0
    assert display.figure_.axes == [display.ax_]
    plt.close(display.figure_)


def test_refusals(ax):
    pca = ours.PCA(3).fit(X)
    with pytest.raises(NotFittedError, match="not fitted"):
        BiplotDisplay.from_estimator(ours.PCA(), X)
    with pytest.raises(TypeError, match="AgglomerativeClustering has no components_"):
        BiplotDisplay.from_estimator(AgglomerativeClustering().fit(X), X)
    for components in ((0, 3), (0,), (0, 1, 2), (-4, 0)):
        with pytest.raises(ValueError, match="are not two of the 3 components"):
            BiplotDisplay.from_estimator(pca, X, components=components)
    with pytest.raises(ValueError, match="2 names for 13 features"):
        BiplotDisplay.from_estimator(pca, X, feature_names=["a", "b"])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        BiplotDisplay.from_estimator(pca, X, y[:-1], ax=ax)


def test_without_matplotlib_a_plot_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"BiplotDisplay\.plot needs matplotlib"):
        BiplotDisplay(np.zeros((3, 2)), np.eye(2), ["a", "b"]).plot()
