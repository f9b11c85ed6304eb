"""Orthogonal matching pursuit with the number of atoms chosen by cross-validation.

Problem     How many atoms? One pursuit gives the coefficients of 1, 2, .. k atoms on the way. Each
            fold is pursued once, and the squared error on the rows left out, averaged over the
            folds, says where to end.                                                         (1)
Cost        A pursuit for each fold, and one of all rows.
Reference   S. Mallat, Z. Zhang, Matching pursuits with time-frequency dictionaries, IEEE Trans.
            Signal Processing, 1993.
"""

from numbers import Integral

import numpy as np
from joblib import effective_n_jobs
from sklearn.model_selection import check_cv
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.parallel import Parallel, delayed

from skcourse.core.interrupts import held
from skcourse.core.validation import (
    Interval,
    check_routed,
    fit_context,
    read_Xy,
    routing_enabled,
)
from skcourse.linear_model.omp import TOO_MANY, MatchingPursuit, warn_premature
from skcourse.linear_model.omp_rows import Dictionary, pursue_rows


def errors_of_path(X, y, train, test, centre, limit):
    """Return the mean squared error on the rows `test` after each atom, and what was found."""
    atoms = Dictionary(X[train], centre=centre)
    y_mean = y[train].mean() if centre else 0.0
    found = pursue_rows(atoms, (y[train] - y_mean)[np.newaxis], limit, None, path=True)
    held.deliver()
    few = X[test][:, found[0].order] - atoms.mean[found[0].order]
    residuals = few @ found[0].coefs.T - (y[test] - y_mean)[:, np.newaxis]
    return np.mean(residuals**2, axis=0), found


class OrthogonalMatchingPursuitCV(MatchingPursuit):
    """Linear regression with few coefficients that are not 0, how many by cross-validation.

    Parameters
    ----------
    copy : bool, default=True
        Of no effect: X is never overwritten.
    fit_intercept : bool, default=True
        False if the plane must pass through the origin.
    max_iter : int, default=None
        The most features with a coefficient; None or 0 is a tenth of them, but at least 5 if there
        are so many.
    cv : int, cross-validation generator or iterable, default=None
        How the rows are split; None is 5 folds, an int their number.
    n_jobs : int, default=None
        How many folds at a time: None is 1 unless in a joblib context, -1 all cores.
    verbose : bool or int, default=False
        How much joblib tells of the folds.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,), dtype of X
    intercept_ : float
    n_nonzero_coefs_ : int
        How many features have the least error over the folds.
    n_iter_ : int
        How many have a coefficient.
    history_ : dict of str to ndarray of shape (n_iter_,)
        "residual_norm", of the fit to all rows, see `OrthogonalMatchingPursuit`.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has names.

    See Also
    --------
    OrthogonalMatchingPursuit : with a number that is given.

    Examples
    --------
    >>> from sklearn.datasets import make_regression
    >>> from skcourse.linear_model import OrthogonalMatchingPursuitCV
    >>> X, y = make_regression(n_features=100, n_informative=10, noise=4, random_state=0)
    >>> model = OrthogonalMatchingPursuitCV(cv=5).fit(X, y)
    >>> int(model.n_nonzero_coefs_)
    10
    """

    _parameter_constraints: dict = {
        "copy": ["boolean"],
        "fit_intercept": ["boolean"],
        "max_iter": [Interval(Integral, 0, None, closed="left"), None],
        "cv": ["cv_object"],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        *,
        copy=True,
        fit_intercept=True,
        max_iter=None,
        cv=None,
        n_jobs=None,
        verbose=False,
    ):
        self.copy = copy
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.cv = cv
        self.n_jobs = n_jobs
        self.verbose = verbose

    @fit_context
    def fit(self, X, y, **fit_params):
        """Find how many features are best, and their coefficients.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            At least two features.
        y : array-like of shape (n_samples,)
        **fit_params : dict
            For the splitter, if `enable_metadata_routing=True`.

        Returns
        -------
        self : OrthogonalMatchingPursuitCV

        Raises
        ------
        ValueError
            If X or y is not finite, or `max_iter` is more than the number of features.

        Warns
        -----
        RuntimeWarning
            If no further feature can be told from those before.
        """
        for_split = self._route(fit_params)
        X, y = read_Xy(self, X, y, multi_output=False, ensure_min_features=2)
        if y.dtype.kind in "SU":
            raise TypeError("y must hold numbers, not strings.")
        y = y.astype(np.float64, copy=False)
        p = X.shape[1]
        limit = self.max_iter or min(max(int(0.1 * p), 5), p)
        if limit > p:
            raise ValueError(TOO_MANY)
        cv = check_cv(self.cv, classifier=False)
        with held.released(effective_n_jobs(self.n_jobs) > 1):
            paths = Parallel(n_jobs=self.n_jobs, verbose=self.verbose)(
                delayed(errors_of_path)(X, y, train, test, self.fit_intercept, limit)
                for train, test in cv.split(X, **for_split)
            )
        depth = min(len(errors) for errors, _ in paths)
        mean = np.mean([errors[:depth] for errors, _ in paths], axis=0)  # (1)
        best = np.argmin(mean) + 1 if depth else np.int64(1)
        found = self._pursue(X, y, None, int(best), None, gram=len(X) > p)
        warn_premature([one for _, fold in paths for one in fold] + found, stacklevel=5)
        self.n_nonzero_coefs_ = best
        return self

    def _route(self, params):
        """Return what the splitter is to be given."""
        check_routed(self, params)
        if routing_enabled():
            return process_routing(self, "fit", **params).splitter.split
        return {}

    def get_metadata_routing(self):
        """Return where metadata go: to the splitter.

        Returns
        -------
        routing : MetadataRouter
        """
        mapping = MethodMapping().add(caller="fit", callee="split")
        return MetadataRouter(owner=self).add(splitter=self.cv, method_mapping=mapping)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = False
        return tags
