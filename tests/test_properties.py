"""What must hold whatever the algorithm: the checks of `skcourse.testing` on every estimator."""

import pytest
from hypothesis import given

from skcourse import testing
from skcourse.testing import all_checks, parametrize
from skcourse.testing.cases import label
from skcourse.testing.strategies import problems
from tests.cases import all_cases

CASES = all_cases()

# What a drawn problem tells more about than a fixed one.
DRAWN = (
    "check_dtype_kept",
    "check_equal_weights_are_none",
    "check_layouts",
    "check_objective",
    "check_partial_fit_in_pieces",
    "check_row_order",
    "check_rows_one_by_one",
    "check_symmetry",
    "check_weights_repeat_rows",
    "check_zero_weight_is_absence",
)


@parametrize(CASES)
def test_property(check):
    check()


def drawn():
    return [
        pytest.param(case, name, check, id=f"{label(case.estimator)}-{name}")
        for case in CASES
        for name, check in all_checks(case)
        if name.partition("[")[0] in DRAWN
    ]


@pytest.mark.parametrize(("case", "name", "check"), drawn())
def test_property_of_drawn_problems(case, name, check):
    options = {"rows": (12, 40), "columns": (2, 6)} | case.problems
    weighted = name in ("check_weights_repeat_rows", "check_zero_weight_is_absence")

    @given(problems(case.estimator, weighted=weighted, **options))
    def holds(problem):
        check(problem)

    holds()


def test_drawn_checks_exist():
    assert set(DRAWN) <= set(testing.__all__)
