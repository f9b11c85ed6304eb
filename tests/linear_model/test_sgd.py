import pickle
import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Perceptron as TheirPerceptron
from sklearn.linear_model import SGDClassifier as TheirClassifier
from sklearn.linear_model import SGDOneClassSVM as TheirOneClass
from sklearn.linear_model import SGDRegressor as TheirRegressor
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier

from skcourse.linear_model import Perceptron, SGDClassifier, SGDOneClassSVM, SGDRegressor
from skcourse.linear_model.sgd_order import shuffle

ROUNDING = 1e-9  # of a few thousand steps, none of which amplifies: their sum is 1e4 roundings
PAIRS = {
    "regressor": (SGDRegressor, TheirRegressor),
    "classifier": (SGDClassifier, TheirClassifier),
    "perceptron": (Perceptron, TheirPerceptron),
}
FEW = {"max_iter": 5, "tol": None, "random_state": 3}
STEADY = {"learning_rate": "constant", "eta0": 0.01}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 7))
    X[rng.random(X.shape) < 0.4] = 0
    y = X @ rng.normal(size=7) + 0.3 * rng.normal(size=300) + 1
    return X, y, rng.random(300) + 0.5


def same(ours, theirs):
    """Assert that two fits agree to rounding."""
    size = max(np.abs(theirs.coef_).max(), 1)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=0, atol=ROUNDING * size)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=0, atol=ROUNDING * size)
    assert ours.n_iter_ == theirs.n_iter_
    assert ours.t_ == theirs.t_


def both(kind, X, y, fit=None, **parameters):
    """Fit our class and theirs."""
    fits = []
    for cls in PAIRS[kind]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            fits.append(cls(**FEW | parameters).fit(X, y, **fit or {}))
    return fits


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array, sparse.csc_matrix])
@pytest.mark.parametrize("penalty", ["l2", "l1", "elasticnet", None])
@pytest.mark.parametrize(
    "loss", ["squared_error", "huber", "epsilon_insensitive", "squared_epsilon_insensitive"]
)
def test_regression_as_theirs(data, loss, penalty, form):
    X, y, weights = data
    same(*both("regressor", form(X), y, {"sample_weight": weights}, loss=loss, penalty=penalty))


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_steps_back_and_forth_cancel(form):
    X = np.zeros((30, 1))  # predictions are the intercept: at 0 a perceptron learns, beside it not
    X[0] = 1.0
    for seed in range(10):
        y = np.random.default_rng(seed).integers(0, 2, 30)
        same(*both("perceptron", form(X), y, eta0=0.1))


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("penalty", ["l2", "elasticnet"])
@pytest.mark.parametrize("loss", SGDClassifier.loss_functions)
def test_classes_as_theirs(data, loss, penalty, form):
    X, y, weights = data
    options = {"loss": loss, "penalty": penalty, "class_weight": {-1: 2.0, 0: 1.0, 1: 0.5}} | STEADY
    same(*both("classifier", form(X), np.digitize(y, [0, 2]) - 1, **options))
    options["class_weight"] = "balanced"
    same(*both("classifier", form(X), y > 0, {"sample_weight": weights}, **options))


@pytest.mark.parametrize(
    "options",
    [
        {"learning_rate": "constant", "eta0": 0.02},
        {"learning_rate": "optimal", "alpha": 1.0},
        {"learning_rate": "invscaling", "eta0": 0.05, "power_t": 0.4},
        {"learning_rate": "invscaling", "eta0": 0.05, "power_t": 0.5, "average": True},
        {"learning_rate": "adaptive", "max_iter": 60, "tol": 1e-2, "n_iter_no_change": 2},
        {"learning_rate": "pa1", "loss": "epsilon_insensitive", "eta0": 0.1},
        {"learning_rate": "pa2", "loss": "epsilon_insensitive", "eta0": 0.1, "epsilon": 0.3},
        {"average": 700, "fit_intercept": False},
        {"shuffle": False, "penalty": "elasticnet", "l1_ratio": 0.7},
        {"tol": 1e-3, "max_iter": 200, "n_iter_no_change": 3},
        {"early_stopping": True, "validation_fraction": 0.2, "tol": 1e-3, "max_iter": 100},
        {"alpha": 3.0, "penalty": "l1"},
    ],
    ids=str,
)
def test_options_as_theirs(data, options):
    X, y, weights = data
    ours, theirs = both("regressor", X, y, {"sample_weight": weights}, **options)
    same(ours, theirs)
    plain = both("regressor", X, y, {"sample_weight": weights})[0]
    assert not np.allclose(ours.coef_, plain.coef_, rtol=1e-6), "the options do nothing"


