"""Categories as codes: what a tree needs to know of a column of names.

A category is what is equal to itself: a string, a number (any: -1 and 2.5 are two categories), a
value of a pandas or polars column. The K categories of a column that fit saw are sorted and become
0 .. K - 1, as floats among the numbers of X; None, NaN, NA, and what fit did not see become NaN. So
an unseen category is a missing value, and a split by categories sends it where it sends these.

An estimator keeps an encoder and reads X by it, where it would call `validate_data`:

    encoder = CategoryEncoder(self.categorical_features).fit(X)                     # in fit
    X = read_table(self, X, reset=True, dtype=np.float32, encoder=encoder)          # in fit
    X = read_table(self, X, reset=False, dtype=np.float32, encoder=self._encoder)   # in predict

`encoder.is_categorical` says which columns of X are codes then. They stay where they were.
"""

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from skcourse.core.validation import is_plain, read_X

MAX_CATEGORIES = 2**24  # codes beyond are not all float32 numbers
DTYPES = {"CategoricalDtype", "Categorical", "Enum"}  # of pandas and polars


def read_table(
    estimator, X, *, reset, encoder=None, dtype=np.float32, finite="allow-nan", order="C", **options
):
    """Return X as a float array with codes for categories, read as `validate_data` reads it.

    Parameters
    ----------
    estimator : estimator, gets `n_features_in_` and `feature_names_in_` if `reset`
    X : array-like or dataframe of shape (n_samples, n_features), or sparse if `accept_sparse`
        allows it and no column is of categories
    reset : bool
        True in `fit`, False afterwards.
    encoder : CategoryEncoder, fitted, or None for no categories
    dtype : dtype or list of dtypes, default=float32
        As in `check_array`. Float arrays of one of them are returned as they are.
    finite : True, False or "allow-nan", default="allow-nan"
        What numbers may be; False is not to look at them. Categories may always be missing.
    order : {"C", "F"} or None, default="C"
    **options : of `check_array`, such as `accept_sparse`

    Returns
    -------
    X : float array of shape (n_samples, n_features), or sparse
    """
    if encoder is not None and encoder.tables:
        validate_data(estimator, X, reset=reset, skip_check_array=True)
        if reset:
            check_without_order(estimator, encoder.is_categorical)
        return encoder.transform(X, dtype, finite=finite, order=order, estimator=estimator)
    plain = X
    if not isinstance(dtype, list) and is_plain(X, order) and X.dtype != dtype:
        with np.errstate(over="ignore", invalid="ignore"):
            plain = X.astype(dtype)
            if not np.isfinite(np.add.reduce(plain, axis=None)):
                plain = X  # perhaps too large for `dtype`, which scikit-learn's way finds out
    if is_plain(plain, order) and (isinstance(dtype, list) or plain.dtype == dtype):
        read = read_X(estimator, plain, reset=reset, finite=finite, order=order, **options)
    else:
        options = {"dtype": dtype, "order": order, "ensure_all_finite": finite} | options
        read = validate_data(estimator, X, reset=reset, **options)
    if reset and encoder is not None:
        encoder.count_columns(read)
    return read


