"""How a normal distribution is fitted: from moments, or by EM where values are missing.

Problem     Of rows of weight w_i, W = sum w_i, with mean m and scatter S = sum w (x - m)(x - m)',
                C = S / W + a 1                                                             (1)
            is where L(m, C) - a / 2 tr C^-1 is largest, L the log-likelihood of a row.
Missing     EM begins with the means and variances of what is seen of each column: without
            correlations this is the answer already. Each iteration lowers -L + a / 2 tr C^-1.
Singular    A covariance is taken as singular where, with all variances scaled to 1, its condition
            reaches 1 / (d eps): then rounding alone could make it so.
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg import lapack, solve_triangular

from skcourse.core.chunks import sum_over_chunks
from skcourse.core.history import SILENCE, History
from skcourse.core.linalg import cholesky
from skcourse.core.missing import check_columns_seen, groups
from skcourse.core.moments import Moments
from skcourse.mixture.covariances import estimate, plus
from skcourse.mixture.expectation import Gaussians
from skcourse.mixture.missing import expectation_missing

EPS = np.finfo(np.float64).eps


class Fit(NamedTuple):
    """A normal distribution, and where it comes from. All float64."""

    mean: np.ndarray  # m, (d,)
    covariance: np.ndarray  # C, (d, d), (d,) or a number
    root: np.ndarray  # U with C^-1 = U U', like C
    seen: Moments | None  # of the rows
    history: dict | None  # "log_likelihood" and "loss"
    converged: bool


class Settings(NamedTuple):
    """The parameters of `Gaussian` that a fit looks at, for who is no estimator."""

    covariance_type: str
    reg_covar: float = 0.0
    tol: float = 1e-6
    max_iter: int = 1000


def of_moments(estimator, seen):
    """Return the fit (1) of rows without missing values."""
    kind, a = estimator.covariance_type, estimator.reg_covar
    mean = seen.mean + seen.rest
    scatter = np.mean(seen.scatter) if kind == "spherical" else seen.scatter
    covariance = plus(scatter / seen.weight, a, kind)
    root = triangle(covariance, mean, kind, seen.n_rows)
    # tr(C^-1 S / W) = d - a tr C^-1, by (1)
    d, trace = len(mean), trace_of_precision(root, kind, len(mean))
    log_det = np.sum(np.log(np.diagonal(root))) if kind == "full" else np.sum(np.log(root))
    log_det = d * log_det if kind == "spherical" else log_det
    log_likelihood = log_det - 0.5 * (d * np.log(2 * np.pi) + d - a * trace)
    history = History()
    history.append(log_likelihood=log_likelihood, loss=0.5 * a * trace - log_likelihood)
    return Fit(mean, covariance, root, seen, history.arrays(), True)


def of_missing(estimator, X, weights, task, attributes):
    """Return the fit of rows with missing values, by EM.

    Parameters
    ----------
    estimator : Gaussian or Settings, for its parameters
    X : array of shape (n, d), with NaN
    weights : array of shape (n,) or None
    task : of `core.history`
    attributes : callable, from a Fit and a dtype to a dict, for callbacks
    """
    kind, a = estimator.covariance_type, estimator.reg_covar
    d, history, converged = X.shape[1], History(), False
    unit = 1.0 if weights is None else float(np.mean(weights))
    weights = None if weights is None else weights / unit
    mean, covariance = beginning(X, weights, kind)
    covariance = plus(covariance, a, kind)
    rows = groups(X) if kind == "full" else None
    for n_iter in range(1, estimator.max_iter + 1):
        step = task.subtask("iteration")
        root = triangle(covariance, mean, kind, len(X))
        model = Gaussians(np.zeros(1), mean[np.newaxis], root[np.newaxis], kind)
        found = expectation_missing(X, weights, model, groups=rows)
        log_likelihood = found.log_likelihood / found.total
        loss = 0.5 * a * trace_of_precision(root, kind, d) - log_likelihood
        history.append(log_likelihood=log_likelihood, loss=loss)
        seen = as_moments(mean, plus(covariance, -a, kind), unit * found.total, len(X))
        fit = Fit(mean, covariance, root, seen, history.arrays(), converged)
        stop = step.end(lambda fit=fit: attributes(fit, X.dtype))
        converged = n_iter > 1 and history.values["loss"][-2] - loss <= estimator.tol
        if converged or stop:
            return fit._replace(converged=True)
        estimates = estimate(found, model.means, kind).plus(a, kind)
        mean, covariance = estimates.means[0], estimates.covariances[0]
    return fit


def covariance_of_seen(X, weights, kind, reg_covar):
    """Return mean, covariance and total weight of rows with missing values, for a prior."""
    settings = Settings(kind, reg_covar)
    fit = of_missing(settings, X, weights, SILENCE, lambda fit, dtype: {})
    return fit.mean, plus(fit.covariance, -reg_covar, kind), fit.seen.weight


def as_moments(mean, covariance, weight, n_rows):
    """Return the moments of rows that have this mean and covariance."""
    squares = np.full(len(mean), covariance) if np.ndim(covariance) == 0 else covariance
    return Moments(weight, mean.copy(), weight * squares, n_rows)


def beginning(X, weights, kind):
    """Return the mean of what is seen of each column, (d,), and a covariance of its variances."""

    def part(rows, mean, power):
        x = X[rows] - mean
        w = np.where(np.isnan(x), 0.0, 1.0)
        if weights is not None:
            w *= weights[rows, np.newaxis]
        return w.sum(axis=0), np.sum(w * np.nan_to_num(x) ** power, axis=0, dtype=np.float64)

    def mean_of(about, power):
        count, total = sum_over_chunks(
            lambda rows: part(rows, about, power), len(X), row_bytes=24 * X.shape[1]
        )
        return total / count, count

    first = np.array([column[np.argmin(np.isnan(column))] for column in X.T], dtype=np.float64)
    mean = first + mean_of(first, 1)[0]
    variances, counts = mean_of(mean, 2)
    if kind == "spherical":
        return mean, np.average(variances, weights=counts)
    return mean, np.diag(variances) if kind == "full" else variances


def check_rows_tell(estimator, X, weights):
    """Raise ValueError if a column has no value in a row that counts."""
    check_columns_seen(X if weights is None else X[weights > 0], estimator)


def trace_of_precision(root, kind, d):
    """Return tr C^-1, from U."""
    return float(np.sum(root**2)) * (d if kind == "spherical" else 1)


def triangle(covariance, mean, kind, n_rows=np.inf):
    """Return U with C^-1 = U U', like C.

    Raises
    ------
    ValueError
        If C is singular, with the cause.
    """
    variances = np.diagonal(covariance) if kind == "full" else np.asarray(covariance)
    if not np.isfinite(variances).all():
        raise ill_defined("the numbers are too large to be squared")
    # what rounding of a mean would leave of a constant column
    least = (8 * EPS * (np.max(np.abs(mean)) if kind == "spherical" else np.abs(mean))) ** 2
    if kind == "spherical" and not variances > least:
        raise ill_defined("all rows are equal")
    constant = np.flatnonzero(~(variances > least))
    if len(constant):
        raise ill_defined(f"column(s) {', '.join(map(str, constant[:10]))} are constant")
    if kind != "full":
        return 1 / np.sqrt(covariance)
    factor = cholesky(covariance)
    if factor is None or factor.condition * len(mean) * EPS >= 1:
        raise ill_defined(dependence(covariance, n_rows))
    return solve_triangular(factor.R, np.eye(len(mean)))


def dependence(covariance, n_rows):
    """Say why a covariance without constant columns is singular."""
    d = len(covariance)
    if n_rows <= d:
        return f"{n_rows} rows do not tell the covariance of {d} features"
    scale = np.sqrt(np.diagonal(covariance))
    R, failed = lapack.dpotrf(covariance / np.outer(scale, scale))
    column = failed - 1 if failed else int(np.argmin(np.diagonal(R)))
    return f"column {column} is a linear combination of the columns before it"


def ill_defined(cause):
    """Return the error that names the cause, and what helps."""
    return ValueError(
        f"Fitting the Gaussian failed because the covariance is ill-defined: {cause}. "
        "Increase reg_covar, leave such features out, or scale the input data."
    )
