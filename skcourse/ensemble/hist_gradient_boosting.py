"""Gradient boosting on histograms: what its regressor and its classifier share.

Problem     Find a sum of trees, after a constant, that makes the loss of the rows small:
                F(x) = F_0 + sum_t f_t(x),   sum_i w_i l(y_i, F(x_i)) -> min              (1)
            F is a vector with an entry per class where there are more than two.
Iteration   Where F is, with slopes g_i = w_i l'(y_i, F(x_i)) and curvatures h_i = w_i l'', the loss
            is nearly a parabola in what a leaf j adds. With sums G_j, H_j over its rows, the
            best step, of which a share `learning_rate` is taken, and what it gains are
                f_j = -G_j / (H_j + l2),   gain = sum_j G_j^2 / (H_j + l2)                (2)
            A tree grows where the next split gains most. A loss with kinks has h_i = w_i, and its
            leaves take the median, or the quantile, of what is left of y instead of (2).
Histograms  Values fall into at most 255 bins, so a node needs G and H per bin, n additions per
            feature, and no order. Of two children only the smaller is added up: the other is the
            parent less the sibling. Sums are of integers, hence exact.
Cost        About n d log2(leaves) / 2 additions per tree.
Reference   J. Friedman, Greedy function approximation: a gradient boosting machine, Annals of
            Statistics, 2001. T. Chen, C. Guestrin, XGBoost, KDD 2016. G. Ke et al., LightGBM,
            NeurIPS 2017.
"""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, is_classifier
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from skcourse.core.history import History, fit_task
from skcourse.core.validation import (
    FLOATS,
    Interval,
    RealNotInt,
    StrOptions,
    check_weights,
    fit_context,
)
from skcourse.ensemble.boosting_rounds import Rounds
from skcourse.ensemble.early_stopping import Judge, Rows, hold_out
from skcourse.tree.binning import Binner
from skcourse.tree.categories import CategoryEncoder, read_table
from skcourse.tree.constraints import read_interactions, read_monotonic
from skcourse.tree.explain import ShapMixin, Terms
from skcourse.tree.histogram_grower import BinnedGrowth
from skcourse.tree.walk import add_values, pack

MIN_HESSIAN = 1e-3  # of a leaf
AUTO_STOPPING = 10_000  # rows from which early_stopping="auto" holds some out


