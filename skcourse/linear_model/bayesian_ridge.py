"""Bayesian ridge regression: the penalty and the noise are read from the data.

Problem     Ridge regression in which one precision alpha of the noise and one precision lambda of
            all coefficients make the data most likely: the evidence, (2) of `evidence`, is largest.
Axes        With A = U diag(s) V' and z = U'v all is a sum over axes. For rho = lambda / alpha
                V'm = z s / (s^2 + rho),   g_i = s_i^2 / (s_i^2 + rho),                       (1)
                |v - A m|^2 = rest + sum_i (z_i rho / (s_i^2 + rho))^2,                       (2)
            rest being what no coefficients explain; no term of (2) is negative, nothing cancels.
Iteration   With G = sum g_i (MacKay)
                lambda = (G + 2 lambda_1) / (|m|^2 + 2 lambda_2),                             (3)
                alpha = (W - G + 2 alpha_1) / (|v - A m|^2 + 2 alpha_2),                      (4)
            until sum_j |m_j - old m_j| < tol. This lies between |V'm - V'old m| and p^(1/2) times
            as much, so that m itself is seldom needed.
Cost        n p^2 products and p^3 for the axes, then p for an iteration.
Reference   D. MacKay, Bayesian interpolation, Neural Computation, 1992.
            M. Tipping, Sparse Bayesian learning and the relevance vector machine, JMLR, 2001.
"""

import math
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np

from skcourse.core.chunks import one_blas_thread
from skcourse.core.history import SILENCE, History, fit_task
from skcourse.core.kernel import kernel
from skcourse.core.validation import Interval, check_weights, fit_context, read_Xy
from skcourse.linear_model.evidence import (
    EPS,
    BayesianRegressor,
    Prior,
    check_summable,
    quotient,
    variance,
    warn_stopped,
)
from skcourse.linear_model.evidence_axes import axes_of

LOG_2PI = math.log(2 * math.pi)


@kernel
def weigh(s, z, alpha, lambda_, beta):
    """Write V'm of (1) into `beta`, (r,), by the axes, s and z.

    Returns
    -------
    unexplained : float, the sum in (2)
    determined : float, G
    square : float, |m|^2
    log_posterior : float, sum_i log(lambda + alpha s_i^2)
    """
    rho = lambda_ / alpha
    unexplained, determined, square, log_posterior = 0.0, 0.0, 0.0, 0.0
    for i in range(len(s)):
        inverse = rho / s[i]  # divided twice, since s^2 may leave the range of numbers
        beta[i] = z[i] / (s[i] + inverse)
        left = z[i] / (1.0 + s[i] / rho * s[i])
        unexplained += left * left
        determined += 1.0 / (1.0 + inverse / s[i])
        square += beta[i] * beta[i]
        log_posterior += np.log(lambda_ + alpha * s[i] * s[i])
    return unexplained, determined, square, log_posterior


class State(NamedTuple):
    """What follows from alpha and lambda."""

    alpha: float
    lambda_: float
    beta: np.ndarray  # V'm, (r,)
    determined: float  # G
    error: float  # |v - A m|^2
    square: float  # |m|^2
    evidence: float  # its logarithm, with that of the priors


def log(x):
    """Return the logarithm, of 0 too."""
    return math.log(x) if x > 0 else -math.inf


