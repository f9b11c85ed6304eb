"""Trees of ours as the members of an ensemble: rows read and columns sorted once, for all of them.

A member is grown with weights for the rows it is to see, on the features it is to see, and then
made a fitted estimator. Categories are codes by then: the ensemble keeps the encoder.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.utils import check_random_state, check_X_y, compute_sample_weight
from sklearn.utils.validation import validate_data

from skcourse.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)
from skcourse.tree.base import (
    MAX_SEED,
    adopt,
    make_targets,
    read_outputs,
    resolve_growth,
    sorted_columns,
)
from skcourse.tree.categories import CategoryEncoder, read_table
from skcourse.tree.columns import Columns, rank_columns, some_columns
from skcourse.tree.grower import grow
from skcourse.tree.targets import Targets

CLASSIFIERS = (DecisionTreeClassifier, ExtraTreeClassifier)
REGRESSORS = (DecisionTreeRegressor, ExtraTreeRegressor)


def read_training(model, template, X, y, *, encoder=None, **of_y):
    """Return X as trees grow on it, y, and the encoder of categories, or None.

    Parameters
    ----------
    model : ensemble, gets `n_features_in_` and `feature_names_in_`
    template : tree of ours, whose parameters are checked
    X : {array-like, sparse matrix} or dataframe of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    encoder : CategoryEncoder, default=None
        One that knows the categories already.
    **of_y : of `check_X_y`
    """
    if y is None:
        validate_data(model, X, y)  # says that y is required
    template._validate_params()
    encoder = encoder or CategoryEncoder(template.categorical_features).fit(X)
    X = read_table(model, X, reset=True, encoder=encoder, order=None, accept_sparse="csc")
    _, y = check_X_y(np.zeros((X.shape[0], 1)), y, **of_y)
    X = sorted_columns(X) if issparse(X) else X
    return X, y, encoder if encoder.tables else None


class Ground(NamedTuple):
    """What all members grow on."""

    columns: Columns
    targets: Targets
    y: np.ndarray  # (n, n_outputs): class numbers or targets
    classes: list | None  # of arrays, one per output; None in regression
    n_classes: np.ndarray
    balance: np.ndarray | None  # the weights that `class_weight` gives to rows

    def growth(self, member, weight_sum, n_features):
        """Return the rules by which `member` grows."""
        shape = len(self.y), n_features
        return resolve_growth(member, *shape, weight_sum, n_classes=self.n_classes)

    def weigh(self, weights):
        """Return the weights of rows times those of their classes."""
        return weights if self.balance is None else weights * self.balance

    def grow(self, member, weights, *, features=None, growth=None, leaves=None, n_jobs=1):
        """Make `member` the tree that it becomes with `weights`; return its Nodes.

        Parameters
        ----------
        member : tree of ours, not fitted
        weights : float64 array of shape (n,)
        features : array of int, default=None
            The features that it sees, in its order; None for all.
        growth : Growth, default=None
            None for what the parameters of `member` say.
        leaves : int64 array of shape (n,), overwritten with the leaf of each row, or None
        """
        weights = self.weigh(weights)
        columns = self.columns if features is None else some_columns(self.columns, features)
        growth = growth or self.growth(member, np.sum(weights), columns.shape[0])
        seed = check_random_state(member.random_state).randint(0, MAX_SEED)
        options = {"seed": seed, "weights": weights, "leaves": leaves, "n_jobs": n_jobs}
        nodes = grow(columns, self.targets, growth, **options)
        adopt(member, nodes, n_features=columns.shape[0], classes=self.classes)
        return nodes


def prepare(template, X, y, encoder, *, n_jobs):
    """Return the Ground for trees like `template` on the rows of `read_training`."""
    outputs = read_outputs(template, y)
    balance = None
    if getattr(template, "class_weight", None) is not None:
        balance = compute_sample_weight(template.class_weight, y)
    categorical = None if encoder is None else encoder.is_categorical
    orders = template.splitter == "best"
    columns = rank_columns(X, is_categorical=categorical, orders=orders, n_jobs=n_jobs)
    return Ground(columns, make_targets(outputs), *outputs, balance)


def copies(template):
    """Return a function that makes `seeded(template, seed)`: a clone, but much sooner."""
    kind, parameters = type(template), clone(template).get_params(deep=False)

    def copy(seed):
        drawn = check_random_state(seed).randint(MAX_SEED)
        return kind(**(parameters | {"random_state": drawn}))

    return copy


def in_full(nodes, features):
    """Return Nodes that name the features of the ensemble, where `features` are the member's."""
    if features is None:
        return nodes
    own = np.where(nodes.feature >= 0, features[np.maximum(nodes.feature, 0)], nodes.feature)
    return nodes._replace(feature=own)
