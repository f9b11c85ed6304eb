"""Sparse coding: rows as sums of few atoms of a given dictionary.

Problem     For the rows x_i and the atoms d_1 .. d_k of a dictionary D, (k, p), find codes u_i of
            few numbers that are not 0, with x_i about u_i D. Two ways to say few:
                min |x - u D|^2 / 2 + alpha sum_j |u_j|,                                         (1)
                min |x - u D|^2   with at most so many u_j not 0.                                (2)
Methods     Once D is known, only the products matter: G = D D', and <d_j, x> for each row.
            "lasso_lars", (1) by following the path of its minima (`core.gram_lars`): exact.
            "lasso_cd", (1) by coordinate descent to a duality gap of 1e-8 |x|^2
            (`core.gram_descent`).
            "omp", (2) by a greedy pursuit, atom by atom (`core.gram_pursuit`).
            "lars", (2) by least angle regression, stopped after so many lines.
            "threshold", (1) as if D D' = I:
                u_j = sign <d_j, x> max(|<d_j, x>| - alpha, 0).                                  (3)
Cost        n k p products for all <d_j, x>; then for a row of m atoms about k m^2 (lars) or k m
            (omp). Blocks of rows go to threads, each in one compiled pass.
Reference   As in the modules above. S. Chen, D. Donoho, M. Saunders, Atomic decomposition by basis
            pursuit, SIAM J. Scientific Computing, 1998.
"""

import sys
import warnings
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_array

from skcourse.core import gram_lars, gram_pursuit
from skcourse.core.chunks import one_blas_thread, reduce_blocks
from skcourse.core.coordinate_step import Rules
from skcourse.core.duality_gap import Net
from skcourse.core.gram_descent import descend_each
from skcourse.core.validation import FLOATS, Interval, StrOptions, validate_params

ALGORITHMS = ("lasso_lars", "lasso_cd", "lars", "omp", "threshold")
GAP = 1e-8  # of |x|^2, at which coordinate descent ends
BLOCK = 128  # rows at a time
TOO_LARGE = "The numbers in X and the dictionary are too large to be multiplied."


class Coding(NamedTuple):
    """How rows are coded."""

    algorithm: str
    alpha: float  # of (1)
    n_atoms: int  # of (2)
    max_iter: int
    positive: bool


def check_positive_coding(method, positive):
    """Raise ValueError if a method cannot keep codes from being negative."""
    if positive and method in ("omp", "lars"):
        raise ValueError(f"Positive constraint not supported for '{method}' coding method.")


def coding(algorithm, shape, *, alpha=None, n_nonzero_coefs=None, max_iter=1000, positive=False):
    """Return the Coding for a dictionary of `shape`, (k, p), with what is None filled in."""
    k, p = shape
    n_atoms = int(min(max(p / 10, 1), k)) if n_nonzero_coefs is None else int(n_nonzero_coefs)
    if algorithm == "omp" and n_atoms > k:
        raise ValueError("The number of atoms cannot be more than the number of features")
    return Coding(algorithm, 1.0 if alpha is None else float(alpha), n_atoms, max_iter, positive)


def by_path(gram, products, squares, how, codes, good):
    """Fill `codes` by lines of the path; the minimum that rounding has hidden is descended to."""
    k, lasso = len(gram), how.algorithm == "lasso_lars"
    end, lines = (how.alpha, how.max_iter) if lasso else (0.0, how.n_atoms)
    route = gram_lars.Route(end, lines, lasso, how.positive)
    gram_lars.follow_each(gram, products, route, gram_lars.room_for(k, k), codes, good)
    if not lasso:
        good[:] = True
    for i in np.flatnonzero(~good):
        by_descent(gram, products[i : i + 1], squares[i : i + 1], how, codes[i : i + 1], good[i:])


def by_descent(gram, products, squares, how, codes, good):
    """Improve `codes` by coordinate descent."""
    rules = Rules(GAP, GAP, -1.0, how.max_iter, False, np.uint64(0))
    net = Net(how.alpha, 0.0, how.positive)
    descend_each(gram, net, rules, products, squares, codes, good)


