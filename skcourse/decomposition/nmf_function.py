"""Non-negative matrix factorisation as a function; see `nmf`."""

from sklearn.utils import check_array

from skcourse.core.validation import FLOATS, validate_params
from skcourse.decomposition.nmf import NMF
from skcourse.decomposition.nmf_problem import factorise


@validate_params(
    {
        "X": ["array-like", "sparse matrix"],
        "W": ["array-like", None],
        "H": ["array-like", None],
        "update_H": ["boolean"],
    },
    prefer_skip_nested_validation=False,
)
def non_negative_factorization(
    X,
    W=None,
    H=None,
    n_components="auto",
    *,
    init=None,
    update_H=True,
    solver="cd",
    beta_loss="frobenius",
    tol=1e-4,
    max_iter=200,
    alpha_W=0.0,
    alpha_H="same",
    l1_ratio=0.0,
    random_state=None,
    verbose=0,
    shuffle=False,
):
    """Factorise a matrix without negative entries, as `NMF` does, by a function.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
    W : array-like of shape (n_samples, n_components), default=None
    H : array-like of shape (n_components, n_features), default=None
        Where to begin, with `init="custom"`; without `update_H`, the H for which W is found.
    update_H : bool, default=True
    n_components, init, solver, beta_loss, tol, max_iter, alpha_W, alpha_H, l1_ratio
        See `NMF`.
    random_state, verbose, shuffle
        See `NMF`.

    Returns
    -------
    W : ndarray of shape (n_samples, n_components)
    H : ndarray of shape (n_components, n_features)
    n_iter : int

    Examples
    --------
    >>> import numpy as np
    >>> from skcourse.decomposition import non_negative_factorization
    >>> X = np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0], [1.0, 3.0]])
    >>> W, H, n_iter = non_negative_factorization(X, n_components=2, random_state=0)
    >>> bool(np.abs(W @ H - X).max() < 0.01)
    True
    """
    model = NMF(
        n_components,
        init=init,
        solver=solver,
        beta_loss=beta_loss,
        tol=tol,
        max_iter=max_iter,
        alpha_W=alpha_W,
        alpha_H=alpha_H,
        l1_ratio=l1_ratio,
        random_state=random_state,
        verbose=verbose,
        shuffle=shuffle,
    )
    model._validate_params()
    X = check_array(X, accept_sparse=("csr", "csc"), dtype=FLOATS, order="C")
    found = factorise(model, X, W, H, update_H=update_H)
    return found.W, found.H, found.n_iter
