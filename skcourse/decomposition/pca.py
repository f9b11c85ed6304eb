"""Principal component analysis.

Problem     Of rows x_i of weight w_i, with W = sum w_i, find the mean m and the k orthonormal
            directions v_j in which the rows vary most, so that the plane through m along them
            leaves the least of the rows unexplained:
                min over V, (k, p), V V' = 1, of  sum_i w_i |x_i - m - V'V (x_i - m)|^2   (1)
Solution    With A = W^(1/2) (X - 1 m') = U diag(s) V', all s_i in falling order, the v_j are the
            first k rows of V, what is left is the sum of the other s_i^2, and
                variance along v_j: l_j = s_j^2 / (W - 1)                                 (2)
                noise: v = (l_{k+1} + .. + l_q) / (r - k),  q = min(n, p)                 (3)
            with r = q, or p for "covariance_eigh", as in scikit-learn. How V is found is the
            solver's business, see `solvers`.
Signs       The entry of v_j that is largest in size is positive, the first of equals in the
            dtype of X. Of float64 entries that differ by rounding only, as those of two columns
            in standard units do, the last bit decides, here as in scikit-learn.
Pieces      The mean and A'A, or R of A = QR, can be merged for two sets of rows: a fit in pieces
            is the fit of the whole.
Cost        n p^2 products for n >> p; see `spectrum`, `randomized` and `lanczos`.
Reference   I. Jolliffe, Principal Component Analysis, 2nd ed., Springer, 2002.
"""

from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse

from skcourse.core import factors, moments
from skcourse.core.factors import Factor
from skcourse.core.history import warn_not_converged
from skcourse.core.moments import Moments
from skcourse.core.validation import (
    Interval,
    RealNotInt,
    StrOptions,
    check_weights,
    fit_context,
    read_X,
)
from skcourse.decomposition.base import PrincipalAxes, axes_of, count_rows
from skcourse.decomposition.dimension import by_evidence, by_share
from skcourse.decomposition.solvers import (
    check_n_components,
    choose_solver,
    of_sums,
    solve,
    sums_of,
    sums_of_axes,
)
from skcourse.decomposition.spectrum import remaining

MERGE = {Moments: moments.merge, Factor: factors.merge}
SOLVERS = ("auto", "full", "covariance_eigh", "arpack", "randomized", "deflation")
TAKE_SPARSE = ("auto", "arpack", "covariance_eigh", "deflation")


class Seen(NamedTuple):
    """What is kept of the rows of `fit` and `partial_fit`, for more of them to come."""

    sums: Moments | Factor
    n_present: int  # rows of positive weight
    weighted: bool


