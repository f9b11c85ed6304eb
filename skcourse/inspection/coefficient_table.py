"""Inference on a fitted linear model: how far its coefficients may be from the truth.

Problem     A fit by maximum likelihood makes the score of its k coefficients b vanish,
                U(b) = sum_i w_i u_i z_i = 0,   z_i = (1, x_i),                                 (1)
            with u_i of `likelihood`: y_i - z_i'b for least squares. Other rows from the same
            source would give another b. Given the x_i, and if the means are modelled rightly, its
            covariance is
                classical   phi A^-1,   A = sum_i w_i f_i z_i z_i'                              (2)
                robust      A^-1 M A^-1,   M = sum_i w_i c_i u_i^2 z_i z_i'                     (3)
            (2) also wants the variance of y to be what the model says, times a constant phi, which
            is estimated from n - k degrees of freedom or is 1; (3) does not.
Variants    c_i corrects for residuals that are smaller than errors, as the fit went after them:
                HC0  1,   HC1  n / (n - k),   HC2  1 / (1 - h_i),   HC3  1 / (1 - h_i)^2        (4)
            h_i = f_i z_i' A^-1 z_i: how much of the fitted value follows y_i. HC2 is unbiased for
            least squares if the variance is constant after all, HC3 near the jackknife; for other
            likelihoods h_i is that of the weighted least squares of the last step of scoring.
Statistic   (b_j - beta_j) / standard error is Student's with n - k degrees of freedom where phi is
            estimated, the normal one elsewhere: exactly for (2) and least squares with normal
            errors, else as n grows.
Weights     w_i rows were the same: n = sum w_i. Not the precision of a row, nor its chance to be
            in the sample, for which the errors are others.
Checks      (1) is looked at, at the coefficients as they are. A step of scoring, A^-1 U, tells in
            standard errors how far from them the maximum is: not 0 if the fit stopped early, had
            other data, or has no maximum to reach (classes that a plane separates).
Reference   H. White, Econometrica, 1980; J. MacKinnon, H. White, J. Econometrics, 1985 (HC1-HC3).
            A. Albert, J. Anderson, On the existence of maximum likelihood estimates in logistic
            regression models, Biometrika, 1984.
"""

from numbers import Real

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import check_consistent_length, column_or_1d

from skcourse.core.chunks import one_blas_thread
from skcourse.core.dense_chunks import DenseChunks
from skcourse.core.loss_traits import in_domain
from skcourse.core.validation import (
    Interval,
    StrOptions,
    check_weights,
    read_X,
    read_Xy,
    validate_params,
)
from skcourse.inspection.fitted import read_fitted, unwrapped
from skcourse.inspection.likelihood import Data
from skcourse.inspection.maximum import check_maximum, check_residuals, likelihood_at
from skcourse.inspection.table import CoefficientTable

ROUNDING = 1e-14  # of a variance: errors of 1e-7 of the classical ones are none
EXPONENTS = {"HC0": 0.0, "HC1": 0.0, "HC2": 0.5, "HC3": 1.0}  # of 1 / (1 - h_i) on u_i


