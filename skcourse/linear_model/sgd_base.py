"""What the estimators by stochastic gradient descent share: parameters, starts, results.

The descent is in `sgd_steps` (an epoch) and `sgd_descent` (the loop). Here a fit is one descent for
each row of the coefficients, on threads; each has a seed of its own, so that the number of threads
changes nothing.
"""

import warnings
from functools import partial
from numbers import Integral, Real

import numpy as np
from sklearn.callback import CallbackSupportMixin
from sklearn.model_selection import ShuffleSplit

from skcourse.core.chunks import reduce_blocks
from skcourse.core.history import SILENCE, warn_not_converged
from skcourse.core.losses import Loss
from skcourse.core.validation import Interval, StrOptions
from skcourse.linear_model.sgd_descent import OVERFLOW, Descender, Descent, Start
from skcourse.linear_model.sgd_order import seeds_of_regressor

DIVERGES = (
    "The descent diverges: slopes of the loss above 1e12 were cut off in the last epoch. The steps "
    "are too long for features or targets of this size. Scale them, as StandardScaler does, "
    "or choose a smaller eta0, or a larger alpha where learning_rate is 'optimal'."
)
AVERAGED = ("_standard_coef", "_standard_intercept", "_average_coef", "_average_intercept")


class StochasticDescent(CallbackSupportMixin):
    """Base class; those that inherit say which losses they know, and read their data."""

    _parameter_constraints: dict = {
        "penalty": [StrOptions({"l2", "l1", "elasticnet"}), None],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both"), None],
        "fit_intercept": ["boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left"), None],
        "shuffle": ["boolean"],
        "verbose": ["verbose"],
        "epsilon": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
        "learning_rate": [
            StrOptions({"constant", "optimal", "invscaling", "adaptive", "pa1", "pa2"})
        ],
        "eta0": [Interval(Real, 0, None, closed="neither")],
        "power_t": [Interval(Real, None, None, closed="neither")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "warm_start": ["boolean"],
        "average": [Interval(Integral, 0, None, closed="neither"), "boolean"],
    }
    _passive_loss = "hinge"  # the loss for which there are passive-aggressive steps
    _intercept_name = "intercept_init"
    _seeds = staticmethod(seeds_of_regressor)

    def _check_choices(self, *, partial=False):
        """Raise ValueError for parameters that do not go together."""
        if partial and self.early_stopping:
            raise ValueError("early_stopping should be False with partial_fit")
        if self.learning_rate == "optimal" and getattr(self, "alpha", 1.0) == 0:
            raise ValueError(
                "alpha must be > 0 since learning_rate is 'optimal'. alpha is used "
                "to compute the optimal learning rate."
            )
        if self.learning_rate in ("pa1", "pa2") and self.loss != self._passive_loss:
            raise ValueError(
                f"Learning rate '{self.learning_rate}' only works with loss '{self._passive_loss}'."
            )
        if self.penalty == "elasticnet" and self.l1_ratio is None:
            raise ValueError("l1_ratio must be set when penalty is 'elasticnet'")

    def _loss(self):
        """Return the loss as kernels take it."""
        code, *number = self.loss_functions[self.loss]
        return Loss(code, float(self.epsilon) if number else 0.0)

    def _kept_back(self, y, weights, splitter=ShuffleSplit):
        """Return which rows are kept back to judge when to stop, None if none are.

        Raises
        ------
        ValueError
            If one of the two parts has no rows, or if all weights are 0 of what is kept back.
        """
        if not self.early_stopping:
            return None
        split = splitter(test_size=self.validation_fraction, random_state=self.random_state)
        rows, kept_back = next(split.split(np.zeros((len(y), 1)), y))
        if not len(rows) or not len(kept_back):
            raise ValueError(
                f"Splitting {len(y)} samples into a train set and a validation set with "
                f"validation_fraction={self.validation_fraction!r} led to an empty set "
                f"({len(rows)} and {len(kept_back)} samples). Please either change "
                "validation_fraction, increase number of samples, or disable early_stopping."
            )
        if weights is not None and not weights[kept_back].any():
            raise ValueError(
                "The sample weights for validation set are all zero, consider using a"
                " different random state."
            )
        mask = np.zeros(len(y), np.bool_)
        mask[kept_back] = True
        return mask

    def _first_start(self, n_rows, p, coef_init, intercept_init):
        """Return where a fit begins, a list of Start: at what is given, else at 0.

        Raises
        ------
        ValueError
            If what is given has another shape than the coefficients, or is not finite.
        """
        coef, intercept = np.zeros((n_rows, p)), np.zeros(n_rows)
        if coef_init is not None:
            given = np.asarray(coef_init, np.float64)
            if given.shape != (n_rows, p) and (n_rows > 1 or given.size != p):
                name = "``coef_``" if n_rows > 1 else "coef_init"
                raise ValueError(f"Provided {name} does not match dataset. ")
            coef = given.reshape(n_rows, p)
        if intercept_init is not None:
            given = np.asarray(intercept_init, np.float64)
            if given.shape != (n_rows,) and (n_rows > 1 or given.shape != ()):
                raise ValueError(f"Provided {self._intercept_name} does not match dataset.")
            intercept = given.reshape(n_rows)
        if not (np.isfinite(coef).all() and np.isfinite(intercept).all()):
            raise ValueError(
                "The coefficients to begin with hold NaN or infinity. Give finite coef_init and "
                f"{self._intercept_name}, or set warm_start=False."
            )
        means = np.zeros((n_rows, p if self.average else 0))
        return [Start(w, b, m, 0.0, 1.0) for w, b, m in zip(coef, intercept, means, strict=True)]

    def _next_start(self):
        """Return where the last call has ended, a list of Start."""
        coef, intercept = np.atleast_2d(self.coef_), self._intercept_now()
        means, mean_b = np.zeros((len(coef), coef.shape[1] if self.average else 0)), 0 * intercept
        if self.average and hasattr(self, "_average_coef"):
            coef, intercept = np.atleast_2d(self._standard_coef), self._standard_intercept
            means, mean_b = np.atleast_2d(self._average_coef), self._average_intercept
        together = zip(coef, intercept, means, mean_b, strict=True)
        return [Start(w, float(b), m, float(mb), float(self.t_)) for w, b, m, mb in together]

    def _intercept_now(self):
        """Return b as of the last call."""
        return self.intercept_

    def _begin(self, n_rows, p, coef_init, intercept_init):
        """Return where `fit` begins: what is given, else the last fit if `warm_start`, else 0."""
        if self.warm_start and getattr(self, "coef_", None) is not None:
            coef_init = self.coef_ if coef_init is None else coef_init
            intercept_init = self.intercept_ if intercept_init is None else intercept_init
        return self._first_start(n_rows, p, coef_init, intercept_init)

    def _descend(self, X, rules, starts, samples, *, max_iter, validate=None, kept_back=None, task):
        """Run a descent from each start; return them and the number of epochs of the longest.

        Parameters
        ----------
        X : array or CSR matrix of shape (n, p)
        rules : Rules
        starts : list of Start
        samples : callable, from the number of a descent to targets and weights, (n, 2)
        max_iter : int
        validate : callable, default=None
            From the number of a descent, w and b to a score.
        kept_back : bool array of shape (n,), default=None
        task : task of `fit_task`
        """
        how = {"shuffled": self.shuffle, "verbose": self.verbose}
        descender = Descender(X, rules, max_iter, kept_back, **how)
        seeds, several = self._seeds(self.random_state, len(starts)), len(starts) > 1

        so_far = [Descent(*start, 0, {}) for start in starts]  # what callbacks are shown

        def attributes(k, descent):
            """Return the fitted attributes as of now, in the k-th descent."""
            so_far[k] = descent
            return self._attributes(so_far, X)

        def part(k):
            """Descend for the k-th row of the coefficients."""
            own = task.subtask("class", max_subtasks=max_iter) if several else task
            told = {"task": own, "attributes": partial(attributes, k)}
            told["validate"] = None if validate is None else partial(validate, k)
            descent = descender.run(samples(k), starts[k], seeds[k], **told)
            if several:
                own.end(lambda: attributes(k, descent))
            so_far[k] = descent
            return [descent]

        n_jobs = getattr(self, "n_jobs", None) if task is SILENCE else 1
        numbers = range(len(starts))
        descents = reduce_blocks(part, numbers, n_jobs=n_jobs) if several else part(0)
        if any(descent.diverges for descent in descents):
            warn_not_converged(DIVERGES)
        return descents

    def _attributes(self, descents, X):
        """Return the fitted attributes as a dict, in the dtype of X.

        Raises
        ------
        ValueError
            If a number is too large for that dtype.
        """
        n_iter = max(descent.n_iter for descent in descents)
        t = descents[0].t + n_iter * X.shape[0]
        found = {"coef_": "w", "intercept_": "b"}
        if self.average:
            found = dict(zip(AVERAGED, ("w", "b", "mean", "mean_b"), strict=True))
        made = {}
        for name, field in found.items():
            values = np.array([getattr(descent, field) for descent in descents])
            with np.errstate(over="ignore"):
                made[name] = values.astype(X.dtype)
            if not np.isfinite(made[name]).all():
                raise ValueError(OVERFLOW.format(n_iter))
        if self.average:
            kind = "average" if self.average <= t - 1.0 else "standard"
            made["coef_"] = made[f"_{kind}_coef"]
            made["intercept_"] = made[f"_{kind}_intercept"]
        return made | {"n_iter_": n_iter, "t_": t, "history_": together(descents, n_iter)}

    def _keep(self, attributes):
        """Set the fitted attributes."""
        for name in AVERAGED:
            vars(self).pop(name, None)
        vars(self).update(attributes)

    def _warn(self):
        """Warn after a `fit` of what the result, or the next release, will not bear."""
        if self.tol is not None and self.n_iter_ == self.max_iter:
            warn_not_converged(
                "Maximum number of iteration reached before convergence. Consider increasing "
                "max_iter to improve the fit.",
            )
        if self.power_t < 0:
            warnings.warn(
                "Negative values for `power_t` are deprecated in version 1.8 and will raise an "
                "error in 1.10. Use values in the range [0.0, inf) instead.",
                FutureWarning,
                stacklevel=6,
            )


def together(descents, n_iter):
    """Return the history of one descent, or of several side by side, (n_iter, n_descents).

    One that has ended keeps its last value.
    """
    if len(descents) == 1:
        return descents[0].history
    columns = {name: [] for descent in descents for name in descent.history}
    for descent in descents:
        for name, column in columns.items():
            values = descent.history.get(name, np.full(1, np.nan))  # not begun: only in callbacks
            column.append(np.pad(values, (0, n_iter - len(values)), mode="edge"))
    return {name: np.stack(values, axis=1) for name, values in columns.items()}


def pack(y, weights):
    """Return targets and weights side by side, so that they are fetched together, (n, 2)."""
    samples = np.ones((len(y), 2))
    samples[:, 0] = y
    if weights is not None:
        samples[:, 1] = weights
    return samples
