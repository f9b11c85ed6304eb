"""Automatic relevance determination: each coefficient has a precision, most become infinite.

Problem     Linear regression in which precisions lambda_j of the coefficients and alpha of the
            noise make the data most likely, see `evidence`. Where the data have no use for a
            feature, the best lambda_j is infinite: its coefficient is 0.
Iteration   With the k columns A that are kept, and lambda and alpha so far (MacKay)
                P = diag(lambda) + alpha A'A,   m = alpha P^-1 A't,                           (1)
                gamma_j = 1 - lambda_j (P^-1)_jj,                                             (2)
                lambda_j = (gamma_j + 2 lambda_1) / (m_j^2 + 2 lambda_2),                     (3)
                alpha = (W - sum gamma + 2 alpha_1) / (|t - A m|^2 + rest + 2 alpha_2);       (4)
            columns with lambda_j from a threshold on are left out for good. The end is when
            sum_j |m_j - old m_j| < tol. `ard_posterior` has (1) and (2).
Cost        The rows once, to make them few: 2 n p^2 products, (6) of `evidence`. Then 2/3 k^3 for
            an iteration, or less where rows are fewer.
Reference   D. MacKay, Bayesian nonlinear modeling for the prediction competition, ASHRAE
            Transactions, 1994.
            M. Tipping, Sparse Bayesian learning and the relevance vector machine, JMLR, 2001.
"""

from numbers import Integral, Real
from typing import NamedTuple

import numpy as np

from skcourse.core.chunks import one_blas_thread
from skcourse.core.history import SILENCE, History, fit_task
from skcourse.core.validation import Interval, check_weights, fit_context, read_Xy
from skcourse.linear_model.ard_posterior import Kept
from skcourse.linear_model.evidence import (
    EPS,
    BayesianRegressor,
    Prior,
    check_summable,
    few_rows,
    quotient,
    variance,
    warn_stopped,
)


class State(NamedTuple):
    """Where the iteration is."""

    alpha: float
    lambda_: np.ndarray  # (p,); that of a column that was left out stays
    coef: np.ndarray  # (p,)
    n_iter: int


