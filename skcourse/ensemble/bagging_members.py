"""The members of a bagged ensemble, whatever they are: fitted on their draws, added up in order.

Members go to joblib's workers. Predictions are summed in groups that the number of members alone
decides, so that the sums have the same bits for any number of workers.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from joblib import effective_n_jobs
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import has_fit_parameter

from skcourse.core.chunks import reduce_blocks
from skcourse.core.interrupts import held
from skcourse.core.validation import routing_enabled
from skcourse.ensemble.bagging_draws import Draws, seeded
from skcourse.ensemble.tree_members import copies, prepare

MAX_GROUPS = 32  # that many sums are held at a time


class Plan(NamedTuple):
    """How the members are fitted."""

    estimator: object  # the template of all members
    draws: Draws
    weighted: bool  # rows drawn are weights, rather than copies of rows
    params: dict  # further arguments of `fit`
    n_jobs: int | None
    verbose: int


class Members(NamedTuple):
    """Fitted members, and the features each of them sees: None for all."""

    estimators: list
    features: list

    def cut(self, part):
        """Return the members of a slice."""
        return Members(self.estimators[part], self.features[part])

    def views(self, X):
        """Yield each member and its view of X."""
        for member, features in zip(self.estimators, self.features, strict=True):
            held.deliver()
            yield member, X if features is None else X[:, features]


def takes_weights(estimator):
    """Tell whether `fit` of the estimator is to get a `sample_weight`."""
    if routing_enabled():
        return bool(get_routing_for_object(estimator).consumes("fit", ("sample_weight",)))
    return has_fit_parameter(estimator, "sample_weight")


def grow_members(plan, seeds, X, y, encoder):
    """Return the list of trees of ours grown, on threads, on what their seeds draw."""
    ground = prepare(plan.estimator, X, y, encoder, n_jobs=plan.n_jobs)
    copy = copies(plan.estimator)

    def part(seed):
        member = copy(seed)
        features, rows = plan.draws.of(seed)
        counts = np.bincount(rows, minlength=X.shape[0]).astype(np.float64)
        ground.grow(member, counts, features=features if plan.draws.choose_features else None)
        return [member]

    return reduce_blocks(part, seeds, list.__iadd__, n_jobs=plan.n_jobs)


def fit_members(plan, seeds, X, y):
    """Return the list of members fitted on what their seeds draw."""
    n_jobs = min(effective_n_jobs(plan.n_jobs), len(seeds))
    if n_jobs == 1:
        return fit_batch(plan, seeds, X, y)
    work = Parallel(n_jobs=n_jobs, verbose=plan.verbose)
    batches = np.array_split(seeds, n_jobs)
    parts = work(delayed(fit_batch)(plan, batch, X, y) for batch in batches)
    return [member for part in parts for member in part]


def fit_batch(plan, seeds, X, y):
    """Fit a member for each seed, one after the other."""
    members = []
    for i, seed in enumerate(seeds):
        held.deliver()
        if plan.verbose > 1:
            print(f"Building estimator {i + 1} of {len(seeds)} of this parallel run...")
        members.append(fit_member(plan, seed, X, y))
    return members


def fit_member(plan, seed, X, y):
    """Return a clone of the template fitted on the rows and features that the seed draws."""
    member = seeded(plan.estimator, seed)
    features, rows = plan.draws.of(seed)
    params = dict(plan.params)
    if plan.weighted:
        params["sample_weight"] = np.bincount(rows, minlength=X.shape[0])
    else:
        params = {name: cut(value, rows, X.shape[0]) for name, value in params.items()}
        X, y = X[rows], y[rows]
    if plan.draws.choose_features:
        X = X[:, features]
    member.fit(X, y, **params)
    return member


def cut(value, rows, n_samples):
    """Return the entries of a parameter that belong to some rows, if it has one for each."""
    if not hasattr(value, "__len__") or isinstance(value, str) or len(value) != n_samples:
        return value
    return value.iloc[rows] if hasattr(value, "iloc") else np.asarray(value)[rows]


def sum_members(work, members, *args, n_jobs, verbose=0, add=np.add):
    """Return the sum over groups of members of work(group, *args), in their order."""
    n_groups = min(len(members.estimators), MAX_GROUPS)
    edges = [len(members.estimators) * i // n_groups for i in range(n_groups + 1)]
    groups = [members.cut(slice(*edge)) for edge in pairwise(edges)]
    n_jobs = min(effective_n_jobs(n_jobs), n_groups)
    if n_jobs == 1:
        results = (work(group, *args) for group in groups)
    else:
        parallel = Parallel(n_jobs=n_jobs, verbose=verbose, return_as="generator")
        results = parallel(delayed(work)(group, *args) for group in groups)
    total = None
    for result in results:
        total = result if total is None else add(total, result)
    return total


def probabilities(member, X, n_classes, params):
    """Return the probabilities of all classes by one member, or its vote if it has none.

    A member knows classes by their numbers, and perhaps not all of them.
    """
    if not hasattr(member, "predict_proba"):
        votes = np.zeros((X.shape[0], n_classes))
        predicted = np.asarray(member.predict(X, **params.get("predict", {})))
        votes[np.arange(X.shape[0]), predicted.astype(np.intp)] = 1
        return votes
    shares = member.predict_proba(X, **params.get("predict_proba", {}))
    if shares.shape[1] == n_classes:
        return shares
    spread = np.zeros((X.shape[0], n_classes))
    spread[:, member.classes_] = shares
    return spread


def add_probabilities(members, X, n_classes, params):
    """Return the sum of the probabilities by some members."""
    total = np.zeros((X.shape[0], n_classes))
    for member, view in members.views(X):
        total += probabilities(member, view, n_classes, params)
    return total


def add_log_probabilities(members, X, n_classes, params):
    """Return the logarithm of the sum of exp(log-probabilities) by some members."""
    total = np.full((X.shape[0], n_classes), -np.inf)
    for member, view in members.views(X):
        logs = member.predict_log_proba(view, **params)
        known = slice(None) if logs.shape[1] == n_classes else member.classes_
        total[:, known] = np.logaddexp(total[:, known], logs)
    return total


def add_outputs(members, X, method, params):
    """Return the sum of what `method`, "predict" or "decision_function", says of X."""
    total = 0
    for member, view in members.views(X):
        total = total + getattr(member, method)(view, **params)
    return total
