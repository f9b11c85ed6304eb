"""Mixture of experts: several models, and a gate that says whom to believe where.

Model       A gate of the shares g_k(x), and experts that each know a part of the world:
                p(y | x) = sum_k g_k(x) p_k(y | x),   sum_k g_k(x) = 1                        (1)
            The gate is soft, by default the softmax of linear scores, g_k ~ exp(<v_k, x> + c_k).
            An expert for classes gives probabilities; one for numbers the mean f_k(x) of a
            Gaussian whose variance s_k^2 is learned along.
Problem     The greatest likelihood of y given X. Who made which y is not known: hence EM, see
            `skcourse.ensemble.expert_mixture`.
Cost        Per iteration a weighted fit of each expert, and one of the gate on n_experts times as
            many rows.
Reference   R. Jacobs, M. Jordan, S. Nowlan, G. Hinton, Adaptive mixtures of local experts, Neural
            Computation, 1991.
"""

from abc import ABCMeta, abstractmethod
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from skcourse.core.history import fit_task, warn_not_converged
from skcourse.core.validation import HasMethods, Interval, check_weights, fit_context, read_X
from skcourse.ensemble.expert_mixture import (
    Mixture,
    begin,
    climb,
    gate_shares,
)
from skcourse.linear_model import LogisticRegression

MAX_SEED = 2**31 - 1
FEW_COEFFICIENTS = 200  # for which a step of Newton's costs little
SPARSE = ["csr", "csc"]