@validate_params(
    {
        "X": ["array-like", "sparse matrix"],
        "y": ["array-like"],
        "sample_weight": ["array-like", None],
        "covariance": [StrOptions({"classical", *EXPONENTS})],
        "level": [Interval(Real, 0, 1, closed="neither")],
        "feature_names": ["array-like", None],
    },
    prefer_skip_nested_validation=True,
)
@np.errstate(over="ignore", invalid="ignore")
def coefficient_table(
    estimator,
    X,
    y,
    *,
    sample_weight=None,
    covariance="classical",
    level=0.95,
    feature_names=None,
):
    """Find standard errors, tests and confidence intervals of a fitted linear model.

    Parameters
    ----------
    estimator : fitted estimator
        Of this house or scikit-learn's, unpenalised: LinearRegression; PoissonRegressor,
        GammaRegressor, TweedieRegressor, Ridge, ElasticNet with ``alpha=0``; LogisticRegression
        with ``C=np.inf``; those of this house that take a `loss`, if it is that of a likelihood;
        or a Pipeline that ends in one and whose other steps look at X alone. Its coefficients are
        taken as they are.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The data of the fit: a table of other rows is refused, as the score does not vanish there.
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
    sample_weight : array-like of shape (n_samples,), default=None
        Those of the fit, whole numbers: a weight of 2 is a row given twice.
    covariance : {"classical", "HC0", "HC1", "HC2", "HC3"}, default="classical"
        "classical" trusts the model's variance of y. The others need only its mean to be right;
        HC3 is the most careful where rows are few. More than two classes: "HC0" and "HC1" only.
    level : float, default=0.95
        Of the confidence intervals.
    feature_names : array-like of shape (n_features,), default=None
        None takes the names that the estimator has seen, else x0, x1, ...

    Returns
    -------
    table : CoefficientTable

    Raises
    ------
    ValueError
        Where there are no standard errors, with the reason: a penalty, a constraint, a choice by
        the same y; X that lacks rank; no more rows than coefficients; a fit that is not at the
        maximum of the likelihood of these rows, or that has none; residuals of 0.

    Notes
    -----
    The statistic is Student's, with n - k degrees of freedom, where a dispersion is estimated
    (normal, gamma and other Tweedie y), and normal where the model knows it (Bernoulli, Poisson).
    Where counts vary more than Poisson's do, take a robust covariance. With several targets or
    classes `covariance_matrix` holds the covariances between them too.

    What went before the fit cannot be seen from here: where columns, or rows, were left out for
    what they did to y, errors are larger than the table says.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skcourse.inspection import coefficient_table
    >>> from skcourse.linear_model import LinearRegression
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    >>> X = X[["age", "bmi", "bp"]]
    >>> coefficient_table(LinearRegression().fit(X, y), X, y, covariance="HC3")
    LinearRegression, 442 rows, 438 degrees of freedom; robust (HC3) standard errors
    <BLANKLINE>
               estimate  std. error       t       p    2.5%   97.5%
    intercept    -205.1        19.1  -10.76  <0.001  -242.6  -167.6
    age           0.094       0.220    0.43   0.667  -0.337   0.526
    bmi           8.502       0.730   11.65  <0.001   7.067   9.936
    bp            1.357       0.234    5.80  <0.001   0.897   1.817
    """
    last, X, names = unwrapped(estimator, X)
    fitted = read_fitted(last)
    names = names_of(last, fitted, names if feature_names is None else feature_names)
    data = read_data(last, fitted, X, y, sample_weight)
    with one_blas_thread():  # the same bits, whatever the threads
        likelihood = likelihood_at(fitted, data, names)
        matrix, phi = likelihood.classical()
        if not fitted.dispersion_known:
            check_residuals(np.diagonal(phi), likelihood.noise())
        check_maximum(likelihood, np.sqrt(np.diagonal(matrix)))
        if covariance != "classical":
            matrix = robust(likelihood, covariance, matrix)
    t, k = likelihood.estimate.shape
    if fitted.has_intercept:
        names = ["intercept", *names]
    return CoefficientTable(
        names=np.tile(np.array(names, dtype=object), t),
        outcomes=np.repeat(outcomes_of(fitted, y), k) if t > 1 else None,
        estimate=likelihood.estimate.flatten(),
        covariance_matrix=matrix,
        covariance=covariance,
        df=np.inf if fitted.dispersion_known else data.n - k,
        level=level,
        dispersion=np.diagonal(phi).copy() if len(phi) > 1 else float(phi[0, 0]),
        n_rows=data.n,
        model=fitted.name,
    )


