"""Problems to fit, made to suit an estimator's tags, and the same problem told in other ways."""

from typing import NamedTuple

import numpy as np
from sklearn.utils import get_tags


class Problem(NamedTuple):
    """What an estimator is fitted on, and where it is asked afterwards."""

    X: np.ndarray  # (n_samples, n_features)
    y: np.ndarray | None = None  # (n_samples,) or (n_samples, n_outputs)
    weights: np.ndarray | None = None  # (n_samples,), at least 0
    queries: np.ndarray | None = None  # (n_queries, n_features); None: X itself

    @property
    def asked(self):
        """The rows that predictions are wanted for."""
        return self.X if self.queries is None else self.queries

    def rows(self, index):
        """Return the problem of the rows `index` (a slice, mask or integers); same queries."""
        y = None if self.y is None else self.y[index]
        weights = None if self.weights is None else self.weights[index]
        return Problem(self.X[index], y, weights, self.asked)


def make_problem(estimator, *, n_samples=60, n_features=4, dtype=np.float64, seed=0):
    """Make data that `estimator` can be fitted on, by its tags.

    The rows lie around three points; column j has scale 2^-j and a mean of its own, so no two
    directions are alike. A target of a regressor is linear in them, with noise; that of a
    classifier is the number of the point.

    Parameters
    ----------
    estimator : estimator
    n_samples : int, default=60
    n_features : int, default=4
    dtype : dtype, default=float64
        Of X, and of y in regression.
    seed : int, default=0

    Returns
    -------
    problem : Problem, without weights; `y` is None if the estimator asks for none

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from skcourse.testing import make_problem
    >>> problem = make_problem(Ridge(), n_samples=5)
    >>> problem.X.shape, problem.y.shape
    ((5, 4), (5,))
    """
    rng = np.random.default_rng(seed)
    tags = get_tags(estimator)
    group = np.arange(n_samples) % 3
    centers = rng.uniform(-4, 4, size=(3, n_features))
    spread = 2.0 ** -np.arange(n_features).clip(max=8)
    X = (centers[group] + rng.normal(size=(n_samples, n_features))) * spread
    X += rng.uniform(-1, 1, size=n_features)
    if tags.input_tags.positive_only:
        X -= X.min(axis=0)
    X = X.astype(dtype)
    queries = (X[rng.permutation(n_samples)[:20]] * rng.uniform(0.5, 1.5, (1, n_features))).astype(
        dtype
    )
    return Problem(X, make_target(tags, X, group, rng), None, queries)


def make_target(tags, X, group, rng):
    """Return y for the rows X in three groups; None if none is asked for."""
    if tags.estimator_type == "classifier":
        binary = not tags.classifier_tags.multi_class
        return np.minimum(group, 1) if binary else group
    if tags.estimator_type != "regressor" and not tags.target_tags.required:
        return None
    y = X @ rng.normal(size=X.shape[1]) + 0.3 * rng.normal(size=len(X)) + 1
    if tags.target_tags.positive_only:
        y = np.exp(y / np.abs(y).max())
    if not tags.target_tags.single_output and tags.target_tags.multi_output:
        y = np.column_stack([y, y**2])
    return y.astype(X.dtype)


def wobble(problem, amplitude, rng):
    """Return the problem with each number x changed to x (1 + amplitude u), u uniform in [-1, 1].

    With `amplitude` a few rounding errors this is the same problem to any method that computes
    in floating point: what its answers move by is what rounding may do to them.
    """

    def moved(values):
        if values is None or values.dtype.kind != "f":
            return values
        noise = amplitude * rng.uniform(-1, 1, size=values.shape)
        return (values * (1 + noise)).astype(values.dtype)

    wide = problem._replace(queries=problem.asked)
    return wide._replace(X=moved(wide.X), y=moved(wide.y), queries=moved(wide.queries))
