"""Paths and cross-validation of the lasso and its relatives."""

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.linear_model as theirs
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold, ShuffleSplit

from skcourse.linear_model import (
    ElasticNetCV,
    Lasso,
    LassoCV,
    MultiTaskElasticNetCV,
    MultiTaskLassoCV,
    enet_path,
    lasso_path,
)
from skcourse.linear_model.lasso_folds import all_sums, is_partition
from tests.linear_model.test_lasso import CLOSE, TIGHT, data

MULTI = (MultiTaskLassoCV, MultiTaskElasticNetCV)


@pytest.mark.parametrize("shape", [(80, 20), (20, 60)])
@pytest.mark.parametrize("precompute", ["auto", True, False])
@pytest.mark.parametrize("n_targets", [None, 2])
def test_paths_agree_with_scikit_learn(shape, precompute, n_targets):
    X, y = data(*shape, n_targets=n_targets, offset=0.0)
    options = {"alphas": 12, "eps": 0.05, "precompute": precompute} | TIGHT
    alphas, coefs, gaps, n_iters = enet_path(X, y, return_n_iter=True, **options)
    wanted = theirs.enet_path(X, y, **options)
    np.testing.assert_allclose(alphas, wanted[0])
    assert coefs.shape == wanted[1].shape and len(n_iters) == 12
    np.testing.assert_allclose(coefs, wanted[1], **CLOSE)
    assert (gaps >= 0).all() and (gaps <= 1e-12 * np.sum(y**2) / len(y) * 1.01).all()


def test_a_path_is_one_fit_after_the_other():
    X, y = data(300, 1_500, offset=0.0)
    alphas, coefs, _ = lasso_path(X, y, alphas=15, eps=0.05, **TIGHT)
    for i in (1, 7, 14):
        model = Lasso(alpha=alphas[i], fit_intercept=False, **TIGHT).fit(X, y)
        np.testing.assert_allclose(coefs[:, i], model.coef_, **CLOSE)


def test_parameters_of_paths():
    X, y = data(offset=0.0)
    assert lasso_path(X, y, alphas=3, positive=True)[1].min() >= 0
    assert lasso_path(X, y, alphas=[0.1, 2.0, 1.0])[0].tolist() == [2.0, 1.0, 0.1]
    start = lasso_path(X, y, alphas=[0.1])[1][:, 0]
    assert lasso_path(X, y, alphas=[0.1], coef_init=start, return_n_iter=True)[3] == [0]
    full = lasso_path(X, y, alphas=5, precompute=False, **TIGHT)[1]
    given = lasso_path(X, y, alphas=5, precompute=X.T @ X, Xy=X.T @ y, **TIGHT)[1]
    np.testing.assert_allclose(given, full, **CLOSE)
    whole = lasso_path(X, y, alphas=5, do_screening=False, precompute=False, **TIGHT)[1]
    np.testing.assert_allclose(whole, full, **CLOSE)
    mean = X.mean(axis=0)
    centred = enet_path(X - mean, y, alphas=5, **TIGHT)[1]
    offset = {"X_offset": mean, "X_scale": np.ones(len(mean))}
    shifted = enet_path(sp.csc_array(X), y, alphas=5, **offset, **TIGHT)[1]
    np.testing.assert_allclose(shifted, centred, **CLOSE)
    with pytest.raises(ValueError, match="Unexpected parameters"):
        lasso_path(X, y, normalise=True)
    with pytest.raises(ValueError, match="cyclic"):
        lasso_path(X, y, selection="other")
    with pytest.warns(FutureWarning, match="n_alphas"):
        lasso_path(X, y, n_alphas=3)
    with pytest.warns(ConvergenceWarning, match="max_iter"):
        lasso_path(X, y, alphas=3, max_iter=1, tol=1e-12)


@pytest.mark.parametrize("cls", [LassoCV, ElasticNetCV, *MULTI])
@pytest.mark.parametrize("shape", [(90, 10), (30, 40)])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_same_penalty_is_chosen(cls, shape, weighted):
    X, y = data(*shape, n_targets=2 if cls in MULTI else None)
    weights = np.random.default_rng(1).uniform(0.5, 2, len(X)) if weighted else None
    options = {"alphas": 8, "eps": 0.01, "cv": 3} | TIGHT
    if "Elastic" in cls.__name__:
        options["l1_ratio"] = [0.3, 0.8]
    ours = cls(**options).fit(X, y, sample_weight=weights)
    reference = getattr(theirs, cls.__name__)(**options).fit(X, y, sample_weight=weights)
    assert ours.alpha_ == pytest.approx(reference.alpha_)
    assert getattr(ours, "l1_ratio_", 1) == getattr(reference, "l1_ratio_", 1)
    np.testing.assert_allclose(ours.alphas_, reference.alphas_)
    np.testing.assert_allclose(ours.mse_path_, reference.mse_path_, rtol=1e-4)
    np.testing.assert_allclose(ours.coef_, reference.coef_, rtol=1e-4, atol=1e-5)