class Relevance:
    """The iteration (1) to (4) for `FewRows`, the weight W that they stand for, and priors."""

    def __init__(self, few, weight, prior, threshold):
        self.few, self.weight, self.prior, self.threshold = few, weight, prior, threshold
        self.kept = Kept(few.A, few.t)
        noise = weight * np.square(EPS * few.mean[-1])
        self.idle = few.t @ few.t + few.rest <= noise  # y is constant, and nothing is relevant

    def run(self, alpha, *, max_iter, tol, task=SILENCE, attributes=None):
        """Iterate from lambda = 1; return the last state, the history, and why it ended.

        Parameters
        ----------
        alpha : float
        max_iter, tol : see `ARDRegression`
        task : Task
        attributes : callable, from a State, for callbacks

        Returns
        -------
        state : State
        history : dict of arrays
        diverged : bool, whether alpha left the positive numbers
        change : float, of the coefficients in the last iteration
        """
        p = self.few.A.shape[1]
        state = State(alpha, np.ones(p), np.zeros(p), 0)
        history, change, stop = History(), np.inf, False
        for n_iter in range(1, max_iter + 1):
            step = task.subtask("iteration")
            before = state.coef
            state, value = self.advance(state)
            if n_iter > 1:
                change = float(np.abs(state.coef - before).sum())
            n_kept = len(self.kept.columns)
            history.append(log_marginal_likelihood=value, alpha=state.alpha, n_kept=n_kept)
            diverged = not 0 < state.alpha < np.inf
            if diverged:
                state = state._replace(alpha=alpha)
            stop = step.end(lambda now=state: attributes(now))
            if diverged or stop or change < tol or n_kept == 0:
                break
            alpha = state.alpha
        return state, history.arrays(), diverged, 0.0 if stop or n_kept == 0 else change

    def advance(self, state):
        """Run (1) to (4) and leave out columns; return the state, and the evidence before that."""
        prior, kept = self.prior, self.kept
        lambda_, coef = state.lambda_.copy(), np.zeros(len(state.coef))
        posterior = kept.posterior(state.alpha, lambda_[kept.columns])
        mean, gamma = posterior.mean, posterior.gamma
        error = self.few.rest + float(np.sum((kept.t - kept.A @ mean) ** 2))
        with np.errstate(divide="ignore", invalid="ignore"):
            found = (gamma + 2 * prior.lambda_1) / (mean**2 + 2 * prior.lambda_2)
        found[np.isnan(found)] = np.inf  # 0 / 0: a constant column, under no prior
        if self.idle:
            found = np.where(gamma > EPS, found, np.maximum(found, self.threshold))
        lambda_[kept.columns] = found
        above = self.weight - float(gamma.sum()) + 2 * prior.alpha_1
        alpha = quotient(above, error + 2 * prior.alpha_2)
        coef[kept.columns] = np.where(found < self.threshold, mean, 0.0)
        kept.keep(found < self.threshold)
        now = State(alpha, lambda_, coef, state.n_iter + 1)
        return now, self.log_evidence(now, error, posterior.log_precision)

    def log_evidence(self, state, error, log_precision):
        """Return (2) of `evidence`, with the priors', but for constants, as scikit-learn has it."""
        alpha, lambda_, coef, _ = state
        prior = self.prior
        with np.errstate(divide="ignore", invalid="ignore"):
            logs, log_alpha = np.log(lambda_), np.log(alpha)
            value = np.sum(prior.lambda_1 * logs - prior.lambda_2 * lambda_)
            value += prior.alpha_1 * log_alpha - prior.alpha_2 * alpha
            value += (self.weight * log_alpha + np.sum(logs) - log_precision) / 2
            return float(value - (alpha * error + np.sum(lambda_ * coef**2)) / 2)

    def finish(self, state):
        """Return coef, (p,), and sigma, (k, k), for the precisions of the state."""
        coef, kept = np.zeros(len(state.coef)), self.kept
        if len(kept.columns) == 0:
            return coef, np.empty((0, 0))
        lambda_ = state.lambda_[kept.columns]
        posterior = kept.posterior(state.alpha, lambda_)
        coef[kept.columns] = posterior.mean
        return coef, kept.covariance(posterior, lambda_)