class MixtureOfExperts(CallbackSupportMixin, BaseEstimator, metaclass=ABCMeta):
    """Base class: the fit, and the gate."""

    _parameter_constraints: dict = {
        "expert": [HasMethods(["fit", "predict"]), None],
        "n_experts": [Interval(Integral, 1, None, closed="left")],
        "gate": [HasMethods(["fit", "predict"]), None],
        "tol": [Interval(Real, 0.0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
    }

    @fit_context
    def fit(self, X, y, sample_weight=None):
        """Fit the experts and the gate by `n_init` runs of EM, and keep the best.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Sparse only where the experts and the gate take it.
        y : array-like of shape (n_samples,), or (n_samples, n_outputs) for a regressor
        sample_weight : array-like of shape (n_samples,), default=None
            None means 1 for each sample; 0 that it is not there.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If the experts or the gate take no `sample_weight`, or give no probabilities where
            these are needed.

        Warns
        -----
        ConvergenceWarning
            If the best run has not converged in `max_iter` iterations.
        """
        again = self.warm_start and hasattr(self, "experts_")
        X, y, known = self._read_Xy(X, y)
        weights = check_weights(sample_weight, X, dtype=np.float64)
        weights = np.ones(X.shape[0]) if weights is None else weights
        here = weights > 0.0
        if again:
            self._check_again(known)
        given = (X, y) if here.all() else (X[here], y[here])
        problem = self._problem(*given, weights[here], known)
        rng = check_random_state(self.random_state)
        task = fit_task(self, X, y, sample_weight, max_subtasks=1 if again else self.n_init)
        best = None
        for _ in range(1 if again else self.n_init):
            part = task.subtask("run", max_subtasks=self.max_iter)
            if again:
                start = Mixture(self.gate_, self.experts_, getattr(self, "variances_", None))
            else:
                start = begin(problem, *self._unfitted(X, known, rng), rng)
            run = climb(
                problem,
                start,
                max_iter=self.max_iter,
                tol=self.tol,
                task=part,
                attributes=lambda now: known | self._attributes(now),
            )
            if best is None or run.log_likelihood > best.log_likelihood:
                best = run
            if part.end(lambda best=best: known | self._attributes(best)):
                break
        if not best.converged and len(best.history["log_likelihood"]) == self.max_iter:
            warn_not_converged(
                f"The mixture of experts has not converged after {self.max_iter} iterations. "
                "Increase max_iter or tol, or lower n_experts."
            )
        self.__dict__.update(known | self._attributes(best))
        task.end()
        return self

    def _check_again(self, known):
        """Raise ValueError if the last fit was of another kind, with which none can go on."""
        if len(self.experts_) != self.n_experts:
            raise ValueError(
                f"n_experts={self.n_experts}, but the last fit, with which warm_start goes on, "
                f"had {len(self.experts_)}."
            )
        if not np.array_equal(known.get("classes_", 0), getattr(self, "classes_", 0)):
            raise ValueError("warm_start goes on with the same classes only.")

    def _unfitted(self, X, known, rng):
        """Return the gate and the experts, none of them fitted."""
        columns = X.shape[1] * max(1, self.n_experts - 1)
        gate = None
        if self.n_experts > 1:
            gate = logistic(columns, C=100.0) if self.gate is None else clone(self.gate)
            check_part(gate, "gate", proba=True)
        expert = self._default_expert(X, known) if self.expert is None else self.expert
        check_part(expert, "expert", proba=self._needs_proba)
        experts = [seeded(clone(expert), rng) for _ in range(self.n_experts)]
        return None if gate is None else seeded(gate, rng), experts

    @staticmethod
    def _attributes(run):
        """Return the fitted attributes that a run leaves."""
        found = {
            "gate_": run.mixture.gate,
            "experts_": run.mixture.experts,
            "converged_": bool(run.converged),
            "n_iter_": len(run.history["log_likelihood"]),
            "log_likelihood_": run.log_likelihood,
            "history_": run.history,
        }
        if run.mixture.variances is not None:
            found["variances_"] = run.mixture.variances
        return found

    def gate_proba(self, X):
        """Return how far each expert is believed at each sample.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        shares : ndarray of shape (n_samples, n_experts), float64
            Rows add up to 1.
        """
        X = self._read_X(X)
        return gate_shares(self.gate_, X, len(self.experts_))

    def _read_X(self, X):
        """Return new samples."""
        if not hasattr(self, "experts_"):
            check_is_fitted(self)
        return read_X(self, X, accept_sparse=SPARSE)

    def _mean(self, X, answers):
        """Return sum_k g_k(x) a_k(x), in the dtype of X."""
        shares = gate_shares(self.gate_, X, len(self.experts_))
        total = 0.0
        for share, expert in zip(shares.T, self.experts_, strict=True):
            found = answers(expert)
            total = total + share.reshape(-1, *[1] * (found.ndim - 1)) * found
        return total.astype(X.dtype, copy=False)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        parts = [part for part in (self.expert, self.gate) if part is not None]
        tags.input_tags.sparse = all(sparse_too(part) for part in parts)
        return tags

    @abstractmethod
    def _read_Xy(self, X, y):
        """Return X, y as the experts are given it, and the attributes that y alone tells."""

    @abstractmethod
    def _problem(self, X, y, weights, known):
        """Return the Problem of the rows that are there."""

    @abstractmethod
    def _default_expert(self, X, known):
        """Return the expert where none is given."""


def logistic(n_coefficients, **options):
    """Return the logistic regression for so many coefficients."""
    few = n_coefficients <= FEW_COEFFICIENTS
    return LogisticRegression(
        solver="newton-cholesky" if few else "lbfgs", max_iter=1000, warm_start=True, **options
    )


def check_part(estimator, name, *, proba):
    """Raise ValueError unless the expert, or the gate, can do its part."""
    kind = type(estimator).__name__
    if not has_fit_parameter(estimator, "sample_weight"):
        raise ValueError(
            f"The {name} {kind} does not support sample_weight, which says how much it is to mind "
            "each sample."
        )
    if proba and not hasattr(estimator, "predict_proba"):
        raise ValueError(f"The {name} {kind} must have predict_proba: it is asked for shares.")


def seeded(estimator, rng):
    """Return the estimator with its seeds drawn from `rng`."""
    names = [name for name in sorted(estimator.get_params()) if name.endswith("random_state")]
    return estimator.set_params(**{name: rng.randint(MAX_SEED) for name in names})


def sparse_too(estimator):
    """Tell whether an estimator takes sparse rows."""
    tags = getattr(estimator, "__sklearn_tags__", None)
    return tags is not None and tags().input_tags.sparse