def test_folds_merge_the_sums_of_the_others():
    X, Y = data(50, 6, n_targets=2, offset=1e6)
    weights = np.random.default_rng(2).uniform(0, 2, 50)
    folds = list(KFold(4).split(X))
    assert is_partition(folds, 50)
    assert not is_partition(list(ShuffleSplit(4, random_state=0).split(X)), 50)
    merged = all_sums(X, Y, weights, folds, True)
    alone = [all_sums(X, Y, weights, [fold], True)[0] for fold in folds]
    for a, b in zip(merged, alone, strict=True):
        np.testing.assert_allclose(a.products.gram, b.products.gram, rtol=1e-7, atol=1e-7)
        np.testing.assert_allclose(a.products.slopes, b.products.slopes, rtol=1e-5, atol=1e-3)
        np.testing.assert_allclose(a.x_mean, b.x_mean)
        assert a.weight == pytest.approx(b.weight)


def test_parameters_of_cross_validation():
    X, y = data(60, 8)
    assert LassoCV(alphas=5, positive=True).fit(X, y).coef_.min() >= 0
    assert LassoCV(alphas=[1.0, 0.1]).fit(X, y).alphas_.tolist() == [1.0, 0.1]
    assert LassoCV(alphas=4, eps=0.5).fit(X, y).alphas_[-1] == pytest.approx(
        0.5 * LassoCV(alphas=4).fit(X, y).alphas_[0]
    )
    assert LassoCV(cv=3).fit(X, y).mse_path_.shape == (100, 3)
    one, two = (LassoCV(n_jobs=n, alphas=10).fit(X, y) for n in (1, 2))
    np.testing.assert_array_equal(one.mse_path_, two.mse_path_)
    paths = [LassoCV(precompute=p, alphas=10, **TIGHT).fit(X, y) for p in (True, False, "auto")]
    for model in paths[1:]:
        np.testing.assert_allclose(model.mse_path_, paths[0].mse_path_, rtol=1e-5)
    random = LassoCV(selection="random", random_state=0, alphas=10, tol=1e-8).fit(X, y)
    assert random.alpha_ == paths[0].alpha_
    with pytest.raises(ValueError, match="MultiTaskLassoCV"):
        LassoCV().fit(X, np.column_stack([y, y]))
    with pytest.raises(ValueError, match="use LassoCV"):
        MultiTaskLassoCV().fit(X, y)
    with pytest.raises(ValueError, match="enable_metadata_routing"):
        LassoCV().fit(X, y, groups=np.arange(60))
    with pytest.raises(ValueError, match="l1_ratio=0"):
        ElasticNetCV(l1_ratio=0).fit(X, y)
    with pytest.warns(ConvergenceWarning, match="fits on the folds"):
        LassoCV(max_iter=1, tol=1e-12).fit(X, y)


@pytest.mark.parametrize("cls", [LassoCV, ElasticNetCV, *MULTI])
def test_each_class_of_cross_validation_heeds_its_parameters(cls, capfd):
    X, y = data(60, 8, n_targets=2 if cls in MULTI else None)
    few = {"alphas": 5, "eps": 0.01, "cv": 3}
    reference = getattr(theirs, cls.__name__)(fit_intercept=False, **few, **TIGHT).fit(X, y)
    through_0 = cls(fit_intercept=False, **few, **TIGHT).fit(X, y)
    np.testing.assert_allclose(through_0.coef_, reference.coef_, rtol=1e-4, atol=1e-5)
    assert not np.any(through_0.intercept_)
    # few sweeps, in an order of its own for each seed, end at other bits
    drawn = [
        cls(selection="random", random_state=seed, tol=1e-2, **few).fit(X, y).mse_path_
        for seed in (0, 0, 1)
    ]
    assert np.array_equal(drawn[0], drawn[1]) and not np.array_equal(drawn[0], drawn[2])
    assert not np.array_equal(drawn[0], cls(tol=1e-2, **few).fit(X, y).mse_path_)
    assert not np.array_equal(
        cls(tol=1e-1, **few).fit(X, y).mse_path_, cls(**few, **TIGHT).fit(X, y).mse_path_
    )
    capfd.readouterr()
    cls(verbose=1, **few).fit(X, y)
    assert "".join(capfd.readouterr())