def by_pursuit(gram, products, squares, how, codes, good):
    """Fill `codes` by orthogonal matching pursuit."""
    room = gram_pursuit.room_for(how.n_atoms)
    gram_pursuit.pursue_each(gram, products, float(np.finfo(float).eps), room, codes, good)


def by_threshold(gram, products, squares, how, codes, good):
    """Fill `codes` by (3)."""
    sizes = products if how.positive else np.abs(products)
    codes[:] = np.copysign(np.maximum(sizes - how.alpha, 0.0), products)
    good[:] = True


SOLVERS = {
    "lasso_lars": by_path,
    "lars": by_path,
    "lasso_cd": by_descent,
    "omp": by_pursuit,
    "threshold": by_threshold,
}


def encode(X, dictionary, how, *, gram=None, cov=None, init=None, n_jobs=None):
    """Code rows; warn if it could not be done as asked.

    Parameters
    ----------
    X : array of shape (n, p)
    dictionary : array of shape (k, p)
    how : Coding
    gram : array of shape (k, k), default=None, D D'
    cov : array of shape (k, n), default=None, D X'
    init : array of shape (n, k), default=None, where coordinate descent begins
    n_jobs : int or None, default=None

    Returns
    -------
    codes : array of shape (n, k), dtype of X
    """
    atoms = np.ascontiguousarray(dictionary, dtype=np.float64)
    check_shapes(len(X), len(atoms), gram=gram, cov=cov, init=init)
    gram = None if how.algorithm == "threshold" else products_of(atoms, gram)
    codes = np.zeros((len(X), len(atoms)), X.dtype if X.dtype in FLOATS else np.float64)

    def part(rows):
        with np.errstate(over="ignore", invalid="ignore"):
            block = np.asarray(X[rows], dtype=np.float64)
            products = block @ atoms.T if cov is None else np.array(cov[:, rows].T, np.float64)
            squares = np.einsum("ij,ij->i", block, block)
        found = np.zeros(products.shape) if init is None else np.array(init[rows], np.float64)
        if not all(np.isfinite(a).all() for a in (products, squares, found)):
            raise ValueError(TOO_LARGE)
        good = np.zeros(len(found), np.bool_)
        SOLVERS[how.algorithm](gram, np.ascontiguousarray(products), squares, how, found, good)
        codes[rows] = found
        return np.count_nonzero(~good)

    blocks = [slice(start, start + BLOCK) for start in range(0, len(X), BLOCK)]
    n_bad = reduce_blocks(part, blocks, n_jobs=n_jobs)
    if n_bad:
        warn_of(n_bad, len(X), how)
    return codes


def products_of(atoms, gram=None):
    """Return the products of all atoms, or those that are known, never writeable: one type."""
    with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
        gram = atoms @ atoms.T if gram is None else np.array(gram, np.float64, order="C")
    if not np.isfinite(gram).all():
        raise ValueError(TOO_LARGE)
    gram.flags.writeable = False
    return gram


def check_shapes(n, k, **given):
    """Raise ValueError if one of the arrays that are `given` has not the shape for (n, k)."""
    shapes = {"gram": (k, k), "cov": (k, n), "init": (n, k)}
    for name, array in given.items():
        if array is not None and array.shape != shapes[name]:
            raise ValueError(f"{name}.shape == {array.shape}, expected {shapes[name]}")


def warn_of(n_bad, n, how):
    """Warn of the rows that are not coded as asked, at the line of the user's code."""
    if how.algorithm == "omp":
        message, category = gram_pursuit.PREMATURE, RuntimeWarning
    else:
        category = ConvergenceWarning
        message = (
            "Objective did not converge. You might want to increase the number of iterations "
            f"(max_iter={how.max_iter}), check the scale of the dictionary or increase alpha."
        )
    level, frame = 1, sys._getframe()
    while frame.f_back and frame.f_globals.get("__name__", "").split(".")[0] in INSIDE:
        frame, level = frame.f_back, level + 1
    warnings.warn(f"{message} This is so for {n_bad} of {n} rows.", category, stacklevel=level)


INSIDE = ("skcourse", "sklearn")  # whose lines a warning is not about


