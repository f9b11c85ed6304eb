"""Principal components of rows that come in batches, keeping a few axes and no rows.

Problem     The k leading axes V of n rows, (k, p), their singular values s and the mean m, when
            only a batch of b rows fits into memory: what was seen before is kept as m, s and V.
Update      With W_a rows before and W_b in the batch, of mean m_b and centred rows B,
                d = m_b - m_a,   m = m_a + d W_b / W,   W = W_a + W_b                  (1)
                A = [diag(s) V; B; (W_a W_b / W)^(1/2) d'],   A = U diag(s) V'         (2)
            and of (2) the k leading s_i and v_i are kept. Were nothing left out, A'A would be the
            scatter matrix of all rows; what is left out of a batch is lost to the later ones, so
            the batches matter a little.
Routes      A has r = k + b + 1 rows. A long one needs no more than
                A'A = V' diag(s^2) V + B'B + d d' W_a W_b / W                          (3)
            of which the p x p eigenproblem, and B'B of the batches ahead, on other threads, cost
            far less than an SVD of A. Squares lose digits: where s_k turns out below 1e-3 s_1, the
            triangle of A = QR is decomposed in the place of (3). A short one, 2 r < p, is
            decomposed by QR of A'.
Cost        A batch: b p^2 + 4/3 p^3 products by (3), 2 p r^2 + 20 r^3 if it is short.
Reference   D. Ross, J. Lim, R.-S. Lin, M.-H. Yang, Incremental learning for robust visual
            tracking, Int. J. Computer Vision, 2008. A. Levy, M. Lindenbaum, Sequential
            Karhunen-Loeve basis extraction, IEEE Trans. Image Processing, 2000.
"""

from numbers import Integral
from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import gen_batches

from skcourse.core import factors, moments
from skcourse.core.chunks import reduce_blocks
from skcourse.core.dense_chunks import DenseChunks
from skcourse.core.factors import Factor
from skcourse.core.linalg import triangle
from skcourse.core.moments import Moments, centred_rows, merged_means, quiet
from skcourse.core.validation import (
    Interval,
    check_finite_sums,
    check_weights,
    fit_context,
    read_X,
)
from skcourse.decomposition import spectrum
from skcourse.decomposition.base import Axes, axes_of, count_rows


class Batch(NamedTuple):
    """A batch, and its sums."""

    X: np.ndarray  # (b, p)
    weights: np.ndarray | None  # (b,)
    sums: Moments | Factor  # with B'B, or with B as R, as B'B = R'R


class Seen(NamedTuple):
    """What is kept of all rows so far; float64."""

    weight: float  # W
    mean: np.ndarray  # m, (p,)
    rest: np.ndarray | float  # of m, below its last digit, (p,)
    squares: np.ndarray  # sum of w_i (x_if - m_f)^2, (p,)
    spectrum: spectrum.Spectrum  # s and V of the k leading axes
    noise: float  # the mean of the s_i^2 that the last batch left out, 0 if none


@quiet
def read_batch(X, weights, k):
    """Return a batch: with B'B if (2) will be long, with B if it will be short."""
    if is_short(len(X), X.shape[1], k):
        w = np.empty(0) if weights is None else weights
        rows, weight, mean, rest = centred_rows([X], w)
        rows -= rest if weights is None else np.outer(np.sqrt(weights), rest)
        return Batch(X, weights, Factor(weight, mean, rest, rows, len(X), X.shape[1]))
    return Batch(X, weights, moments.moments(X, None, weights))


def is_short(b, p, k):
    """Tell whether the rows of (2) are so few that QR of A' is the quickest way."""
    return 2 * (k + b + 1) < p


@quiet
def update(seen, batch, k):
    """Return what is kept of the rows seen, None if there are none, and of a batch."""
    sums = batch.sums
    mean, rest, shift = sums.mean, sums.rest, np.zeros((0, len(sums.mean)))
    if seen is not None:
        d, mean, rest = merged_means(seen, sums)
        share = seen.weight / (seen.weight + sums.weight)
        shift = np.sqrt(share * sums.weight) * d[np.newaxis]
    found = of_squares(seen, sums, shift, k) if isinstance(sums, Moments) else None
    if found is None:
        found = of_rows(seen, batch, shift, k)
    weight, squares = sums.weight, squared_columns(sums) + np.sum(np.square(shift), axis=0)
    n_rows = count_rows(sums.n_rows, weight)
    if seen is not None:
        weight, squares, n_rows = weight + seen.weight, squares + seen.squares, n_rows + k + 1
    q = min(n_rows, len(mean))
    left = spectrum.remaining(np.square(found.values), k, q, np.square(found.size))
    found = found._replace(values=found.values[:k], axes=found.axes[:k], scores=None)
    return Seen(weight, mean, rest, squares, found, left / (q - k) if k < q else 0.0)