class Evidence:
    """(1) to (4) for given axes, the sum W of the weights, and priors."""

    def __init__(self, axes, weight, prior):
        self.axes, self.weight, self.prior = axes, weight, prior

    def state(self, alpha, lambda_):
        """Return (1), (2) and the logarithm of the evidence, with those of the priors."""
        _, s, z, rest, _ = self.axes
        beta = np.empty(len(s))
        with np.errstate(all="ignore"):  # for kernels that run as plain Python: alpha may be 0
            sums = weigh(s, z, np.float64(alpha), np.float64(lambda_), beta)
        unexplained, determined, square, log_posterior = sums
        error = rest + unexplained
        value = self.prior.lambda_1 * log(lambda_) - self.prior.lambda_2 * lambda_
        value += self.prior.alpha_1 * log(alpha) - self.prior.alpha_2 * alpha
        value += (len(s) * log(lambda_) - log_posterior) / 2
        value += (self.weight * (log(alpha) - LOG_2PI) - alpha * error - lambda_ * square) / 2
        return State(alpha, lambda_, beta, determined, error, square, value)

    def update(self, state):
        """Return alpha and lambda by (4) and (3); infinity, or NaN, where they are not finite."""
        prior = self.prior
        above = self.weight - state.determined + 2 * prior.alpha_1
        alpha = quotient(above, state.error + 2 * prior.alpha_2)
        above = state.determined + 2 * prior.lambda_1
        return alpha, quotient(above, state.square + 2 * prior.lambda_2)

    def change(self, beta, before, tol):
        """Return sum_j |m_j - old m_j|, or a bound that is on the same side of tol."""
        step = beta - before
        length = np.sqrt(step @ step)
        if length >= tol:
            return length
        width = np.sqrt(len(self.axes.V)) * length
        return width if width < tol else float(np.abs(self.axes.V @ step).sum())

    def maximise(self, alpha, lambda_, *, max_iter, tol, task=SILENCE, attributes=None):
        """Iterate (3) and (4); return the last state, the history, and why it ended.

        Parameters
        ----------
        alpha, lambda_ : float, to begin with
        max_iter, tol : see `BayesianRidge`
        task : Task
        attributes : callable, from a State and the number of iterations, for callbacks

        Returns
        -------
        state : State
        history : dict of arrays
        diverged : bool, whether a precision left the positive numbers
        change : float, of the coefficients in the last iteration
        """
        history, before, change, diverged = History(), None, np.inf, False
        state = self.state(alpha, lambda_)
        for n_iter in range(1, max_iter + 1):
            step = task.subtask("iteration")
            history.append(
                log_marginal_likelihood=state.evidence, alpha=state.alpha, lambda_=state.lambda_
            )
            alpha, lambda_ = self.update(state)
            diverged = not (0 < alpha < np.inf and 0 < lambda_ < np.inf)
            if before is not None:
                change = self.change(state.beta, before, tol)
            before = state.beta
            if not diverged:
                state = self.state(alpha, lambda_)
            stop = step.end(lambda now=state, n=n_iter: attributes(now, n))
            if diverged or stop or change < tol:
                break
        return state, history.arrays(), diverged, 0.0 if stop else change

    def covariance(self, state):
        """Return P^-1, (p, p): what the axes leave out is as the prior has it."""
        V, s = self.axes.V, self.axes.s
        with np.errstate(over="ignore"):
            sides = V / np.sqrt(state.lambda_ + state.alpha * s * s)
        sigma = sides @ sides.T
        if len(s) < len(V):
            sigma -= V @ V.T / state.lambda_
            sigma.flat[:: len(V) + 1] += 1 / state.lambda_
        return sigma