@validate_params(
    {
        "X": ["array-like"],
        "dictionary": ["array-like"],
        "gram": ["array-like", None],
        "cov": ["array-like", None],
        "algorithm": [StrOptions(set(ALGORITHMS))],
        "n_nonzero_coefs": [Interval(Integral, 1, None, closed="left"), None],
        "alpha": [Interval(Real, 0, None, closed="left"), None],
        "copy_cov": ["boolean"],
        "init": ["array-like", None],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "n_jobs": [Integral, None],
        "check_input": ["boolean"],
        "verbose": ["verbose"],
        "positive": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def sparse_encode(
    X,
    dictionary,
    *,
    gram=None,
    cov=None,
    algorithm="lasso_lars",
    n_nonzero_coefs=None,
    alpha=None,
    copy_cov=True,
    init=None,
    max_iter=1000,
    n_jobs=None,
    check_input=True,
    verbose=0,
    positive=False,
):
    """Find a sparse code for each row: X is about ``code @ dictionary``.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
    dictionary : array-like of shape (n_components, n_features)
        An atom per row; atoms of length 1 are treated alike.
    gram : array-like of shape (n_components, n_components), default=None
        The products of the atoms, ``dictionary @ dictionary.T``, if they are known.
    cov : array-like of shape (n_components, n_samples), default=None
        ``dictionary @ X.T``, if it is known.
    algorithm : {"lasso_lars", "lasso_cd", "lars", "omp", "threshold"}, default="lasso_lars"
        How; see the formulas at the top of this module.
    n_nonzero_coefs : int, default=None
        The most atoms of a row for "omp", and the lines of the path for "lars". None is a tenth of
        the features, and at least 1.
    alpha : float, default=None
        The penalty of "lasso_lars" and "lasso_cd", and the threshold of "threshold"; None is 1.
    copy_cov : bool, default=True
        For compatibility: `cov` is never changed.
    init : array-like of shape (n_samples, n_components), default=None
        Where "lasso_cd" begins; zeros by default.
    max_iter : int, default=1000
        The most sweeps of "lasso_cd", and lines of the path of "lasso_lars".
    n_jobs : int, default=None
        Threads; None is 1 unless a joblib context says otherwise, -1 all cores.
    check_input : bool, default=True
        False trusts X and the dictionary to be finite arrays of floats.
    verbose : bool or int, default=0
        Whether to print what was done.
    positive : bool, default=False
        Keep codes from being negative; not for "omp" and "lars".

    Returns
    -------
    code : ndarray of shape (n_samples, n_components), dtype of X

    See Also
    --------
    SparseCoder : The same as a transformer.

    Notes
    -----
    Numbers are float64 within, also for float32 X. "lars" is that of Efron et al. (2004), where a
    coefficient may pass through 0; scikit-learn's turns the sign of that atom, and adds none.

    Examples
    --------
    >>> from skcourse.decomposition import sparse_encode
    >>> strokes = [[1.0, 0.0, 0.0], [0.0, 0.6, 0.8], [0.0, 0.0, 1.0]]
    >>> sparse_encode([[2.0, 0.0, 0.0], [0.0, 3.0, 4.0]], strokes, alpha=0.5)
    array([[1.5, 0. , 0. ],
           [0. , 4.5, 0. ]])
    """
    if check_input:
        dictionary = check_array(dictionary, order="C", dtype=FLOATS)
        X = check_array(X, order="C", dtype=FLOATS)
    if dictionary.shape[1] != X.shape[1]:
        raise ValueError(
            "Dictionary and X have different numbers of features:"
            f"dictionary.shape: {dictionary.shape} X.shape{X.shape}"
        )
    check_positive_coding(algorithm, positive)
    how = coding(
        algorithm,
        dictionary.shape,
        alpha=alpha,
        n_nonzero_coefs=n_nonzero_coefs,
        max_iter=max_iter,
        positive=positive,
    )
    gram, cov, init = (None if a is None else np.asarray(a) for a in (gram, cov, init))
    codes = encode(X, dictionary, how, gram=gram, cov=cov, init=init, n_jobs=n_jobs)
    if verbose:
        share = np.count_nonzero(codes) / max(len(codes), 1)
        print(f"{algorithm}: {len(codes)} rows coded, {share:.1f} atoms in each.")
    return codes
