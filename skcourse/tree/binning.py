"""Bins: a value becomes the number of one of at most 255 intervals.

Problem     Choose edges e_1 < ... < e_m so that bin b, e_b < x <= e_{b+1}, holds about as many rows
            (as much weight) as any other. Where a feature has few distinct values, each has its
            bin, and edges are the midpoints.
Quantiles   Edge k is the k/m-th quantile by the inverted distribution function, averaged where it
            is flat: the edges of scikit-learn's histogram boosting.
Categories  Category c has the bin c. Where there are more than bins, the most frequent have one
            each, in the order of their codes, and the others count as missing.
Missing     Bin 255, in every feature.
Cost        A sort per feature of at most `n_subsample` rows, then 8 comparisons per value.
"""

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn.utils import check_random_state

from skcourse.core.chunks import for_each_chunk, reduce_blocks
from skcourse.core.kernel import kernel
from skcourse.tree.histograms import BINS, MISSING, WIDTH
from skcourse.tree.nodes import UNDEFINED

LARGEST = 1e300  # an edge; infinity stands for "all but the missing"


class Bins(NamedTuple):
    """A table of codes."""

    codes: np.ndarray  # uint8 (d, n), 255 where the value is missing
    n_bins: np.ndarray  # int32 (d,), without the one of missing values
    is_categorical: np.ndarray  # bool (d,)
    has_missing: np.ndarray  # bool (d,)
    words: np.ndarray  # uint64 (ceil(d / 8), n): the codes of 8 features as the bytes of a word


class RealSplits(NamedTuple):
    """Splits in terms of values and categories; see `Nodes`."""

    threshold: np.ndarray
    category_set: np.ndarray
    set_start: np.ndarray
    set_words: np.ndarray


@kernel(exact=True)
def to_codes(column, edges, codes):
    """Write the bin of each value: the number of edges below it; missing where it is NaN.

    Parameters
    ----------
    column : float array of shape (n,), any stride
    edges : float64 (256,), ascending, then infinity
    codes : uint8 (n,), overwritten
    """
    for i in range(len(column)):
        x, b = np.float64(column[i]), 0
        for step in (128, 64, 32, 16, 8, 4, 2, 1):
            b += step * (edges[b + step - 1] < x)
        codes[i] = b if x == x else MISSING


@kernel
def bin_rows(X, edges, is_categorical, codes):
    """Write the codes of some rows; `codes`, uint8 (d, n), has those of categories already."""
    for f in range(len(codes)):
        if not is_categorical[f]:
            to_codes(X[:, f], edges[f], codes[f])


@kernel
def write_words(codes, words):
    """Write the codes of 8 features as the bytes of words: uint8 (d, n) to uint64 (d / 8, n)."""
    for b in range(len(words)):
        first, stop = b * WIDTH, min((b + 1) * WIDTH, len(codes))
        for i in range(words.shape[1]):
            word = np.uint64(0)
            for f in range(first, stop):
                word |= np.uint64(codes[f, i]) << np.uint64(8 * (f - first))
            words[b, i] = word


@kernel
def to_columns(X, columns):
    """Write the transpose of some rows."""
    for f in range(X.shape[1]):
        for i in range(X.shape[0]):
            columns[f, i] = X[i, f]


