"""The leading singular vectors of a matrix as it is, not about its mean: latent semantic analysis.

Problem     Of rows x_i of weight w_i, with A = W^(1/2) X = U diag(s) V', all s_i in falling order,
            find the first k rows of V: the plane through 0 that leaves the least unexplained,
                min over V, (k, p), V V' = 1, of  sum_i w_i |x_i - V'V x_i|^2         (1)
            The rows keep their zeros; so X may be sparse, as counts of words are.
Variance    Scores z = V x vary about their own mean: with m and S the mean and the scatter of the
            rows about it,
                variance of z_j = v_j' S v_j / sum w_i                                 (2)
Routes      Tall dense rows are read once, for m and S, and
                A'A = S + m m' sum w_i                                                 (3)
            has the axes; it serves if s_k is at least 1e-3 s_1, as its squares lose digits. Other
            rows are multiplied by blocks of vectors, see `randomized` and `lanczos`, or, where an
            exact answer costs less, decomposed by orthogonal transformations.
Cost        n p^2 products by (3), (2 q + 2) b n p in q steps with blocks of b vectors; for
            sparse X its entries in the place of n p.
Reference   S. Deerwester et al., Indexing by latent semantic analysis, J. American Society for
            Information Science, 1990.
"""

from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from skcourse.core import factors, moments
from skcourse.core.centred_rows import CentredRows
from skcourse.core.linalg import FLOOR
from skcourse.core.moments import centred_rows, quiet
from skcourse.core.validation import (
    FLOATS,
    Interval,
    StrOptions,
    check_finite_sums,
    check_weights,
    fit_context,
    read_X,
)
from skcourse.decomposition import randomized, spectrum
from skcourse.decomposition.base import axes_of, count_rows, project
from skcourse.decomposition.dispersion import dispersion
from skcourse.decomposition.lanczos import lanczos
from skcourse.decomposition.sparse_rows import SparseRows, product
from skcourse.decomposition.spectrum import Spectrum

TALL = 10  # rows for each column from which (3) is quick
SMALL = 2**22  # entries up to which sparse rows may be written out
VISIBLE = 0.1  # of the largest deviation: one that float32 products know to 1e-4, or better


class Solution(NamedTuple):
    """What a route finds; float64."""

    spectrum: Spectrum  # of A
    variances: np.ndarray  # (2) of the k axes, (k,)
    total: float  # the sum of the variances of all features


def solve(svd, X, weights, k):
    """Return the solution of validated rows.

    Parameters
    ----------
    svd : TruncatedSVD, for its parameters and the messages
    X : {array, sparse matrix} of shape (n, p)
    weights : array of shape (n,) or None
    k : int, at most n and p
    """
    n, p = X.shape
    wide = k + (svd.n_oversamples + 1) // 2
    worthwhile = randomized.is_worthwhile((n, p), wide, svd.n_iter)
    exact = svd.algorithm == "randomized" and not worthwhile
    if issparse(X):
        check_finite_sums(X.data.sum(), X, estimator=svd)
        if exact and n * p <= SMALL:
            X = X.toarray()
    if not issparse(X) and svd.algorithm == "randomized" and is_tall(X.shape, wide, svd.n_iter):
        solution = by_scatter(svd, X, weights, k)
        if solution is not None:
            return solution
    if exact and not issparse(X):
        return by_rows(svd, X, weights, k)
    return by_products(svd, X, weights, k)


def is_tall(shape, b, n_iter):
    """Tell whether (3) costs less than the steps with blocks of `b` vectors."""
    n, p = shape
    return n >= TALL * p and p <= 4 * (n_iter + 1) * b


@quiet
def by_scatter(svd, X, weights, k):
    """Return the solution by (3); None where squares are of no use.

    The products of float32 rows are float32 where that cannot be seen: for few axes, of which none
    is short beside the others.
    """
    dtypes = [np.float64]
    if X.dtype == np.float32 and spectrum.is_partial(X.shape[1], k):
        dtypes = [np.float32, np.float64]
    for dtype in dtypes:
        sums = moments.moments(X, None, weights, dtype=dtype)
        check_finite_sums(sums.scatter, X, estimator=svd)
        mean = sums.mean + sums.rest
        found = spectrum.of_squares(sums.scatter + sums.weight * np.outer(mean, mean), k)
        if found is None:
            return None
        V = found.axes[:k]
        variances = np.einsum("ij,ij->i", V @ sums.scatter, V)
        least = min(variances.min(), np.square(found.values[k - 1]))
        if least > VISIBLE**2 * variances.max():
            break
    total = np.trace(sums.scatter) / sums.weight
    return Solution(found, variances.clip(min=0.0) / sums.weight, total)


