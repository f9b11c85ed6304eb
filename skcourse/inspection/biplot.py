"""Rows and features in one picture: scores on two components, and loadings as arrows.

Scores      z_i = the row i on the two components, as `transform` tells them.
Loadings    Of feature f on component j, with V the components and l_j the variance of scores,
                a_jf = v_jf l_j^(1/2)                                                  (1)
            For columns in standard units that is their correlation with the scores, if nothing
            is left out. An arrow points where the feature grows; features whose arrows point one
            way go together, those at right angles do not care, and a short arrow says that the
            feature is not to be seen in this plane.
Scale       All arrows are drawn longer by the same factor, to reach as far as the rows do: lengths
            compare with each other only.
Reference   K. Gabriel, The biplot graphic display of matrices with application to principal
            component analysis, Biometrika, 1971.
"""

import numpy as np
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted

from skcourse.inspection.axes import axes_or_new, required

REACH = 0.9  # of the rows' extent: where the longest arrow ends
CLASSES = 20  # distinct numbers up to which y is a class, not a quantity


class BiplotDisplay:
    """Scores of rows, and loadings of features, on two components.

    It is recommended to use :meth:`from_estimator`.

    Parameters
    ----------
    scores : array-like of shape (n_samples, 2)
    loadings : array-like of shape (n_features, 2)
        By (1).
    feature_names : sequence of str of shape (n_features,)
    y : array-like of shape (n_samples,), default=None
        Colours the rows: classes with a legend, quantities with a bar.
    axis_names : (str, str), default=("component 0", "component 1")

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    scatters_ : list of matplotlib PathCollection
        The rows, by class if y has classes.
    arrows_ : matplotlib Quiver
    texts_ : list of matplotlib Text
        The names at the ends of the arrows.
    shown_ : ndarray of shape (n_arrows,)
        The features whose arrows are drawn, the longest first.
    factor_ : float
        By which loadings were multiplied.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skcourse.decomposition import PCA
    >>> from skcourse.inspection import BiplotDisplay
    >>> iris = load_iris(as_frame=True)
    >>> X = StandardScaler().set_output(transform="pandas").fit_transform(iris.data)
    >>> BiplotDisplay.from_estimator(PCA(2).fit(X), X, iris.target)  # doctest: +SKIP
    """

    def __init__(
        self,
        scores,
        loadings,
        feature_names,
        *,
        y=None,
        axis_names=("component 0", "component 1"),
    ):
        self.scores = scores
        self.loadings = loadings
        self.feature_names = feature_names
        self.y = y
        self.axis_names = axis_names

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y=None,
        *,
        components=(0, 1),
        feature_names=None,
        n_arrows=10,
        ax=None,
        **kwargs,
    ):
        """Draw rows and features on two components of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            Fitted, with `components_` and `transform`: PCA, IncrementalPCA, TruncatedSVD, ours or
            scikit-learn's, or of a like kind. Without `explained_variance_`, l of (1) is the
            variance of the scores of X.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), default=None
            Colours the rows.
        components : (int, int), default=(0, 1)
        feature_names : sequence of str, default=None
            None takes those that the estimator was fitted with, or x0, x1, ...
        n_arrows : int or None, default=10
            How many arrows to draw, the longest; None draws all.
        ax : matplotlib Axes, default=None
            None makes a new figure.
        **kwargs : of :meth:`plot`

        Returns
        -------
        display : BiplotDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it has no components, or does not transform rows.
        ValueError
            If there are no such components, or the lengths of X and y, or of the names and the
            features, differ.
        """
        check_is_fitted(estimator)
        V = required(estimator, "components_", cls)
        transform = required(estimator, "transform", cls)
        first, second = check_components(components, len(V))
        names = names_of(estimator, V.shape[1]) if feature_names is None else list(feature_names)
        if len(names) != V.shape[1]:
            raise ValueError(f"feature_names has {len(names)} names for {V.shape[1]} features.")
        scores = np.asarray(transform(X))[:, [first, second]]
        variances = getattr(estimator, "explained_variance_", None)
        if variances is None:
            variances = np.zeros(len(V))
            variances[[first, second]] = scores.var(axis=0)
        pair = np.asarray([first, second])
        loadings = V[pair].T * np.sqrt(np.asarray(variances)[pair])  # (1)
        axis_names = [title(estimator, j) for j in pair]
        display = cls(scores, loadings, names, y=y, axis_names=axis_names)
        return display.plot(ax, n_arrows=n_arrows, **kwargs)

    def plot(
        self, ax=None, *, n_arrows=10, scatter_kwargs=None, arrow_kwargs=None, text_kwargs=None
    ):
        """Draw the rows and the arrows.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a new figure.
        n_arrows : int or None, default=10
            How many arrows to draw, the longest; None draws all.
        scatter_kwargs : dict, default=None
            Of matplotlib's `Axes.scatter`.
        arrow_kwargs : dict, default=None
            Of `Axes.quiver`.
        text_kwargs : dict, default=None
            Of `Axes.text`.

        Returns
        -------
        self : BiplotDisplay

        Raises
        ------
        ImportError
            Without matplotlib.
        """
        ax = axes_or_new(ax, "BiplotDisplay.plot")
        scores, loadings = np.asarray(self.scores), np.asarray(self.loadings)
        self.scatters_ = self._draw_rows(
            ax, scores, {"s": 12, "alpha": 0.7} | (scatter_kwargs or {})
        )
        lengths = np.linalg.norm(loadings, axis=1)
        self.shown_ = np.argsort(-lengths, kind="stable")[:n_arrows]
        reach = np.abs(scores).max(axis=0, initial=0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            factors = REACH * reach / np.abs(loadings).max(axis=0, initial=0.0)
        self.factor_ = float(np.min(factors[np.isfinite(factors)], initial=np.inf))
        self.factor_ = self.factor_ if 0 < self.factor_ < np.inf else 1.0
        ends = self.factor_ * loadings[self.shown_]
        style = {"angles": "xy", "scale_units": "xy", "scale": 1, "width": 0.004, "color": "0.15"}
        none = np.zeros(len(ends))
        self.arrows_ = ax.quiver(none, none, *ends.T, **style | (arrow_kwargs or {}), zorder=3)
        self.texts_ = [
            ax.text(*(1.04 * end), str(self.feature_names[f]), **placed(end) | (text_kwargs or {}))
            for f, end in zip(self.shown_, ends, strict=True)
        ]
        ax.axhline(0, color="0.85", linewidth=0.8, zorder=0)
        ax.axvline(0, color="0.85", linewidth=0.8, zorder=0)
        ax.set_xlabel(self.axis_names[0])
        ax.set_ylabel(self.axis_names[1])
        ax.margins(0.12)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _draw_rows(self, ax, scores, style):
        """Draw the rows in the colours of y, and what tells the colours."""
        if self.y is None:
            return [ax.scatter(*scores.T, **style)]
        y = column_or_1d(self.y)
        check_consistent_length(scores, y)
        values = np.unique(y)
        if type_of_target(y).startswith("continuous") or (
            y.dtype.kind in "iuf" and len(values) > CLASSES
        ):
            rows = ax.scatter(*scores.T, c=y, **style)
            ax.figure.colorbar(rows, ax=ax)
            return [rows]
        drawn = [ax.scatter(*scores[y == value].T, label=str(value), **style) for value in values]
        ax.legend()
        return drawn


def check_components(components, k):
    """Return two numbers of components; ValueError if there are no such components."""
    pair = tuple(components)
    if len(pair) != 2 or not all(-k <= j < k for j in pair):
        raise ValueError(
            f"components={components!r} are not two of the {k} components that were fitted."
        )
    return tuple(int(j) % k for j in pair)


def names_of(estimator, n_features):
    """Return the names of the features that an estimator was fitted with, or x0, x1, ..."""
    names = getattr(estimator, "feature_names_in_", None)
    return [f"x{f}" for f in range(n_features)] if names is None else list(names)


def title(estimator, j):
    """Return the name of a component and its share of the variance, as far as they are known."""
    named = getattr(estimator, "get_feature_names_out", None)
    name = f"component {j}" if named is None else str(named()[j])
    ratios = getattr(estimator, "explained_variance_ratio_", None)
    return name if ratios is None else f"{name}, {ratios[j]:.1%} of the variance"


def placed(end):
    """Return how a name stands at the end of an arrow: away from the origin."""
    return {
        "ha": "left" if end[0] >= 0 else "right",
        "va": "bottom" if end[1] >= 0 else "top",
        "fontsize": "small",
        "bbox": {"facecolor": "white", "edgecolor": "none", "alpha": 0.6, "pad": 0.5},
    }
