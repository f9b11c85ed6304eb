"""What AdaBoost for classes and for numbers share: the loop, which hands weights on.

A learner (`skcourse.ensemble.adaboost_learners`) fits one member to weights; a subclass says what
the member's errors make of them.
"""

from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, is_classifier, is_regressor
from sklearn.callback import CallbackSupportMixin
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import check_random_state, get_tags
from sklearn.utils.validation import check_is_fitted, validate_data

from skcourse.core.history import History, fit_task, warn_user
from skcourse.core.validation import (
    HasMethods,
    Interval,
    check_weights,
    fit_context,
    routing_enabled,
)
from skcourse.ensemble.adaboost_learners import AnyLearner, TreeLearner
from skcourse.ensemble.bagging_draws import seeded
from skcourse.ensemble.packed_trees import PackedTrees
from skcourse.ensemble.tree_members import read_training
from skcourse.tree.base import read_rows

UNIT = np.finfo(np.float64).eps  # weights are multiples of it, and their sum is 1
MAX_REPEATS = 2**10


class Round(NamedTuple):
    """What became of a member that is better than chance."""

    weight: float  # of its vote
    error: float
    change: np.ndarray  # of the logarithms of the rows' weights, (n,)


class Run(NamedTuple):
    """The members so far. There are as many weights and errors as there may be members."""

    members: list
    weights: np.ndarray
    errors: np.ndarray
    history: History


def as_repeats(weights):
    """Return weights that are small whole numbers as they are, and others with a mean of 1."""
    if weights.max() <= MAX_REPEATS and np.all(weights == np.rint(weights)):
        return weights
    return weights / weights.max() * (len(weights) / np.sum(weights / weights.max()))


class BaseAdaBoost(CallbackSupportMixin, MetaEstimatorMixin, BaseEstimator):
    """Members fitted one after the other, each to the rows that those before got wrong."""

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"]), None],
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
    }

    def __init__(self, estimator=None, *, n_estimators=50, learning_rate=1.0, random_state=None):
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.random_state = random_state

    @fit_context
    def fit(self, X, y, sample_weight=None):
        """Fit up to `n_estimators` members, one after the other.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Whatever the base estimator takes.
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None
            The weights that the first member is fitted with; only their ratios count.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If the base estimator takes no weights where it needs them, or is no better than chance.
        """
        if routing_enabled() and sample_weight is not None:
            name = type(self).__name__
            raise NotImplementedError(
                f"{name}.fit cannot accept given metadata ({{'sample_weight'}}) since metadata "
                f"routing is not yet implemented for {name}."
            )
        given = X, y, sample_weight
        self.estimator_ = self._template()
        X, learner = self._prepare(X, y)
        weights = check_weights(sample_weight, X, dtype=np.float64)
        repeats = np.ones(X.shape[0]) if weights is None else as_repeats(weights)
        run = Run([], np.zeros(self.n_estimators), np.ones(self.n_estimators), History())
        task = fit_task(self, *given, max_subtasks=self.n_estimators)
        self._boost(run, learner, repeats, task)
        for name, value in self._attributes(run).items():
            setattr(self, name, value)
        task.end()
        return self

    def _prepare(self, X, y):
        """Return X as it was read, and who fits members to it."""
        numeric = {"y_numeric": is_regressor(self)}
        self._grown, self._encoder = self._grows(), None
        if self._grown:
            X, y, self._encoder = read_training(self, self.estimator_, X, y, **numeric)
            return X, TreeLearner(self.estimator_, X, y, self._encoder)
        X, y = validate_data(self, X, y, **numeric, **self._any_X())
        return X, AnyLearner(X, y)

    def _boost(self, run, learner, repeats, fit):
        """Fit members until there are enough, one is perfect, or one is no better than chance.

        The weight of a row is its number of repetitions times a share, a multiple of `UNIT`: such
        numbers add up to 1 without rounding, so that neither the order of the rows nor whether they
        are repeated or weighted decides between members that are equally good.
        """
        rng = check_random_state(self.random_state)
        shares = np.full(len(repeats), 1 / repeats.sum())
        for i in range(self.n_estimators):
            task = fit.subtask("iteration")
            shares = np.maximum(np.rint(shares / UNIT), 1) * UNIT
            member = seeded(self.estimator_, rng)
            done = self._round(learner, member, repeats * shares, rng)
            if done is None:
                self._end_by_chance(run, member)
                task.end()
                break
            run.members.append(member)
            run.weights[i], run.errors[i] = done.weight, done.error
            run.history.append(error=done.error, weight=done.weight)
            if task.end(lambda: self._attributes(run)) or done.error == 0:
                break
            changed = done.change != 0
            with np.errstate(over="ignore"):
                shares[changed] = np.exp(np.log(shares[changed]) + done.change[changed])
                total = (repeats * shares).sum()
            if not self._goes_on(i, total):
                break
            shares /= total

    def _attributes(self, run):
        """Return the fitted attributes of an ensemble with the members so far."""
        return {
            "estimators_": list(run.members),
            "estimator_weights_": run.weights.copy(),
            "estimator_errors_": run.errors.copy(),
            "history_": run.history.arrays(),
            "estimator_": self.estimator_,
            "_grown": self._grown,
            "_encoder": self._encoder,
            "_packed": PackedTrees(),
        }

    def _goes_on(self, i, total):
        """Tell whether weights with this sum can be handed on, if there is another member."""
        if i + 1 < self.n_estimators and not np.isfinite(total):
            warn_user(
                f"Sample weights have reached infinite values, at iteration {i}, causing overflow. "
                "Iterations stopped. Try lowering the learning rate."
            )
        return np.isfinite(total) and total > 0

    def _any_X(self):
        """Return how X is read: by the rules of the base estimator."""
        allow_nan = get_tags(self._template()).input_tags.allow_nan
        return {
            "accept_sparse": ["csr", "csc"],
            "allow_nd": True,
            "dtype": None,
            "ensure_all_finite": "allow-nan" if allow_nan else True,
        }

    def _read_X(self, X):
        """Return X as the members take it, or as trees of ours are walked through."""
        if not hasattr(self, "estimators_"):
            check_is_fitted(self)
        if self._grown:
            return read_rows(self, X, self._encoder)
        return validate_data(self, X, reset=False, **self._any_X())

    def staged_score(self, X, y, sample_weight=None):
        """Yield the score after each member: accuracy, or R^2.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None

        Yields
        ------
        score : float
        """
        score = accuracy_score if is_classifier(self) else r2_score
        for predicted in self.staged_predict(X):
            yield score(y, predicted, sample_weight=sample_weight)

    @property
    def feature_importances_(self):
        """The mean of the members' importances, by their weights. Of shape (n_features,)."""
        if not getattr(self, "estimators_", None):
            raise ValueError("Estimator not fitted, call `fit` before `feature_importances_`.")
        weights = self.estimator_weights_
        try:
            each = [member.feature_importances_ for member in self.estimators_]
        except AttributeError as error:
            raise AttributeError(
                "Unable to compute feature importances since estimator does not have a "
                "feature_importances_ attribute"
            ) from error
        return (
            sum(w * of_member for w, of_member in zip(weights, each, strict=False)) / weights.sum()
        )

    def get_metadata_routing(self):
        """Raise NotImplementedError: no metadata are routed."""
        raise NotImplementedError(
            f"{type(self).__name__} has not implemented metadata routing yet."
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = get_tags(self._template()).input_tags.allow_nan
        return tags

    def __len__(self):
        return len(self.estimators_)

    def __getitem__(self, index):
        return self.estimators_[index]

    def __iter__(self):
        return iter(self.estimators_)
