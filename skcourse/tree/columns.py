"""The columns of X, each sorted once: what every node of every tree looks at.

Problem     The best split of a node by feature f needs the rows of the node in the order of x_f.
Idea        Sort each column once, before the first tree. A node then keeps, for each feature, its
            own rows in that order: splitting a sorted list stably leaves two sorted lists.
Iteration   A radix sort: a float32 becomes 32 bits that compare as the numbers do,
                key(x) = bits(x) xor (all ones if x < 0, else the sign bit)                 (1)
            and three stable passes, by 11, 11 and 10 bits from the lowest, put the keys in order.
Cost        O(n d) for all columns.
Reference   M. Mehta, R. Agrawal, J. Rissanen, SLIQ: a fast scalable classifier for data mining,
            EDBT 1996 (sorting once); D. Knuth, The Art of Computer Programming 3, 5.2.5 (radix).
"""

import threading
from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse

from skcourse.core.bits import bits_of, float_of
from skcourse.core.chunks import reduce_blocks
from skcourse.core.kernel import kernel
from skcourse.tree.sparse_columns import SparseColumns, dense_rows, rank_sparse, stays_sparse

BITS = 11  # of a digit: 2,048 counters stay in the nearest cache
DIGITS = 3
MAX_ROWS = np.iinfo(np.int32).max  # rows are numbered by int32

filling = threading.Lock()


class Columns(NamedTuple):
    """X by columns. Rows that miss a value stand last in the order of that column."""

    values: np.ndarray  # float32 (d, n), NaN where missing
    orders: np.ndarray  # int32 (d, n), rows by value; (d, 0) if not asked for
    has_missing: np.ndarray  # bool (d,)
    is_categorical: np.ndarray  # bool (d,)
    places: np.ndarray  # uint32 (n, d), see `ground.place_rows`
    codes: np.ndarray  # uint32 (n, d), the keys (1) of the values
    codes_of: np.ndarray  # uint32 (d, n), the same by columns
    ready: np.ndarray  # uint8 (2,), 1 once places, or codes, were written

    @property
    def shape(self):
        """The number of features and of rows."""
        return self.values.shape


def rank_columns(X, *, is_categorical=None, orders=True, n_jobs=None):
    """Sort every column of X, once for all trees.

    Parameters
    ----------
    X : float32 array of shape (n, d), NaN where missing; or a sparse matrix
    is_categorical : bool array of shape (d,) or None
        Columns of category codes 0 .. K - 1.
    orders : bool, default=True
        False where no node will look at all rows in order.
    n_jobs : int or None, default=None

    Returns
    -------
    columns : Columns; or SparseColumns, if X is sparse and neither misses values nor has categories
    """
    n, d = X.shape
    if n > MAX_ROWS:
        raise ValueError(f"A tree can number {MAX_ROWS} rows at most, X has {n}.")
    if issparse(X):
        if stays_sparse(X, is_categorical, orders):
            return rank_sparse(X, orders=orders, n_jobs=n_jobs)
        X = dense_rows(X)
    values = np.empty((d, n), np.float32)
    order = np.empty((d, n if orders else 0), np.int32)
    has_missing = np.zeros(d, np.bool_)

    def sort(features):
        values[features] = X[:, features].T
        sort_part(values[features], order[features], has_missing[features])

    blocks = [slice(f, f + 1) for f in range(d)]
    reduce_blocks(sort, blocks, lambda total, part: None, n_jobs=n_jobs)
    if is_categorical is None:
        is_categorical = np.zeros(d, np.bool_)
    return as_columns(values, order, has_missing, is_categorical)


def dense_columns(columns):
    """Return Columns of SparseColumns, made once for all trees."""
    with filling:
        if not columns.dense:
            columns.dense.append(rank_columns(dense_rows(columns.X), orders=columns.orders))
        return columns.dense[0]


def some_columns(columns, features):
    """Return columns of some features, in their order, perhaps with repetitions."""
    if isinstance(columns, SparseColumns):
        return rank_sparse(columns.X[:, features], orders=columns.orders)
    return as_columns(*(field[features] for field in columns[:4]))


