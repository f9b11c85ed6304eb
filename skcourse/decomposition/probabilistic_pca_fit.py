"""How a probabilistic PCA is fitted: in closed form, or by EM; on complete rows, or others.

Closed form The spectrum comes from the solver that PCA's "auto" takes. It stands if it knows the
            noise, or the least variance if there is no noise, to 6 digits:
                p eps l_1 <= 1e-6 v                                                       (1)
            Otherwise orthogonal transformations of the rows, "full", give all the digits there are.
EM          Complete rows become their scatter matrix, or, if they are fewer than columns, rows
            about their mean. Rows with missing values are read in each iteration.
"""

import numpy as np
from sklearn.utils import assert_all_finite, check_random_state

from skcourse.core.history import warn_not_converged
from skcourse.core.linalg import FLOOR
from skcourse.core.missing import any_missing, check_columns_seen
from skcourse.core.moments import Moments, centred_rows
from skcourse.decomposition import probabilistic_pca_em as em
from skcourse.decomposition import probabilistic_pca_missing as missing
from skcourse.decomposition.base import axes_of, count_rows, is_variance
from skcourse.decomposition.probabilistic_pca_em import LOG_2_PI, Plane
from skcourse.decomposition.solvers import choose_solver, solve, sums_of
from skcourse.decomposition.spectrum import EPS, Spectrum, remaining

DIGITS = 1e-6  # of (1)


class Options:
    """What `solvers` asks of a PCA."""

    copy = True
    iterated_power = "auto"
    n_oversamples = 10
    power_iteration_normalizer = "auto"
    tol = 0.0

    def __init__(self, random_state):
        self.random_state = random_state


def count(X, weights):
    """Return the number of rows of X, or the sum of their weights, and n of min(n, p)."""
    if weights is None:
        return len(X), len(X)
    weight = float(np.sum(weights, dtype=np.float64))
    return weight, count_rows(int(np.count_nonzero(weights)), weight)


def wanted(model, n, p):
    """Return k for n rows and p columns; raise ValueError if it is too large."""
    k = min(n, p) if model.n_components is None else model.n_components
    if k > min(n, p):
        raise ValueError(
            f"n_components={k} must be between 0 and min(n_samples, n_features)={min(n, p)}."
        )
    return k


def by_eigenvectors(model, X, weights):
    """Return the attributes of the fit in closed form.

    Parameters
    ----------
    model : ProbabilisticPCA
    X : array of shape (n, p), complete
    weights : array of shape (n,) or None
    """
    weight, n = count(X, weights)
    k = wanted(model, n, X.shape[1])
    spectrum, mean, noise = leading(model, X, weights, k, n)
    squares = np.square(spectrum.values[:k])
    found = attributes(spectrum, squares / weight, noise / weight, mean, X.dtype)
    value = greatest_log_likelihood(found, weight)
    history = {"log_likelihood": value, "noise_variance": found["noise_variance_"]}
    return found | {
        "n_samples_": weight,
        "log_likelihood_": value,
        "n_iter_": 1,
        "history_": {name: np.array([entry]) for name, entry in history.items()},
    }


def leading(model, X, weights, k, n):
    """Return the spectrum, the mean, and n v, by the quickest solver that knows n v by (1)."""
    p, options = X.shape[1], Options(model.random_state)
    solver, _ = choose_solver("auto", k, n, p, sparse=False)
    for name in (solver, "full") if solver != "full" else ("full",):
        spectrum, mean = solve(options, X, weights, name, k, min(n, p))[:2]
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            squares, total = np.square(spectrum.values), np.square(spectrum.size)
            check_range(spectrum.size, total)
            rest = remaining(squares, k, min(n, p), total)
        noise = rest / (p - k) if k < p else 0.0
        least = noise if k < p else squares[-1]
        largest = squares[0] if len(squares) else 0.0
        if p * EPS * largest <= DIGITS * least:
            return spectrum, mean, noise
    least = largest * spectrum.rounding**2
    lengths = np.where(squares > least, spectrum.values, 0.0)  # rounding of 0 is no variance
    return spectrum._replace(values=lengths), mean, noise if noise > least else 0.0


def check_range(size, square):
    """Raise ValueError if the square of a size that is not 0 left the range of numbers."""
    if size != 0 and not FLOOR < square < np.inf:
        raise ValueError(
            "The variances of X are not within the range of floating point numbers: take another "
            "unit for X."
        )


def attributes(spectrum, variances, noise, mean, dtype):
    """Return the attributes that describe the model.

    Parameters
    ----------
    spectrum : Spectrum, whose first axes become `components_`
    variances : array of shape (k,), l
    noise : float, v
    mean : array of shape (p,)
    dtype : dtype of the attributes
    """
    p, k = len(mean), len(variances)
    axes, _ = axes_of(spectrum, k, dtype)
    with np.errstate(divide="ignore", invalid="ignore"):  # constant rows
        shares = variances / (np.sum(variances) + (p - k) * noise)
    return {
        "components_": axes,
        "explained_variance_": variances.astype(dtype),
        "explained_variance_ratio_": shares.astype(dtype),
        "noise_variance_": dtype.type(noise),
        "mean_": mean.astype(dtype),
        "n_components_": k,
    }


