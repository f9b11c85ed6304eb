"""Gradient boosting of exact trees: what its regressor and its classifier share.

Problem     Find a sum of trees, after a first guess F_0, that lowers the mean loss of the rows:
                F(x) = F_0(x) + eta sum_t f_t(x),   mean_i w_i l(y_i, F(x_i)) -> min           (1)
            F is a vector with an entry, and a tree in each iteration, per class where there are
            more than two.
Iteration   Go down the slope, as in gradient descent, but in the space of functions: a regression
            tree f_t is grown on the negative slopes
                -g_i = -l'(y_i, F(x_i)),                                                       (2)
            and gives x_i back as much of them as its leaves tell apart. How far to go is then
            searched for in each leaf (`gradient_boosting_leaves`), and a share eta of that, the
            learning rate, is taken: many small steps find a flatter minimum than few large ones.
Samples     With `subsample` < 1 a tree sees a random part of the rows; the others tell, without
            any bias, what it was worth (stochastic gradient boosting).
Cost        Columns are sorted once. A tree of depth D is then D passes over n d numbers.
Reference   J. Friedman, Greedy function approximation: a gradient boosting machine, Annals of
            Statistics 29, 2001; Stochastic gradient boosting, Comp. Statistics and Data Analysis
            38, 2002.
"""

from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.utils import check_random_state

from skcourse.core.history import fit_task, warn_user
from skcourse.core.validation import Hidden, Interval, StrOptions, fit_context
from skcourse.ensemble.early_stopping import Rows, hold_out
from skcourse.ensemble.gradient_boosting_base import BoostedTrees, Packed, fit_init
from skcourse.ensemble.gradient_boosting_progress import Progress
from skcourse.ensemble.gradient_boosting_run import Descent, Plan
from skcourse.tree.base import TreeModel, resolve_growth
from skcourse.tree.columns import rank_columns
from skcourse.tree.constraints import read_monotonic
from skcourse.tree.decision_tree import DecisionTreeRegressor
from skcourse.tree.options import count_max_features

OF_TREES = (
    "max_depth",
    "min_samples_split",
    "min_samples_leaf",
    "min_weight_fraction_leaf",
    "min_impurity_decrease",
    "max_features",
    "max_leaf_nodes",
    "ccp_alpha",
)
STATE = ("train_score_", "oob_improvement_", "oob_scores_", "oob_score_", "init_", "history_")


class Judged(NamedTuple):
    """Rows that judge, and what is predicted of them so far."""

    rows: Rows
    raw: np.ndarray  # (n_raw, n)


