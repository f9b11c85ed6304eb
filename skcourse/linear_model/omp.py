"""Orthogonal matching pursuit: least squares with few coefficients, chosen one by one.

Problem     Explain y by as few columns x_j of X (atoms) as one can:
                min |y - X b|^2  with at most k coefficients that are not 0,                  (1)
            or the fewest with |y - X b|^2 <= tol. Both are hard; the greedy way is not.
Iteration   Begin with nothing, r = y. Take the atom with the largest |<x_j, r>|, fit all atoms
            taken so far by least squares, and let r be what is left over: it is orthogonal to all
            of them, so none is taken twice. |r| falls with each.                             (2)
Routes      From the rows (`omp_rows`), n p products for an atom; or from X'X and X'y
            (`core.gram_pursuit`), once n p^2 products and then p k for an atom: where there are
            more rows than columns, or `precompute` says so.
Reference   S. Mallat, Z. Zhang, Matching pursuits with time-frequency dictionaries, IEEE Trans.
            Signal Processing, 1993.
"""

import warnings
from numbers import Integral, Real

import numpy as np

from skcourse.core.chunks import one_blas_thread
from skcourse.core.gram_pursuit import PREMATURE, pursue_gram
from skcourse.core.moments import moments
from skcourse.core.validation import (
    Interval,
    StrOptions,
    check_finite_sums,
    check_weights,
    fit_context,
    read_Xy,
)
from skcourse.linear_model.base import LinearRegressor, as_columns
from skcourse.linear_model.omp_rows import Dictionary, pursue_rows

TOO_LARGE = "The numbers in X and y are too large to be added up."
TOO_MANY = "The number of atoms cannot be more than the number of features"


def most_atoms(n_nonzero_coefs, tol, p, *, least=1):
    """Return the bound on the number of atoms: a tenth of p, unless something else is said."""
    if tol is not None:
        return p
    if n_nonzero_coefs is None:
        return max(int(0.1 * p), least)
    if n_nonzero_coefs > p:
        raise ValueError(TOO_MANY)
    return n_nonzero_coefs


def warn_premature(found, stacklevel):
    """Warn if the pursuit of a target came to an end before its time."""
    if any(one.premature for one in found):
        warnings.warn(PREMATURE, RuntimeWarning, stacklevel=stacklevel)


def numbers_of_atoms(found):
    """Return how many atoms each target took: a number for one, a list for several."""
    counts = [len(one.order) for one in found]
    return counts[0] if len(counts) == 1 else counts


class MatchingPursuit(LinearRegressor):
    """Base class: pursues all targets and keeps what was found."""

    def _pursue(self, X, y, weights, limit, tol, *, gram):
        """Set the attributes of a fit by either route; return what was found for each target."""
        Y, p = as_columns(y), X.shape[1]
        route = self._from_products if gram else self._from_rows
        with one_blas_thread():
            found, mean = route(X, Y, weights, limit, tol)
        coef = np.zeros((p, len(found)))
        for t, one in enumerate(found):
            coef[one.order, t] = one.coefs[-1:].ravel()
        if not np.isfinite(coef).all():
            raise ValueError(TOO_LARGE)
        self.n_iter_ = numbers_of_atoms(found)
        self.history_ = {"residual_norm": residual_norms(found)}
        self._set_solution(coef, mean[:p], mean[p:], flat=y.ndim == 1, dtype=X.dtype)
        if len(found) == 1:
            self.coef_ = self.coef_.reshape(p)
        return found

    def _from_products(self, X, Y, weights, limit, tol):
        """Return what was found for each target, and the means of x and y."""
        X, p = np.ascontiguousarray(X), X.shape[1]
        with np.errstate(over="ignore", invalid="ignore"):
            sums = moments(X, Y, weights, centre=self.fit_intercept)
            squares = (Y - sums.mean[p:]) ** 2
            squares = squares.sum(axis=0) if weights is None else weights @ squares
        if not (check_finite_sums(sums.scatter, X, estimator=self) and np.isfinite(squares).all()):
            raise ValueError(TOO_LARGE)
        G, C = sums.scatter[:, :p], sums.scatter[:, p:]
        return pursue_gram(G, C, squares, limit, tol), sums.mean

    def _from_rows(self, X, Y, weights, limit, tol):
        """Return the same, from the rows."""
        atoms = Dictionary(X, weights, centre=self.fit_intercept, estimator=self)
        y_mean = np.zeros(Y.shape[1])
        if self.fit_intercept:
            y_mean = np.average(Y, axis=0, weights=weights)
        targets = Y - y_mean
        if atoms.roots is not None:
            targets *= atoms.roots
        found = pursue_rows(atoms, np.ascontiguousarray(targets.T), limit, tol)
        return found, np.append(atoms.mean, y_mean)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        return tags


