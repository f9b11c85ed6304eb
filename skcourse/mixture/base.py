"""Fitting a mixture: starts, rounds of expectation and maximisation, and the best of several runs.

Iteration   From parameters t, as long as a lower bound of the log-likelihood rises by `tol`:
                q    = sums over the rows under t                          (`expectation`)     (1)
                t    = the parameters that these sums make best            (`estimate`)        (2)
            What is best in (2), and what the bound is, a mixture says itself: by maximum
            likelihood, or as a variational posterior.
Cost        One pass over the rows per iteration; a second where a mean moved far (`covariances`).

A mixture has parameters of its own kind (any NamedTuple), which these methods of it know:

    _check(rows)                    its settings against the data; raises ValueError
    _initial(rows, rng)             parameters to begin with, by default (2) of a start
    _maximise(estimates)            (2): parameters from Estimates
    _gaussians(parameters)          the mixture that (1) looks with
    _lower_bound(sums, parameters)  of the parameters before (2) the sums, after it the parameters
    _observed(sums, parameters)     what `history_` keeps of an iteration
    _attributes(parameters, dtype)  fitted attributes; _parameters(): back from them
"""

from abc import ABCMeta, abstractmethod
from numbers import Integral, Real
from time import time
from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skcourse.core.chunks import one_blas_thread
from skcourse.core.history import History, fit_task, warn_not_converged
from skcourse.core.missing import check_columns_seen
from skcourse.core.validation import (
    FLOATS,
    Interval,
    StrOptions,
    check_n_drawn,
    check_weights,
    fit_context,
    read_X,
)
from skcourse.mixture.covariances import check_finite, collapsed, estimate
from skcourse.mixture.rows import Rows, log_sum_exp, most_likely
from skcourse.mixture.starts import INIT_PARAMS, start


class Run(NamedTuple):
    """What one start came to."""

    parameters: tuple
    lower_bounds: list  # one per iteration
    converged: bool
    history: dict

    @property
    def lower_bound(self):
        """The last bound; -inf without an iteration."""
        return self.lower_bounds[-1] if self.lower_bounds else -np.inf