class ARDRegression(BayesianRegressor):
    """Linear regression that determines which features are relevant, by maximal evidence.

    Parameters
    ----------
    max_iter : int, default=300
    tol : float, default=1e-3
        The iteration ends once the coefficients change by less in sum, in their own units.
    alpha_1, alpha_2 : float, default=1e-6
        Shape and rate of the gamma prior of alpha, the precision of the noise.
    lambda_1, lambda_2 : float, default=1e-6
        Shape and rate of the gamma prior of each lambda, the precision of a coefficient.
    compute_score : bool, default=False
        Whether to keep `scores_`.
    threshold_lambda : float, default=1e4
        Precision from which on a feature is left out.
    fit_intercept : bool, default=True
        False if the plane must pass through the origin.
    copy_X : bool, default=True
        Of no effect: X is never overwritten.
    verbose : bool, default=False
        Whether to print when the iteration has converged.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,), dtype of X
        The mean of the posterior; 0 for features that were left out.
    intercept_ : float
    alpha_ : float
        Precision of the noise, in units of 1 / y^2.
    lambda_ : ndarray of shape (n_features,), dtype of X
        Precisions of the coefficients.
    sigma_ : ndarray of shape (n_kept, n_kept), dtype of X
        The covariance of the coefficients of the features that were not left out.
    scores_ : list of float
        The logarithm of the evidence after each iteration, but for constants; empty without
        `compute_score`.
    n_iter_ : int
    history_ : dict of str to ndarray of shape (n_iter_,)
        "log_marginal_likelihood", "alpha" and "n_kept", the number of features, after each
        iteration.
    X_offset_ : ndarray of shape (n_features,)
        The mean of the rows; 0 without an intercept.
    X_scale_ : ndarray of shape (n_features,), ones
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has names.

    See Also
    --------
    BayesianRidge : one precision for all coefficients.

    Notes
    -----
    `fit` reads a C-contiguous X of floats, in memory or a memmap, once, chunk by chunk, and copies
    no more of it than a chunk if there are more rows than columns.

    Examples
    --------
    >>> from skcourse.linear_model import ARDRegression
    >>> model = ARDRegression().fit([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]], [0.0, 1.0, 2.0])
    >>> model.predict([[1.0, 1.0]]).round(6)
    array([1.])
    """

    _parameter_constraints: dict = {
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "alpha_1": [Interval(Real, 0, None, closed="left")],
        "alpha_2": [Interval(Real, 0, None, closed="left")],
        "lambda_1": [Interval(Real, 0, None, closed="left")],
        "lambda_2": [Interval(Real, 0, None, closed="left")],
        "compute_score": ["boolean"],
        "threshold_lambda": [Interval(Real, 0, None, closed="left")],
        "fit_intercept": ["boolean"],
        "copy_X": ["boolean"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        *,
        max_iter=300,
        tol=1e-3,
        alpha_1=1e-6,
        alpha_2=1e-6,
        lambda_1=1e-6,
        lambda_2=1e-6,
        compute_score=False,
        threshold_lambda=1e4,
        fit_intercept=True,
        copy_X=True,
        verbose=False,
    ):
        self.max_iter = max_iter
        self.tol = tol
        self.alpha_1 = alpha_1
        self.alpha_2 = alpha_2
        self.lambda_1 = lambda_1
        self.lambda_2 = lambda_2
        self.compute_score = compute_score
        self.threshold_lambda = threshold_lambda
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.verbose = verbose

    @fit_context
    def fit(self, X, y, sample_weight=None):
        """Find the coefficients, their covariance, and the precisions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            At least two samples.
        y : array-like of shape (n_samples,)
        sample_weight : float or array-like of shape (n_samples,), default=None
            Not negative. A weight of 2 is a row that occurs twice.

        Returns
        -------
        self : ARDRegression

        Raises
        ------
        ValueError
            If X, y or the weights are not finite, or do not match.

        Warns
        -----
        ConvergenceWarning
            If the iteration ended at `max_iter`, or the evidence has no maximum.
        """
        task = fit_task(self, X, y, sample_weight, max_subtasks=self.max_iter)
        X, y = read_Xy(self, X, y, finite=False, multi_output=False, ensure_min_samples=2)
        weights = check_weights(sample_weight, X)
        y = y.astype(np.float64, copy=False)
        check_summable(y)
        quiet = np.errstate(over="ignore", invalid="ignore")  # where A'A overflows, QR serves
        with one_blas_thread(), quiet:
            few = few_rows(X, y, weights, centre=self.fit_intercept, estimator=self)
            prior = Prior(self.alpha_1, self.alpha_2, self.lambda_1, self.lambda_2)
            total = len(y) if weights is None else float(weights.sum(dtype=np.float64))
            relevance = Relevance(few, total, prior, self.threshold_lambda)

            def attributes(state):
                return self._attributes(relevance, state, X.dtype)

            state, history, diverged, change = relevance.run(
                1 / (variance(y, weights) + EPS),
                max_iter=self.max_iter,
                tol=self.tol,
                task=task,
                attributes=attributes,
            )
            found = attributes(state)
        if diverged or not change < self.tol:
            warn_stopped(diverged, self.max_iter, change, self.tol)
        elif self.verbose:
            print(f"Converged after {state.n_iter - 1} iterations")
        self.history_ = history
        self.scores_ = history["log_marginal_likelihood"].tolist() if self.compute_score else []
        vars(self).update(found)
        task.end()
        return self

    def _attributes(self, relevance, state, dtype):
        """Return what a fit that ended now would set."""
        coef, sigma = relevance.finish(state)
        return self._shared(coef, relevance.few.mean, dtype) | {
            "alpha_": dtype.type(state.alpha),
            "lambda_": state.lambda_.astype(dtype, copy=False),
            "sigma_": sigma.astype(dtype, copy=False),
            "n_iter_": state.n_iter,
        }

    def _kept(self):
        """Return which columns `sigma_` is of."""
        return self.lambda_ < self.threshold_lambda
