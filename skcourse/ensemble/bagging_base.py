"""What the two bagged ensembles share: parameters, draws, members, out-of-bag rows."""

from numbers import Integral
from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.utils import Bunch, check_random_state, column_or_1d, get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import check_is_fitted, validate_data

from skcourse.core.history import warn_user
from skcourse.core.validation import (
    HasMethods,
    Interval,
    RealNotInt,
    check_routed,
    check_weights,
    fit_context,
    routing_enabled,
)
from skcourse.ensemble.bagging_draws import Draws, bootstrap_size
from skcourse.ensemble.bagging_members import (
    Members,
    Plan,
    fit_members,
    grow_members,
    sum_members,
    takes_weights,
)
from skcourse.ensemble.forest_sampling import MAX_SEED
from skcourse.ensemble.out_of_bag import out_of_bag
from skcourse.ensemble.packed_trees import PackedTrees
from skcourse.ensemble.tree_members import in_full, read_training
from skcourse.tree.base import read_rows
from skcourse.tree.walk import mean_values, pack

ANY_X = {"accept_sparse": ["csr", "csc"], "dtype": None, "ensure_all_finite": False}


class Drawn(NamedTuple):
    """The rows that each member drew, to be asked for those that it did not."""

    rows: list
    n_samples: int

    def left_out(self, t):
        """Return the rows that member `t` has not seen."""
        return np.flatnonzero(np.bincount(self.rows[t], minlength=self.n_samples) == 0)