class BaseMixture(CallbackSupportMixin, DensityMixin, BaseEstimator, metaclass=ABCMeta):
    """Base class: fitting, and what a fitted mixture is good for."""

    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0.0, None, closed="left")],
        "reg_covar": [Interval(Real, 0.0, None, closed="left")],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "init_params": [StrOptions(set(INIT_PARAMS))],
        "random_state": ["random_state"],
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
        "verbose_interval": [Interval(Integral, 1, None, closed="left")],
    }

    @fit_context
    def fit(self, X, y=None, sample_weight=None):
        """Fit the mixture by `n_init` runs, and keep the best.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            NaN stands for what is missing.
        y : ignored, but for callbacks that score
        sample_weight : array-like of shape (n_samples,), default=None
            None means 1 for each sample; a whole number is that many copies of it.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            If there are fewer samples than components, a column holds only NaN, weights are
            negative or all 0, or a covariance is not positive definite.

        Warns
        -----
        ConvergenceWarning
            If the best run has not converged in `max_iter` iterations.
        """
        self._fit(X, y, sample_weight)
        return self

    @fit_context
    def fit_predict(self, X, y=None, sample_weight=None):
        """Fit the mixture and return what `predict(X)` does then; see `fit`."""
        rows = self._fit(X, y, sample_weight)
        return rows.by_row(self._gaussians(self._parameters()), most_likely)

    def _fit(self, X, y, sample_weight):
        """Fit; return the rows."""
        again = self.warm_start and hasattr(self, "means_")
        rows = self._read(X, sample_weight, reset=True, ensure_min_samples=2)
        self._check_enough(rows)
        self._check(rows)
        n_init = 1 if again else self.n_init
        rng = check_random_state(self.random_state)
        task = fit_task(self, X, y, sample_weight, max_subtasks=n_init)
        best = None
        for number in range(n_init):
            clock = Clock(self.verbose, self.verbose_interval, number)
            parameters = self._parameters() if again else self._initial(rows, rng)
            bound = getattr(self, "lower_bound_", -np.inf) if again else -np.inf
            part = task.subtask("run", max_subtasks=self.max_iter)
            with one_blas_thread():  # between the passes too: the matrices are small
                run = self._climb(rows, parameters, bound, clock, part)
            if best is None or run.lower_bound > best.lower_bound:
                best = run
            if part.end():
                break
        if self.max_iter > 0:
            self._warn(best)
        self.__dict__.update(check_finite(self._results(best, rows.X.dtype)))
        for name in ("n_batch_iter_", "_memory"):  # of batches before
            self.__dict__.pop(name, None)
        task.end()
        return rows

    def _read(self, X, sample_weight=None, **options):
        """Return X, validated, as Rows."""
        X = read_X(self, X, finite="allow-nan", **options)
        if X.dtype not in FLOATS:
            X = X.astype(np.float64)
        return Rows(X, check_weights(sample_weight, X, dtype=np.float64))

    def _check_enough(self, rows):
        """Raise ValueError if there is not enough to make a start of."""
        n_rows = len(rows.X) if rows.weights is None else np.count_nonzero(rows.weights)
        if n_rows < self.n_components:
            raise ValueError(
                f"Expected n_samples >= n_components but got n_components = {self.n_components}, "
                f"n_samples = {n_rows}"
            )
        if rows.missing:
            check_columns_seen(rows.X if rows.weights is None else rows.X[rows.weights > 0], self)

    def _climb(self, rows, parameters, bound, clock, task):
        """Run (1) and (2) from `parameters` until the bound rises by less than `tol`."""
        history, bounds, converged = History(), [], False
        for n_iter in range(1, self.max_iter + 1):
            step = task.subtask("iteration")
            model = self._gaussians(parameters)
            sums = self._look(rows, model)
            history.append(**self._observed(sums, parameters))
            parameters = self._maximise(self._estimate(rows, model, sums), rows.X.dtype)
            bounds.append(self._lower_bound(sums, parameters))
            change, bound = bounds[-1] - bound, bounds[-1]
            clock.iteration(n_iter, change)
            converged = bool(abs(change) < self.tol)
            run = Run(parameters, bounds, converged, history.arrays())
            if step.end(lambda run=run: self._results(run, rows.X.dtype)) or converged:
                break
        clock.end(bound, converged)
        return Run(parameters, bounds, converged, history.arrays())

    def _look(self, rows, model):
        """Run (1)."""
        sums = rows.expectation(model)
        if not np.isfinite(sums.log_likelihood):
            raise ValueError(
                "The log-likelihood of the samples is not finite: they lie too far from the "
                "components for floating point numbers. Scale the input data."
            )
        return sums

    def _estimate(self, rows, model, sums):
        """Return what `sums`, those of `rows` under `model`, say of the components."""
        return estimate(
            sums, model.means, self.covariance_type, lambda about: rows.expectation(model, about)
        )

    def _results(self, run, dtype):
        """Return the fitted attributes, as of the end of `run`."""
        return self._attributes(run.parameters, dtype) | {
            "converged_": run.converged,
            "n_iter_": len(run.lower_bounds),
            "lower_bound_": run.lower_bound,
            "lower_bounds_": list(run.lower_bounds),
            "history_": run.history,
        }

    def _check(self, rows):
        """Check the settings against the data; nothing to do unless a mixture has some."""

    def _warn(self, run):
        """Warn of what is wrong with the fit, if anything is."""
        if not run.converged:
            warn_not_converged(
                "Best performing initialization did not converge. Try different init parameters, "
                "or increase max_iter, tol, or check for degenerate data.",
            )
        found = collapsed(*self._spread(run.parameters), self.covariance_type, self.reg_covar)
        if len(found):
            warn_not_converged(
                f"Component(s) {', '.join(map(str, found[:10]))} collapsed to a point: what is left"
                " of their covariance is reg_covar. Decrease the number of components, increase "
                "reg_covar, or look for duplicated samples.",
            )

    def _spread(self, parameters):
        """Return weights, means and covariances as `_maximise` found them."""
        return parameters.weights, parameters.means, parameters.covariances

    def _initial(self, rows, rng):
        """Return the parameters of a start."""
        kind = self.covariance_type
        sums, about = start(rows, self.n_components, kind, self.init_params, rng, self.reg_covar)
        return self._maximise(estimate(sums, about, kind), rows.X.dtype)

    @abstractmethod
    def _maximise(self, estimates, dtype):
        """Return the parameters that are best for `estimates`, `reg_covar` not yet added.

        `dtype` is that of X, for the words of an error.
        """

    @abstractmethod
    def _gaussians(self, parameters):
        """Return the mixture with which the rows are looked at, as Gaussians."""

    @abstractmethod
    def _lower_bound(self, sums, parameters):
        """Return the bound: `sums` are under the parameters before, `parameters` those after."""

    @abstractmethod
    def _observed(self, sums, parameters):
        """Return what `history_` keeps of the iteration from `parameters`, by name."""

    @abstractmethod
    def _attributes(self, parameters, dtype):
        """Return the fitted attributes, by name, of the dtype of X."""

    @abstractmethod
    def _parameters(self):
        """Return the parameters of the fitted mixture."""

    def _asked(self, X):
        """Return new samples as Rows, and the Gaussians to look at them with."""
        if not hasattr(self, "means_"):
            check_is_fitted(self)
        return self._read(X, dtype="numeric"), self._gaussians(self._parameters())

    def predict(self, X):
        """Return the component that each sample most likely comes from, int64 (n_samples,).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), NaN where something is missing
        """
        rows, model = self._asked(X)
        return rows.by_row(model, most_likely)

    def predict_proba(self, X):
        """Return the probability of each component, given the sample, (n_samples, n_components).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), NaN where something is missing
        """
        rows, model = self._asked(X)
        scores = rows.scores(model)
        scores -= scores.max(axis=1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=1, keepdims=True)
        return scores

    def score_samples(self, X):
        """Return the log-density of each sample, (n_samples,): of what there is of it.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), NaN where something is missing
        """
        rows, model = self._asked(X)
        return rows.by_row(model, log_sum_exp)

    def score(self, X, y=None, sample_weight=None):
        """Return the (weighted) mean log-density of the samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), NaN where something is missing
        y : ignored
        sample_weight : array-like of shape (n_samples,), default=None
        """
        densities = self.score_samples(X)
        weights = check_weights(sample_weight, densities, dtype=np.float64)
        return float(np.average(densities.astype(np.float64, copy=False), weights=weights))

    def sample(self, n_samples=1):
        """Draw samples, by the draws of scikit-learn.

        Parameters
        ----------
        n_samples : int, default=1

        Returns
        -------
        X : ndarray of shape (n_samples, n_features), float64
        y : ndarray of shape (n_samples,), int64
            The component of each sample, in rising order.
        """
        check_is_fitted(self)
        check_n_drawn(n_samples)
        rng = check_random_state(self.random_state)
        counts = rng.multinomial(n_samples, self.weights_)
        k, d = self.means_.shape
        covariances = self.covariances_
        if self.covariance_type == "tied":
            covariances = np.broadcast_to(covariances, (k, d, d))
        X = []
        for mean, covariance, count in zip(self.means_, covariances, counts, strict=True):
            if covariance.ndim == 2:
                X.append(rng.multivariate_normal(mean, covariance, int(count)))
            else:
                X.append(mean + rng.standard_normal((count, d)) * np.sqrt(covariance))
        return np.vstack(X).astype(np.float64, copy=False), np.repeat(np.arange(k), counts)

    def __sklearn_tags__(self):
        """NaN is what is missing."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


class Clock:
    """Prints how a run goes, if `verbose` asks for it."""

    def __init__(self, verbose, interval, number):
        self.verbose, self.interval = verbose, interval
        self.began = self.before = time()
        if verbose:
            print(f"Initialization {number}")

    def iteration(self, n_iter, change):
        """Tell of every `interval`-th iteration."""
        if not self.verbose or n_iter % self.interval:
            return
        now, since = time(), self.before
        self.before = now
        lapse = f"\t time lapse {now - since:.5f}s\t ll change {change:.5f}"
        print(f"  Iteration {n_iter}{lapse if self.verbose > 1 else ''}")

    def end(self, bound, converged):
        """Tell how it ended."""
        if self.verbose:
            how = "converged" if converged else "did not converge"
            lapse = f" time lapse {time() - self.began:.5f}s\t lower bound {bound:.5f}."
            print(f"Initialization {how}.{lapse if self.verbose > 1 else ''}")