def test_averages_that_never_begin_are_none(data):
    X, y, _ = data
    same(*both("regressor", X, y, average=10**6))
    late = SGDRegressor(average=10**6, **FEW).fit(X, y)
    np.testing.assert_array_equal(late.coef_, SGDRegressor(**FEW).fit(X, y).coef_)


def test_passive_aggressive_classes_pass_over_rows_of_zeros(data):
    X, y, _ = data
    X = np.vstack([X[:50], np.zeros((3, 7)), X[50:]])
    y = np.insert(y, 50, [1.0, -1.0, 1.0]) > 0
    for form in (np.asarray, sparse.csr_array):
        for rate in ("pa1", "pa2"):
            options = {"learning_rate": rate, "eta0": 0.3, "average": True}
            same(*both("classifier", form(X), y, **options))


def test_perceptron_as_theirs(data):
    X, y, _ = data
    for labels in (y > 1, np.digitize(y, [0, 2])):
        for options in ({}, {"penalty": "l2", "eta0": 0.1, "alpha": 0.01}, {"shuffle": False}):
            same(*both("perceptron", X, labels, **options))


CLASS_OPTIONS = [
    {"alpha": 0.1},
    {"class_weight": {False: 1.0, True: 3.0}},
    {"penalty": "elasticnet", "l1_ratio": 0.7, "alpha": 0.01},
    {"fit_intercept": False},
    {"shuffle": False},
    {"tol": 1e-2, "max_iter": 100},
    {"tol": 1e-3, "max_iter": 100, "n_iter_no_change": 2},
    # theirs judges when to stop by coefficients that lack the shrinking by a penalty
    {"early_stopping": True, "validation_fraction": 0.3, "tol": 1e-3, "max_iter": 100}
    | {"penalty": None},
]


@pytest.mark.parametrize(
    ("kind", "options"),
    [("classifier", options) for options in CLASS_OPTIONS]
    + [("perceptron", {"penalty": "l2", "alpha": 0.01} | options) for options in CLASS_OPTIONS]
    + [
        ("classifier", {"loss": "huber", "epsilon": 0.4}),
        ("classifier", {"learning_rate": "invscaling", "power_t": 0.2}),
    ],
    ids=str,
)
def test_class_options_as_theirs(data, kind, options, capsys):
    X, y, _ = data
    steady = STEADY if kind == "classifier" and "learning_rate" not in options else {}
    ours, theirs = both(kind, X, y > 1, **steady | options)
    same(ours, theirs)
    assert not np.allclose(ours.coef_, both(kind, X, y > 1, **steady)[0].coef_, rtol=1e-6)
    same(*(model.set_params(warm_start=True).fit(X, y > 1) for model in (ours, theirs)))
    capsys.readouterr()
    ours.set_params(verbose=1).fit(X, y > 1)
    assert "Epoch 1. Norm" in capsys.readouterr().out


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"average": 20, "nu": 0.1},
        {"fit_intercept": False},
        STEADY,
        {"learning_rate": "constant", "eta0": 0.03},
        {"learning_rate": "invscaling", "power_t": 0.2},
        {"shuffle": False},
        {"tol": 1e-2, "max_iter": 100},
    ],
    ids=str,
)
def test_one_class_as_theirs(data, options, capsys):
    X = data[0] + 3
    plain = SGDOneClassSVM(**FEW).fit(X).coef_
    for warm_start in (False, True):
        ours, theirs = (
            c(warm_start=warm_start, **FEW | options).fit(X).fit(X)
            for c in (SGDOneClassSVM, TheirOneClass)
        )
        assert not (warm_start or options) or not np.allclose(ours.coef_, plain, rtol=1e-6)
        assert ours.n_iter_ == theirs.n_iter_
        np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=ROUNDING)
        np.testing.assert_allclose(ours.offset_, theirs.offset_, atol=ROUNDING)
        np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
        np.testing.assert_allclose(ours.score_samples(X), theirs.score_samples(X), atol=1e-8)
    capsys.readouterr()
    SGDOneClassSVM(verbose=1, **FEW | options).fit(X)
    assert "Epoch 1. Norm" in capsys.readouterr().out


