"""Gradient descent as lectures write it: any loss, any penalty, any first-order rule.

Problem     Minimise the mean loss of linear predictions plus a penalty on their coefficients, (1)
            of `gradient_descent_steps`.
Iteration   Gradient of a batch of rows, a step against it, and the proximal step of the penalty:
            with all rows as one batch, plain gradient descent; with one row, online learning.
Step        1/L for a loss of bounded curvature, see `gradient_descent_curvature`; constant, or
            falling as eta0 / t^power_t.
Reference   A. Cauchy, 1847. L. Bottou, F. Curtis, J. Nocedal, Optimization methods for large-scale
            machine learning, SIAM Review, 2018.
"""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_array

from skcourse.core.history import fit_task, warn_not_converged
from skcourse.core.optimizers import ADAPTIVE, RULES, new_state
from skcourse.core.penalties import PENALTIES
from skcourse.core.random import seeds
from skcourse.core.validation import Interval, RealNotInt, StrOptions, check_weights, fit_context
from skcourse.linear_model.gradient_descent_run import Data, Descent, Memory, copy_of
from skcourse.linear_model.gradient_descent_setup import (
    diverged,
    not_at_rest,
    rows_of_a_batch,
    rule_of,
    step_length,
)
from skcourse.linear_model.gradient_descent_steps import Objective, Plan
from skcourse.linear_model.penalty_terms import layout_of, penalty_of

POSITIVE = Interval(Real, 0, None, closed="neither")
NOT_NEGATIVE = Interval(Real, 0, None, closed="left")
SHARE = Interval(Real, 0, 1, closed="left")  # of a memory