class CategoryEncoder:
    """Replace the categories of some columns by their numbers, and leave the columns in place.

    Parameters
    ----------
    categorical_features : array-like of bool, int or str, "from_dtype" or None, default=None
        Which columns hold categories: a mask, indices, names, or the columns of a dataframe whose
        dtype is categorical. None: no column.

    Attributes
    ----------
    is_categorical : bool array of shape (n_features,)
    categories_ : list of arrays, the sorted categories of each column, or None for numbers
    tables : dict from the numbers of the columns to their `CategoryTable`

    Examples
    --------
    >>> import numpy as np
    >>> from skcourse.tree.categories import CategoryEncoder
    >>> X = np.array([["red", 1.5], ["blue", 2.5], ["red", 0.0]], dtype=object)
    >>> CategoryEncoder([0]).fit(X).transform([["red", 3.0], ["green", 4.0]])
    array([[ 1.,  3.],
           [nan,  4.]], dtype=float32)
    """

    def __init__(self, categorical_features=None):
        self.categorical_features = categorical_features

    def fit(self, X):
        """Learn the categories of X, which is not looked at if there are none.

        Raises
        ------
        ValueError, TypeError
            scikit-learn's, if `categorical_features` does not fit X.
        """
        self.tables, self.is_categorical = {}, np.zeros(n_columns(X), np.bool_)
        named = self.categorical_features
        from_dtype = isinstance(named, str) and named == "from_dtype"
        if named is not None and not (from_dtype and not is_frame(X)):
            table = as_table(X)
            self.is_categorical = np.zeros(table.shape[1], np.bool_)
            self.is_categorical[columns_of_categories(table, named)] = True
            for j in np.flatnonzero(self.is_categorical):
                self.tables[int(j)] = CategoryTable(column_of(table, int(j)))
        columns = range(len(self.is_categorical))
        self.categories_ = [self.tables[j].values if j in self.tables else None for j in columns]
        return self

    def count_columns(self, X):
        """Learn how many columns a validated X has: `fit` cannot tell of a list of lists."""
        if not self.tables:
            self.is_categorical = np.zeros(X.shape[1], np.bool_)

    def transform(self, X, dtype=np.float32, *, finite="allow-nan", order="C", estimator=None):
        """Return X as a float array with codes for categories; parameters as in `read_table`."""
        table = as_table(X)
        if not isinstance(dtype, list):
            dtype = [dtype]
        out_dtype, numbers = np.dtype(dtype[0]), np.flatnonzero(~self.is_categorical)
        if len(numbers):
            part = select(table, numbers)
            part = check_array(
                part, dtype=dtype, ensure_all_finite=finite, estimator=estimator, input_name="X"
            )
            out_dtype = part.dtype
        coded = np.empty(table.shape, out_dtype, order=order or "C")
        if len(numbers):
            coded[:, numbers] = part
        for j, categories in self.tables.items():
            coded[:, j] = categories.codes(column_of(table, j))
        if not len(coded):
            check_array(coded, estimator=estimator)  # says how many rows there must be
        return coded


class CategoryTable:
    """The categories of one column, sorted: numbers are found by bisection, others by hashing."""

    def __init__(self, column):
        codes, values = parts_of(column)
        if codes is not None:
            values = values[np.unique(codes[codes >= 0])]
        if values.dtype.kind in "biuf":
            distinct = np.unique(values)
            self.values = distinct[distinct == distinct]
        else:
            self.values = sorted_names({v for v in set(values.tolist()) if not is_missing(v)})
        if len(self.values) > MAX_CATEGORIES:
            raise ValueError(
                f"A column has {len(self.values)} categories: {MAX_CATEGORIES} at most."
            )
        self.numbers = dict(zip(self.values.tolist(), range(len(self.values)), strict=True))

    def codes(self, column):
        """Return the numbers of the categories in `column`, NaN where missing or unseen."""
        codes, values = parts_of(column)
        if values.dtype.kind in "biuf" and self.values.dtype.kind in "biuf":
            found = self.bisect(values)
        else:
            number = self.numbers.get
            found = np.array([number(v, np.nan) for v in values.tolist()], np.float64)
        return found if codes is None else np.append(found, np.nan)[codes]

    def bisect(self, numbers):
        """Return the numbers of categories that are `numbers` themselves."""
        if not len(self.values):
            return np.full(len(numbers), np.nan)
        place = np.minimum(np.searchsorted(self.values, numbers), len(self.values) - 1)
        return np.where(self.values[place] == numbers, place, np.nan)


def check_without_order(estimator, is_categorical):
    """Raise ValueError if the values are to rise or fall with a feature of categories."""
    signs = getattr(estimator, "monotonic_cst", None)
    if isinstance(signs, dict):
        signs = [signs.get(name, 0) for name in getattr(estimator, "feature_names_in_", ())]
    signs = np.asarray(0 if signs is None else signs)
    if signs.shape == is_categorical.shape and np.any(signs[is_categorical] != 0):
        raise ValueError("Categorical features cannot have monotonic constraints.")


