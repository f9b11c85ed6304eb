"""How much of the variance each component explains, drawn; and how much chance would.

Scree         The shares r_1 >= r_2 >= .. of the variance, and their sums r_1 + .. + r_j. Keep what
              stands before the rubble at the foot of the slope, or enough for a sum of 0.9.
Broken stick  A stick of length 1, broken at random into p pieces, has pieces of mean lengths
                  b_j = (1/p) sum_{i=j}^p 1/i,   the longest first                     (1)
              A component that explains less than b_j is a splinter.
Parallel      Columns that are shuffled, each by itself, keep their variances and lose what they
              have in common. A component that explains less than the j-th of such rows, in all
              but a share of the rounds, is chance.                                    (2)
Reference     R. Cattell, The scree test for the number of factors, Multivariate Behavioral
              Research, 1966. J. Horn, A rationale and test for the number of factors in factor
              analysis, Psychometrika, 1965. D. Jackson, Stopping rules in principal components
              analysis, Ecology, 1993.
"""

from numbers import Integral

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted

from skcourse.inspection.axes import axes_or_new, required, whole_numbers

REFERENCES = (None, "broken stick", "parallel")
QUANTILE = 0.95  # of (2)


class ScreeDisplay:
    """Shares of the variance by component, their sums, and a reference.

    It is recommended to use :meth:`from_estimator`.

    Parameters
    ----------
    ratios : array-like of shape (n_components,)
        The share of the variance that each component explains.
    threshold : float, default=None
        A share of the variance, to be reached by the sum of the first components.
    reference : array-like of shape (n_components,), default=None
        Shares that components have to exceed to be of interest.
    reference_name : str, default="reference"

    Attributes
    ----------
    n_for_threshold_ : int or None
        How many components together explain `threshold`; None if they do not, or there is none.
    n_above_reference_ : int or None
        How many of the first components exceed the reference.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    bars_ : matplotlib BarContainer
        The shares.
    line_ : matplotlib Line2D or None
        Their sums.
    threshold_line_ : matplotlib Line2D or None
    reference_line_ : matplotlib Line2D or None

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.preprocessing import scale
    >>> from skcourse.decomposition import PCA
    >>> from skcourse.inspection import ScreeDisplay
    >>> X = scale(load_wine().data)
    >>> display = ScreeDisplay.from_estimator(
    ...     PCA().fit(X), X, reference="parallel", random_state=0
    ... )  # doctest: +SKIP
    >>> display.n_above_reference_  # doctest: +SKIP
    3
    """

    def __init__(self, ratios, *, threshold=None, reference=None, reference_name="reference"):
        self.ratios = ratios
        self.threshold = threshold
        self.reference = reference
        self.reference_name = reference_name

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X=None,
        *,
        threshold=None,
        reference=None,
        n_rounds=20,
        random_state=None,
        ax=None,
        **kwargs,
    ):
        """Draw the shares of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            Fitted, with `explained_variance_ratio_`: PCA, IncrementalPCA, TruncatedSVD, ours or
            scikit-learn's, or of a like kind.
        X : array-like of shape (n_samples, n_features), default=None
            The rows it was fitted on; only "parallel" asks for them.
        threshold : float, default=None
            A share of the variance, in (0, 1].
        reference : {"broken stick", "parallel"}, default=None
            "broken stick" is (1), "parallel" fits the estimator to X with shuffled columns, (2).
        n_rounds : int, default=20
            Fits of "parallel".
        random_state : int, RandomState instance or None, default=None
            Shuffles.
        ax : matplotlib Axes, default=None
            None makes a new figure.
        **kwargs : of :meth:`plot`

        Returns
        -------
        display : ScreeDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it does not tell the shares of its components.
        ValueError
            If there is no such reference, or "parallel" is asked for without X.
        """
        check_is_fitted(estimator)
        ratios = required(estimator, "explained_variance_ratio_", cls)
        if reference not in REFERENCES:
            raise ValueError(f"reference={reference!r} is none of {REFERENCES[1:]}, nor None.")
        if threshold is not None and not 0 < threshold <= 1:
            raise ValueError(f"threshold={threshold!r} is no share of the variance, in (0, 1].")
        if not isinstance(n_rounds, Integral) or n_rounds < 1:
            raise ValueError(f"n_rounds={n_rounds!r} should be an integer, 1 or more.")
        shares = None
        if reference == "broken stick":
            n_features = required(estimator, "components_", cls).shape[1]
            shares = broken_stick(n_features)[: len(ratios)]
        elif reference == "parallel":
            if X is None:
                raise ValueError("reference='parallel' shuffles the columns of X: pass X.")
            shares = shuffled_shares(estimator, X, len(ratios), n_rounds, random_state)
        name = {"parallel": f"shuffled columns, {QUANTILE:.0%}"}.get(reference, reference)
        display = cls(ratios, threshold=threshold, reference=shares, reference_name=name)
        return display.plot(ax, **kwargs)

    def plot(
        self,
        ax=None,
        *,
        cumulative=True,
        bar_kwargs=None,
        line_kwargs=None,
        threshold_kwargs=None,
        reference_kwargs=None,
    ):
        """Draw the shares.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a new figure.
        cumulative : bool, default=True
            Whether to draw the sums too.
        bar_kwargs : dict, default=None
            Of matplotlib's `Axes.bar`, for the shares.
        line_kwargs : dict, default=None
            Of `Axes.plot`, for the sums.
        threshold_kwargs : dict, default=None
            Of `Axes.axhline`.
        reference_kwargs : dict, default=None
            Of `Axes.plot`.

        Returns
        -------
        self : ScreeDisplay

        Raises
        ------
        ImportError
            Without matplotlib.
        """
        ax = axes_or_new(ax, "ScreeDisplay.plot")
        ratios = np.asarray(self.ratios)
        sums, places = np.cumsum(ratios), np.arange(1, len(ratios) + 1)
        style = {"color": "C0", "label": "each", **(bar_kwargs or {})}
        self.bars_ = ax.bar(places, ratios, **style)
        self.line_ = self.threshold_line_ = self.reference_line_ = None
        self.n_for_threshold_ = self.n_above_reference_ = None
        if cumulative:
            style = {"marker": "o", "markersize": 3, "color": "0.35", "label": "together"}
            (self.line_,) = ax.plot(places, sums, **style | (line_kwargs or {}))
        if self.threshold is not None:
            reached = np.flatnonzero(sums >= self.threshold * (1 - 1e-12))
            self.n_for_threshold_ = int(reached[0]) + 1 if len(reached) else None
            style = {"linestyle": "--", "linewidth": 1, "color": "C2"}
            style["label"] = f"{self.threshold:.4g}, reached by {self.n_for_threshold_ or 'none'}"
            self.threshold_line_ = ax.axhline(self.threshold, **style | (threshold_kwargs or {}))
        if self.reference is not None:
            below = np.flatnonzero(~(ratios > np.asarray(self.reference)))
            self.n_above_reference_ = int(below[0]) if len(below) else len(ratios)
            style = {"marker": "s", "markersize": 3, "color": "C1"}
            style["label"] = f"{self.reference_name}, {self.n_above_reference_} above"
            (self.reference_line_,) = ax.plot(
                places, self.reference, **style | (reference_kwargs or {})
            )
        ax.set_xlabel("number of components")
        ax.set_ylabel("share of the variance")
        whole_numbers(ax.xaxis)
        ax.set_ylim(bottom=0)
        ax.legend()
        self.ax_, self.figure_ = ax, ax.figure
        return self


def broken_stick(p):
    """Return the mean lengths of the pieces of a stick, by (1), (p,)."""
    return np.cumsum(1 / np.arange(p, 0, -1))[::-1] / p


def shuffled_shares(estimator, X, k, n_rounds, random_state):
    """Return the shares that few of `n_rounds` fits to shuffled columns exceed, by (2), (k,)."""
    X, rng = check_array(X, dtype=None), check_random_state(random_state)
    shares = np.empty((n_rounds, k))
    for one in shares:
        shuffled = np.column_stack([rng.permutation(column) for column in X.T])
        one[:] = clone(estimator).fit(shuffled).explained_variance_ratio_[:k]
    return np.quantile(shares, QUANTILE, axis=0)
