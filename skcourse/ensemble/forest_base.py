"""What all forests share: trees grown on threads, each from a seed, and asked together.

A forest reads X, ranks its columns and prepares y once; every tree is then a set of weights and a
seed (`skcourse.ensemble.forest_growth`). What is predicted are means over the trees:

    f(x) = 1/T sum_t value of the leaf of x in tree t                                     (1)
"""

from abc import ABCMeta, abstractmethod
from functools import partial
from numbers import Integral

import numpy as np
from scipy.sparse import issparse
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_consistent_length
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import validate_data

from skcourse.core.chunks import count_threads
from skcourse.core.history import fit_task, warn_user
from skcourse.core.validation import Interval, RealNotInt, check_weights, fit_context
from skcourse.ensemble.bagging_draws import bootstrap_size
from skcourse.ensemble.forest_asked import GrownForest
from skcourse.ensemble.forest_growth import Ground, grow_trees
from skcourse.ensemble.forest_labels import as_columns, product
from skcourse.ensemble.forest_sampling import Sampling, draw_seeds
from skcourse.ensemble.out_of_bag import OutOfBag, out_of_bag
from skcourse.ensemble.packed_trees import PackedTrees
from skcourse.tree.base import (
    TreeModel,
    adopt,
    resolve_growth,
    sorted_columns,
)
from skcourse.tree.categories import CategoryEncoder, read_table
from skcourse.tree.columns import rank_columns

AS_READ = {"accept_sparse": "csc", "dtype": np.float32, "ensure_all_finite": "allow-nan"}
AHEAD = 2  # trees a thread grows before callbacks hear of them


def is_heard(estimator):
    """Tell whether a fit has callbacks that may stop it."""
    return bool(getattr(estimator, "_skl_callbacks", None))