def of_squares(seen, sums, shift, k):
    """Return the spectrum of (2) by (3); None where squares have lost the digits of s_k."""
    S = sums.scatter + shift.T @ shift
    if seen is not None:
        A = kept_rows(seen)
        S += A.T @ A
    return spectrum.of_squares(S, k)


def of_rows(seen, batch, shift, k):
    """Return the spectrum of (2) by orthogonal transformations."""
    sums = batch.sums
    if isinstance(sums, Moments):
        sums = factors.factor(batch.X, None, batch.weights)
    A = np.vstack([sums.R, shift] if seen is None else [kept_rows(seen), sums.R, shift])
    if len(A) < k:  # rows of a weight count as several
        A = np.vstack([A, np.zeros((k - len(A), A.shape[1]))])
    if len(A) < A.shape[1]:
        return spectrum.of_few_rows(A, k)
    return spectrum.of_triangle(triangle(A), A.shape[1])


def kept_rows(seen):
    """Return diag(s) V, (k, p)."""
    return seen.spectrum.values[:, np.newaxis] * seen.spectrum.axes


def squared_columns(sums):
    """Return the squared lengths of the columns of B, (p,)."""
    if isinstance(sums, Moments):
        return np.diagonal(sums.scatter)
    return np.einsum("ij,ij->j", sums.R, sums.R)