def parts_of(column):
    """Return (codes, distinct values) of a categorical pandas column, else (None, values)."""
    if hasattr(column, "cat") and hasattr(column.cat, "codes"):
        return np.asarray(column.cat.codes), np.asarray(column.cat.categories)
    return None, column.to_numpy() if hasattr(column, "to_numpy") else np.asarray(column)


def is_missing(value):
    """Tell whether a value is None, or is not equal to itself, as NaN, NaT and NA are not."""
    return value is None or type(value).__name__ == "NAType" or value != value


def sorted_names(names):
    """Return an object array of `names` in order; by type first if they cannot be compared."""
    try:
        ordered = sorted(names)
    except TypeError:
        ordered = sorted(names, key=lambda name: (type(name).__name__, str(name)))
    found = np.empty(len(ordered), object)
    found[:] = ordered
    return found


def is_frame(X):
    """Tell whether X is a dataframe of pandas or polars."""
    return hasattr(X, "columns") and (hasattr(X, "iloc") or hasattr(X, "get_columns"))


def n_columns(X):
    """Return how many columns X seems to have, 0 where that needs validation."""
    shape = getattr(X, "shape", ())
    return shape[1] if len(shape) == 2 else 0


def as_table(X):
    """Return a dataframe as it is, anything else as an array of two dimensions of any dtype."""
    if is_frame(X):
        return X
    if not hasattr(X, "dtype"):
        X = np.array(X, dtype=object)  # not strings: a row may hold numbers as well
    return check_array(X, dtype=None, ensure_all_finite=False, ensure_min_samples=0)


def select(table, columns):
    """Return some columns of a table."""
    if hasattr(table, "iloc"):
        return table.iloc[:, columns]
    if hasattr(table, "select"):
        return table.select([table.columns[j] for j in columns])
    return table[:, columns]


def column_of(table, j):
    """Return column j of a table."""
    return table.iloc[:, j] if hasattr(table, "iloc") else table[:, j]


def columns_of_categories(table, named):
    """Return a mask or indices of the columns that `categorical_features` names.

    Raises
    ------
    ValueError
        scikit-learn's.
    """
    n_features = table.shape[1]
    if isinstance(named, str) and named == "from_dtype":
        dtypes = [column_of(table, j).dtype for j in range(n_features)]
        return np.array([getattr(d, "__name__", type(d).__name__) in DTYPES for d in dtypes])
    named = np.asarray(named)
    if named.size == 0:
        return np.zeros(n_features, np.bool_)
    kinds = {type(name).__name__ for name in named} if named.dtype.kind == "O" else {"str"}
    if named.dtype.kind not in "ibUO" or kinds != {"str"}:
        found = ", ".join(sorted(kinds)) if named.dtype.kind == "O" else named.dtype.name
        raise ValueError(
            f"categorical_features must be an array-like of bool, int or str, got: {found}."
        )
    if named.dtype.kind in "UO":
        return columns_by_name(table, named)
    if named.dtype.kind == "i" and (named.max() >= n_features or named.min() < 0):
        raise ValueError(
            "categorical_features set as integer indices must be in [0, n_features - 1]"
        )
    if named.dtype.kind == "b" and named.shape[0] != n_features:
        raise ValueError(
            "categorical_features set as a boolean mask must have shape (n_features,), got: "
            f"{named.shape}"
        )
    return named


def columns_by_name(table, named):
    """Return the indices of the columns called `named`; see `columns_of_categories`."""
    if not is_frame(table):
        raise ValueError(
            "categorical_features should be passed as an array of integers or as a boolean mask "
            "when the model is fitted on data without feature names."
        )
    names = list(table.columns)
    for name in named:
        if name not in names:
            raise ValueError(
                f"categorical_features has an item value '{name}' which is not a valid feature "
                f"name of the training data. Observed feature names: {names}"
            )
    return np.array([names.index(name) for name in named])
