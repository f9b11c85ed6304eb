"""What scikit-learn's validation does not already give, and the one door to its private names.

`read_X` and `read_Xy` are `validate_data` with a short cut: a plain float array of the right shape
needs no more than a look at its header, and validation is most of the time of predicting one row.
Everything else takes scikit-learn's way, with its errors and its warnings.
"""

import functools
from numbers import Number

import numpy as np
from scipy.sparse import issparse
from sklearn import get_config
from sklearn.base import BaseEstimator
from sklearn.callback import with_callbacks
from sklearn.utils import assert_all_finite, check_array
from sklearn.utils._param_validation import (  # private: the types that parameters are stated in
    HasMethods,
    Hidden,
    Interval,
    InvalidParameterError,
    Options,
    RealNotInt,
    StrOptions,
    validate_params,
)
from sklearn.utils.validation import check_non_negative, validate_data

from skcourse.core.interrupts import held

__all__ = [
    "FLOATS",
    "HasMethods",
    "Hidden",
    "Interval",
    "InvalidParameterError",
    "Options",
    "RealNotInt",
    "StrOptions",
    "check_finite_sums",
    "check_folds",
    "check_n_drawn",
    "check_routed",
    "check_weights",
    "fit_context",
    "read_X",
    "read_Xy",
    "routing_enabled",
    "validate_params",
]

FLOATS = [np.float64, np.float32]  # kept as they come; everything else becomes float64


def fit_context(fit):
    """Check the parameters first, let callbacks clean up, and leave no estimator half-fitted.

    A fit that fails, or is interrupted, leaves every attribute as it was.
    """
    managed = with_callbacks(fit)

    @functools.wraps(fit)
    def checked(self, *args, **kwargs):
        if not get_config()["skip_parameter_validation"]:
            self._validate_params()
        with held:
            before = self.__dict__.copy()
            try:
                return managed(self, *args, **kwargs)
            except BaseException:
                self.__dict__.clear()
                self.__dict__.update(before)
                raise

    return checked


def read_X(estimator: BaseEstimator, X, *, reset=False, finite=True, order="C", **options):
    """Return X as `validate_data` does: a C-contiguous float array, unless the options differ.

    Parameters
    ----------
    estimator : estimator, gets `n_features_in_` and `feature_names_in_` if `reset`
    X : array-like of shape (n_samples, n_features)
    reset : bool, default=False
        True in `fit`, False afterwards.
    finite : bool, default=True
        False leaves the search for NaN to the caller, whose sums show it at no cost: see
        `check_finite_sums`.
    order : {"C", "F"} or None, default="C"
    **options : of scikit-learn's `check_array`

    Raises
    ------
    ValueError, TypeError
        scikit-learn's own.
    """
    plain = is_plain(X, order) and len(X) >= options.get("ensure_min_samples", 1)
    if plain and not options.get("copy") and (not finite or is_finite(X)):
        named = hasattr(estimator, "feature_names_in_")
        if reset:
            estimator.n_features_in_ = X.shape[1]
            if named:
                del estimator.feature_names_in_
            return X
        if not named and X.shape[1] == estimator.n_features_in_:
            return X
    options = {"dtype": FLOATS, "order": order, "ensure_all_finite": finite} | options
    return validate_data(estimator, X, reset=reset, **options)


def read_Xy(
    estimator: BaseEstimator,
    X,
    y,
    *,
    reset=True,
    finite=True,
    order="C",
    multi_output=True,
    **options,
):
    """Return X and numeric y, (n_samples,) or (n_samples, n_outputs), as `read_X` does in a fit.

    `reset` is False in `partial_fit`, when more rows come. Without `multi_output`, y is a vector,
    and a matrix of one column becomes one, with scikit-learn's warning.
    """
    shapes = (1, 2) if multi_output else (1,)
    plain = is_plain(X, order) and type(y) is np.ndarray and y.dtype == X.dtype and y.ndim in shapes
    if plain and len(y) == len(X) and y.size and is_finite(y):
        return read_X(estimator, X, reset=reset, finite=finite, order=order, **options), y
    options = {
        "dtype": FLOATS,
        "order": order,
        "ensure_all_finite": finite,
        "y_numeric": True,
    } | options
    X, y_read = validate_data(estimator, X, y, reset=reset, multi_output=multi_output, **options)
    if issparse(y_read):
        check_array(y_read)  # says that dense data is required
    if getattr(getattr(y, "dtype", None), "kind", "O") == "O":  # None has become NaN
        assert_all_finite(y_read)
    if X.dtype == np.float32 and y_read.dtype in (np.float64, np.longdouble):
        with np.errstate(over="ignore"):  # coefficients will be float32
            assert_all_finite(y_read.astype(np.float32), input_name="y")
    return X, y_read


