"""Each check passes on a toy that is right, and fails on one that is wrong in its way."""

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LinearRegression, Ridge, RidgeClassifier
from sklearn.pipeline import make_pipeline

from skcourse import testing
from skcourse.testing import Case, all_checks, check_estimator, make_problem, shift, target_affine
from skcourse.testing.answers import seeded
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
        same_bits=True,
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
    "check_threads_agree": [toys.CountsItsThreads, toys.LosesRowsToThreads],
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


def test_what_is_excused_must_be_a_check():
    with pytest.raises(ValueError, match="check_row_ordre"):
        list(all_checks(Case(toys.Line(), excused={"check_row_ordre": "a slip"})))


def test_no_check_of_that_name():
    with pytest.raises(ValueError, match=r"no check of .*'wieght' in its name"):
        check_estimator(toys.Line(), only="wieght")


def test_threads_may_round_unless_bits_are_promised():
    for estimator in (toys.CountsItsThreads(), Ridge(solver="cholesky")):
        assert check_estimator(estimator, only="threads") == ["check_threads_agree"]
    with pytest.raises(AssertionError, match=r"predict moves by .* with n_jobs=2"):
        check_estimator(toys.LosesRowsToThreads(), only="threads")


def test_a_failure_is_caused_by_the_first():
    with pytest.raises(AssertionError) as caught:
        check_estimator(toys.Widens(), only="dtype")
    assert isinstance(caught.value.__cause__, AssertionError)


def test_a_loss_history_is_not_a_history():
    class Logs(toys.Line):
        """Has a loss_history_."""

    assert "check_history" not in dict(all_checks(Logs()))


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (np.arange(4.0), np.array([0, 1.5, 2, 3.25]), "2 of 4 entries differ, by at most 0.5"),
        (np.zeros(2), np.array([0, -0.0]), "1 of 2 entries differ, by at most 0$"),
        (np.zeros(2), np.zeros(2, np.float32), r"float64 of shape \(2,\) against float32"),
        (np.zeros(2), np.zeros((1, 2)), r"of shape \(2,\) against float64 of shape \(1, 2\)"),
        (np.array(["a", "b"]), np.array(["a", "c"]), "1 of 2 entries differ$"),
        (np.float64(1), np.float64(3), "1 of 1 entries differ, by at most 2"),
        ({"loss": np.zeros(9)}, {"loss": np.ones(9)}, r"\['loss'\] 9 of 9 entries differ"),
        ([1, np.zeros(9)], [1, np.ones(9)], r"\[1\] 9 of 9 entries differ"),
        (1, 2, "1 against 2"),
        (list(range(10**5)), None, r"^.{1,99}$"),
    ],
)
def test_a_message_says_how_values_differ(first, second, message):
    with pytest.raises(AssertionError, match=message):
        testing.assert_same_bits({"x": first}, {"x": second}, "here")


def test_objects_are_compared_by_what_they_hold():
    same = [np.random.RandomState(0), LinearRegression, least_squared_error, toys.Box(1)]
    twin = [np.random.RandomState(0), LinearRegression, least_squared_error, toys.Box(1)]
    testing.assert_same_bits({"x": same}, {"x": twin}, "")
    for a, b in ((toys.Box(1), toys.Box(2)), (lambda: 0, lambda: 0)):
        with pytest.raises(AssertionError):
            testing.assert_same_bits({"x": a}, {"x": b}, "")


def test_parts_are_seeded_too():
    pipeline = make_pipeline(KMeans(3, n_init=1), KMeans(2, random_state=7))
    assert "check_row_order" not in dict(all_checks(pipeline))
    testing.check_repeatable(pipeline)
    seeds = seeded(pipeline).get_params()
    assert seeds["kmeans-1__random_state"] == 0 and seeds["kmeans-2__random_state"] == 7


def test_a_fit_that_takes_NaN_is_told_so():
    with pytest.raises(AssertionError, match="should have refused: nan in X"):
        testing.check_failed_fit_leaves_no_trace(toys.TakesNaN())


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
