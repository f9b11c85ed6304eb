"""Which checks apply to an estimator: by its signature, its tags, and what its `Case` adds."""

import functools
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from sklearn.utils import get_tags

from skcourse.testing.answers import is_seed, takes_weights
from skcourse.testing.fits import check_history, check_objective, check_partial_fit_in_pieces
from skcourse.testing.inputs import check_dtype_kept, check_layouts, check_memmap
from skcourse.testing.parameters import check_parameters_refused
from skcourse.testing.rows import (
    check_equal_weights_are_none,
    check_row_order,
    check_rows_one_by_one,
    check_weights_repeat_rows,
    check_zero_weight_is_absence,
)
from skcourse.testing.states import (
    LONG,
    check_clone,
    check_failed_fit_leaves_no_trace,
    check_fit_forgets,
    check_inputs_unchanged,
    check_pickle,
    check_repeatable,
    check_threads_agree,
)
from skcourse.testing.symmetries import check_symmetry

ALWAYS = (
    check_clone,
    check_dtype_kept,
    check_failed_fit_leaves_no_trace,
    check_fit_forgets,
    check_inputs_unchanged,
    check_layouts,
    check_memmap,
    check_parameters_refused,
    check_pickle,
    check_repeatable,
    check_rows_one_by_one,
)


class Case(NamedTuple):
    """An estimator, and what is promised of it beyond what its signature and tags tell.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from skcourse.testing import Case, check_estimator, shift, stretch
    >>> case = Case(LinearRegression(), symmetries=(shift(), stretch()))
    >>> "check_symmetry[a shift of X]" in check_estimator(case, only="symmetry")
    True
    """

    estimator: Any
    draws: bool | None = None  # by chance or by the order of rows; None: it has a `random_state`
    symmetries: tuple = ()
    falls: tuple = ()  # the entries of `history_` that never rise
    objective: Callable | None = None  # (fitted estimator, problem) -> number
    optimum: Callable | None = None  # problem -> the least such number, by other means
    reached: bool = False  # a fit finds the optimum, not only a local one
    long: int = LONG  # rows of a problem of several chunks; fewer where a fit looks at all pairs
    same_bits: bool = False  # threads change no bit of a fit, not only no more than rounding does
    excused: dict = {}  # check -> the reason why it does not hold, where mathematics forbids it
    problems: dict = {}  # which ones: options of `skcourse.testing.strategies.problems`


def all_checks(case):
    """Yield the checks that apply to an estimator.

    Parameters
    ----------
    case : estimator or Case
        It takes a matrix of numbers. It has the default of `Case` if it is an estimator. Without
        `draws=False`, an estimator with a `random_state` is not asked for what chance prevents:
        that the order of the rows is nothing, and that a weight is a repetition.

    Yields
    ------
    name : str
    check : callable, with no argument or a `Problem`; raises AssertionError

    Examples
    --------
    >>> from sklearn.decomposition import PCA
    >>> from skcourse.testing import all_checks
    >>> names = [name for name, check in all_checks(PCA())]
    >>> "check_pickle" in names, "check_weights_repeat_rows" in names
    (True, False)
    """
    case = case if isinstance(case, Case) else Case(case)
    estimator = case.estimator
    refuse_other_input(estimator)
    checks = {check.__name__: functools.partial(check, estimator) for check in ALWAYS}
    checks["check_threads_agree"] = functools.partial(
        check_threads_agree, estimator, bits=case.same_bits, n_samples=case.long
    )
    for check in ordered_checks(case):
        checks[check.__name__] = functools.partial(check, estimator)
    if hasattr(estimator, "partial_fit"):
        checks["check_partial_fit_in_pieces"] = functools.partial(
            check_partial_fit_in_pieces, estimator
        )
    if case.falls or re.search(r"\bhistory_\b", type(estimator).__doc__ or ""):
        checks["check_history"] = functools.partial(check_history, estimator, falls=case.falls)
    if case.objective is not None:
        how = {name: getattr(case, name) for name in ("objective", "optimum", "reached")}
        checks["check_objective"] = functools.partial(check_objective, estimator, **how)
    for symmetry in case.symmetries:
        checks[f"check_symmetry[{symmetry.name}]"] = functools.partial(
            check_symmetry, estimator, symmetry=symmetry
        )
    if unknown := set(case.excused) - set(checks):
        raise ValueError(f"{sorted(unknown)} excused, but no checks of {estimator}")
    yield from sorted((name, check) for name, check in checks.items() if name not in case.excused)


def ordered_checks(case):
    """Yield the checks that compare fits on rows in different order or number."""
    draws = case.draws
    if draws is None:
        draws = any(map(is_seed, case.estimator.get_params()))
    if takes_weights(case.estimator):
        yield check_equal_weights_are_none
    if not draws:
        yield check_row_order
        if takes_weights(case.estimator):
            yield check_weights_repeat_rows
            yield check_zero_weight_is_absence


def refuse_other_input(estimator):
    """Raise ValueError if X is anything but a matrix of numbers."""
    tags = get_tags(estimator).input_tags
    if tags.pairwise or not tags.two_d_array:
        raise ValueError(f"{estimator} does not take a matrix of samples and features")


def check_estimator(case, *, only=""):
    """Run all checks that apply.

    Parameters
    ----------
    case : estimator or Case
    only : str, default=""
        Run those with this in their name.

    Returns
    -------
    names : list of str, of the checks that ran

    Raises
    ------
    AssertionError
        Names each check that failed, with its message; its cause is the first of them.
    ValueError
        If no check has `only` in its name.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from skcourse.testing import check_estimator
    >>> check_estimator(Ridge(solver="svd"), only="weight")  # doctest: +NORMALIZE_WHITESPACE
    ['check_equal_weights_are_none']
    """
    names, failures = [], []
    for name, check in all_checks(case):
        if only in name:
            names.append(name)
            try:
                check()
            except Exception as error:
                failures.append((name, error))
    if failures:
        lines = [f"{name}: {type(error).__name__}: {error}" for name, error in failures]
        raise AssertionError("\n".join(lines)) from failures[0][1]
    if not names:
        raise ValueError(f"no check of {case} has {only!r} in its name")
    return names


def label(estimator):
    """Return the estimator as one word that is the same in every process."""
    text = re.sub(r"<function (\w+) at \w+>", r"\1", repr(estimator))
    return re.sub(r"\s+", "", text)


def parametrize(cases, *, only=""):
    """Return a pytest decorator that runs a test with one argument, `check`, for each check.

    Parameters
    ----------
    cases : iterable of estimators and Case
    only : str, default=""
        Take those with this in their name.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from skcourse.testing import parametrize
    >>> @parametrize([Ridge()])
    ... def test_ridge(check):
    ...     check()
    """
    import pytest

    cases = [case if isinstance(case, Case) else Case(case) for case in cases]
    pairs = [(case, name, check) for case in cases for name, check in all_checks(case)]
    return pytest.mark.parametrize(
        "check",
        [
            pytest.param(check, id=f"{label(case.estimator)}-{name}")
            for case, name, check in pairs
            if only in name
        ],
    )
