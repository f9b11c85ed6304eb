"""What the trees share: reading rows and targets, growing, pruning, and asking a grown tree.

A tree is fitted in three steps: columns and targets are made ready (`columns`, `targets`), nodes
grow from them (`grower`), and `adopt` makes a fitted estimator of the nodes. Ensembles take the
first step once, the second for each tree, and the third for their `estimators_`.
"""

from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, MultiOutputMixin, clone, is_classifier
from sklearn.utils import Bunch, check_array, check_random_state, compute_sample_weight
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from skcourse.core.validation import (
    Interval,
    RealNotInt,
    StrOptions,
    check_weights,
    fit_context,
)
from skcourse.tree.categories import CategoryEncoder, read_table
from skcourse.tree.columns import rank_columns
from skcourse.tree.explain import ShapMixin, Terms
from skcourse.tree.fitted_tree import Tree
from skcourse.tree.grower import grow
from skcourse.tree.options import count_max_features, resolve_growth
from skcourse.tree.pruning import prune, pruning_path
from skcourse.tree.targets import class_targets, number_targets

__all__ = ["MAX_SEED", "TreeModel", "adopt", "read_rows", "resolve_growth"]

MAX_SEED = 2**31 - 1  # of the generator of a tree


def adopt(estimator, nodes, *, n_features, classes=None):
    """Make `estimator` the fitted tree that `nodes` are, as if it had grown them itself.

    Parameters
    ----------
    estimator : tree estimator with its parameters set, not fitted; pruned here by its `ccp_alpha`
    nodes : Nodes
    n_features : int
    classes : array of shape (n_classes,), or list of them, one per output; None for a regressor

    Returns
    -------
    estimator : the same object
    """
    if estimator.ccp_alpha > 0:
        nodes = prune(nodes, estimator.ccp_alpha)
    n_classes = None
    if classes is not None:
        one = not isinstance(classes, list)
        n_classes = np.array([len(c) for c in ([classes] if one else classes)], np.int64)
        one = len(n_classes) == 1
        estimator.classes_ = classes[0] if one and isinstance(classes, list) else classes
        estimator.n_classes_ = n_classes[0] if one else n_classes
    estimator.n_features_in_ = n_features
    estimator.n_outputs_ = nodes.value.shape[1]
    estimator.max_features_ = count_max_features(estimator.max_features, n_features)
    estimator.tree_ = Tree(nodes, n_features, n_classes)
    return estimator


class Outputs(NamedTuple):
    """The targets of a fit, as a tree grows from them."""

    y: np.ndarray  # (n, n_outputs): int64 class numbers, or float64
    classes: list | None  # of arrays, one per output; None in regression
    n_classes: np.ndarray  # int64 (n_outputs,), 1 in regression


def read_outputs(estimator, y):
    """Return the targets of `estimator` by its kind and criterion.

    Raises
    ------
    ValueError
        On targets of the wrong kind, or negative ones where counts are expected.
    """
    y = np.atleast_1d(y)
    y = y.reshape(-1, 1) if y.ndim == 1 else y
    if is_classifier(estimator):
        check_classification_targets(y)
        found = [np.unique(column, return_inverse=True) for column in y.T]
        classes = [names for names, _ in found]
        codes = np.column_stack([codes for _, codes in found])
        return Outputs(codes, classes, np.array([len(names) for names in classes]))
    y = np.ascontiguousarray(y, np.float64)
    if estimator.criterion == "poisson":
        if np.any(y < 0):
            raise ValueError(
                "Some value(s) of y are negative which is not allowed for Poisson regression."
            )
        if np.sum(y) <= 0:
            raise ValueError("Sum of y is not positive which is necessary for Poisson regression.")
    return Outputs(y, None, np.ones(y.shape[1], np.int64))


def make_targets(outputs, weights=None):
    """Return what `grow` takes for `outputs`."""
    if outputs.classes is None:
        return number_targets(outputs.y, weights)
    return class_targets(outputs.y, list(outputs.n_classes), weights)


def sorted_columns(X):
    """Return the sparse X as CSC without duplicates; the user's matrix stays as it is."""
    if X.has_canonical_format:
        return X
    X = X.copy()
    X.sum_duplicates()
    return X


def read_rows(estimator, X, encoder=None):
    """Return X as `predict` walks it: float32, C-contiguous or CSR, missing values NaN."""
    return read_table(estimator, X, reset=False, encoder=encoder, accept_sparse="csr")


def read_fit(estimator, X, y):
    """Return X, float32 or CSC, y as it came, and the encoder of categories, or None.

    Raises
    ------
    ValueError, TypeError
        scikit-learn's.
    """
    if y is None:
        validate_data(estimator, X, y)  # says that y is required
    encoder = CategoryEncoder(estimator.categorical_features).fit(X)
    X = read_table(estimator, X, reset=True, encoder=encoder, order=None, accept_sparse="csc")
    y = check_array(y, ensure_2d=False, dtype=None, input_name="y", estimator=estimator)
    return X, y, encoder if encoder.tables else None