@quiet
def by_rows(svd, X, weights, k):
    """Return the solution by orthogonal transformations of dense rows."""
    none = np.empty(0) if weights is None else weights
    spread = dispersion(X, weights)
    check_finite_sums(spread.total, X, estimator=svd)
    if len(X) >= X.shape[1]:
        found = spectrum.of_triangle(factors.factor(X, None, weights, centre=False).R, X.shape[1])
    else:
        A = centred_rows([X], none, centre=False)[0]
        found = spectrum.of_few_rows(A, k)
    return shown(found, project(X, found.axes[:k], None, svd), weights, spread)


@quiet
def by_products(svd, X, weights, k):
    """Return the solution from products with the rows."""
    spread = dispersion(X, weights)
    check_finite_sums(spread.total, X, estimator=svd)
    n, p = X.shape
    squares = spread.total + spread.weight * spread.mean @ spread.mean
    if not FLOOR < squares < np.inf:
        return in_another_unit(svd, X, weights, k) if issparse(X) else by_rows(svd, X, weights, k)
    size = np.sqrt(squares)
    A = SparseRows(X, weights) if issparse(X) else CentredRows(X, None, weights)
    options = {"size": size, "random_state": svd.random_state}
    if svd.algorithm == "arpack":
        found = lanczos(A, k, tol=svd.tol, **options)
    else:
        b = min(randomized.block_width((n, p), k, svd.n_oversamples), n, p)
        options["normalizer"] = svd.power_iteration_normalizer
        found = randomized.block_krylov(A, k, b, n_steps=svd.n_iter, **options)
    scores = product(A.X, found.axes.T) if issparse(X) else project(X, found.axes, None, svd)
    return shown(found, scores, weights, spread)


def in_another_unit(svd, X, weights, k):
    """Return the solution of sparse rows whose squares overflow or vanish, if not all are 0."""
    unit = np.abs(X.data).max(initial=0.0)
    if unit == 0:
        none = Spectrum(np.zeros(k), np.zeros((k, X.shape[1])), 0.0, 0.0)
        return Solution(none, np.zeros(k), 0.0)
    found, variances, total = by_products(svd, X.astype(np.float64) * (1 / unit), weights, k)
    found = found._replace(values=unit * found.values)
    return Solution(found, unit * variances * unit, unit * total * unit)


def shown(found, scores, weights, spread):
    """Return the solution with the variances of unweighted scores, (n, k)."""
    mean = np.average(scores, axis=0, weights=weights)
    variances = np.average(np.square(scores - mean), axis=0, weights=weights)
    return Solution(found, variances, spread.total / spread.weight)