def names_of(estimator, fitted, names):
    """Return the names of the features, a list of str: those given, or seen, or else numbers."""
    p = fitted.coef.shape[1]
    if names is None:
        names = getattr(estimator, "feature_names_in_", [f"x{j}" for j in range(p)])
    if len(names) != p:
        raise ValueError(f"feature_names has {len(names)} names, but there are {p} features.")
    return [str(name) for name in names]


def outcomes_of(fitted, y):
    """Return the classes that are compared with the first, or the names of several targets."""
    if fitted.loss == "multinomial":
        return fitted.classes[1:]
    names = getattr(y, "columns", [f"y{j}" for j in range(len(fitted.coef))])
    return np.array([str(name) for name in names], dtype=object)


def read_data(estimator, fitted, X, y, sample_weight):
    """Return the rows with a weight, checked as in a fit, and that they are enough."""
    if fitted.classes is None:
        X, y = read_Xy(estimator, X, y, reset=False, accept_sparse="csr")
    else:
        X = read_X(estimator, X, accept_sparse="csr")
        y = column_or_1d(y)
        check_consistent_length(X, y)
    weights = check_weights(sample_weight, X, dtype=np.float64)
    if weights is not None:
        if not np.array_equal(weights, np.rint(weights)):
            raise ValueError(
                "sample_weight must hold whole numbers, each saying how many rows were the same: "
                "what other weights mean for standard errors depends on where they come from."
            )
        if not weights.all():
            there = np.flatnonzero(weights)
            X, y, weights = X[there], y[there], weights[there]
    n = float(X.shape[0] if weights is None else weights.sum())
    if n <= fitted.n_parameters:
        raise ValueError(
            f"{n:.0f} rows leave no degree of freedom beside {fitted.n_parameters} coefficients."
        )
    y = read_classes(fitted, y) if fitted.classes is not None else read_targets(fitted, y)
    return Data(DenseChunks(X) if issparse(X) else X, y, weights, n)


def read_targets(fitted, y):
    """Return y as an array of shape (t, n), in the domain of the likelihood."""
    y = np.ascontiguousarray(y.reshape(len(y), -1).T, np.float64)
    if len(y) != len(fitted.coef):
        raise ValueError(
            f"y has {len(y)} targets, but {fitted.name} was fitted on {len(fitted.coef)}."
        )
    if not in_domain(fitted.traits, y):
        raise ValueError(f"Some value(s) of y are out of the valid range of {fitted.name}.")
    return y


def read_classes(fitted, y):
    """Return the class numbers of y; for two classes -1 and 1, as an array of shape (1, n)."""
    unknown = np.setdiff1d(y, fitted.classes)
    if len(unknown):
        raise ValueError(f"y holds {unknown[0]}, which is no class of {fitted.name}.")
    codes = np.searchsorted(fitted.classes, y)
    return codes if len(fitted.classes) > 2 else (2.0 * codes - 1.0)[np.newaxis]


def robust(likelihood, covariance, classical):
    """Return (3) with the c_i of (4), where it is more than rounding beside the classical one."""
    fitted, n = likelihood.fitted, likelihood.data.n
    exponent = EXPONENTS[covariance]
    if exponent and fitted.loss == "multinomial":
        raise ValueError(
            f"{covariance} is not defined for more than two classes, where h_i is a matrix; "
            "take HC0 or HC1."
        )
    matrix, n_fixed = likelihood.robust(exponent)
    if n_fixed:
        raise ValueError(
            f"{covariance} divides by 1 - h_i, which is 0 in {n_fixed} rows: each decides alone "
            "what is fitted to it, and its error leaves no trace. Take HC0 or HC1."
        )
    if np.any(np.diagonal(matrix) <= ROUNDING * np.diagonal(classical)):
        raise ValueError(
            f"{covariance} goes by the residuals of the rows that decide a coefficient, and for "
            'one of them these are 0. Take covariance="classical".'
        )
    return matrix * (n / (n - fitted.n_parameters)) if covariance == "HC1" else matrix