def as_columns(values, orders, has_missing, is_categorical):
    """Return Columns of values and orders that are there."""
    d, n = values.shape
    shapes = (n, d), (n, d), (d, n)  # no memory is taken before they are written
    places, codes, codes_of = (np.empty(shape, np.uint32) for shape in shapes)
    kinds = np.asarray(is_categorical, np.bool_)
    ready = np.zeros(2, np.uint8)
    return Columns(values, orders, has_missing, kinds, places, codes, codes_of, ready)


def with_orders(columns):
    """Return the columns with their orders, sorting them if that was not done yet."""
    if columns.orders.shape[1] == columns.values.shape[1]:
        return columns
    orders = np.empty(columns.values.shape, np.int32)
    sort_part(columns.values, orders, columns.has_missing)
    return columns._replace(orders=orders)


def sort_part(values, order, has_missing):
    """Find which columns miss values, and sort the rows by (1), where `order` has room."""
    n = order.shape[1]
    keys, rows = np.empty((2, n), np.uint32), np.empty((2, n), np.int32)
    counts = np.empty((DIGITS, 1 << BITS), np.int64)
    sort_columns(values, values.view(np.uint32), order, has_missing, keys, rows, counts)


@kernel(counted=False)
def sort_columns(values, bits, order, has_missing, keys, rows, counts):
    """Do what `sort_part` says; the last three are scratch.

    Nothing is made, sliced or viewed here: to word what could go wrong costs seconds to compile.
    """
    n = values.shape[1]
    for f in range(values.shape[0]):
        missing = False
        for i in range(n):
            missing |= np.isnan(values[f, i])
        has_missing[f] = missing
        if order.shape[1]:
            for i in range(n):
                keys[0, i], rows[0, i] = sort_key(values[f, i], bits[f, i]), i
            sort_keys(keys, rows, counts, n)
            for i in range(n):
                order[f, i] = rows[DIGITS % 2, i]


@kernel(counted=False)
def sort_key(x, bits):
    """Return key(x) of (1); missing values come last and -0 is 0."""
    bits = np.int64(bits)
    if np.isnan(x):
        return np.uint32(0xFFFFFFFF)
    if x == 0:
        return np.uint32(0x80000000)
    return np.uint32(bits ^ 0xFFFFFFFF) if bits >> 31 else np.uint32(bits ^ 0x80000000)


@kernel(counted=False)
def sort_keys(keys, rows, counts, n):
    """Sort the `n` keys at keys[0], rows along with them; the result is at [DIGITS % 2]."""
    mask = (1 << BITS) - 1
    for digit in range(DIGITS):
        for b in range(mask + 1):
            counts[digit, b] = 0
    for i in range(n):
        key = np.int64(keys[0, i])
        for digit in range(DIGITS):
            counts[digit, (key >> (digit * BITS)) & mask] += 1
    for digit in range(DIGITS):
        source, target, place = digit % 2, (digit + 1) % 2, 0
        for b in range(mask + 1):
            count = counts[digit, b]
            counts[digit, b] = place
            place += count
        for i in range(n):
            key = keys[source, i]
            b = (np.int64(key) >> (digit * BITS)) & mask
            place = counts[digit, b]
            keys[target, place], rows[target, place] = key, rows[source, i]
            counts[digit, b] = place + 1


@kernel(counted=False)
def code_rows(values, bits, codes, codes_of):
    """Write the keys (1) of all values, by rows and by columns."""
    for f in range(values.shape[0]):
        for i in range(values.shape[1]):
            codes[i, f] = codes_of[f, i] = sort_key(values[f, i], bits[f, i])


@kernel(counted=False)
def value_of(key):
    """Return the value whose key (1) this is."""
    if key >> np.uint32(31):
        return float_of(key ^ np.uint32(0x80000000))
    return float_of(key ^ np.uint32(0xFFFFFFFF))


@kernel(counted=False)
def key_up_to(x):
    """Return the largest key (1) of a float32 that is not more than x, a float64."""
    narrow = np.float32(x)
    key = sort_key(narrow, bits_of(narrow))
    return key - np.uint32(1) if np.float64(narrow) > x else key