class OrthogonalMatchingPursuit(MatchingPursuit):
    """Linear regression with few coefficients that are not 0, chosen greedily.

    Parameters
    ----------
    n_nonzero_coefs : int, default=None
        The most features with a coefficient; None is a tenth of them, at least 1. No effect with
        `tol`.
    tol : float, default=None
        End once the sum of squared residuals is at most this.
    fit_intercept : bool, default=True
        False if the plane must pass through the origin.
    precompute : "auto" or bool, default="auto"
        Whether to work on X'X, which is formed once, and not on the rows; "auto": if there are more
        samples than features. On the rows, more digits are right where features depend on each
        other.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features), dtype of X
    intercept_ : float or ndarray of shape (n_targets,)
    n_iter_ : int, or list of int if there are several targets
        How many features have a coefficient.
    n_nonzero_coefs_ : int or None
        The most that they could be; None with `tol`.
    history_ : dict of str to ndarray of shape (n_iter_,), or (max(n_iter_), n_targets)
        "residual_norm": the root of the sum of squared residuals, after each feature; of a target
        that ended early, its last one.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has names.

    See Also
    --------
    orthogonal_mp : The pursuit as a function.
    OrthogonalMatchingPursuitCV : Chooses how many by cross-validation.

    Notes
    -----
    The largest product with the residuals decides which feature comes next: give them a common
    scale. `fit` on the rows keeps a copy of X in float32.

    Examples
    --------
    >>> from sklearn.datasets import make_regression
    >>> from skcourse.linear_model import OrthogonalMatchingPursuit
    >>> X, y = make_regression(noise=4, random_state=0)
    >>> model = OrthogonalMatchingPursuit().fit(X, y)
    >>> model.n_iter_, bool(model.score(X, y) > 0.999)
    (10, True)
    """

    _parameter_constraints: dict = {
        "n_nonzero_coefs": [Interval(Integral, 1, None, closed="left"), None],
        "tol": [Interval(Real, 0, None, closed="left"), None],
        "fit_intercept": ["boolean"],
        "precompute": [StrOptions({"auto"}), "boolean"],
    }

    def __init__(self, *, n_nonzero_coefs=None, tol=None, fit_intercept=True, precompute="auto"):
        self.n_nonzero_coefs = n_nonzero_coefs
        self.tol = tol
        self.fit_intercept = fit_intercept
        self.precompute = precompute

    @fit_context
    def fit(self, X, y, sample_weight=None):
        """Choose the features and find their coefficients.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
        sample_weight : float or array-like of shape (n_samples,), default=None
            Not negative. A weight of 2 is a row that occurs twice.

        Returns
        -------
        self : OrthogonalMatchingPursuit

        Raises
        ------
        ValueError
            If X, y or the weights are not finite or do not match, or more features are wanted than
            there are.

        Warns
        -----
        RuntimeWarning
            If no further feature can be told from those before.
        """
        X, y = read_Xy(self, X, y, finite=False, order=None)
        weights = check_weights(sample_weight, X)
        n, p = X.shape
        limit = most_atoms(self.n_nonzero_coefs, self.tol, p)
        gram = n > p if isinstance(self.precompute, str) else self.precompute
        found = self._pursue(X, y, weights, limit, self.tol, gram=gram)
        warn_premature(found, stacklevel=5)
        self.n_nonzero_coefs_ = None if self.tol is not None else limit
        return self


def residual_norms(found):
    """Return |r| after each atom, (k,), or (k, t) for several targets."""
    norms = np.full((max(len(one.order) for one in found), len(found)), np.nan)
    for t, one in enumerate(found):
        k = len(one.order)
        norms[:k, t] = one.norms
        norms[k:, t] = norms[k - 1, t] if k else 0.0
    return norms[:, 0] if len(found) == 1 else norms
