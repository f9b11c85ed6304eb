"""Coefficients with their errors, as a small object: arrays, text, a data frame, a picture."""

from dataclasses import dataclass, fields
from functools import cached_property
from html import escape

import numpy as np
from scipy import stats


@dataclass(frozen=True, eq=False, repr=False)
class CoefficientTable:
    """Coefficients of a fitted linear model, with what is known of their errors.

    Made by :func:`coefficient_table`. Rows are coefficients, K of them: the intercept first, if
    there is one, and all those of the first outcome before those of the second.

    Attributes
    ----------
    names : ndarray of shape (K,), of str
        "intercept", and the names of the features.
    outcomes : ndarray of shape (K,), or None
        For several targets, which one; for more than two classes, which class, whose odds against
        the first class a row is about. None if there is only one.
    estimate : ndarray of shape (K,)
    covariance_matrix : ndarray of shape (K, K), of the estimates
    covariance : {"classical", "HC0", "HC1", "HC2", "HC3"}, how it was found
    standard_error : ndarray of shape (K,)
    statistic : ndarray of shape (K,), estimate / standard_error
    kind : {"t", "z"}
        The distribution of the statistic if the coefficient is 0: Student's, or the normal one.
    df : float
        Degrees of freedom of Student's distribution; infinite for the normal one.
    p_value : ndarray of shape (K,), two-sided: of a statistic at least as far from 0
    level : float, of the intervals
    lower, upper : ndarrays of shape (K,), the ends of the intervals
    dispersion : float or ndarray of shape (n_targets,)
        The variance of y over what the model says of it: the residual variance of least squares;
        1 where the model leaves nothing to estimate.
    n_rows : float, the sum of the weights
    model : str, the name of the estimator's class

    See Also
    --------
    coefficient_table : Makes a table from a fitted estimator and its data.
    """

    names: np.ndarray
    outcomes: np.ndarray | None
    estimate: np.ndarray
    covariance_matrix: np.ndarray
    covariance: str
    df: float
    level: float
    dispersion: float | np.ndarray
    n_rows: float
    model: str

    def __post_init__(self):
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                value.flags.writeable = False

    @property
    def kind(self):
        """The distribution of the statistic."""
        return "t" if np.isfinite(self.df) else "z"

    @cached_property
    def standard_error(self):
        """Roots of the diagonal of the covariance matrix."""
        return np.sqrt(np.diagonal(self.covariance_matrix))

    @cached_property
    def statistic(self):
        """The estimate in standard errors."""
        return self.estimate / self.standard_error

    @cached_property
    def p_value(self):
        """The probability of a statistic at least as far from 0, if the coefficient is 0."""
        return 2 * self._distribution.sf(np.abs(self.statistic))

    @property
    def lower(self):
        """The lower ends of the intervals at `level`."""
        return self.interval(self.level)[0]

    @property
    def upper(self):
        """The upper ends of the intervals at `level`."""
        return self.interval(self.level)[1]

    @property
    def _distribution(self):
        return stats.t(self.df) if self.kind == "t" else stats.norm()

    def interval(self, level):
        """Return the ends of confidence intervals.

        Parameters
        ----------
        level : float, between 0 and 1

        Returns
        -------
        lower, upper : ndarrays of shape (K,)
        """
        half = self._distribution.isf((1 - level) / 2) * self.standard_error
        return self.estimate - half, self.estimate + half

    def frame(self):
        """Return the table as a pandas DataFrame, indexed by (outcome and) name."""
        import pandas as pd

        columns = {
            name: np.array(getattr(self, name))
            for name in (
                "estimate",
                "standard_error",
                "statistic",
                "p_value",
                "lower",
                "upper",
            )
        }
        index = pd.Index(self.names, name="coefficient")
        if self.outcomes is not None:
            both = [self.outcomes, self.names]
            index = pd.MultiIndex.from_arrays(both, names=["outcome", "coefficient"])
        return pd.DataFrame(columns, index=index)

    def plot(self, ax=None, **options):
        """Draw the intervals; needs matplotlib.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a new figure.
        **options : of :meth:`CoefficientDisplay.plot`

        Returns
        -------
        display : CoefficientDisplay
        """
        from skcourse.inspection.display import CoefficientDisplay

        return CoefficientDisplay(self).plot(ax, **options)

    def __str__(self):
        header, rows = self._cells()
        n_words = len(header) - 6
        widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
        lines = [self._caption(), ""]
        for row in (header, *rows):
            cells = [
                cell.ljust(width) if i < n_words else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            lines.append("  ".join(cells).rstrip())
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self):
        header, rows = self._cells()
        n_words = len(header) - 6

        def line(cells, tag):
            inside = "".join(
                f'<{tag} style="text-align: {"left" if i < n_words else "right"}">'
                f"{escape(cell)}</{tag}>"
                for i, cell in enumerate(cells)
            )
            return f"<tr>{inside}</tr>"

        body = "".join(line(row, "td") for row in rows)
        return (
            f"<table><caption>{escape(self._caption())}</caption>"
            f"<thead>{line(header, 'th')}</thead><tbody>{body}</tbody></table>"
        )

    def _caption(self):
        degrees = f", {self.df:,.0f} degrees of freedom" if self.kind == "t" else ""
        how = "classical" if self.covariance == "classical" else f"robust ({self.covariance})"
        return f"{self.model}, {self.n_rows:,.0f} rows{degrees}; {how} standard errors"

    def _cells(self):
        """Return the header and the rows, as text."""
        tail = 50 * (1 - self.level)
        header = [
            "",
            "estimate",
            "std. error",
            self.kind,
            "p",
            f"{tail:.3g}%",
            f"{100 - tail:.4g}%",
        ]
        rows = []
        for j, name in enumerate(self.names):
            error = self.standard_error[j]
            numbers = (self.estimate[j], error, self.lower[j], self.upper[j])
            estimate, error, lower, upper = (as_precise(number, error) for number in numbers)
            p = self.p_value[j]
            p = "<0.001" if p < 0.001 else f"{p:.3f}"
            rows.append([str(name), estimate, error, f"{self.statistic[j]:.2f}", p, lower, upper])
        if self.outcomes is not None:
            header = ["", *header]
            rows = [[str(o), *row] for o, row in zip(self.outcomes, rows, strict=True)]
        return header, rows


def as_precise(number, error):
    """Write a number to three digits of its standard error."""
    if not 1e-6 < error < 1e6:
        return f"{number:.3e}"
    return f"{number:.{max(0, 2 - int(np.floor(np.log10(error))))}f}"