class GradientDescent(CallbackSupportMixin, BaseEstimator):
    """Base class of the estimators by gradient descent.

    A subclass knows its loss (`_loss_traits`, `_kernel_loss`), reads its targets (`_read`,
    `_targets`), and says how many predictions a sample has (`_n_outputs`) and how `coef_` and
    `intercept_` lie (`_shaped`).
    """

    _parameter_constraints: dict = {
        "penalty": [StrOptions(set(PENALTIES) - {"none"}), None],
        "alpha": [NOT_NEGATIVE],
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
        "gamma": [POSITIVE, None],
        "groups": ["array-like", None],
        "fit_intercept": ["boolean"],
        "optimizer": [StrOptions(set(RULES))],
        "learning_rate": [StrOptions({"auto", "constant", "invscaling", "lipschitz"})],
        "eta0": [POSITIVE],
        "power_t": [NOT_NEGATIVE],
        "momentum": [SHARE],
        "beta_1": [SHARE],
        "beta_2": [SHARE],
        "optimizer_epsilon": [POSITIVE],
        "batch_size": [
            Interval(Integral, 1, None, closed="left"),
            Interval(RealNotInt, 0, 1, closed="neither"),
            StrOptions({"full"}),
            None,
        ],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [NOT_NEGATIVE, None],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "warm_start": ["boolean"],
        "record": [StrOptions({"path"}), None],
    }

    @fit_context
    def fit(
        self,
        X,
        y,
        sample_weight=None,
        *,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
        coef_init=None,
        intercept_init=None,
    ):
        """Descend until the parameters come to rest, or the loss on validation data rises.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None
        X_val, y_val, sample_weight_val : as X, y and sample_weight, default=None
            Data to stop by: after `n_iter_no_change` iterations without a new minimum of their
            loss. The parameters of the minimum are kept.
        coef_init : array-like of the shape of `coef_`, default=None
            Where to begin; None means 0, or where the last fit ended with `warm_start`.
        intercept_init : array-like of the shape of `intercept_`, default=None

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If the descent diverges, for its step is too long; or y is outside the loss's domain.

        Warns
        -----
        ConvergenceWarning
            If `max_iter` iterations are not enough.
        """
        data = self._learn_from(X, y, sample_weight)
        validation = self._judge_by(X_val, y_val, sample_weight_val)
        memory = self._beginning(data, coef_init, intercept_init)
        task = fit_task(self, X, y, sample_weight, max_subtasks=self.max_iter)
        descent = self._descent(data, memory, validation)
        why = descent.run(
            max_iter=self.max_iter,
            tol=self.tol,
            n_iter_no_change=self.n_iter_no_change,
            task=task,
            attributes=lambda theta: self._attributes(theta, data.X.dtype),
        )
        self._keep(descent, why, data)
        self.history_, self.n_iter_ = descent.history.arrays(), descent.n_iter
        if why == "max_iter" and self.tol is not None:
            warn_not_converged(not_at_rest(self, descent, self._loss_traits()))
        task.end()
        return self

    def _more(self, X, y, sample_weight):
        """Go on for one epoch, on other rows: what `partial_fit` does."""
        first = not hasattr(self, "coef_")
        data = self._learn_from(X, y, sample_weight, reset=first, whole=False)
        memory = self._beginning(data, None, None) if first else copy_of(self._memory)
        descent = self._descent(data, memory, None)
        why = descent.run(max_iter=1, tol=None, n_iter_no_change=1)
        before = {} if first else self.history_
        self._keep(descent, why, data)
        history = descent.history.arrays()
        self.history_ = {
            name: np.concatenate([before[name], history[name]])
            if name in before and name != "parameters"
            else history[name]
            for name in history
        }
        self.n_iter_ = len(self.history_["loss"])
        return self

    def _learn_from(self, X, y, sample_weight, *, reset=True, whole=True):
        """Return the samples of a fit, the `whole` or a part; columns of a group side by side."""
        X, y = self._read(X, y, reset=reset, whole=whole)
        self._layout = layout_of(self.penalty, self.groups, None, X.shape[1])
        if self.penalty == "group" and self.optimizer in ADAPTIVE:
            raise ValueError(
                f"penalty='group' wants steps of one length in a group; optimizer="
                f"{self.optimizer!r} has one for each coefficient. Use 'sgd', 'momentum' or "
                "'nesterov'."
            )
        weights = self._weights(sample_weight, X, y)
        return Data(self._layout.take(X), self._targets(y), weights)

    def _judge_by(self, X, y, sample_weight):
        """Return the validation data, or None."""
        if X is None and y is None:
            if sample_weight is not None:
                raise ValueError("sample_weight_val goes with X_val and y_val; got neither.")
            return None
        if X is None or y is None:
            raise ValueError("X_val and y_val go together; got one of them.")
        X, y = self._read(X, y, reset=False, whole=False)
        return Data(self._layout.take(X), self._targets(y), self._weights(sample_weight, X, y))

    def _weights(self, sample_weight, X, y):
        """Return weights of mean 1, or None."""
        weights = check_weights(sample_weight, X, dtype=np.float64)
        return None if weights is None else weights * (len(weights) / weights.sum())

    def _beginning(self, data, coef, intercept):
        """Return the state before the first step."""
        K, p = self._n_outputs, data.X.shape[1]
        shapes = self._shaped(np.zeros((K, p)), np.zeros(K))
        if self.warm_start and coef is None and intercept is None and hasattr(self, "coef_"):
            coef, intercept = self.coef_, self.intercept_
        start = []
        for name, given, shape in zip(
            ("coef", "intercept"), (coef, intercept), shapes, strict=True
        ):
            if given is None:
                start.append(np.zeros(np.shape(shape)))
                continue
            given = check_array(
                given, ensure_2d=False, ensure_min_samples=0, dtype=np.float64, input_name=name
            )
            if given.size != np.size(shape):
                raise ValueError(
                    f"Provided {name}_init has shape {given.shape}, expected {np.shape(shape)}."
                )
            start.append(given)
        W = self._layout.take_coef(start[0].reshape(K, p))
        given = coef is not None or intercept is not None
        b = start[1].ravel() if given else self._first_intercept(data)
        theta = np.concatenate([W.ravel(), b])
        return Memory(theta, new_state(theta), seeds(self.random_state, 1)[0], 0)

    def _first_intercept(self, data):
        """Return where the intercepts begin, (K,)."""
        return np.zeros(self._n_outputs)

    def _attributes(self, theta, dtype):
        """Return `coef_` and `intercept_` for theta = (W, b)."""
        K = self._n_outputs
        W, b = theta[:-K].reshape(K, -1), theta[-K:]
        W = self._layout.put_back(W, W.shape[1])
        with np.errstate(over="ignore"):
            coef, intercept = self._shaped(W.astype(dtype), b.astype(dtype))
        return {"coef_": coef, "intercept_": intercept}

    def _descent(self, data, memory, validation):
        """Return the run that the parameters describe."""
        K, traits = self._n_outputs, self._loss_traits()
        sizes = np.tile(np.diff(self._layout.edges), K)  # the groups of each prediction in turn
        edges = np.cumsum([0, *sizes]) if len(sizes) else self._layout.edges
        objective = Objective(
            self._kernel_loss(), penalty_of(self), edges, bool(self.fit_intercept)
        )
        batch_size = rows_of_a_batch(self.batch_size, data.X.shape[0])
        plan = Plan(
            batch_size,
            step_length(self, data, traits, batch_size),
            float(self.power_t) if self.learning_rate == "invscaling" else 0.0,
            bool(self.shuffle),
            memory.seed,
            np.uint64(0),
        )
        path = self.record == "path"
        return Descent(
            data, objective, rule_of(self, K), memory, plan, validation=validation, record_path=path
        )

    def _keep(self, descent, why, data):
        """Set what a fit found, unless it is not finite."""
        found = self._attributes(descent.answer, data.X.dtype)
        if why == "diverged" or not all(np.isfinite(value).all() for value in found.values()):
            raise ValueError(diverged(self, descent, self._loss_traits()))
        for name, value in found.items():
            setattr(self, name, value)
        self._memory = descent.memory

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
