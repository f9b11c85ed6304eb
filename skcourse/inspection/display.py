"""Confidence intervals of coefficients, drawn."""

import numpy as np

from skcourse.inspection.axes import axes_or_new


class CoefficientDisplay:
    """Coefficients and their confidence intervals, one below the other.

    :meth:`CoefficientTable.plot` makes it; as scikit-learn's displays do, it keeps what was drawn.

    Parameters
    ----------
    table : CoefficientTable

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    errorbar_ : matplotlib ErrorbarContainer
    line_ : matplotlib Line2D, at 0

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skcourse.inspection import coefficient_table
    >>> from skcourse.linear_model import LinearRegression
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> model = LinearRegression().fit(X, y)
    >>> display = coefficient_table(model, X, y).plot()  # doctest: +SKIP
    """

    def __init__(self, table):
        self.table = table

    def plot(self, ax=None, *, intercept=False, errorbar_kwargs=None, line_kwargs=None):
        """Draw the intervals.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a new figure.
        intercept : bool, default=False
            Whether to draw the intercept too, which has units of its own.
        errorbar_kwargs : dict, default=None
            Of matplotlib's `Axes.errorbar`.
        line_kwargs : dict, default=None
            Of `Axes.axvline`, for the line at 0.

        Returns
        -------
        self : CoefficientDisplay

        Raises
        ------
        ImportError
            Without matplotlib.
        """
        ax = axes_or_new(ax, "CoefficientDisplay.plot")
        table = self.table
        shown = np.ones(len(table.names), bool)
        if not intercept:
            shown = table.names != "intercept"
        labels = table.names[shown]
        if table.outcomes is not None:
            pairs = zip(table.outcomes[shown], labels, strict=True)
            labels = [f"{outcome}: {name}" for outcome, name in pairs]
        places = np.arange(len(labels))
        errors = np.stack([table.estimate - table.lower, table.upper - table.estimate])[:, shown]
        style = {"fmt": "o", "capsize": 3, **(errorbar_kwargs or {})}
        self.line_ = ax.axvline(0.0, **{"color": "0.6", "linewidth": 1, **(line_kwargs or {})})
        self.errorbar_ = ax.errorbar(table.estimate[shown], places, xerr=errors, **style)
        ax.set_yticks(places, labels)
        ax.set_ylim(len(labels) - 0.5, -0.5)
        ax.set_xlabel(f"coefficient, with intervals at {100 * table.level:.4g}%")
        self.ax_, self.figure_ = ax, ax.figure
        return self