class BayesianRidge(BayesianRegressor):
    """Ridge regression with the penalty and the noise estimated, by maximal evidence.

    Parameters
    ----------
    max_iter : int, default=300
    tol : float, default=1e-3
        The iteration ends once the coefficients change by less in sum, in their own units.
    alpha_1, alpha_2 : float, default=1e-6
        Shape and rate of the gamma prior of alpha, the precision of the noise.
    lambda_1, lambda_2 : float, default=1e-6
        Shape and rate of the gamma prior of lambda, the precision of the coefficients.
    alpha_init : float, default=None
        To begin with; None is 1 / Var(y).
    lambda_init : float, default=None
        To begin with; None is 1.
    compute_score : bool, default=False
        Whether to keep `scores_`.
    fit_intercept : bool, default=True
        False if the plane must pass through the origin.
    copy_X : bool, default=True
        Of no effect: X is never overwritten.
    verbose : bool, default=False
        Whether to print when the iteration has converged.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,), dtype of X
        The mean of the posterior.
    intercept_ : float
    alpha_ : float
        Precision of the noise, in units of 1 / y^2.
    lambda_ : float
        Precision of the coefficients.
    sigma_ : ndarray of shape (n_features, n_features), dtype of X
        The covariance of the coefficients.
    scores_ : ndarray of shape (n_iter_ + 1,)
        The logarithm of the evidence in each iteration, and at the end; only with `compute_score`.
    n_iter_ : int
    history_ : dict of str to ndarray of shape (n_iter_,)
        "log_marginal_likelihood", and the "alpha" and "lambda_" that it is of.
    X_offset_ : ndarray of shape (n_features,)
        The mean of the rows; 0 without an intercept.
    X_scale_ : ndarray of shape (n_features,), ones
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has names.

    See Also
    --------
    ARDRegression : a precision for each coefficient.

    Notes
    -----
    `fit` reads a C-contiguous X of floats, in memory or a memmap, chunk by chunk, on all cores, and
    copies no more of it than a chunk if there are more rows than columns.

    Examples
    --------
    >>> from skcourse.linear_model import BayesianRidge
    >>> model = BayesianRidge().fit([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]], [0.0, 1.0, 2.0])
    >>> model.predict([[1.0, 1.0]]).round(6)
    array([1.])
    """

    _parameter_constraints: dict = {
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="neither")],
        "alpha_1": [Interval(Real, 0, None, closed="left")],
        "alpha_2": [Interval(Real, 0, None, closed="left")],
        "lambda_1": [Interval(Real, 0, None, closed="left")],
        "lambda_2": [Interval(Real, 0, None, closed="left")],
        "alpha_init": [None, Interval(Real, 0, None, closed="left")],
        "lambda_init": [None, Interval(Real, 0, None, closed="left")],
        "compute_score": ["boolean"],
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
        alpha_init=None,
        lambda_init=None,
        compute_score=False,
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
        self.alpha_init = alpha_init
        self.lambda_init = lambda_init
        self.compute_score = compute_score
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.verbose = verbose

    @fit_context
    def fit(self, X, y, sample_weight=None):
        """Find the coefficients, their covariance, and the two precisions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : float or array-like of shape (n_samples,), default=None
            Not negative. A weight of 2 is a row that occurs twice.

        Returns
        -------
        self : BayesianRidge

        Raises
        ------
        ValueError
            If X, y or the weights are not finite or do not match, or both precisions begin at 0.

        Warns
        -----
        ConvergenceWarning
            If the iteration ended at `max_iter`, or the evidence has no maximum.
        """
        task = fit_task(self, X, y, sample_weight, max_subtasks=self.max_iter)
        X, y = read_Xy(self, X, y, finite=False, multi_output=False)
        weights = check_weights(sample_weight, X)
        if y.dtype.kind in "SU":
            raise TypeError("y must hold numbers, not strings.")
        y = y.astype(np.float64, copy=False)
        check_summable(y)
        with one_blas_thread():
            axes = axes_of(X, y, weights, centre=self.fit_intercept, estimator=self)
            prior = Prior(self.alpha_1, self.alpha_2, self.lambda_1, self.lambda_2)
            total = len(y) if weights is None else float(weights.sum(dtype=np.float64))
            evidence = Evidence(axes, total, prior)

            def attributes(state, n_iter):
                return self._attributes(evidence, state, n_iter, X.dtype)

            state, history, diverged, change = evidence.maximise(
                *self._start(y, weights),
                max_iter=self.max_iter,
                tol=self.tol,
                task=task,
                attributes=attributes,
            )
            n_iter = len(history["alpha"])
            found = attributes(state, n_iter)
        if diverged or not change < self.tol:
            warn_stopped(diverged, self.max_iter, change, self.tol)
        elif self.verbose:
            print("Convergence after ", str(n_iter - 1), " iterations")
        self.history_ = history
        self.scores_ = []
        if self.compute_score:
            self.scores_ = np.append(history["log_marginal_likelihood"], state.evidence)
        vars(self).update(found)
        task.end()
        return self

    def _start(self, y, weights):
        """Return the first alpha and lambda."""
        alpha, lambda_ = self.alpha_init, self.lambda_init
        if alpha is None:
            alpha = 1 / (variance(y, weights) + EPS)
        if lambda_ is None:
            lambda_ = 1.0
        if alpha == 0 and lambda_ == 0:
            raise ValueError("alpha_init and lambda_init must not both be 0.")
        return float(alpha), float(lambda_)

    def _attributes(self, evidence, state, n_iter, dtype):
        """Return what a fit that ended now would set."""
        found = self._shared(evidence.axes.V @ state.beta, evidence.axes.mean, dtype)
        return found | {
            "alpha_": dtype.type(state.alpha),
            "lambda_": dtype.type(state.lambda_),
            "sigma_": evidence.covariance(state).astype(dtype, copy=False),
            "n_iter_": n_iter,
        }