class BaseForest(CallbackSupportMixin, GrownForest, metaclass=ABCMeta):
    """Grow trees on samples of the rows; a subclass names the tree, `estimator`."""

    _parameter_constraints: dict = {
        **TreeModel._parameter_constraints,
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "bootstrap": ["boolean"],
        "oob_score": ["boolean", callable],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "max_samples": [
            None,
            Interval(RealNotInt, 0.0, None, closed="neither"),
            Interval(Integral, 1, None, closed="left"),
        ],
    }
    _parameter_constraints.pop("splitter")
    class_weight = None

    estimator_params = (
        "criterion",
        "max_depth",
        "min_samples_split",
        "min_samples_leaf",
        "min_weight_fraction_leaf",
        "max_features",
        "max_leaf_nodes",
        "min_impurity_decrease",
        "random_state",
        "ccp_alpha",
        "monotonic_cst",
        "categorical_features",
        "interaction_cst",
    )

    @abstractmethod
    def _read_labels(self, y, sample_weight):
        """Return the Labels of y, an array of shape (n, n_outputs)."""

    @fit_context
    def fit(self, X, y, sample_weight=None):
        """Grow the forest.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Becomes float32; NaN, if X is not sparse, is a missing value.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None
            With `bootstrap`, samples are drawn in proportion to it; without, it weighs them. 0
            means that a sample is not there.

        Returns
        -------
        self : the fitted forest

        Raises
        ------
        ValueError
            On infinite X, on weights below 0 or all of them 0, or if parameters do not go with
            each other, or with y.
        """
        return self._fit(X, y, sample_weight)

    def _fit(self, X_given, y_given, sample_weight):
        """Carry out `fit`."""
        if issparse(y_given):
            raise ValueError("sparse multilabel-indicator for y is not supported.")
        before = list(self.estimators_) if self.warm_start and hasattr(self, "estimators_") else []
        encoder = self._encoder if before else CategoryEncoder(self.categorical_features)
        X, y = self._read_Xy(X_given, y_given, encoder if before else encoder.fit(X_given))
        encoder.count_columns(X)
        weights = check_weights(sample_weight, X, dtype=np.float64)
        labels = self._read_labels(as_columns(y), weights)
        sampling = self._sampling(X.shape[0], product(weights, labels.weights), labels)
        seeds = self._seeds(len(before))
        self._check_scored(labels)
        task = fit_task(self, X_given, y_given, sample_weight, max_subtasks=len(seeds))
        known = {"_encoder": encoder} | self._attributes_of(labels, sampling)
        trees = self._grow(X, labels, sampling, seeds, task, before, known)
        known |= self._judged(trees, X, labels, sampling, n_new=len(seeds))
        self._set(known | {"estimators_": trees})
        task.end()
        return self

    def _read_Xy(self, X, y, encoder):
        """Return X, float32 or CSC, with codes for categories, and y as it is given to `fit`."""
        if self.categorical_features is None:
            X, y = validate_data(self, X, y, multi_output=True, **AS_READ)
            return (sorted_columns(X) if issparse(X) else X), y
        y = validate_data(self, y=y, multi_output=True)
        X = read_table(self, X, reset=True, encoder=encoder)
        check_consistent_length(X, y)
        return X, y

    def _sampling(self, n_samples, weights, labels):
        """Return how rows are drawn; raise ValueError if what is asked for needs a bootstrap."""
        if not self.bootstrap:
            if self.max_samples is not None:
                raise ValueError(
                    "`max_sample` cannot be set if `bootstrap=False`. Either switch to "
                    "`bootstrap=True` or set `max_sample=None`."
                )
            if self.oob_score:
                raise ValueError("Out of bag estimation only available if bootstrap=True")
            return Sampling(n_samples, None, weights)
        n_drawn = bootstrap_size(n_samples, self.max_samples, weights)
        balanced = labels.codes if self.class_weight == "balanced_subsample" else None
        return Sampling(n_samples, n_drawn, weights, balanced)

    def _seeds(self, n_before):
        """Return the seeds of the trees to grow: none if a warm start asks for no more of them."""
        if self.n_estimators < n_before:
            raise ValueError(
                f"n_estimators={self.n_estimators} must be larger or equal to "
                f"len(estimators_)={n_before} when warm_start==True"
            )
        if self.n_estimators == n_before:
            warn_user("Warm-start fitting without increasing n_estimators does not fit new trees.")
        return draw_seeds(self.random_state, n_before, self.n_estimators - n_before)

    def _check_scored(self, labels):
        """Raise ValueError if rows are to be scored out of bag by targets that have no score."""
        kind = type_of_target(labels.codes) if self.oob_score else ""
        if kind == "unknown" or (labels.classes and kind == "multiclass-multioutput"):
            raise ValueError(
                "The type of target cannot be used to compute OOB estimates. Got "
                f"{kind} while only the following are supported: continuous, "
                "continuous-multioutput, binary, multiclass, multilabel-indicator."
            )

    def _attributes_of(self, labels, sampling):
        """Return the fitted attributes that are known before the first tree."""
        return {
            "estimator_": self.estimator,
            "n_outputs_": labels.codes.shape[1],
            "_n_samples": sampling.n_samples,
            "_n_samples_bootstrap": sampling.n_drawn,
            "_sample_weight": sampling.weights,
            "_packed": PackedTrees(),
        }

    def _set(self, attributes):
        """Set the fitted attributes."""
        for name, value in attributes.items():
            setattr(self, name, value)

    def _grow(self, X, labels, sampling, seeds, task, before, known):
        """Return the trees `before` and those of `seeds`, fewer if a callback asks to stop."""
        if not seeds:
            return before
        n, d = X.shape
        growth = resolve_growth(self, n, d, n, n_classes=labels.n_classes)
        growth = growth._replace(splitter=self.estimator.splitter)
        columns = rank_columns(
            X,
            is_categorical=known["_encoder"].is_categorical,
            orders=growth.splitter == "best",
            n_jobs=self.n_jobs,
        )
        targets = labels.targets(sampling.weights)
        ground = Ground(columns, targets, growth, self.min_weight_fraction_leaf, sampling)
        trees = list(before)
        size = AHEAD * count_threads(self.n_jobs) if is_heard(self) else len(seeds)
        for start in range(0, len(seeds), size):
            batch = seeds[start : start + size]
            grown = grow_trees(ground, batch, n_jobs=self.n_jobs, verbose=self.verbose)
            for tree in self._adopt(grown, batch, labels, d):
                part = task.subtask("tree")
                trees.append(tree)
                if part.end(partial(self._so_far, known, trees, X)):
                    return trees
        return trees

    def _so_far(self, known, trees, X):
        """Return the fitted attributes of a forest of the trees so far, for callbacks."""
        return known | {"estimators_": list(trees)}

    def _adopt(self, grown, seeds, labels, n_features):
        """Return the fitted estimators that the grown trees are."""
        parameters = self.estimator.get_params()
        parameters |= {name: getattr(self, name) for name in self.estimator_params}
        classes = None
        if labels.classes is not None:  # to a tree, classes are their numbers
            classes = [np.arange(n, dtype=np.float64) for n in labels.n_classes]
        trees = []
        for seed, nodes in zip(seeds, grown, strict=True):
            tree = type(self.estimator)(**(parameters | {"random_state": seed}))
            trees.append(adopt(tree, nodes, n_features=n_features, classes=classes))
        return trees

    def _judged(self, trees, X, labels, sampling, *, n_new):
        """Return the attributes that come from asking the trees about their own rows."""
        n_leaves = np.cumsum([tree.tree_.n_leaves for tree in trees])
        n_trees = np.arange(1, len(trees) + 1)
        if not self.oob_score:
            return {"history_": {"n_trees": n_trees, "n_leaves": n_leaves}}
        if n_new == 0 and hasattr(self, "oob_score_"):
            return {}
        sums = OutOfBag(
            labels.codes,
            max(labels.n_classes),
            is_classes=labels.classes is not None,
            scoring=self.oob_score if callable(self.oob_score) else None,
            n_trees=len(trees),
        )
        grown = [(tree.random_state, tree.tree_.nodes) for tree in trees]
        out_of_bag(sums, grown, X, sampling, n_jobs=self.n_jobs)
        if not sums.counts.all():
            warn_user(
                "Some inputs do not have OOB scores. This probably means too few trees were used "
                "to compute any reliable OOB estimates."
            )
        curve = sums.history.arrays()
        curve["n_leaves"] = n_leaves[curve["n_trees"] - 1]
        return self._out_of_bag_attributes(sums) | {"history_": curve}