class IncrementalPCA(Axes):
    """Project the rows onto the directions in which they vary most, found a batch at a time.

    A drop-in for scikit-learn's, which also takes `sample_weight` and keeps float32. For the same
    batches it finds the same axes.

    Parameters
    ----------
    n_components : int or None, default=None
        How many components to keep, at most as many as the first batch has rows; None is
        min(n_samples, n_features) of the first batch.
    whiten : bool, default=False
        Divide the scores by their standard deviations.
    copy : bool, default=True
        Of no effect: X is never overwritten.
    batch_size : int or None, default=None
        Rows of a batch in `fit`; None is 5 n_features. A remainder of fewer rows than
        `n_components` joins the batch before it.

    Attributes
    ----------
    components_ : ndarray of shape (n_components_, n_features_in_)
        Orthonormal rows, by falling variance.
    explained_variance_ : ndarray of shape (n_components_,)
        In the units of X squared, with the divisor `n_samples_seen_` - 1.
    explained_variance_ratio_ : ndarray of shape (n_components_,)
        The shares of the variance of all features together.
    singular_values_ : ndarray of shape (n_components_,)
        Of the weighted rows about their mean.
    mean_ : ndarray of shape (n_features_in_,)
    var_ : ndarray of shape (n_features_in_,)
        The variance of each feature, with the divisor `n_samples_seen_`; exact, whatever is kept.
    noise_variance_ : float
        The mean variance along the directions that the last batch left out; 0 if there were none.
    n_components_ : int
    n_samples_seen_ : int or float
        The number of rows, or the sum of their weights.
    batch_size_ : int
        Of `fit`.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X had names for all its columns.

    Notes
    -----
    A row of weight 2 counts as two rows of its batch, and one of weight 0 is absent before the
    batches are cut.

    scikit-learn reports a noise of 0 whenever the last batch has as many rows as there are
    components, though it left something out; here that is so for the first batch only.

    Examples
    --------
    >>> import numpy as np
    >>> from skcourse.decomposition import IncrementalPCA
    >>> X = np.array([[-1.0, -1], [-2, -1], [-3, -2], [1, 1], [2, 1], [3, 2]])
    >>> pca = IncrementalPCA(n_components=1, batch_size=3).fit(X)
    >>> pca.explained_variance_ratio_.round(4)
    array([0.9924])
    >>> pca.partial_fit([[4.0, 3.0]]).n_samples_seen_
    7
    """

    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
        "whiten": ["boolean"],
        "copy": ["boolean"],
        "batch_size": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(self, n_components=None, *, whiten=False, copy=True, batch_size=None):
        self.n_components = n_components
        self.whiten = whiten
        self.copy = copy
        self.batch_size = batch_size

    @fit_context
    def fit(self, X, y=None, sample_weight=None):
        """Find the components of the rows, `batch_size` of them at a time.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Sparse rows are written out a batch at a time, a memmap is read once.
        y : ignored
        sample_weight : array-like of shape (n_samples,), default=None
            How often each row counts; None is once.

        Returns
        -------
        self : IncrementalPCA

        Raises
        ------
        ValueError
            If there are fewer features, or rows in the first batch, than `n_components`.
        """
        X = read_X(self, X, reset=True, finite=False, accept_sparse=("csr", "csc", "lil"))
        if issparse(X):
            X = X.tocsr()
            check_finite_sums(X.data.sum(), X, estimator=self)
        X, weights = present(X, check_weights(sample_weight, X))
        p = X.shape[1]
        size = 5 * p if self.batch_size is None else self.batch_size
        batches = list(gen_batches(X.shape[0], size, min_batch_size=self.n_components or 0))
        k = self._count_components(batches[0].stop, p, weights, None)
        rows = DenseChunks(X) if issparse(X) else X

        def part(batch):
            w = None if weights is None else weights[batch]
            return self._read_batch(np.asarray(rows[batch]), w, k, check=True)

        def combine(before, batch):
            return update(begun(before, k), batch, k)

        seen = begun(reduce_blocks(part, batches, combine), k)
        self._set(seen, weights is not None, X.dtype)
        self.batch_size_ = size
        return self

    @fit_context
    def partial_fit(self, X, y=None, check_input=True, sample_weight=None):
        """Add one batch to the rows of `fit` or of earlier calls.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : ignored
        check_input : bool, default=True
            False if X is known to be an array of floats, finite and of the right width.
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : IncrementalPCA

        Raises
        ------
        ValueError
            If there are fewer features, or rows in a first batch, than `n_components`, or if this
            is no longer the number that was kept.
        TypeError
            If X is sparse.
        """
        seen = getattr(self, "_seen", None)
        if issparse(X):
            raise TypeError(
                "IncrementalPCA.partial_fit does not support sparse input. Either convert data to "
                "dense or use IncrementalPCA.fit to do so in batches."
            )
        if check_input:
            X = read_X(self, X, reset=seen is None, finite=False)
        else:
            X = np.ascontiguousarray(X)
            self.n_features_in_ = X.shape[1]
        X, weights = present(X, check_weights(sample_weight, X, zero=seen is not None))
        if not len(X):
            return self
        k = self._count_components(len(X), X.shape[1], weights, seen)
        weighted, dtype = weights is not None, X.dtype
        if seen is not None:
            weighted = weighted or isinstance(self.n_samples_seen_, float)
            dtype = np.result_type(X, self.components_)
        seen = update(seen, self._read_batch(X, weights, k, check=check_input), k)
        self._set(seen, weighted, dtype)
        return self

    def _count_components(self, n_first, p, weights, seen):
        """Return k, or raise scikit-learn's ValueError.

        Parameters
        ----------
        n_first : int, the rows of this batch, of `weights`, (n_first, ..) or None
        p : int
        seen : Seen or None
        """
        k = self.n_components
        if weights is not None:
            n_first = count_rows(n_first, np.sum(weights[:n_first], dtype=np.float64))
        if k is None:
            return min(n_first, p) if seen is None else len(seen.spectrum.values)
        if k > p:
            raise ValueError(
                f"n_components={k!r} invalid for n_features={p}, need more rows than columns for "
                "IncrementalPCA processing"
            )
        if seen is None and k > n_first:
            raise ValueError(
                f"n_components={k} must be less or equal to the batch number of samples {n_first} "
                "for the first partial_fit call."
            )
        if seen is not None and k != len(seen.spectrum.values):
            raise ValueError(
                f"Number of input features has changed from {len(seen.spectrum.values)} to {k} "
                "between calls to partial_fit! Try setting n_components to a fixed value."
            )
        return k

    def _read_batch(self, X, weights, k, *, check):
        """Return the Batch of rows, which are checked for NaN by its sums."""
        batch = read_batch(X, weights, k)
        if check:
            check_finite_sums(batch.sums.mean, X, estimator=self)
        return batch

    def _set(self, seen, weighted, dtype):
        """Set the attributes, the last thing that a fit does."""
        s = seen.spectrum.values
        freedom = seen.weight - 1 if seen.weight > 1 else np.nan
        self.components_ = axes_of(seen.spectrum, len(s), dtype)[0]
        self.singular_values_ = s.astype(dtype)
        with np.errstate(all="ignore"):  # constant rows, a single row, squares that overflow
            self.explained_variance_ = (np.square(s) / freedom).astype(dtype)
            self.explained_variance_ratio_ = (np.square(s) / seen.squares.sum()).astype(dtype)
            self.noise_variance_ = dtype.type(seen.noise / freedom if seen.noise else 0.0)
        self.mean_ = (seen.mean + seen.rest).astype(dtype)
        self.var_ = (seen.squares / seen.weight).astype(dtype)
        self.n_components_ = len(s)
        self.n_samples_seen_ = float(seen.weight) if weighted else int(seen.weight)
        self._seen = seen

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True  # of `fit`
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def begun(before, k):
    """Return what is kept of a first batch, or what is kept already."""
    return before if isinstance(before, Seen) else update(None, before, k)


def present(X, weights):
    """Return the rows that have a weight, and their weights."""
    if weights is None or weights.all():
        return X, weights
    return X[weights > 0], weights[weights > 0]