def is_plain(X, order):
    """Tell whether X is a float matrix with rows and columns that can be used as it is."""
    return (
        type(X) in (np.ndarray, np.memmap)
        and X.dtype in (np.float64, np.float32)
        and X.ndim == 2
        and X.size > 0
        and (order is None or (X.flags.c_contiguous if order == "C" else X.flags.f_contiguous))
    )


def is_finite(X):
    """Tell whether X is finite, by its sum: also no if its numbers are too large to add up."""
    if get_config()["assume_finite"]:
        return True
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(np.add.reduce(X, axis=None)))


def check_finite_sums(sums, X, name="X", estimator=None):
    """Look for NaN and infinity in X only if `sums` over its rows are not finite.

    Raises
    ------
    ValueError
        scikit-learn's, naming `name`, if X is not finite. If only its sums overflow, none.

    Returns
    -------
    finite : bool, whether the sums are
    """
    if np.isfinite(sums).all():
        return True
    who = None if estimator is None else type(estimator).__name__
    with np.errstate(invalid="ignore"):  # infinities of both signs
        assert_all_finite(X, input_name=name, estimator_name=who)
    return False


def check_weights(sample_weight, X, *, dtype=None, non_negative=True, zero=False):
    """Return the weights as a C-contiguous float array of shape (n_samples,), or None for None.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,), number, or None
    X : array, for its length
    dtype : dtype, default=None, keeps float32 and float64
    non_negative : bool, default=True
    zero : bool, default=False
        Whether all of them may be 0.

    Raises
    ------
    ValueError
        On a wrong shape, a negative, NaN or infinite weight, or nothing but zeros.
    """
    if sample_weight is None:
        return None
    n_samples = X.shape[0]
    if isinstance(sample_weight, Number):
        weights = np.full(n_samples, sample_weight, dtype=dtype or np.float64)
    else:
        weights = check_array(
            sample_weight,
            ensure_2d=False,
            dtype=dtype or FLOATS,
            order="C",
            input_name="sample_weight",
        )
    if weights.ndim != 1:
        raise ValueError(
            f"Sample weights must be 1D array or scalar, got {weights.ndim}D array. "
            f"Expected either a scalar value or a 1D array of length {n_samples}."
        )
    if weights.shape != (n_samples,):
        raise ValueError(f"sample_weight.shape == {weights.shape}, expected {(n_samples,)}!")
    if not zero and not weights.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    if non_negative:
        check_non_negative(weights, "`sample_weight`")
    return weights


def check_folds(folds, weights):
    """Raise ValueError if no row has weight among those to learn from, or to be judged by.

    Parameters
    ----------
    folds : iterable of (train, test), indices or masks of rows
    weights : array of shape (n_samples,), or None
    """
    for i, fold in enumerate(folds if weights is not None else ()):
        if not all(weights[rows].any() for rows in fold):
            raise ValueError(
                f"Fold {i} has no row of positive sample_weight to learn from, or none to be "
                "judged by: take fewer folds, or other ones."
            )


def check_n_drawn(n_samples):
    """Raise ValueError, scikit-learn's, unless at least one sample is to be drawn."""
    if n_samples < 1:
        raise ValueError(
            f"Invalid value for 'n_samples': {n_samples} . The sampling requires at least one "
            "sample."
        )


def routing_enabled():
    """Tell whether metadata are routed."""
    return get_config()["enable_metadata_routing"]


def check_routed(estimator, params, method="fit"):
    """Raise ValueError, scikit-learn's, if metadata `params` are given and not routed."""
    if params and not routing_enabled():
        name = f"{type(estimator).__name__}.{method}"
        raise ValueError(
            f"[{name}] Passing extra keyword arguments to {name} is only supported if "
            "enable_metadata_routing=True, which you can set using `sklearn.set_config`. See the "
            "User Guide <https://scikit-learn.org/stable/metadata_routing.html> for more details. "
            f"Extra parameters passed are: {set(params)}"
        )