class BaseBagging(MetaEstimatorMixin, BaseEstimator):
    """An ensemble of clones of one estimator, each fitted on rows and features of its own."""

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"]), None],
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "max_samples": [
            None,
            Interval(Integral, 1, None, closed="left"),
            Interval(RealNotInt, 0, 1, closed="right"),
        ],
        "max_features": [
            Interval(Integral, 1, None, closed="left"),
            Interval(RealNotInt, 0, 1, closed="right"),
        ],
        "bootstrap": ["boolean"],
        "bootstrap_features": ["boolean"],
        "oob_score": ["boolean"],
        "warm_start": ["boolean"],
        "n_jobs": [None, Integral],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator=None,
        n_estimators=10,
        *,
        max_samples=None,
        max_features=1.0,
        bootstrap=True,
        bootstrap_features=False,
        oob_score=False,
        warm_start=False,
        n_jobs=None,
        random_state=None,
        verbose=0,
    ):
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.max_samples = max_samples
        self.max_features = max_features
        self.bootstrap = bootstrap
        self.bootstrap_features = bootstrap_features
        self.oob_score = oob_score
        self.warm_start = warm_start
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @fit_context
    def fit(self, X, y, sample_weight=None, **fit_params):
        """Fit `n_estimators` members, each on its own draw of rows and features.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Whatever the base estimator takes.
        y : array-like of shape (n_samples,), or (n_samples, n_outputs) in regression
        sample_weight : array-like of shape (n_samples,), default=None
            Rows are drawn in proportion to it.
        **fit_params : dict
            Arguments for the `fit` of the members, where metadata routing is enabled.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If more rows or features are to be drawn, without replacement, than there are.
        """
        check_routed(self, fit_params)
        self.estimator_ = self._template()
        weighted = takes_weights(self.estimator_)
        grows = type(self.estimator_) in self._trees and weighted and not fit_params
        X, y, encoder = self._read(X, y, grows)
        sample_weight = check_weights(sample_weight, X)
        if sample_weight is not None and not self.bootstrap:
            warn_user(
                f"When fitting {type(self).__name__} with sample_weight it is recommended to use "
                f"bootstrap=True, got {self.bootstrap}."
            )
        rng = check_random_state(self.random_state)
        y = self._read_y(y)
        params = self._route("fit", fit_params).estimator.get("fit", {})
        max_samples = bootstrap_size(X.shape[0], self.max_samples, sample_weight)
        draws = self._draws(X.shape[0], max_samples, sample_weight)
        seeds = self._seeds_of_new_members(rng)
        if len(seeds):
            plan = Plan(self.estimator_, draws, weighted, params, self.n_jobs, self.verbose)
            if grows:
                members = grow_members(plan, seeds, X, y, encoder)
            else:
                members = fit_members(plan, seeds, X, y)
            self._grown = grows and (not self.estimators_ or self._grown)
            self._encoder, self._packed = encoder, PackedTrees()
            self._add_members(members, draws, seeds)
            if self.oob_score:
                self._score_out_of_bag(X, y)
        return self

    def _read(self, X, y, grows):
        """Return X and y as members get them, and an encoder of categories, or None."""
        if grows:
            known = getattr(self, "_encoder", None) if self.warm_start else None
            return read_training(self, self.estimator_, X, y, encoder=known, multi_output=True)
        return *validate_data(self, X, y, multi_output=True, **ANY_X), None

    def _add_members(self, members, draws, seeds):
        """Keep fitted members, and how they draw."""
        self.estimators_ = self.estimators_ + members
        self.estimators_features_ = self.estimators_features_ + [
            draws.features_of(s) for s in seeds
        ]
        self._drawn = [*self._drawn, (draws, seeds)]
        self._max_samples, self._max_features = draws.max_samples, draws.max_features

    def _read_y(self, y):
        """Return y as the members get it."""
        return column_or_1d(y, warn=True) if y.ndim == 1 or y.shape[1] == 1 else y

    def _draws(self, n_samples, max_samples, sample_weight):
        """Return how the members draw; raise ValueError if they cannot."""
        n_features = self.n_features_in_
        if not self.bootstrap and max_samples > n_samples:
            raise ValueError(
                f"Effective max_samples={max_samples} must be <= n_samples={n_samples} to be able "
                "to sample without replacement."
            )
        max_features = self.max_features
        if not isinstance(max_features, Integral):
            max_features = max(1, int(max_features * n_features))
        if max_features > n_features:
            raise ValueError("max_features must be <= n_features")
        if self.oob_score and not self.bootstrap:
            raise ValueError("Out of bag estimation only available if bootstrap=True")
        if self.oob_score and self.warm_start:
            raise ValueError("Out of bag estimate only available if warm_start=False")
        shape = (n_samples, n_features, max_samples, max_features)
        return Draws(*shape, self.bootstrap, self.bootstrap_features, sample_weight)

    def _seeds_of_new_members(self, rng):
        """Return a seed for each member that is still to be fitted; forget those that go."""
        if self.warm_start and hasattr(self, "oob_score_"):
            del self.oob_score_
        if not self.warm_start or not hasattr(self, "estimators_"):
            self.estimators_, self.estimators_features_, self._drawn = [], [], []
        n_before = len(self.estimators_)
        n_new = self.n_estimators - n_before
        if n_new < 0:
            raise ValueError(
                f"n_estimators={self.n_estimators} must be larger or equal to "
                f"len(estimators_)={n_before} when warm_start==True"
            )
        if n_new == 0:
            warn_user("Warm-start fitting without increasing n_estimators does not fit new trees.")
        return rng.randint(MAX_SEED, size=n_before + n_new)[n_before:]

    def _read_X(self, X):
        """Return X as the members take it, or as trees of ours are walked through."""
        if not hasattr(self, "estimators_"):
            check_is_fitted(self)
        if self._grown:
            return read_rows(self, X, self._encoder)
        return validate_data(self, X, reset=False, **ANY_X)

    def _members(self):
        """Return the fitted members with their features."""
        some = any(draws.choose_features for draws, _ in self._drawn)
        return Members(self.estimators_, self.estimators_features_ if some else [None] * len(self))

    def _draws_of_members(self):
        """Yield the features and the rows that each member drew."""
        for draws, seeds in self._drawn:
            yield from map(draws.of, seeds)

    def _nodes(self):
        """Return the Nodes of the members, trees of ours, by the features of the ensemble."""
        return [in_full(member.tree_.nodes, f) for member, f in zip(*self._members(), strict=True)]

    def _walk(self):
        """Return the trees as one table."""
        trees = [member.tree_ for member in self.estimators_]
        return self._packed.of(trees, lambda _: pack(self._nodes()))

    def _mean_leaves(self, X):
        """Return the mean value of the leaves, of trees of ours: (n, n_outputs * n_classes)."""
        return mean_values(self._walk(), X, n_jobs=self.n_jobs)

    def _mean(self, work, X, *args, **options):
        """Return the mean over the members of what `work` adds up."""
        options |= {"n_jobs": self.n_jobs, "verbose": self.verbose}
        return sum_members(work, self._members(), X, *args, **options) / len(self)

    def _judge(self, sums, X, values_of):
        """Add to the OutOfBag `sums` what each member says of the rows that it did not draw.

        `values_of` asks a member, unless it is a tree of ours.
        """
        drawn = Drawn(self.estimators_samples_, X.shape[0])
        if self._grown:
            rows = X.tocsr() if issparse(X) else X
            out_of_bag(sums, list(enumerate(self._nodes())), rows, drawn, n_jobs=self.n_jobs)
        else:
            for t, (member, features) in enumerate(zip(*self._members(), strict=True)):
                rows = drawn.left_out(t)
                if len(rows):
                    view = X[rows] if features is None else X[rows][:, features]
                    sums.add(rows, np.reshape(values_of(member, view), (len(rows), -1)))
        if not sums.counts.all():
            warn_user(
                "Some inputs do not have OOB scores. This probably means too few estimators were "
                "used to compute any reliable oob estimates."
            )
        self.history_ = sums.history.arrays()

    def _route(self, method, params):
        """Return the arguments of the members, by method."""
        if routing_enabled():
            return process_routing(self, method, **params)
        return Bunch(estimator=Bunch())

    @property
    def estimators_samples_(self):
        """The rows that each member drew, drawn again at each call. A list of arrays."""
        return [rows for _, rows in self._draws_of_members()]

    def get_metadata_routing(self):
        """Return which metadata go to which method of the members.

        Returns
        -------
        routing : MetadataRouter
        """
        base = self._template()
        proba = "predict_proba" if hasattr(base, "predict_proba") else "predict"
        logs = "predict_log_proba" if hasattr(base, "predict_log_proba") else proba
        methods = {
            "fit": "fit",
            "decision_function": "decision_function",
            "predict": proba,
            "predict_proba": proba,
            "predict_log_proba": logs,
        }
        mapping = MethodMapping()
        for caller, callee in methods.items():
            mapping.add(caller=caller, callee=callee)
        return MetadataRouter(owner=self).add(estimator=base, method_mapping=mapping)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        base = get_tags(self._template()).input_tags
        tags.input_tags.sparse = base.sparse
        tags.input_tags.allow_nan = base.allow_nan
        return tags

    def __len__(self):
        return len(self.estimators_)

    def __getitem__(self, index):
        return self.estimators_[index]

    def __iter__(self):
        return iter(self.estimators_)