class GradientBoosting(BoostedTrees):
    """Add up trees, each grown on the slopes of the loss; a subclass brings y and the loss."""

    _parameter_constraints: dict = {
        **{name: TreeModel._parameter_constraints[name] for name in OF_TREES},
        "learning_rate": [Interval(Real, 0.0, None, closed="left")],
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "criterion": [
            StrOptions({"squared_error"}),
            Hidden(StrOptions({"deprecated", "friedman_mse"})),
        ],
        "subsample": [Interval(Real, 0.0, 1.0, closed="right")],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "validation_fraction": [Interval(Real, 0.0, 1.0, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), None],
        "tol": [Interval(Real, 0.0, None, closed="left")],
        "categorical_features": ["array-like", StrOptions({"from_dtype"}), None],
        "monotonic_cst": ["array-like", dict, None],
        "interaction_cst": [list, tuple, StrOptions({"pairwise", "no_interactions"}), None],
    }

    @fit_context
    def fit(
        self,
        X,
        y,
        sample_weight=None,
        monitor=None,
        *,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
    ):
        """Boost.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Becomes float32; NaN, if X is not sparse, is a missing value.
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None
            None means 1 for each sample; a sample of weight 0 is not there.
        monitor : callable, default=None
            Called after each iteration as ``monitor(i, self, variables)``, the last a dict of what
            the fit has at hand; if it returns True, the fit stops.
        X_val, y_val, sample_weight_val : array-likes, default=None
            Rows to be judged by, in place of those that `validation_fraction` holds out. Without
            `n_iter_no_change` their loss is only noted, in ``history_["validation_loss"]``.

        Returns
        -------
        self : the fitted estimator

        Raises
        ------
        ValueError
            On infinite X, on y that the loss is not for, on weights below 0 or all of them 0, or
            if parameters do not go with each other.
        """
        again = self.warm_start and len(getattr(self, "estimators_", ())) > 0
        if not again:
            self._forget()
        if self.criterion != "deprecated":
            warn_user(
                "The parameter `criterion` is deprecated and will be removed in 1.11. It has no "
                "effect. Leave it to its default value to avoid this warning.",
                FutureWarning,
            )
        rows = self._read_rows(X, y, sample_weight)
        self.max_features_ = count_max_features(self.max_features, self.n_features_in_)
        self._loss = self._make_loss()
        judge = self._read_validation(X_val, y_val, sample_weight_val)
        if judge is None and self.n_iter_no_change is not None:
            rows, judge = self._hold_out(rows)
        n_before = len(self.estimators_) if again else 0
        if self.n_estimators < n_before:
            raise ValueError(
                f"n_estimators={self.n_estimators} must be larger or equal to "
                f"estimators_.shape[0]={n_before} when warm_start==True"
            )
        if not again:
            self._begin(rows)
        task = fit_task(self, X, y, sample_weight, max_subtasks=self.n_estimators - n_before)
        self._boost(rows, judge, n_before, monitor, task)
        task.end()
        return self

    def _forget(self):
        """Drop what an earlier fit has found."""
        for name in (*STATE, "estimators_", "_rng"):
            self.__dict__.pop(name, None)
        self._packed = Packed()

    def _hold_out(self, rows):
        """Return the rows to learn from, and those to be judged by."""
        kind, stratify = rows.y.dtype, is_classifier(self)
        rows = rows._replace(y=rows.y.astype(np.float64))
        parts = hold_out(rows, self.validation_fraction, stratify, self.random_state)
        if stratify and len(np.unique(parts[0].y)) != self.n_classes_:
            raise ValueError(
                "The training data after the early stopping split is missing some classes. Try "
                "using another random seed."
            )
        return [part._replace(y=part.y.astype(kind)) for part in parts]

    def _begin(self, rows):
        """Make the first guess, and room for what is noted."""
        if self.init is None:
            self.init_ = self._default_init(rows)
        else:
            known = isinstance(self.init, str)
            self.init_ = self.init if known else fit_init(clone(self.init), rows)
        self._constant = None
        if self.init is None or isinstance(self.init, str):
            self._constant = self._first_guess(rows.X[:1])[:, 0]
        self._rng = check_random_state(self.random_state)
        self.estimators_ = np.empty((0, self._loss.n_raw), object)
        self.train_score_ = np.empty(0)
        self.history_ = {"loss": self.train_score_}

    def _plan(self, rows):
        """Return how trees are grown."""
        d, n_raw = self.n_features_in_, self._loss.n_raw
        monotonic = None
        if self.monotonic_cst is not None:
            if n_raw > 1:
                raise ValueError(
                    "monotonic constraints are not supported for multiclass classification."
                )
            monotonic = read_monotonic(self, self.monotonic_cst)
        parameters = {name: getattr(self, name) for name in OF_TREES}
        tree = DecisionTreeRegressor(
            random_state=self._rng, interaction_cst=self.interaction_cst, **parameters
        )
        growth = resolve_growth(tree, rows.X.shape[0], d, 0.0)
        return Plan(
            growth._replace(monotonic=monotonic),
            tree,
            float(self.learning_rate),
            float(self.subsample),
            float(self.min_weight_fraction_leaf),
        )

    def _boost(self, rows, judge, first, monitor, task):
        """Run the iteration from number `first` on, and set what it finds."""
        columns = rank_columns(rows.X, is_categorical=self._encoder.is_categorical, n_jobs=-1)
        raw = self._raw_of_rows(rows.X)
        descent = Descent(self._loss, rows, columns, self._plan(rows), raw, self._rng)
        judge = None if judge is None else Judged(judge, self._raw_of_rows(judge.X))
        self._make_room(judge is not None)
        progress = Progress(self.verbose, first, self.n_estimators, self.subsample < 1)
        recent = np.full(self.n_iter_no_change or 1, np.inf)
        stop, i = False, first - 1
        for i in range(first, self.n_estimators):
            step = task.subtask("iteration")
            self._iterate(i, descent, judge)
            improvement = self.oob_improvement_[i] if self.subsample < 1 else 0.0
            progress.tell(i, self.train_score_[i], improvement)
            if monitor is not None:
                stop = monitor(i, self, variables(descent, judge))
            if not stop and judge is not None and self.n_iter_no_change is not None:
                loss = self.history_["validation_loss"][i]
                stop = not np.any(loss + self.tol < recent)
                recent[i % len(recent)] = loss
            if step.end(lambda n=i + 1: self._as_of(n)) or stop:
                break
        vars(self).update(self._as_of(i + 1))

    def _make_room(self, judged):
        """Lengthen what is noted of each iteration to `n_estimators`."""
        n = self.n_estimators
        names = ["oob_improvement_", "oob_scores_"] if self.subsample < 1 else []
        names += [name for name in STATE[1:3] if hasattr(self, name) and name not in names]
        for name in names:
            setattr(self, name, longer(getattr(self, name, ()), n, 0.0))
        self.estimators_ = longer(self.estimators_, n, None)
        self.train_score_ = longer(self.train_score_, n, 0.0)
        losses = {"loss": self.train_score_}
        if judged or "validation_loss" in self.history_:
            losses["validation_loss"] = longer(self.history_.get("validation_loss", ()), n, np.nan)
        self.history_ = losses

    def _iterate(self, i, descent, judge):
        """Grow the trees of iteration i, and note the losses after it."""
        descent.draw()
        if i == 0 and descent.in_bag is not None:
            self._loss_before = self._scale * descent.value(~descent.in_bag)
        trees = descent.step()
        self.estimators_[i] = trees
        losses = descent.losses()
        self.train_score_[i] = self._scale * losses.train
        if descent.in_bag is not None:
            before = self.oob_scores_[i - 1] if i else self.__dict__.pop("_loss_before")
            self.oob_score_ = self.oob_scores_[i] = self._scale * losses.out_of_bag
            self.oob_improvement_[i] = before - self.oob_scores_[i]
        if judge is not None:
            rate = descent.plan.learning_rate
            for raw, tree in zip(judge.raw, trees, strict=True):
                raw += rate * tree.tree_.predict(judge.rows.X)[:, 0]
            loss = self._loss.value(judge.rows.y, judge.raw, judge.rows.weights)
            self.history_["validation_loss"][i] = self._scale * loss

    @property
    def _scale(self):
        """2 where scikit-learn scores whole squares and deviances, not half of them."""
        half = self._loss.name in ("squared_error", "log_loss") and self._loss.n_raw == 1
        return 2.0 if half else 1.0

    def _as_of(self, n):
        """Return the fitted attributes after n iterations."""
        noted = ("train_score_", "oob_improvement_", "oob_scores_")
        found = {name: getattr(self, name)[:n].copy() for name in noted if hasattr(self, name)}
        found["history_"] = {name: values[:n].copy() for name, values in self.history_.items()}
        found["history_"]["loss"] = found["train_score_"]
        found |= {"estimators_": self.estimators_[:n].copy(), "n_estimators_": n}
        kept = ("init_", "max_features_", "n_features_in_", "feature_names_in_", "classes_")
        kept += ("n_classes_", "oob_score_", "n_trees_per_iteration_", "_packed", "_encoder")
        kept += ("_loss", "_constant", "_rng")
        return found | {name: getattr(self, name) for name in kept if hasattr(self, name)}


def variables(descent, judge):
    """Return what a monitor may look at, by the names it has in scikit-learn."""
    rows = descent.rows
    found = {
        "X": rows.X,
        "y": rows.y,
        "sample_weight": rows.weights,
        "raw_predictions": descent.raw.T,
        "sample_mask": descent.in_bag,
        "random_state": descent.rng,
    }
    if judge is not None:
        found |= {"X_val": judge.rows.X, "y_val": judge.rows.y}
        found["sample_weight_val"] = judge.rows.weights
    return found


def longer(values, n, fill):
    """Return an array of length n that begins with `values`, and then holds `fill`."""
    values = np.asarray(values)
    dtype = object if fill is None else np.float64
    found = np.full((n, *values.shape[1:]), fill, dtype)
    found[: len(values)] = values
    return found