def greatest_log_likelihood(found, weight):
    """Return that of a model in closed form; without noise, of the directions with variance."""
    variances, p = found["explained_variance_"].astype(np.float64), len(found["mean_"])
    noise = float(found["noise_variance_"])
    if not noise > 0:
        variances = variances[is_variance(variances, p, found["components_"].dtype)]
    n_directions = p if noise > 0 else len(variances)
    log_det = np.sum(np.log(variances))
    log_det += (p - len(variances)) * np.log(noise) if noise > 0 else 0.0
    return float(-0.5 * weight * (n_directions * (LOG_2_PI + 1) + log_det))


def by_em(model, X, weights, task):
    """Return the attributes of the fit by EM, where it stands when it ends.

    Parameters
    ----------
    model : ProbabilisticPCA
    X : array of shape (n, p), perhaps with NaN
    weights : array of shape (n,) or None
    task : Task

    Warns
    -----
    ConvergenceWarning
    """
    assert_all_finite(X, allow_nan=True, input_name="X", estimator_name=type(model).__name__)
    if any_missing(X):
        (step, plane, weight, total), least = missing_problem(model, X, weights), missing.LEAST
    else:
        (step, plane, weight, total), least = complete_problem(model, X, weights), em.LEAST
    if not total > 0:  # constant columns
        return by_eigenvectors(model, mean_filled(X), weights)
    p = X.shape[1]

    def state(plane, value):
        W, noise = plane.loadings, plane.noise
        k = W.shape[1]
        U, lengths, _ = np.linalg.svd(W, full_matrices=False)
        spectrum = Spectrum(lengths, U.T, np.linalg.norm(lengths), p * EPS)
        variances = np.square(lengths) + noise
        noise = noise if k < p else 0.0
        found = attributes(spectrum, variances, noise, plane.mean, X.dtype)
        return found | {"n_samples_": weight, "log_likelihood_": value}

    run = em.iterate(
        step,
        plane,
        weight,
        max_iter=model.max_iter,
        tol=model.tol,
        least=least * total / p,
        task=task,
        attributes=state,
    )
    warn_of(run, model)
    found = state(run.plane, float(run.history["log_likelihood"][-1]))
    return found | {"n_iter_": run.n_iter, "history_": run.history}


def warn_of(run, model):
    """Warn of noise that vanished, and of an iteration that did not converge."""
    if run.vanished:
        warn_not_converged(
            "The noise vanished: all that is seen lies in a plane of n_components dimensions, "
            "whose likelihood has no bound. Take fewer components.",
        )
    elif run.gain > model.tol:
        warn_not_converged(
            f"EM did not converge in max_iter={model.max_iter} iterations: the last one raised "
            f"the mean log-likelihood of a row by {run.gain:.2g}, tol is {model.tol:g}. Increase "
            "max_iter or tol.",
        )


def complete_problem(model, X, weights):
    """Return the step of EM on complete rows, a start, n, and the trace of the covariance."""
    weight, n = count(X, weights)
    k = wanted(model, n, X.shape[1])
    rng = check_random_state(model.random_state)
    with np.errstate(over="ignore", invalid="ignore"):
        if len(X) >= X.shape[1]:
            sums = sums_of(model, X, weights, Moments)
            mean, rows = sums.mean + sums.rest, em.Covariance(sums.scatter / weight)
        else:
            none = np.empty(0)
            A, _, mean, rest = centred_rows([X], none if weights is None else weights)
            A -= rest if weights is None else np.outer(np.sqrt(weights), rest)
            mean, rows = mean + rest, em.FewRows(A / np.sqrt(weight))
        check_range(rows.total, np.power(rows.total, 1.5))  # of C W
    plane = em.start(rows, mean, k, rng)
    return em.step_of_complete(rows, weight), plane, weight, rows.total


def missing_problem(model, X, weights):
    """Return the same of rows with missing values; rows that say nothing are left out.

    The start is the plane of rows that are completed by means.
    """
    telling = ~np.isnan(X).all(axis=1)
    if weights is not None:
        telling &= weights > 0
    if not telling.all():
        X, weights = X[telling], None if weights is None else weights[telling]
    check_columns_seen(X, model)
    weight, n = count(X, weights)
    p = X.shape[1]
    k = wanted(model, n, p)
    spectrum, mean, noise = leading(model, mean_filled(X, weights), weights, k, n)
    variances, noise = np.square(spectrum.values[:k]) / weight, noise / weight
    total = np.square(spectrum.size) / weight
    noise = variances[-1] / 2 if k == p else noise
    noise = max(noise, 10 * missing.LEAST * total / p)
    loadings = spectrum.axes[:k].T * np.sqrt(np.maximum(variances - noise, noise))
    return missing.step_of_missing(X, weights), Plane(loadings, mean, noise), weight, total


def mean_filled(X, weights=None):
    """Return a copy of X with the mean of what is seen of a column in the place of NaN."""
    gone = np.isnan(X)
    filled = np.where(gone, X.dtype.type(0), X)
    w = np.ones(len(X)) if weights is None else weights
    with np.errstate(invalid="ignore"):
        means = np.divide(*(np.einsum("i,ij->j", w, part) for part in (filled, ~gone)))
    np.copyto(filled, means, casting="same_kind", where=gone)
    return filled