class PCA(PrincipalAxes):
    """Project the rows onto the few directions in which they vary most.

    A drop-in for scikit-learn's, which also takes `sample_weight`, learns in pieces by
    `partial_fit`, and reads a `memmap` larger than memory.

    Parameters
    ----------
    n_components : int, float, "mle" or None, default=None
        How many components to keep: a number; with 0 < n_components < 1 as many as explain more
        than this share of the variance; "mle" asks Minka's evidence; None keeps all, less one
        with "arpack".
    copy : bool, default=True
        False allows `fit` to overwrite X, which only "full" on fewer rows than columns, of
        float64 and without weights, makes use of. All else needs no copy of a C-contiguous X.
    whiten : bool, default=False
        Divide the scores by their standard deviations.
    svd_solver : {"auto", "full", "covariance_eigh", "arpack", "randomized", "deflation"}
        "full" works by orthogonal transformations and keeps the small singular values.
        "covariance_eigh" works on the scatter matrix, about the mean from the start: fast for
        n_samples >> n_features, but blind below 1e-8 of the largest singular value. "arpack" and
        "randomized" find the leading components only, the latter by block Krylov iteration.
        "deflation" finds one after the other by power iteration, as it is taught: slow, and it
        warns where variances are too close to be told apart; see its module, `deflation`.
        "auto", the default, picks by shape, as scikit-learn does. Sparse X takes "arpack" (which
        is "auto"), "covariance_eigh" and "deflation". Where squares overflow or vanish, or an
        exact answer costs less than "randomized", "full" takes its place.
    tol : float, default=0.0
        Of the singular values by "arpack", relative; of "deflation", where a step of power
        iteration ends at |S v - l v| <= tol l. 0 is the working precision.
    iterated_power : int or "auto", default="auto"
        Steps of "randomized". "auto" is 4; as the last four blocks are kept, and not the last
        alone, they capture at least as much as scikit-learn's 7. Of "deflation", the most that
        an axis may take; "auto" is 1000.
    n_oversamples : int, default=10
        The blocks of "randomized" are wider than `n_components` by half of this.
    power_iteration_normalizer : {"auto", "QR", "LU", "none"}, default="auto"
        What "randomized" does to the blocks of the steps before the last four; "auto" is LU.
    random_state : int, RandomState instance or None, default=None
        Starts "arpack", "randomized" and "deflation".

    Attributes
    ----------
    components_ : ndarray of shape (n_components_, n_features_in_)
        Orthonormal rows, by falling variance.
    explained_variance_ : ndarray of shape (n_components_,)
        In the units of X squared, with the divisor `n_samples_` - 1.
    explained_variance_ratio_ : ndarray of shape (n_components_,)
        The shares of the variance of all features together.
    singular_values_ : ndarray of shape (n_components_,)
        Of the weighted rows about their mean.
    mean_ : ndarray of shape (n_features_in_,)
    n_components_ : int
    n_samples_ : int or float
        The number of rows, or the sum of their weights.
    noise_variance_ : float
        The mean of the variances along all directions that are left out; 0 if there are none. On
        fewer rows than columns, "covariance_eigh" counts all n_features directions, and the other
        solvers as many as there are rows.
    n_iter_ : ndarray of shape (n_components_,)
        Only if `svd_solver` is "deflation": the steps of power iteration for each component; 0
        where "full" took its place.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X had names for all its columns.

    Notes
    -----
    A row of weight 2 counts as two rows, and one of weight 0 is absent: variances are divided by
    the sum of the weights less 1, and min(n_samples, n_features) is taken with the sum of the
    weights (or with the number of rows that have a weight, if that is larger).

    With `whiten`, the model of `get_covariance`, `get_precision` and `score_samples` is another
    one, as in scikit-learn (its issue 13898). On constant rows the ratios, and on a single row
    the variances, are 0 / 0: NaN, as in scikit-learn.

    Components along which there is no variance, up to rounding, are arbitrary; here the others
    decide them, see `spectrum.completed`.

    The same bits come out whatever the number of threads, except that a decomposition of a large
    matrix (beyond 512 x 512, not the sums over rows) runs on as many as BLAS is allowed.

    Examples
    --------
    >>> import numpy as np
    >>> from skcourse.decomposition import PCA
    >>> X = np.array([[-1.0, -1], [-2, -1], [-3, -2], [1, 1], [2, 1], [3, 2]])
    >>> pca = PCA(n_components=1).fit(X)
    >>> pca.explained_variance_ratio_.round(4)
    array([0.9924])
    >>> pca.transform([[3.0, 2.0]]).round(3)
    array([[3.605]])
    """

    _parameter_constraints: dict = {
        "n_components": [
            Interval(Integral, 0, None, closed="left"),
            Interval(RealNotInt, 0, 1, closed="neither"),
            StrOptions({"mle"}),
            None,
        ],
        "copy": ["boolean"],
        "whiten": ["boolean"],
        "svd_solver": [StrOptions(set(SOLVERS))],
        "tol": [Interval(Real, 0, None, closed="left")],
        "iterated_power": [StrOptions({"auto"}), Interval(Integral, 0, None, closed="left")],
        "n_oversamples": [Interval(Integral, 1, None, closed="left")],
        "power_iteration_normalizer": [StrOptions({"auto", "QR", "LU", "none"})],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_components=None,
        *,
        copy=True,
        whiten=False,
        svd_solver="auto",
        tol=0.0,
        iterated_power="auto",
        n_oversamples=10,
        power_iteration_normalizer="auto",
        random_state=None,
    ):
        self.n_components = n_components
        self.copy = copy
        self.whiten = whiten
        self.svd_solver = svd_solver
        self.tol = tol
        self.iterated_power = iterated_power
        self.n_oversamples = n_oversamples
        self.power_iteration_normalizer = power_iteration_normalizer
        self.random_state = random_state

    @fit_context
    def fit(self, X, y=None, sample_weight=None):
        """Find the components of the rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : ignored
        sample_weight : array-like of shape (n_samples,), default=None
            How often each row counts; None is once.

        Returns
        -------
        self : PCA

        Raises
        ------
        ValueError
            If the solver cannot find `n_components`, or the weights do not add up to more than 1.
        TypeError
            If X is sparse and the solver takes dense rows only.
        """
        self._fit(X, sample_weight)
        return self

    @fit_context
    def fit_transform(self, X, y=None, sample_weight=None):
        """Find the components of the rows, and project the rows onto them; see `fit`.

        Returns
        -------
        scores : ndarray of shape (n_samples, n_components_)
        """
        X, scores = self._fit(X, sample_weight)
        if scores is None:
            return self._project(X)
        return self._whitened(scores.astype(self.components_.dtype, order="C"))

    @fit_context
    def partial_fit(self, X, y=None, sample_weight=None):
        """Find the components of all rows seen so far: those of `fit` or earlier calls, and these.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : ignored
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : PCA
            As after one `fit` of all the rows, by the scatter matrix with "covariance_eigh", for
            "auto" if the first rows are many, and for sparse X; otherwise by a triangular factor,
            as accurate as "full". As long as there
            are fewer rows than `n_components`, that many components are kept. Of the rows of a
            `fit` by "arpack" or "randomized", or by "full" on fewer rows than columns, nothing
            is left but the mean and the components.
        """
        first = not hasattr(self, "components_")
        X, weights = self._read(X, sample_weight, reset=first, zero=not first)
        n_present, weighted = count_present(X, weights), weights is not None
        if first:
            sums = sums_of(self, X, weights, self._kind_of_sums(X, n_present))
        else:
            before = self._seen_so_far()
            kind = type(before.sums)
            sums = MERGE[kind](sums_of(self, X, weights, kind), before.sums)
            n_present, weighted = n_present + before.n_present, weighted or before.weighted
        n, p = count_rows(n_present, sums.weight), X.shape[1]
        q = min(n, p)
        solver, k = choose_solver(self.svd_solver, self.n_components, n, p, sparse=issparse(X))
        k = ("mle" if n >= p else q) if k == "mle" else min(k, q)
        n_axes = k if isinstance(k, Integral) else q
        solution = of_sums(self, sums, solver, n_axes, q, X.dtype)
        self._fit_svd_solver = solver
        self._set(solution, k, n, weighted, X.dtype)
        self._seen = Seen(sums, n_present, weighted)
        if solution.complaint:
            warn_not_converged(solution.complaint)
        return self

    def _fit(self, X, sample_weight):
        """Fit, and return the validated rows, and their scores or None."""
        X, weights = self._read(X, sample_weight, reset=True)
        n_present, weighted = count_present(X, weights), weights is not None
        weight = np.sum(weights, dtype=np.float64) if weighted else n_present
        n, p = count_rows(n_present, weight), X.shape[1]
        solver, k = choose_solver(self.svd_solver, self.n_components, n, p, sparse=issparse(X))
        check_n_components(k, solver, n, p)
        q = min(n, p)
        solution = solve(self, X, weights, solver, k if isinstance(k, Integral) else q, q)
        if weighted and solution.weight <= 1:
            raise ValueError(
                f"sample_weight adds up to {solution.weight:g}; it counts rows, and more than one "
                "is needed."
            )
        self._fit_svd_solver = solver
        scores = self._set(solution, k, n, weighted, X.dtype)
        self.__dict__.pop("_seen", None)
        if solution.sums is not None:
            self._seen = Seen(solution.sums, n_present, weighted)
        if solution.complaint:
            warn_not_converged(solution.complaint)
        return X, None if weighted else scores

    def _read(self, X, sample_weight, *, reset, zero=False):
        """Return the validated rows and their weights."""
        if issparse(X) and self.svd_solver not in TAKE_SPARSE:
            raise TypeError(
                'PCA only support sparse inputs with the "arpack" and "covariance_eigh" solvers, '
                f'while "{self.svd_solver}" was passed. See TruncatedSVD for a possible '
                "alternative."
            )
        X = read_X(self, X, reset=reset, finite=False, accept_sparse=("csr", "csc"))
        return X, check_weights(sample_weight, X, zero=zero)

    def _kind_of_sums(self, X, n):
        """Return Moments where `fit` would, or must as X is sparse; else Factor, which is safe."""
        sparse = issparse(X)
        solver, _ = choose_solver(self.svd_solver, None, n, X.shape[1], sparse=sparse)
        return Moments if sparse or solver in ("covariance_eigh", "deflation") else Factor

    def _seen_so_far(self):
        """Return the sums of the rows so far, or what the components tell of them."""
        if hasattr(self, "_seen"):
            return self._seen
        return Seen(sums_of_axes(self), int(self.n_samples_), isinstance(self.n_samples_, float))

    def _set(self, solution, k, n, weighted, dtype):
        """Set the attributes by (2) and (3), the last thing that a fit does; return the scores.

        Parameters
        ----------
        solution : Solution
        k : int, float or "mle", how many components, or the rule
        n : int, see `count_rows`
        weighted : bool
        dtype : dtype of the attributes, that of X
        """
        spectrum, mean, weight = solution[:3]
        self.__dict__.pop("n_iter_", None)
        s = spectrum.values
        q = min(n, len(mean))
        freedom = weight - 1 if weight > 1 else np.nan
        with np.errstate(all="ignore"):  # constant rows, a single row, squares that overflow
            variances = np.square(s) / freedom
            shares = np.square(s / spectrum.size)
            if k == "mle":
                k = by_evidence(variances[:q], weight)
            elif not isinstance(k, Integral):
                k = by_share(shares[:q], k)
            rest = remaining(variances, k, q, np.square(spectrum.size) / freedom)
            n_directions = len(mean) if self._fit_svd_solver == "covariance_eigh" else q
            noise = rest / (n_directions - k) if k < q else 0.0
            singular_values, variances, shares = (
                array[:k].astype(dtype) for array in (s, variances, shares)
            )
        self.components_, signs = axes_of(spectrum, k, dtype)
        self.explained_variance_ = variances
        self.explained_variance_ratio_ = shares
        self.singular_values_ = singular_values
        self.mean_ = mean.astype(dtype)
        self.n_components_ = int(k)
        self.n_samples_ = weight if weighted else n
        self.noise_variance_ = dtype.type(noise)
        if solution.n_iter is not None:
            self.n_iter_ = solution.n_iter[:k]
        elif self.svd_solver == "deflation":
            self.n_iter_ = np.zeros(self.n_components_, np.int64)
        return None if spectrum.scores is None else spectrum.scores[:, :k] * signs

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        tags.input_tags.sparse = self.svd_solver in TAKE_SPARSE
        return tags


def count_present(X, weights):
    """Return the number of rows of positive weight."""
    return X.shape[0] if weights is None else int(np.count_nonzero(weights))
