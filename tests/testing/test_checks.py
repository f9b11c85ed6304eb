"""Each check passes on a toy that is right, and fails on one that is wrong in its way."""

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LinearRegression, RidgeClassifier

from skcourse import testing
from skcourse.testing import Case, all_checks, check_estimator, make_problem, shift, target_affine
from skcourse.testing.cases import label
from tests.testing import toys


def squared_error(fit, problem):
    return float(np.sum((problem.y - fit.predict(problem.X)) ** 2))


def least_squared_error(problem):
    return squared_error(LinearRegression().fit(problem.X, problem.y), problem)


def case(toy):
    return Case(
        toy(),
        symmetries=(shift(), target_affine()),
        falls=("loss",),
        objective=squared_error,
        optimum=least_squared_error,
        reached=True,
    )


BROKEN = {
    "check_clone": [toys.ClonesItsFit],
    "check_dtype_kept": [toys.Widens],
    "check_equal_weights_are_none": [toys.DividesByTheWeights],
    "check_failed_fit_leaves_no_trace": [toys.HalfFitted],
    "check_fit_forgets": [toys.Remembers],
    "check_history": [toys.Climbs],
    "check_inputs_unchanged": [toys.Scribbles, toys.RewritesItsParameters],
    "check_layouts": [toys.ReadsMemory],
    "check_memmap": [toys.DislikesMaps],
    "check_objective": [toys.StopsEarly],
    "check_parameters_refused": [toys.TakesNonsense],
    "check_partial_fit_in_pieces": [toys.ForgetsPieces],
    "check_pickle": [toys.LosesItsState],
    "check_repeatable": [toys.Dice],
    "check_row_order": [toys.TrustsTheFirstRow],
    "check_rows_one_by_one": [toys.StandardisesTheBatch],
    "check_symmetry[a change of the unit and origin of y]": [toys.SeesTheOrigin],
    "check_symmetry[a shift of X]": [toys.SeesTheOrigin],
    "check_threads_agree": [toys.CountsItsThreads],
    "check_weights_repeat_rows": [toys.WeightsWithoutRoot],
    "check_zero_weight_is_absence": [toys.CountsAbsentRows],
}


def test_every_check_is_shown_to_fail():
    assert set(BROKEN) == {name for name, _ in all_checks(case(toys.Line))}
    public = {name for name in testing.__all__ if name.startswith("check_")} - {"check_estimator"}
    assert public == {name.partition("[")[0] for name in BROKEN}


@testing.parametrize([case(toys.Line)])
def test_right_toy_passes(check):
    check()


@pytest.mark.parametrize(("name", "toy"), [(n, toy) for n, all_ in BROKEN.items() for toy in all_])
def test_broken_toy_fails(name, toy):
    check = dict(all_checks(case(toy)))[name]
    with pytest.raises(AssertionError):
        check()


def test_estimator_report_names_every_failure():
    with pytest.raises(AssertionError, match=r"check_dtype_kept: .*float64"):
        check_estimator(toys.Widens(), only="dtype")
    assert check_estimator(toys.Line(), only="clone") == ["check_clone"]


def test_what_mathematics_forbids_is_excused():
    excused = Case(toys.ForgetsPieces(), excused={"check_partial_fit_in_pieces": "it forgets"})
    assert "check_partial_fit_in_pieces" not in dict(all_checks(excused))


def test_estimators_of_other_input_are_refused():
    with pytest.raises(ValueError, match="does not take a matrix"):
        list(all_checks(KernelRidge(kernel="precomputed")))


def test_names_are_the_same_in_every_process():
    assert (
        label(KMeans(init=squared_error, n_clusters=3)) == "KMeans(init=squared_error,n_clusters=3)"
    )


def test_a_toss_up_may_fall_either_way():
    problem = make_problem(RidgeClassifier())
    fit = RidgeClassifier().fit(problem.X, problem.y > 0)
    middle = fit.decision_function(problem.X[:1])
    tie = problem.X[:1] - middle * fit.coef_ / np.sum(fit.coef_**2)  # where the score is 0
    asked = problem._replace(y=problem.y > 0, queries=np.vstack([tie, problem.X[:1]]))
    assert testing.allowance(RidgeClassifier(), asked)["predict"].tolist() == [True, False]


def test_below_the_optimum_is_impossible():
    flattered = case(toys.Line)._replace(objective=lambda fit, problem: 0.0)
    with pytest.raises(AssertionError, match="below the optimum"):
        check_estimator(flattered, only="objective")


@pytest.mark.parametrize("condition", [1e1, 1e5, 1e9])
def test_allowance_grows_with_the_condition(condition):
    rng = np.random.default_rng(0)
    problem = make_problem(toys.Line())
    U, _, V = np.linalg.svd(rng.normal(size=problem.X.shape), full_matrices=False)
    X = U * np.geomspace(1, 1 / condition, len(V)) @ V
    # Away from the rows of X, predictions move by condition * eps * |coef| (Wedin 1973), and the
    # coefficients of a random y have norm about `condition`.
    problem = problem._replace(X=X, y=rng.normal(size=len(X)), queries=rng.normal(size=X.shape))
    allowed = testing.allowance(toys.Line(), problem)["predict"]
    assert np.finfo(float).eps * condition**2 < allowed < 1e4 * np.finfo(float).eps * condition**2