class HistGradientBoosting(ShapMixin, CallbackSupportMixin, BaseEstimator):
    """What the two estimators share; they bring y, the loss and the link."""

    _parameter_constraints: dict = {
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "max_leaf_nodes": [Interval(Integral, 2, None, closed="left"), None],
        "max_depth": [Interval(Integral, 1, None, closed="left"), None],
        "min_samples_leaf": [Interval(Integral, 1, None, closed="left")],
        "l2_regularization": [Interval(Real, 0, None, closed="left")],
        "max_features": [Interval(RealNotInt, 0, 1, closed="right")],
        "max_bins": [Interval(Integral, 2, 255, closed="both")],
        "categorical_features": ["array-like", StrOptions({"from_dtype"}), None],
        "monotonic_cst": ["array-like", dict, None],
        "interaction_cst": [list, tuple, StrOptions({"pairwise", "no_interactions"}), None],
        "warm_start": ["boolean"],
        "early_stopping": [StrOptions({"auto"}), "boolean"],
        "scoring": [str, callable, None],
        "validation_fraction": [
            Interval(RealNotInt, 0, 1, closed="neither"),
            Interval(Integral, 1, None, closed="left"),
            None,
        ],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    @fit_context
    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
        """Boost.

        Parameters
        ----------
        X : {array-like, dataframe, sparse matrix} of shape (n_samples, n_features)
            NaN stands for a missing value; infinite numbers are the largest and the smallest.
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None
            None means 1 for each sample.
        X_val, y_val, sample_weight_val : array-likes, default=None
            Samples to be judged by, in place of those that `validation_fraction` holds out.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If y is not of the domain of the loss, if constraints, categories or weights are not
            what they may be, or if a warm start asks for fewer rounds than there are.
        """
        rows = self._read_rows(X, y, sample_weight)
        given = self._read_given(X_val, y_val, sample_weight_val)
        growth = self._growth()
        again = self.warm_start and hasattr(self, "_trees")
        if not again:
            self._begin()
        elif self.max_iter < len(self._trees):
            raise ValueError(
                f"max_iter={self.max_iter} must be larger than or equal to "
                f"n_iter_={len(self._trees)} when warm_start==True"
            )
        n_samples = rows.X.shape[0]
        auto = self.early_stopping == "auto"
        self.do_early_stopping_ = n_samples > AUTO_STOPPING if auto else self.early_stopping
        held_out = given
        if self.do_early_stopping_ and given is None and self.validation_fraction is not None:
            rows, held_out = hold_out(
                rows, self.validation_fraction, is_classifier(self), self._random_seed
            )
        if not again:
            self._baseline = self._loss.baseline(rows.y, rows.weights)
        binner = Binner(self.max_bins, random_state=self._random_seed)
        binner.fit(rows.X, self._encoder.is_categorical, rows.weights)
        bins = binner.transform(rows.X)
        rounds = Rounds(self._loss, rows, held_out, bins, binner, growth, self._draws, self._raw_of)
        task = fit_task(self, X, y, sample_weight, max_subtasks=self.max_iter)
        self._boost(rounds, task)
        task.end()
        return self

    def _read_rows(self, X, y, sample_weight):
        """Read the training data; learn categories, classes and the names of features."""
        self._encoder = CategoryEncoder(self.categorical_features).fit(X)
        X = self._read_X(X, reset=True)
        categorical = self._encoder.is_categorical
        self.is_categorical_ = categorical if categorical.any() else None
        y = self._read_y(y, reset=True)
        check_consistent_length(X, y)
        rows = Rows(X, y, self._weigh(y, read_weights(sample_weight, X)))
        if rows.weights is None or rows.weights.all():
            return rows
        return rows.take(np.flatnonzero(rows.weights))

    def _read_given(self, X, y, sample_weight):
        """Read the samples that `fit` was given to be judged by; None if there are none."""
        if X is None and y is None:
            return None
        if X is None or y is None:
            here, gone = ("y_val", "X_val") if X is None else ("X_val", "y_val")
            raise ValueError(f"{here} is provided, but {gone} was not provided.")
        X, y = self._read_X(X), self._read_y(y, reset=False)
        check_consistent_length(X, y)
        if self.early_stopping is False:
            raise ValueError(
                "X_val and y_val are passed to fit while at the same time early_stopping is False. "
                "When passing X_val and y_val to fit,early_stopping should be set to either "
                "'auto' or True."
            )
        return Rows(X, y, read_weights(sample_weight, X))

    def _read_X(self, X, *, reset=False):
        """Return X as floats, categories as codes; in a scorer's hands they are that already."""
        if self._encoder is None:
            return X
        return read_table(
            self,
            X,
            reset=reset,
            encoder=self._encoder,
            dtype=FLOATS,
            finite=False,
            accept_sparse="csr",
        )

    def _weigh(self, y, weights):
        """Return the weights of the samples; those of a classifier follow the classes, too."""
        return weights

    def _growth(self):
        """Return the rules of growth."""
        monotonic = read_monotonic(self, self.monotonic_cst)
        if self.monotonic_cst is not None and self.n_trees_per_iteration_ != 1:
            raise ValueError(
                "monotonic constraints are not supported for multiclass classification."
            )
        if np.any(monotonic[self._encoder.is_categorical]):
            raise ValueError("Categorical features cannot have monotonic constraints.")
        return BinnedGrowth(
            max_leaf_nodes=-1 if self.max_leaf_nodes is None else int(self.max_leaf_nodes),
            max_depth=-1 if self.max_depth is None else int(self.max_depth),
            min_samples_leaf=int(self.min_samples_leaf),
            min_hessian=MIN_HESSIAN,
            l2=float(self.l2_regularization),
            shrinkage=float(self.learning_rate),
            max_features=float(self.max_features),
            monotonic=monotonic,
            interaction=self._check_interaction_cst(self.n_features_in_),
            min_gain=0.0,
        )

    def _check_interaction_cst(self, n_features):
        """Return the sets of features that may meet, or None."""
        return read_interactions(self.interaction_cst, n_features)

    def _should_stop(self, scores):
        """Tell whether none of the last scores beats the one before them by more than `tol`."""
        patience = self.n_iter_no_change
        if len(scores) <= patience:
            return False
        return not any(score > scores[-patience - 1] + self.tol for score in scores[-patience:])

    def _begin(self):
        """Forget an earlier fit; draw the seeds of what is held out, and of features."""
        rng = check_random_state(self.random_state)
        draws = [int(rng.randint(np.iinfo(np.uint32).max, dtype="u8")) for _ in range(2)]
        self._random_seed, self._draws = draws[0], np.random.default_rng(draws[1])
        self._loss = self._make_loss()
        self._trees, self._walk, self._gains = [], None, np.zeros(self.n_features_in_)
        self._scores, self._history = ([], []), History()

    def _boost(self, rounds, task):
        """Go round by round until there are `max_iter`, or the scores or a callback say stop."""
        judge = Judge(self, rounds, self._scores) if self.do_early_stopping_ else None
        if judge is not None and not self._trees:
            judge.score()
        while len(self._trees) < self.max_iter:
            step = task.subtask("iteration")
            self._keep(rounds.go())
            shown = {"loss": rounds.train_loss}
            if rounds.held_out is not None:
                shown["validation_loss"] = rounds.held_out_loss
            self._history.append(**shown)
            if self.verbose:
                told = ", ".join(f"{name} {value:.5g}" for name, value in shown.items())
                print(f"[{len(self._trees)}/{self.max_iter}] {told}")
            if judge is not None:
                judge.score()
            if step.end(self._attributes) or (judge is not None and judge.says_stop()):
                break
        self.__dict__.update(self._attributes())
        self._walk = self._table()

    def _keep(self, trees):
        """Keep the trees of a round, and what their splits gained by feature."""
        self._trees.append(trees)
        for tree in trees:
            split = tree.feature >= 0
            gain = tree.impurity[split]  # that of the splits, where trees are of histograms
            self._gains += np.bincount(tree.feature[split], gain, len(self._gains))

    def _attributes(self):
        """Return what a fit leaves, as of now."""
        return {
            "n_iter_": len(self._trees),
            "train_score_": np.array(self._scores[0]),
            "validation_score_": np.array(self._scores[1]),
            "history_": self._history.arrays(),
        }

    @property
    def feature_importances_(self):
        """Share of each feature in all that splits gained: array of shape (n_features_in_,)."""
        check_is_fitted(self)
        total = self._gains.sum()
        return self._gains / total if total > 0 else self._gains.copy()

    def _raw_predict(self, X):
        """Return the raw predictions of samples, float64 (n_samples, n_trees_per_iteration_)."""
        check_is_fitted(self)
        return self._raw_of(self._read_X(X))

    def _raw_of(self, X):
        """Return the raw predictions (1) of rows whose categories are codes."""
        raw = np.empty((X.shape[0], len(self._baseline)))
        raw[:] = self._baseline
        return add_values(self._table(), X, raw) if self._trees else raw

    def _shap_rows(self, X):
        """Read X as `predict` does."""
        check_is_fitted(self)
        return self._read_X(X)

    def _shap_terms(self):
        """Return the trees and the constant before them."""
        check_is_fitted(self)
        return Terms(self._table(), offset=self._baseline)

    def _table(self):
        """Return all trees as one table; while they grow, a scorer has it made anew."""
        n_raw = len(self._baseline)
        if self._walk is not None and len(self._walk.columns) == n_raw * len(self._trees):
            return self._walk
        trees = [tree for trees in self._trees for tree in trees]
        columns = np.tile(np.arange(n_raw), len(self._trees))
        return pack(trees, columns=columns, dtype=np.float64)

    def _staged_raw_predict(self, X):
        """Yield the raw predictions after each iteration."""
        check_is_fitted(self)
        X, n_raw = self._read_X(X), len(self._baseline)
        raw = np.empty((X.shape[0], n_raw))
        raw[:] = self._baseline
        for t in range(len(self._trees)):
            add_values(self._table(), X, raw, trees=(t * n_raw, (t + 1) * n_raw))
            yield raw.copy()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        return tags


def read_weights(sample_weight, X):
    """Return the weights of samples as float64, or None."""
    return check_weights(sample_weight, X, dtype=np.float64)