class TruncatedSVD(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Project the rows onto their leading singular vectors, about 0: sparse rows stay sparse.

    A drop-in for scikit-learn's, which also takes `sample_weight`.

    Parameters
    ----------
    n_components : int, default=2
        At most n_features; less than both dimensions of X with "arpack". Where "randomized" is
        asked for more than there are rows, it finds as many as there are rows.
    algorithm : {"arpack", "randomized"}, default="randomized"
        "arpack" is the Lanczos iteration. "randomized" is block Krylov iteration; where a
        decomposition of all costs less, as of tall dense X, it is that, and exact.
    n_iter : int, default=5
        Steps of "randomized". As the last four blocks are kept, and not the last alone, they
        capture more than as many of scikit-learn's.
    n_oversamples : int, default=10
        The blocks of "randomized" are wider than `n_components` by half of this.
    power_iteration_normalizer : {"auto", "QR", "LU", "none"}, default="auto"
        What "randomized" does to the blocks of the steps before the last four; "auto" is LU.
    random_state : int, RandomState instance or None, default=None
        Starts either algorithm.
    tol : float, default=0.0
        Of the singular values by "arpack", relative; 0 is the working precision.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features_in_)
        Orthonormal rows, by falling singular value.
    explained_variance_ : ndarray of shape (n_components,)
        Of the scores about their mean. They need not fall.
    explained_variance_ratio_ : ndarray of shape (n_components,)
        The shares of the variance of all features together.
    singular_values_ : ndarray of shape (n_components,)
        Of the weighted rows.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X had names for all its columns.

    Notes
    -----
    A row of weight 2 counts as two rows, and one of weight 0 is absent.

    Components of singular value 0, up to rounding, are arbitrary; here the others decide them.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> from skcourse.decomposition import TruncatedSVD
    >>> words = csr_array([[2.0, 1, 0, 0], [1, 2, 0, 0], [0, 0, 1, 1]])
    >>> svd = TruncatedSVD(n_components=2, random_state=0).fit(words)
    >>> svd.singular_values_.round(3)
    array([3.   , 1.414])
    >>> svd.transform(words).round(2)
    array([[2.12, 0.  ],
           [2.12, 0.  ],
           [0.  , 1.41]])
    """

    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "algorithm": [StrOptions({"arpack", "randomized"})],
        "n_iter": [Interval(Integral, 0, None, closed="left")],
        "n_oversamples": [Interval(Integral, 1, None, closed="left")],
        "power_iteration_normalizer": [StrOptions({"auto", "QR", "LU", "none"})],
        "random_state": ["random_state"],
        "tol": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        n_components=2,
        *,
        algorithm="randomized",
        n_iter=5,
        n_oversamples=10,
        power_iteration_normalizer="auto",
        random_state=None,
        tol=0.0,
    ):
        self.n_components = n_components
        self.algorithm = algorithm
        self.n_iter = n_iter
        self.n_oversamples = n_oversamples
        self.power_iteration_normalizer = power_iteration_normalizer
        self.random_state = random_state
        self.tol = tol

    @fit_context
    def fit(self, X, y=None, sample_weight=None):
        """Find the leading singular vectors.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : ignored
        sample_weight : array-like of shape (n_samples,), default=None
            How often each row counts; None is once.

        Returns
        -------
        self : TruncatedSVD

        Raises
        ------
        ValueError
            If the algorithm cannot find `n_components`.
        """
        self._fit(X, sample_weight)
        return self

    @fit_context
    def fit_transform(self, X, y=None, sample_weight=None):
        """Find the leading singular vectors, and project the rows onto them; see `fit`.

        Returns
        -------
        scores : ndarray of shape (n_samples, n_components)
        """
        return self._project(self._fit(X, sample_weight))

    def transform(self, X):
        """Project the rows onto the components.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        scores : ndarray of shape (n_samples, n_components)
        """
        if not hasattr(self, "components_"):
            check_is_fitted(self)
        return self._project(self._read(X, order=None))

    def inverse_transform(self, X):
        """Return the rows that have these scores, and nothing beside the components.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_components)

        Returns
        -------
        X_original : ndarray of shape (n_samples, n_features)
        """
        check_is_fitted(self)
        return check_array(X, input_name="X", dtype=FLOATS) @ self.components_

    def _fit(self, X, sample_weight):
        """Fit, and return the validated rows."""
        X = self._read(X, reset=True)
        if X.shape[1] < 2:
            check_array(X, accept_sparse=True, ensure_min_features=2, estimator=self)
        weights = check_weights(sample_weight, X)
        k = self._count_components(X, weights)
        found, variances, total = solve(self, X, weights, min(k, X.shape[0]))
        dtype = X.dtype
        s = np.zeros(k)
        s[: len(found.values)] = found.values[:k]
        found = found._replace(values=s)
        self.components_ = axes_of(found, k, dtype)[0]
        self.singular_values_ = s.astype(dtype)
        self.explained_variance_ = np.zeros(k, dtype)
        self.explained_variance_[: len(variances)] = variances
        with np.errstate(all="ignore"):  # constant rows
            self.explained_variance_ratio_ = (self.explained_variance_ / total).astype(dtype)
        return X

    def _read(self, X, **options):
        """Return the validated rows: floats, made of other numbers but not of strings."""
        sparse = ("csr", "csc")
        X = read_X(self, X, finite=False, accept_sparse=sparse, dtype="numeric", **options)
        return X if X.dtype in FLOATS else X.astype(np.float64)

    def _count_components(self, X, weights):
        """Return k, or raise ValueError."""
        p, k = X.shape[1], self.n_components
        n = X.shape[0]
        if weights is not None:
            n = count_rows(np.count_nonzero(weights), np.sum(weights, dtype=np.float64))
        if self.algorithm == "arpack":
            if k >= min(X.shape):
                raise ValueError(
                    f"n_components({k}) must be < min(n_samples, n_features)={min(X.shape)} with "
                    "algorithm='arpack'."
                )
        elif k > p:
            raise ValueError(f"n_components({k}) must be <= n_features({p}).")
        return min(k, n)

    def _project(self, X):
        """Return the scores of validated rows."""
        return project(X, self.components_, None, self)

    @property
    def _n_features_out(self):
        return len(self.components_)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
