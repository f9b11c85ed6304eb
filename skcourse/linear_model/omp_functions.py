"""Orthogonal matching pursuit as functions: of atoms and targets, or of their products.

Problem     See `omp`. Nothing is centred here: the atoms are the columns of X as they come.
"""

from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_array, check_consistent_length

from skcourse.core.gram_pursuit import pursue_gram
from skcourse.core.validation import FLOATS, Interval, StrOptions, validate_params
from skcourse.linear_model.omp import most_atoms, numbers_of_atoms, warn_premature
from skcourse.linear_model.omp_rows import Dictionary, pursue_rows


def as_answer(found, p, dtype, *, path, with_n_iter):
    """Return the coefficients as `orthogonal_mp` does, and the numbers of atoms if asked for."""
    last = [one.coefs[-1:] for one in found]
    if path:
        depth = max(len(one.order) for one in found)
        coef = np.zeros((p, len(found), depth), dtype)
        for t, one in enumerate(found):
            coef[one.order, t, : len(one.order)] = one.coefs.T
            if len(one.order):  # who ended early stays where it was
                coef[one.order, t, len(one.order) :] = last[t].T
    else:
        coef = np.zeros((p, len(found)), dtype)
        for t, one in enumerate(found):
            coef[one.order, t] = last[t].ravel()
    n_iter = numbers_of_atoms(found)
    return (np.squeeze(coef), n_iter) if with_n_iter else np.squeeze(coef)


@validate_params(
    {
        "X": ["array-like"],
        "y": [np.ndarray],
        "n_nonzero_coefs": [Interval(Integral, 1, None, closed="left"), None],
        "tol": [Interval(Real, 0, None, closed="left"), None],
        "precompute": ["boolean", StrOptions({"auto"})],
        "copy_X": ["boolean"],
        "return_path": ["boolean"],
        "return_n_iter": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def orthogonal_mp(
    X,
    y,
    *,
    n_nonzero_coefs=None,
    tol=None,
    precompute=False,
    copy_X=True,
    return_path=False,
    return_n_iter=False,
):
    """Pursue y with the columns of X, for each column of y by itself.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        The atoms; nothing is subtracted from them. Give them a common length.
    y : ndarray of shape (n_samples,) or (n_samples, n_targets)
    n_nonzero_coefs : int, default=None
        The most atoms; None is a tenth of the features, at least 1.
    tol : float, default=None
        End once |y - X b|^2 is at most this; then `n_nonzero_coefs` does not matter.
    precompute : bool or "auto", default=False
        Whether to form X'X first; "auto": if there are more samples than features.
    copy_X : bool, default=True
        Of no effect: X is never overwritten.
    return_path : bool, default=False
        Whether to return the coefficients after each atom.
    return_n_iter : bool, default=False
        Whether to return the number of atoms too.

    Returns
    -------
    coef : ndarray of shape (n_features,) or (n_features, n_targets), dtype of X
        With `return_path` there is one more axis, the number of atoms less 1.
    n_iters : int or list of int, the number of atoms; only if `return_n_iter`

    Raises
    ------
    ValueError
        If more atoms are wanted than there are features, or X or y is not finite.

    Warns
    -----
    RuntimeWarning
        If no further atom can be told from what those before span.

    Examples
    --------
    >>> import numpy as np
    >>> from skcourse.linear_model import orthogonal_mp
    >>> orthogonal_mp(np.eye(4), np.array([0.0, 5.0, 1.0, 0.5]), n_nonzero_coefs=2)
    array([0., 5., 1., 0.])
    """
    X = check_array(X, dtype=FLOATS)
    y = check_array(y.reshape(-1, 1) if y.ndim == 1 else y)
    check_consistent_length(X, y)
    limit = most_atoms(n_nonzero_coefs, tol, X.shape[1])
    Y = np.ascontiguousarray(y.T, dtype=np.float64)
    squares = np.sum(Y**2, axis=1)
    if precompute is True or (precompute == "auto" and X.shape[0] > X.shape[1]):
        C = X.T @ Y.T
        found = pursue_gram(X.T @ X, C, squares, limit, tol, path=return_path)
    else:
        found = pursue_rows(Dictionary(X), Y, limit, tol, path=return_path)
    warn_premature(found, stacklevel=4)
    return as_answer(found, X.shape[1], X.dtype, path=return_path, with_n_iter=return_n_iter)


@validate_params(
    {
        "Gram": ["array-like"],
        "Xy": ["array-like"],
        "n_nonzero_coefs": [Interval(Integral, 0, None, closed="neither"), None],
        "tol": [Interval(Real, 0, None, closed="left"), None],
        "norms_squared": ["array-like", None],
        "copy_Gram": ["boolean"],
        "copy_Xy": ["boolean"],
        "return_path": ["boolean"],
        "return_n_iter": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def orthogonal_mp_gram(
    Gram,
    Xy,
    *,
    n_nonzero_coefs=None,
    tol=None,
    norms_squared=None,
    copy_Gram=True,
    copy_Xy=True,
    return_path=False,
    return_n_iter=False,
):
    """Pursue targets of which only the products with the atoms are known.

    Parameters
    ----------
    Gram : array-like of shape (n_features, n_features)
        X'X.
    Xy : array-like of shape (n_features,) or (n_features, n_targets)
        X'y.
    n_nonzero_coefs : int, default=None
        The most atoms; None is a tenth of the features.
    tol : float, default=None
        End once |y - X b|^2 is at most this; then `n_nonzero_coefs` does not matter.
    norms_squared : array-like of shape (n_targets,), default=None
        |y|^2; needed for `tol`.
    copy_Gram, copy_Xy : bool, default=True
        Of no effect: neither is overwritten.
    return_path : bool, default=False
        Whether to return the coefficients after each atom.
    return_n_iter : bool, default=False
        Whether to return the number of atoms too.

    Returns
    -------
    coef : ndarray of shape (n_features,) or (n_features, n_targets), dtype of Gram
        With `return_path` there is one more axis, the number of atoms less 1.
    n_iters : int or list of int, the number of atoms; only if `return_n_iter`

    Raises
    ------
    ValueError
        If more atoms are wanted than there are features, or none, or |y|^2 is needed and not given.

    Warns
    -----
    RuntimeWarning
        If no further atom can be told from what those before span.

    Examples
    --------
    >>> import numpy as np
    >>> from skcourse.linear_model import orthogonal_mp_gram
    >>> orthogonal_mp_gram(np.eye(4), np.array([0.0, 5.0, 1.0, 0.5]), n_nonzero_coefs=2)
    array([0., 5., 1., 0.])
    """
    Gram = check_array(Gram, dtype=FLOATS)
    Xy = np.asarray(Xy)
    C = check_array(Xy[:, np.newaxis] if Xy.ndim == 1 else Xy, dtype=Gram.dtype)
    check_consistent_length(Gram, C)
    if tol is not None and norms_squared is None:
        raise ValueError(
            "Gram OMP needs the precomputed norms in order to evaluate the error sum of squares."
        )
    squares = np.zeros(C.shape[1])
    if norms_squared is not None:
        squares = np.broadcast_to(np.asarray(norms_squared, np.float64), squares.shape)
    limit = most_atoms(n_nonzero_coefs, tol, len(Gram), least=0)
    if limit <= 0:
        raise ValueError("The number of atoms must be positive")
    found = pursue_gram(Gram, C, squares, limit, tol, path=return_path)
    warn_premature(found, stacklevel=4)
    return as_answer(found, len(Gram), Gram.dtype, path=return_path, with_n_iter=return_n_iter)