@pytest.mark.parametrize("rate", ["pa1", "pa2"])
def test_one_class_has_no_passive_aggressive_steps(data, rate):
    for cls in (SGDOneClassSVM, TheirOneClass):
        with pytest.raises(ValueError, match=f"'{rate}' only works with loss 'epsilon_insens"):
            cls(learning_rate=rate).fit(data[0])


def steps_by_hand(X, y, *, h, alpha, l1_ratio, decay, n_epochs):
    """Run the iteration of `sgd_steps` as it is written there; return w, b and their means."""
    w, q, mean = np.zeros((3, X.shape[1]))
    b, mean_b, u, t = 0.0, 0.0, 0.0, 0
    for _ in range(n_epochs):
        for x, target in zip(X, y, strict=True):
            c = -h * (x @ w + b - target)
            w = max(0.0, 1 - h * alpha * (1 - l1_ratio)) * w + c * x
            b += decay * c
            u += h * alpha * l1_ratio
            seen = x != 0 if decay < 1 else np.ones(len(x), bool)
            pulled = np.where(w > 0, np.maximum(0, w - (u + q)), np.minimum(0, w + (u - q)))
            pulled = np.where(seen & (w != 0), pulled, w)
            w, q = pulled, q + pulled - w
            t += 1
            mean, mean_b = mean + (w - mean) / t, mean_b + (b - mean_b) / t
    return w, b, mean, mean_b


