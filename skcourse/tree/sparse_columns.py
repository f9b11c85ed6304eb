"""The columns of a sparse X, each sorted once, and never made dense.

Problem     Of the n d numbers of a table of texts, one in a thousand is not 0. Trees need them in
            the order of their values, column by column; and to know which a row has.
Idea        Keep what is not 0 twice. By columns, in the order of the values: a node finds its own
            among them, in order. By rows: where few rows are left, each is asked for the feature.
            What is not kept is 0; all of that is one value, and no cut goes through it.
Cost        O(N log N) for N numbers that are not 0; 16 bytes for each.
Reference   D. Knuth, The Art of Computer Programming 1, 2.2.6 (orthogonal lists).
"""

import os
from typing import NamedTuple

import numpy as np
from scipy.sparse import csc_array

from skcourse.core.chunks import chunk_slices, reduce_blocks

MOST = 0.08  # share of numbers that are not 0, beyond which a dense table is sooner,
MOST_UNSORTED = 0.03  # and if no node asks for an order
FREE = 2**29  # bytes of a dense table that nobody misses,
PART = 4  # or one in four of the machine
CELL_BYTES = 16  # of a dense table with its orders and places
ENTRY_BYTES = 48  # of a number that is sorted
SIGN = np.uint32(0x80000000)


class SparseTable(NamedTuple):
    """What is not 0, by columns and by rows."""

    start: np.ndarray  # int64 (d + 1,), where columns begin
    rows: np.ndarray  # int32 (N,), column by column in the order of the values
    values: np.ndarray  # float32 (N,)
    row_start: np.ndarray  # int64 (n + 1,), where rows begin
    features: np.ndarray  # int32 (N,), row by row, ascending
    places: np.ndarray  # uint32 (N,), of these in their columns


class SparseColumns(NamedTuple):
    """A sparse X without gaps and categories, by columns: what `Columns` is to a dense one."""

    table: SparseTable
    X: object  # CSC, nothing stored that is 0
    orders: bool  # as `rank_columns` was asked, for `dense`
    dense: list  # Columns of the same, once a search asked for them
    has_missing: np.ndarray  # bool (d,), False
    is_categorical: np.ndarray  # bool (d,), False

    @property
    def shape(self):
        """The number of features and of rows."""
        return self.X.shape[::-1]


def stays_sparse(X, is_categorical, orders):
    """Tell whether a sparse X is kept so: it can be, and it is sooner, or saves much memory."""
    cells = X.shape[0] * X.shape[1]
    if is_categorical is not None and np.any(is_categorical):
        return False
    most = MOST if orders else MOST_UNSORTED
    if X.nnz > most * cells and CELL_BYTES * cells <= max(FREE, memory() / PART):
        return False
    return not np.isnan(X.data).any()


def rank_sparse(X, *, orders=True, n_jobs=None):
    """Sort what is not 0 in each column of X.

    Parameters
    ----------
    X : float32 sparse matrix of shape (n, d), without NaN and duplicates
    orders : bool, default=True
        Whether columns are sorted as a whole if they must become dense.
    n_jobs : int or None, default=None

    Returns
    -------
    columns : SparseColumns
    """
    X = csc_array(X, dtype=np.float32)
    if not X.data.all():
        X = X.copy()
        X.eliminate_zeros()
    d, start = X.shape[1], X.indptr.astype(np.int64)
    rows, values = np.empty(X.nnz, np.int32), np.empty(X.nnz, np.float32)
    places = np.empty(X.nnz, np.uint32)

    def sort(features):
        lengths = np.diff(start[features.start : features.stop + 1])
        here = slice(start[features.start], start[features.stop])
        order = by_column_and_value(X.data[here], lengths)
        rows[here], values[here] = X.indices[here][order], X.data[here][order]
        places[here] = places_of(lengths)

    blocks = chunk_slices(d, ENTRY_BYTES * (X.nnz // d + 1))
    reduce_blocks(sort, blocks, lambda total, part: None, n_jobs=n_jobs)
    by_rows = csc_array((places, rows, X.indptr), shape=X.shape).tocsr()
    table = SparseTable(
        start,
        rows,
        values,
        by_rows.indptr.astype(np.int64),
        by_rows.indices.astype(np.int32, copy=False),
        by_rows.data,
    )
    none = np.zeros(d, np.bool_)
    return SparseColumns(table, X, orders, [], none, none)


def by_column_and_value(values, lengths):
    """Return the order of entries by column and value; the entries of columns follow each other."""
    bits = values.view(np.uint32)
    keys = np.where(bits >> np.uint32(31), ~bits, bits | SIGN).astype(np.uint64)
    keys |= np.repeat(np.arange(len(lengths), dtype=np.uint64), lengths) << np.uint64(32)
    return np.argsort(keys, kind="stable")


def places_of(lengths):
    """Number the entries of each column from 0."""
    ends = np.cumsum(lengths)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - lengths, lengths)


def dense_rows(X):
    """Return a sparse X as an array; raise ValueError if the machine has no room for its trees."""
    needed, there = CELL_BYTES * X.shape[0] * X.shape[1], memory()
    if needed > there:
        raise ValueError(
            f"X is sparse, of shape {X.shape}, and what is asked for needs it dense: "
            f"{needed / 2**30:.1f} GiB, and this machine has {there / 2**30:.1f} GiB. Sparse rows "
            "are enough for one output, with criterion 'gini' and weights that are whole numbers "
            "(class_weight=None), or 'squared_error'; without max_leaf_nodes, monotonic_cst and "
            "interaction_cst; or take fewer features first, by TruncatedSVD or SelectKBest."
        )
    return X.toarray()


def memory():
    """Return the bytes of memory of this machine, infinite where it does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # as on Windows
        return np.inf
