"""Checks for estimators, any estimators: what must hold whatever the algorithm is.

scikit-learn's `check_estimator` asks whether an estimator obeys the interface. This asks whether
it obeys the mathematics: a weight counts rows, their order is nothing, threads change nothing,
a fit in pieces is a fit. Tolerances are measured (see `allowance`), so one check serves a
well-conditioned problem and one that is nearly singular, in float64 and in float32.

>>> from sklearn.linear_model import Ridge
>>> from skcourse.testing import check_row_order
>>> check_row_order(Ridge())

`check_estimator` runs all that apply, `parametrize` makes a pytest test of each, `Case` tells more
of an estimator than its signature and tags do. `skcourse.testing.strategies` draws problems with
hypothesis; every check takes one: ``check_row_order(Ridge(), problem)``.
"""

from skcourse.testing.answers import allowance, answers, assert_agree, assert_same_bits
from skcourse.testing.cases import Case, all_checks, check_estimator, parametrize
from skcourse.testing.fits import check_history, check_objective, check_partial_fit_in_pieces
from skcourse.testing.inputs import check_dtype_kept, check_layouts, check_memmap
from skcourse.testing.parameters import check_parameters_refused
from skcourse.testing.problems import Problem, make_problem
from skcourse.testing.rows import (
    check_equal_weights_are_none,
    check_row_order,
    check_rows_one_by_one,
    check_weights_repeat_rows,
    check_zero_weight_is_absence,
)
from skcourse.testing.states import (
    check_clone,
    check_failed_fit_leaves_no_trace,
    check_fit_forgets,
    check_inputs_unchanged,
    check_pickle,
    check_repeatable,
    check_threads_agree,
)
from skcourse.testing.symmetries import (
    Symmetry,
    check_symmetry,
    rotation,
    scale,
    shift,
    stretch,
    target_affine,
)

__all__ = [
    "Case",
    "Problem",
    "Symmetry",
    "all_checks",
    "allowance",
    "answers",
    "assert_agree",
    "assert_same_bits",
    "check_clone",
    "check_dtype_kept",
    "check_equal_weights_are_none",
    "check_estimator",
    "check_failed_fit_leaves_no_trace",
    "check_fit_forgets",
    "check_history",
    "check_inputs_unchanged",
    "check_layouts",
    "check_memmap",
    "check_objective",
    "check_parameters_refused",
    "check_partial_fit_in_pieces",
    "check_pickle",
    "check_repeatable",
    "check_row_order",
    "check_rows_one_by_one",
    "check_symmetry",
    "check_threads_agree",
    "check_weights_repeat_rows",
    "check_zero_weight_is_absence",
    "make_problem",
    "parametrize",
    "rotation",
    "scale",
    "shift",
    "stretch",
    "target_affine",
]