@pytest.mark.parametrize("l1_ratio", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_steps_and_averages_are_those_of_the_formulas(data, form, l1_ratio):
    X, y, _ = data
    options = {"penalty": "elasticnet", "l1_ratio": l1_ratio, "alpha": 0.05, "shuffle": False}
    decay = 1.0 if form is np.asarray else 0.01
    how = {"h": 0.01, "alpha": 0.05, "l1_ratio": l1_ratio, "decay": decay, "n_epochs": 5}
    w, b, mean, mean_b = steps_by_hand(X, y, **how)
    plain = SGDRegressor(**FEW | STEADY | options).fit(form(X), y)
    averaged = SGDRegressor(average=True, **FEW | STEADY | options).fit(form(X), y)
    np.testing.assert_allclose(plain.coef_, w, atol=1e-12)
    np.testing.assert_allclose(plain.intercept_, b, atol=1e-12)
    np.testing.assert_allclose(averaged.coef_, mean, atol=1e-12)
    np.testing.assert_allclose(averaged.intercept_, mean_b, atol=1e-12)
    if l1_ratio == 1:
        assert np.any(w == 0)


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("penalty", ["l2", "l1", "elasticnet", None])
def test_objective_of_an_epoch_is_the_mean_before_each_step(data, form, penalty):
    X, y, _ = data
    X, y = X[:40], y[:40]
    options = {"penalty": penalty, "alpha": 0.1, "l1_ratio": 0.3, "shuffle": False} | STEADY
    model = SGDRegressor(max_iter=1, tol=None, **options)
    r = {"l2": 0.0, "l1": 1.0, "elasticnet": 0.3, None: 0.0}[penalty]
    losses, penalties = [0.5 * y[0] ** 2], [0.0]
    for i in range(1, 40):  # the fit of the first i rows is where step i + 1 begins
        before = model.fit(form(X[:i]), y[:i])
        losses.append(0.5 * (before.predict(form(X[i : i + 1]))[0] - y[i]) ** 2)
        w = before.coef_
        penalties.append(0.1 * (r * np.abs(w).sum() + (1 - r) * 0.5 * w @ w))
    history = model.fit(form(X), y).history_
    assert history["loss"][0] == pytest.approx(np.mean(losses), rel=1e-10)
    expected = np.mean(losses) + (np.mean(penalties) if penalty else 0.0)
    assert history["objective"][0] == pytest.approx(expected, rel=1e-10)


def test_objective_falls_to_the_optimum(data):
    X, y, _ = data
    model = SGDRegressor(max_iter=200, tol=None, average=30_000, random_state=0).fit(X, y)
    A = np.column_stack([X, np.ones(len(y))])
    alpha = model.alpha * len(y) * np.diag([1.0] * 7 + [0.0])
    theta = np.linalg.solve(A.T @ A + alpha, A.T @ y)
    best = np.mean((y - A @ theta) ** 2)  # a late average is off by less than a part of the noise
    assert np.mean((y - model.predict(X)) ** 2) < 1.01 * best
    history = model.history_["objective"]
    assert history[-1] < history[0]
    assert len(history) == model.n_iter_ == 200


def test_validation_scores_are_those_of_the_coefficients(data):
    X, y, weights = data
    options = {"early_stopping": True, "random_state": 0, "max_iter": 4, "tol": None} | STEADY
    model = SGDClassifier(loss="log_loss", penalty="l2", alpha=0.1, **options)
    model.fit(sparse.csr_array(X), y > 1, sample_weight=weights)
    assert set(model.history_) == {"loss", "objective", "validation_score"}
    again = SGDClassifier(loss="log_loss", penalty="l2", alpha=0.1, **options)
    codes = (y > 1).astype(int)
    kept_back = again._kept_back(codes, None, splitter=stratified())
    score = model.score(X[kept_back], codes[kept_back] == 1, weights[kept_back])
    assert model.history_["validation_score"][-1] == pytest.approx(score)


def stratified():
    from sklearn.model_selection import StratifiedShuffleSplit

    return StratifiedShuffleSplit


@pytest.mark.parametrize("n_jobs", [2, 3, -1])
def test_threads_change_no_bit(data, n_jobs):
    X, y, _ = data
    labels = np.digitize(y, [-1, 0, 1, 2])
    one = SGDClassifier(random_state=1, max_iter=30, tol=1e-2).fit(X, labels)
    many = SGDClassifier(random_state=1, max_iter=30, tol=1e-2, n_jobs=n_jobs).fit(X, labels)
    np.testing.assert_array_equal(one.coef_, many.coef_)
    assert one.history_["loss"].shape == (one.n_iter_, 5)


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_pieces_as_theirs(data, form):
    X, y, weights = data
    labels = np.digitize(y, [0, 2])
    for average in (False, 250):
        fits = []
        for cls in PAIRS["classifier"]:
            model = cls(average=average, random_state=0, **STEADY)
            for rows in (slice(0, 100), slice(100, 110), slice(110, 300)):
                piece = form(X[rows])
                model.partial_fit(piece, labels[rows], np.arange(3), sample_weight=weights[rows])
            fits.append(model)
        same(*fits)
        fits = []
        for cls in PAIRS["regressor"]:
            model = cls(average=average, random_state=0)
            for rows in (slice(0, 100), slice(100, 110), slice(110, 300)):
                model.partial_fit(form(X[rows]), y[rows])
            fits.append(model)
        same(*fits)


def test_starts_as_theirs(data):
    X, y, _ = data
    start = {"coef_init": np.arange(7.0), "intercept_init": [2.0]}
    same(*both("regressor", X, y, start))
    start = {"coef_init": np.ones((1, 7)), "intercept_init": 0.5}
    same(*both("classifier", X, y > 0, start, **STEADY))
    fits = [cls(warm_start=True, **FEW).fit(X, y) for cls in PAIRS["regressor"]]
    same(*(model.fit(X, y) for model in fits))
    assert not np.array_equal(fits[0].coef_, SGDRegressor(**FEW).fit(X, y).coef_)
    for name in ("coef_init", "intercept_init"):
        with pytest.raises(ValueError, match="does not match dataset"):
            SGDRegressor().fit(X, y, **{name: np.zeros(3)})
        with pytest.raises(ValueError, match="NaN or infinity"):
            SGDRegressor().fit(X, y, **{name: np.full(7 if name == "coef_init" else 1, np.nan)})


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_numbers_that_overflow_are_an_error_with_a_remedy(data, form):
    X, y, _ = data
    with pytest.raises(ValueError, match=r"overflow occurred at epoch #\d+.*too long.*Scaling"):
        SGDRegressor(**FEW).fit(form(1e300 * X), y)
    with pytest.raises(ValueError, match="overflow occurred"):  # finite in float64 only
        tiny = (1e-30 * X).astype(np.float32)
        SGDRegressor(eta0=1e-9).fit(form(tiny), y, coef_init=np.full(7, 1e39))


def test_descents_that_diverge_warn(data):
    X, y, _ = data
    with pytest.warns(ConvergenceWarning, match="diverges.*StandardScaler.*smaller eta0"):
        SGDRegressor(**FEW).fit(1e4 * X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SGDRegressor(**FEW).fit(X, y)


def test_long_weights_are_no_overflow(data):
    X, y, _ = data  # |w|^2 overflows, w does not
    model = SGDRegressor(penalty=None, max_iter=2, tol=None, **STEADY)
    model.fit(1e-180 * X, y, coef_init=np.full(7, 1e170))
    assert np.isfinite(model.coef_).all()


def test_float32_stays_and_indices_may_be_long(data):
    X, y, _ = data
    single = SGDRegressor(**FEW).fit(X.astype(np.float32), y.astype(np.float32))
    assert single.coef_.dtype == single.intercept_.dtype == single.predict(X[:1].astype("f4")).dtype
    assert single.coef_.dtype == np.float32
    np.testing.assert_allclose(single.coef_, SGDRegressor(**FEW).fit(X, y).coef_, rtol=1e-5)
    short, long = sparse.csr_array(X), sparse.csr_array(X)
    long.indices, long.indptr = long.indices.astype(np.int64), long.indptr.astype(np.int64)
    with pytest.raises(ValueError, match="int64"):
        TheirRegressor().fit(long, y)
    models = [SGDRegressor(**FEW).fit(rows, y) for rows in (short, long)]
    np.testing.assert_array_equal(models[0].coef_, models[1].coef_)


def test_entries_that_occur_twice_add_up(data):
    X, y, _ = data
    plain = sparse.csr_array(X)
    twice = sparse.csr_array(
        (np.repeat(plain.data / 2, 2), np.repeat(plain.indices, 2), 2 * plain.indptr), X.shape
    )
    for penalty in ("l2", "l1"):
        one, other = (SGDRegressor(penalty=penalty, **FEW).fit(rows, y) for rows in (plain, twice))
        np.testing.assert_allclose(one.coef_, other.coef_, rtol=1e-12)
        np.testing.assert_allclose(one.history_["objective"], other.history_["objective"])


@pytest.mark.parametrize("loss", ["log_loss", "modified_huber"])
def test_probabilities_as_theirs(data, loss):
    X, y, _ = data
    for labels in (y > 0, np.digitize(y, [0, 2])):
        ours, theirs = both("classifier", X, labels, loss=loss, **STEADY)
        far = np.vstack([X, 100 * X])  # beyond all classes, too
        found = ours.predict_proba(far)
        np.testing.assert_allclose(found, theirs.predict_proba(far), atol=1e-9)
        np.testing.assert_allclose(found.sum(axis=1), 1)
    assert not hasattr(SGDClassifier(), "predict_proba")


def test_sparse_coefficients_answer_the_same(data):
    X, y, _ = data
    labels = np.digitize(y, [0, 2])
    options = {"penalty": "l1", "alpha": 0.05} | STEADY | FEW
    for model in (SGDClassifier(**options).fit(X, labels), SGDRegressor(**options).fit(X, y)):
        for rows in (X, sparse.csr_array(X)):
            expected = model.densify().predict(rows)
            assert sparse.issparse(model.sparsify().coef_)
            np.testing.assert_allclose(model.predict(rows), expected)
        shape = model.coef_.shape
        assert model.densify().coef_.shape == shape
        pickle.loads(pickle.dumps(model.sparsify())).predict(X)


def test_several_labels(data):
    X, y, _ = data
    Y = np.column_stack([y > 0, y > 1, X[:, 0] > 0]).astype(int)
    base = SGDClassifier(loss="log_loss", random_state=0, max_iter=20, tol=None)
    each = MultiOutputClassifier(base).fit(X, Y)
    np.testing.assert_array_equal(each.predict(X)[:, 1], base.fit(X, Y[:, 1]).predict(X))
    assert OneVsRestClassifier(base).fit(X, Y).predict_proba(X).shape == Y.shape
    assert ClassifierChain(Perceptron(), random_state=0).fit(X, Y).predict(X).shape == Y.shape
    pieces = MultiOutputClassifier(base).partial_fit(X, Y, classes=[[0, 1]] * 3)
    assert pieces.predict(X).shape == Y.shape


def test_order_is_a_permutation_and_theirs():
    order = np.arange(1000)
    shuffle(order, np.uint64(12345))
    assert not np.array_equal(order, np.arange(1000))
    np.testing.assert_array_equal(np.sort(order), np.arange(1000))
    from sklearn.utils._seq_dataset import ArrayDataset64  # private: what the order must be

    dataset = ArrayDataset64(np.zeros((1000, 1)), np.zeros(1000), np.ones(1000), seed=1)
    dataset._shuffle_py(12345)
    np.testing.assert_array_equal([dataset._next_py()[3] for _ in range(1000)], order)


def test_warnings_name_the_remedy(data):
    X, y, _ = data
    with pytest.warns(ConvergenceWarning, match="increasing max_iter"):
        SGDRegressor(max_iter=1).fit(X, y)
    with pytest.warns(FutureWarning, match="Negative values for `power_t`"):
        SGDRegressor(power_t=-0.1, eta0=1e-4).fit(X, y)


def test_choices_that_do_not_go_together(data):
    X, y, _ = data
    bad = {
        "alpha must be > 0": {"learning_rate": "optimal", "alpha": 0},
        "only works with loss": {"learning_rate": "pa1"},
        "l1_ratio must be set": {"penalty": "elasticnet", "l1_ratio": None},
        "train set will be empty": {
            "early_stopping": True,
            "validation_fraction": 0.999,
        },
    }
    for message, parameters in bad.items():
        with pytest.raises(ValueError, match=message):
            SGDRegressor(**parameters).fit(X, y)
    with pytest.raises(ValueError, match="greater than one; got 1 class"):
        SGDClassifier().fit(X, np.ones(300))
    with pytest.raises(ValueError, match="classes must be passed"):
        SGDClassifier().partial_fit(X, y > 0)
    with pytest.raises(ValueError, match="not the same as on last call"):
        SGDClassifier().partial_fit(X, y > 0, [0, 1]).partial_fit(X, y > 0, [0, 2])
    with pytest.raises(ValueError, match="validation set are all zero"):
        SGDClassifier(early_stopping=True).fit(X, y > 0, sample_weight=np.zeros(300))


def test_verbose_prints_a_line_per_epoch(data, capsys):
    X, y, _ = data
    SGDRegressor(verbose=1, **FEW).fit(X, y)
    assert capsys.readouterr().out.count("Epoch") == 5