class TreeModel(ShapMixin, MultiOutputMixin, BaseEstimator):
    """Base class of the decision trees. A subclass adds its kind, its constructor and answers."""

    _encoder = None  # of categories; an adopted tree is given codes
    __metadata_request__fit = {"check_input": UNUSED}
    __metadata_request__predict = {"check_input": UNUSED}

    _parameter_constraints: dict = {
        "splitter": [StrOptions({"best", "random"})],
        "max_depth": [Interval(Integral, 1, None, closed="left"), None],
        "min_samples_split": [
            Interval(Integral, 2, None, closed="left"),
            Interval(RealNotInt, 0.0, 1.0, closed="right"),
        ],
        "min_samples_leaf": [
            Interval(Integral, 1, None, closed="left"),
            Interval(RealNotInt, 0.0, 1.0, closed="neither"),
        ],
        "min_weight_fraction_leaf": [Interval(Real, 0.0, 0.5, closed="both")],
        "max_features": [
            Interval(Integral, 1, None, closed="left"),
            Interval(RealNotInt, 0.0, 1.0, closed="right"),
            StrOptions({"sqrt", "log2"}),
            None,
        ],
        "random_state": ["random_state"],
        "max_leaf_nodes": [Interval(Integral, 2, None, closed="left"), None],
        "min_impurity_decrease": [Interval(Real, 0.0, None, closed="left")],
        "ccp_alpha": [Interval(Real, 0.0, None, closed="left")],
        "monotonic_cst": ["array-like", dict, None],
        "categorical_features": ["array-like", StrOptions({"from_dtype"}), None],
        "interaction_cst": [list, tuple, StrOptions({"pairwise", "no_interactions"}), None],
    }

    @fit_context
    def fit(self, X, y, sample_weight=None, check_input=True):
        """Grow the tree on `X`, of shape (n_samples, n_features), and `y`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Taken as float32, NaN where a value is missing.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None
            Not negative. A sample of weight 0 is not there.
        check_input : bool, default=True
            False if X is a float32 array, or a CSC matrix, and known to be in order.

        Returns
        -------
        self : object
        """
        encoder = None
        if check_input:
            X, y, encoder = read_fit(self, X, y)
        X = sorted_columns(X) if issparse(X) else X
        outputs = read_outputs(self, y)
        n_samples, n_features = X.shape
        if len(outputs.y) != n_samples:
            raise ValueError(
                f"Number of labels={len(outputs.y)} does not match number of samples={n_samples}"
            )
        weights = check_weights(sample_weight, X, dtype=np.float64, non_negative=True)
        weights = self._class_weighted(y, weights)
        total = n_samples if weights is None else np.sum(weights)
        growth = resolve_growth(self, n_samples, n_features, total, n_classes=outputs.n_classes)
        seed = check_random_state(self.random_state).randint(0, MAX_SEED)
        categorical = None if encoder is None else encoder.is_categorical
        orders = growth.splitter == "best"
        columns = rank_columns(X, is_categorical=categorical, orders=orders, n_jobs=-1)
        nodes = grow(columns, make_targets(outputs, weights), growth, seed=seed, n_jobs=-1)
        self._encoder = encoder
        return adopt(self, nodes, n_features=n_features, classes=outputs.classes)

    def _class_weighted(self, y, weights):
        """Return the weights of the samples times those of their classes, or None for ones."""
        if getattr(self, "class_weight", None) is None:
            return weights
        of_classes = compute_sample_weight(self.class_weight, y)
        return of_classes if weights is None else weights * of_classes

    def _rows(self, X, check_input=True):
        """Return the rows of X, fit to walk through the tree."""
        if not hasattr(self, "tree_"):
            check_is_fitted(self)
        if check_input:
            return read_rows(self, X, self._encoder)
        if X.shape[1] != self.n_features_in_:
            validate_data(self, X, reset=False, skip_check_array=True)
        return X

    _shap_rows = _rows

    def _shap_terms(self):
        """Return what `shap_values` explain."""
        check_is_fitted(self)
        classes = self.tree_.n_classes.tolist() if is_classifier(self) else None
        return Terms(self.tree_.walk, n_classes=classes)

    def apply(self, X, check_input=True):
        """Return the number of the leaf that each sample comes to.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        check_input : bool, default=True
            False if X is a float32 array, or a CSR matrix, and known to be in order.

        Returns
        -------
        leaves : int64 array of shape (n_samples,)
        """
        X = self._rows(X, check_input)
        return self.tree_.apply(X)

    def decision_path(self, X, check_input=True):
        """Return which nodes each sample passes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        check_input : bool, default=True
            False if X is a float32 array, or a CSR matrix, and known to be in order.

        Returns
        -------
        indicator : CSR matrix of shape (n_samples, n_nodes), 1 where a sample passes a node
        """
        X = self._rows(X, check_input)
        return self.tree_.decision_path(X)

    def get_depth(self):
        """Return the number of splits on the longest way from the root to a leaf."""
        check_is_fitted(self)
        return self.tree_.max_depth

    def get_n_leaves(self):
        """Return the number of leaves."""
        check_is_fitted(self)
        return self.tree_.n_leaves

    def cost_complexity_pruning_path(self, X, y, sample_weight=None):
        """Return the prices per leaf at which the tree grown on `X` and `y` would lose a branch.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        path : Bunch
            ``ccp_alphas``: the prices, from 0; ``impurities``: of the tree that is left at each.
        """
        grown = clone(self).set_params(ccp_alpha=0.0).fit(X, y, sample_weight)
        prices, impurities = pruning_path(grown.tree_.nodes)
        return Bunch(ccp_alphas=prices, impurities=impurities)

    @property
    def feature_importances_(self):
        """How much impurity the splits of each feature take away; they add up to 1."""
        check_is_fitted(self)
        return self.tree_.compute_feature_importances()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        return tags
