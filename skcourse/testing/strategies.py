"""Hypothesis strategies: matrices with the troubles of real ones, and problems to fit.

A matrix is drawn through a few numbers (its shape, scale, condition, a seed) rather than entry by
entry: examples are quick to make, shrink to something plain, and reach what independent entries
never do, a singular matrix or one with a condition number of 1e8. Needs hypothesis, which
``pip install skcourse[test]`` brings.
"""

import numpy as np
from hypothesis import strategies as st
from sklearn.utils import get_tags

from skcourse.testing.problems import Problem, make_target

# Not st.integers, which tries the constants of whatever modules happen to be imported: a problem
# is to be the same in a run of one test and in a run of all.
SEEDS = st.sampled_from(range(2**16))


@st.composite
def matrices(
    draw,
    *,
    rows=(2, 40),
    columns=(1, 6),
    dtypes=(np.float64, np.float32),
    scales=(1e-3, 1.0, 1e3),
    conditions=(1.0, 1e2, 1e4, 1e8),
    offsets=(0.0, 1.0, 1e4),
    flaws=("none", "duplicate rows", "constant column", "equal columns", "few values"),
):
    """Draw a matrix.

    Parameters
    ----------
    rows, columns : (int, int)
        The least and the largest number of them.
    dtypes : sequence of dtype
    scales : sequence of float
        Of the largest singular value, over the root of the number of rows.
    conditions : sequence of float
        Largest over smallest singular value, before there are flaws; for float32 those up to 1e3.
    offsets : sequence of float
        Means of the columns, in units of the scale; for float32 those up to 10.
    flaws : sequence of str
        "none", "duplicate rows", "constant column", "equal columns", or "few values": small
        integers, so that there are ties.

    Returns
    -------
    strategy : of C-contiguous arrays of shape (n, p), finite

    Examples
    --------
    >>> from hypothesis import given
    >>> from skcourse.testing.strategies import matrices
    >>> @given(matrices(columns=(3, 3)))
    ... def test(X):
    ...     assert X.shape[1] == 3
    >>> test()
    """
    n, p = (draw(st.sampled_from(range(least, most + 1))) for least, most in (rows, columns))
    dtype = np.dtype(draw(st.sampled_from(dtypes)))
    single = dtype == np.float32
    condition = draw(st.sampled_from([c for c in conditions if c <= 1e3 or not single] or [1.0]))
    offset = draw(st.sampled_from([o for o in offsets if o <= 10 or not single] or [0.0]))
    scale = draw(st.sampled_from(scales))
    flaw = draw(st.sampled_from(flaws))
    rng = np.random.default_rng(draw(SEEDS))
    U, _, V = np.linalg.svd(rng.normal(size=(n, p)), full_matrices=False)
    X = U * np.geomspace(1, 1 / condition, min(n, p)) @ V * np.sqrt(n)
    if flaw == "few values":
        X = np.round(2 * X)
    if flaw == "duplicate rows":
        X = X[rng.integers(0, n, size=n)]
    if flaw == "equal columns":
        X[:, -1] = X[:, 0]
    if flaw == "constant column":
        X[:, -1] = 1.0
    return np.ascontiguousarray((X + offset) * scale, dtype=dtype)


@st.composite
def integer_weights(draw, n, *, largest=4):
    """Draw whole weights, from 0, of which at least half are not 0.

    Parameters
    ----------
    n : int, how many
    largest : int, default=4

    Returns
    -------
    strategy : of float arrays of shape (n,)

    Examples
    --------
    >>> from hypothesis import given
    >>> from skcourse.testing.strategies import integer_weights
    >>> @given(integer_weights(7))
    ... def test(weights):
    ...     assert (weights > 0).sum() >= 3
    >>> test()
    """
    rng = np.random.default_rng(draw(SEEDS))
    weights = rng.integers(1, largest + 1, size=n).astype(float)
    if draw(st.booleans()):
        weights[rng.permutation(n)[: n // 2]] = 0.0
    return weights


@st.composite
def targets(draw, estimator, X, *, most_outputs=3):
    """Draw a target for the rows of X that suits the tags of `estimator`.

    In regression it is linear in the standardised columns, with more or less noise, and 1-d or
    2-d. In classification each of up to three classes occurs.

    Parameters
    ----------
    estimator : estimator
    X : array of shape (n, p)
    most_outputs : int, default=3
        For regressors that take several.

    Returns
    -------
    strategy : of arrays of shape (n,) or (n, n_outputs); of None if no target is asked for
    """
    tags = get_tags(estimator)
    rng = np.random.default_rng(draw(SEEDS))
    group = rng.permutation(np.arange(len(X)) % 3)
    spread = X.std(axis=0)
    Z = (X - X.mean(axis=0)) / np.where(spread > 0, spread, 1)
    y = make_target(tags, Z.astype(X.dtype), group, rng)
    if y is None or tags.estimator_type == "classifier":
        return y
    noise = draw(st.sampled_from([0.0, 1.0, 10.0]))
    y = y + noise * rng.normal(size=y.shape)
    if tags.target_tags.multi_output and y.ndim == 1 and draw(st.booleans()):
        y = y[:, np.newaxis] * rng.normal(size=draw(st.integers(1, most_outputs))) + 1
    if tags.target_tags.positive_only:
        y = np.abs(y) + 1
    return y.astype(X.dtype)


@st.composite
def problems(draw, estimator, *, rows=(8, 40), weighted=False, **options):
    """Draw a problem for `estimator`.

    Parameters
    ----------
    estimator : estimator
    rows : (int, int), default=(8, 40)
    weighted : bool, default=False
        Whether there are weights, whole numbers.
    **options : of `matrices`

    Returns
    -------
    strategy : of `skcourse.testing.Problem`

    Examples
    --------
    >>> from hypothesis import given, settings
    >>> from sklearn.linear_model import Ridge
    >>> from skcourse.testing import check_fit_forgets
    >>> from skcourse.testing.strategies import problems
    >>> @settings(max_examples=5, deadline=None)
    ... @given(problems(Ridge()))
    ... def test(problem):
    ...     check_fit_forgets(Ridge(), problem)
    >>> test()
    """
    X = draw(matrices(rows=rows, **options))
    if get_tags(estimator).input_tags.positive_only:
        X = X - X.min(axis=0)
    y = draw(targets(estimator, X))
    weights = draw(integer_weights(len(X))) if weighted else None
    if weights is not None and get_tags(estimator).estimator_type == "classifier":
        weights[np.unique(y, return_index=True)[1]] += 1  # no class without weight
    rng = np.random.default_rng(draw(SEEDS))
    mix = rng.dirichlet(np.ones(len(X)), size=5)
    return Problem(X, y, weights, np.ascontiguousarray(mix @ X, dtype=X.dtype))