class Binner:
    """Edges of bins, found in one table, for it and others.

    Parameters
    ----------
    max_bins : int, default=255
        At least 2.
    n_subsample : int, default=200_000
        Of more rows than that, as many are drawn, with replacement and by weight.
    random_state : int, RandomState instance or None, default=None
    n_jobs : int or None, default=-1

    Attributes
    ----------
    edges_ : list of float64 arrays; for categories, the codes that have a bin
    n_bins_ : int32 array of shape (d,), without the one of missing values
    is_categorical_ : bool array of shape (d,)
    n_categories_ : int array of shape (d,), 0 for numbers
    """

    def __init__(self, max_bins=255, n_subsample=200_000, random_state=None, n_jobs=-1):
        self.max_bins = max_bins
        self.n_subsample = n_subsample
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X, is_categorical=None, weights=None):
        """Find the edges.

        Parameters
        ----------
        X : array of floats (n, d), C or Fortran, NaN where missing; or sparse, whose other entries
            are 0; a categorical column holds the codes 0, 1, ...
        is_categorical : bool array of shape (d,), default=None
            None: none is.
        weights : array of shape (n,), default=None
            Rows of weight 0 are not there.
        """
        d = X.shape[1]
        chosen = np.zeros(d, bool) if is_categorical is None else np.asarray(is_categorical, bool)
        if sp.issparse(X):
            X = X.tocsr()
        part, weights_of_part = self.draw_rows(X, weights)
        columns = Columns(part, self.n_jobs)
        whole = columns if part is X or not chosen.any() else Columns(X, self.n_jobs)
        edges, n_categories = [None] * d, np.zeros(d, np.int64)

        def find(f):
            if chosen[f]:
                n_categories[f], edges[f] = frequent_codes(whole[f], weights, self.max_bins)
            else:
                edges[f] = find_edges(columns[f], weights_of_part, self.max_bins)

        for_each(find, d, self.n_jobs)
        self.edges_, self.is_categorical_, self.n_categories_ = edges, chosen, n_categories
        self.n_bins_ = np.array(
            [len(e) + (not c) for e, c in zip(edges, chosen, strict=True)], np.int32
        )
        return self

    def draw_rows(self, X, weights):
        """Return the rows that edges are found in, and their weights."""
        n = X.shape[0]
        if self.n_subsample is None or n <= self.n_subsample:
            return X, weights
        rng = check_random_state(self.random_state)
        chances = None if weights is None else weights / np.sum(weights)
        rows = rng.choice(n, self.n_subsample, p=chances, replace=True)
        return X[rows], None

    def transform(self, X):
        """Return the Bins of a table."""
        n, d = X.shape
        codes = np.empty((d, n), np.uint8)
        words = np.empty((-(-d // WIDTH), n), np.uint64)
        edges = np.full((d, BINS), np.inf)
        for f in np.flatnonzero(~self.is_categorical_):
            edges[f, : len(self.edges_[f])] = self.edges_[f]
        if sp.issparse(X):
            X = X.tocsc()
            for_each(lambda f: self.bin_sparse(X, f, edges[f], codes[f]), d, self.n_jobs)
        else:
            X = read_only(X)
            for f in np.flatnonzero(self.is_categorical_):
                codes[f] = self.bins_of_categories(f, X[:, f])

        def part(rows):
            if not sp.issparse(X):
                bin_rows(X[rows], edges, self.is_categorical_, codes[:, rows])
            write_words(codes[:, rows], words[:, rows])

        for_each_chunk(part, n, row_bytes=16 * d, n_jobs=self.n_jobs)
        has_missing = np.array([np.any(row == MISSING) for row in codes], bool)
        return Bins(codes, self.n_bins_, self.is_categorical_, has_missing, words)

    def bin_sparse(self, X, f, edges, codes):
        """Write the codes of a column of a CSC matrix: that of 0, and those of its entries."""
        there = slice(X.indptr[f], X.indptr[f + 1])
        values = np.append(X.data[there], X.data.dtype.type(0))
        found = np.empty(len(values), np.uint8)
        if self.is_categorical_[f]:
            found[:] = self.bins_of_categories(f, values)
        else:
            to_codes(read_only(values), edges, found)
        codes[:] = found[-1]
        codes[X.indices[there]] = found[:-1]

    def bins_of_categories(self, f, column):
        """Return the bins of a column of categories; those that were not there are missing."""
        numbers, bins = category_numbers(column), self.category_bins(f)
        return bins[np.where(numbers < self.n_categories_[f], numbers, -1)]

    def category_bins(self, f):
        """Return the bin of each category of feature `f`; the last one is that of missing ones."""
        bins = np.full(self.n_categories_[f] + 1, MISSING, np.uint8)
        bins[self.edges_[f]] = np.arange(len(self.edges_[f]))
        return bins

    def real_splits(self, feature, goes_left):
        """Return splits of codes as splits of values.

        Parameters
        ----------
        feature : int array of shape (n_nodes,), negative for leaves
        goes_left : uint8 array of shape (n_nodes, 256), the codes that go left
        """
        threshold = np.full(len(feature), float(UNDEFINED))
        category_set = np.full(len(feature), -1, np.int64)
        starts, words = [0], []
        for i, f in enumerate(feature):
            if f < 0:
                continue
            if self.is_categorical_[f]:
                threshold[i], category_set[i] = np.nan, len(starts) - 1
                words.append(pack_set(goes_left[i, self.category_bins(f)[:-1]]))
                starts.append(starts[-1] + len(words[-1]))
            else:
                n_left = np.count_nonzero(goes_left[i, :MISSING])
                edges = self.edges_[f]
                threshold[i] = edges[n_left - 1] if n_left <= len(edges) else np.inf
        set_words = np.concatenate(words) if words else np.empty(0, np.uint64)
        return RealSplits(threshold, category_set, np.array(starts, np.int64), set_words)


class Columns:
    """The columns of a table, each in one piece: `columns[f]` is an array of shape (n,)."""

    def __init__(self, X, n_jobs):
        self.sparse = X.tocsc() if sp.issparse(X) else None
        if self.sparse is None and X.flags.f_contiguous:
            self.dense = X.T
        elif self.sparse is None:
            self.dense = np.empty(X.shape[::-1], X.dtype)
            X = read_only(X)

            def part(rows):
                to_columns(X[rows], self.dense[:, rows])

            for_each_chunk(part, len(X), row_bytes=X.itemsize * X.shape[1], n_jobs=n_jobs)

    def __getitem__(self, f):
        if self.sparse is None:
            return self.dense[f]
        X = self.sparse
        there = slice(X.indptr[f], X.indptr[f + 1])
        column = np.zeros(X.shape[0], X.dtype)
        column[X.indices[there]] = X.data[there]
        return column


def for_each(task, n, n_jobs):
    """Call task(i) for i < n, on threads."""
    reduce_blocks(task, range(n), lambda first, other: None, n_jobs=n_jobs)


def read_only(X):
    """Return a view that cannot be written to: kernels compile once for both kinds."""
    X = X.view()
    X.flags.writeable = False
    return X


def find_edges(column, weights, max_bins):
    """Return the edges of the bins of one column of numbers."""
    there = ~np.isnan(column)
    if weights is not None:
        there &= weights != 0
        weights = weights[there]
    column = column[there]
    order = np.argsort(column) if weights is not None else None
    values = np.sort(column) if order is None else column[order]
    distinct = values[np.concatenate([[True], values[1:] != values[:-1]])[: len(values)]]
    distinct = distinct.astype(np.float64)
    if len(distinct) <= 1:
        return np.empty(0)
    if len(distinct) <= max_bins:
        edges = between(distinct[:-1], distinct[1:])
    elif weights is None:
        edges = quantiles(values, max_bins)
    else:
        edges = weighted_quantiles(values, weights[order], max_bins)
    return np.unique(np.minimum(edges, LARGEST))


def between(low, high):
    """Return the middle of two values; of the same value itself, and 0 between the infinities."""
    with np.errstate(invalid="ignore"):
        middle = np.where(low == high, high, high - (high - low) * 0.5)
    middle = np.where(np.isinf(high) & np.isfinite(low), high, middle)
    return np.where(np.isnan(middle), 0.0, middle)


def quantiles(values, n_parts):
    """Return the n_parts - 1 inner quantiles of sorted values: x_k where k - 1 < n q < k.

    Where n q is k, it is the middle of x_k and the next.
    """
    at = len(values) * (np.linspace(0, 100, num=n_parts + 1)[1:-1] / 100) - 1
    low = np.floor(at).astype(np.int64)
    high = np.minimum(low + 1, len(values) - 1)
    values = values.astype(np.float64)
    return np.where(at == low, between(values[low], values[high]), values[high])


def weighted_quantiles(values, weights, n_parts):
    """Return the n_parts - 1 inner quantiles of sorted values with weights.

    Where the weight up to a value is just the share asked for, it is the mean of this value and the
    next.
    """
    below = np.cumsum(weights, dtype=np.float64)
    targets = np.linspace(0, 100, num=n_parts + 1)[1:-1] / 100 * below[-1]
    at = np.minimum(np.searchsorted(below, targets), len(values) - 1)
    after = np.minimum(at + 1, len(values) - 1)
    flat = np.abs(below[at] - targets) <= 1e-15 * below[-1]
    values = values.astype(np.float64)
    return np.where(flat, between(values[at], values[after]), values[at])


def category_numbers(column):
    """Return the codes of a column of categories as int64, -1 where there is none."""
    known = column >= 0  # NaN is not
    return np.where(known, np.where(known, column, 0).astype(np.int64), -1)


def frequent_codes(column, weights, max_bins):
    """Return how many categories there are, and the codes of those that have a bin."""
    codes = category_numbers(column)
    n = int(codes.max(initial=-1)) + 1
    if n <= max_bins:
        return n, np.arange(n)
    known = codes >= 0
    counts = np.bincount(codes[known], None if weights is None else weights[known], minlength=n)
    return n, np.sort(np.argsort(-counts, kind="stable")[:max_bins])


def pack_set(goes_left):
    """Return a set of categories, a flag for each, as words of 64 bits."""
    bits = np.zeros(-(-len(goes_left) // 64) * 64, np.uint8)
    bits[: len(goes_left)] = goes_left
    return np.packbits(bits, bitorder="little").view(np.uint64)
