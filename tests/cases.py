"""The estimators that are tested, as they are configured, and what is promised of each.

They are found by `skcourse.discovery`: a class that is not named here is tested with its defaults.
Name one to test more of its configurations, or to promise more than its signature tells.
"""

import numpy as np

from skcourse.discovery import all_estimators
from skcourse.testing import Case, rotation, scale, shift, stretch, target_affine
from tests.promises import all_promises, long_rows, sharp_parameters


def spread_rows(X, n_clusters, random_state):
    """Return as many rows of X, spread over them in lexical order, however often each occurs."""
    distinct = np.unique(X, axis=0)
    return distinct[np.linspace(0, len(distinct) - 1, n_clusters).astype(int)]


def fixed_centers(X, n_clusters, random_state):
    """Return centres that do not depend on the rows of X at all."""
    angles = 1.0 + np.arange(n_clusters * X.shape[1]).reshape(n_clusters, -1)
    return 3 * np.sin(angles**2).astype(X.dtype)


def inertia(kmeans, problem):
    """Sum the squared distances to the nearest centre."""
    return kmeans.inertia_


def inertia_bound(problem):
    """Bound the inertia of 3 clusters: |X|^2 less the two largest eigenvalues (Ding, He 2004)."""
    X = problem.X.astype(float)
    return np.sum(np.linalg.svd(X - X.mean(axis=0), compute_uv=False)[2:] ** 2)


def squared_error(fit, problem):
    """Return |y - f(X)|^2."""
    predicted = fit.predict(problem.X).reshape(problem.y.shape)  # a ridge flattens one target
    return np.sum((problem.y - predicted) ** 2)


def least_squared_error(problem):
    """Return the squared distance of y from the columns of X and 1."""
    A, b = centred(problem)
    return np.sum((b - A @ np.linalg.lstsq(A, b)[0]) ** 2)


def centred(problem):
    """Return X and y less their means, in float64."""
    X, y = problem.X.astype(float), problem.y.astype(float)
    return X - X.mean(axis=0), y - y.mean(axis=0)


def penalised_error(fit, problem):
    """Return |y - f(X)|^2 + alpha |w|^2."""
    return squared_error(fit, problem) + fit.alpha * np.sum(fit.coef_**2)


def least_penalised_error(problem, alpha=1.0):
    """Return the optimum of a ridge: least squares with sqrt(alpha) I as more rows."""
    X, y = centred(problem)
    A = np.vstack([X, np.sqrt(alpha) * np.eye(X.shape[1])])
    b = np.concatenate([y, np.zeros((X.shape[1], *y.shape[1:]))])
    return np.sum((b - A @ np.linalg.lstsq(A, b)[0]) ** 2)


def reconstruction_error(pca, problem):
    """Return the squared distance of the rows from the plane."""
    return np.sum((problem.X - pca.inverse_transform(pca.transform(problem.X))) ** 2)


def least_reconstruction_error(problem, k=2):
    """Return the sum of the smaller squared singular values (Eckart, Young 1936)."""
    X = problem.X.astype(float)
    return np.sum(np.linalg.svd(X - X.mean(axis=0), compute_uv=False)[k:] ** 2)


UNIT = 3.0
LINEAR = (shift(), target_affine())


def penalty(name="alpha"):
    """Return the symmetry of a ridge: X in a unit c times smaller, its penalties c^2 times."""
    return scale(
        UNIT, parameters=lambda ridge: {name: np.multiply(getattr(ridge, name), UNIT**2)[()]}
    )


RIDGE = (*LINEAR, rotation(), penalty())
LEFT_OUT = {"check_weights_repeat_rows": "leaving out one of two equal rows leaves the other"}
WHOLE_ROWS = {"check_weights_repeat_rows": "a size counts rows, and a row is not divided"}
ROWS_SEEN = {"check_zero_weight_is_absence": "`spread_rows` sees the rows of weight 0 too"}


def linear_regression(cls):
    """Least squares: no shift, no rotation and no unit of X changes a prediction."""
    best = {"objective": squared_error, "optimum": least_squared_error, "reached": True}
    moves = (*LINEAR, rotation(), scale(), stretch())
    solid = {"conditions": (1.0, 1e2, 1e4)}  # below 1 / tol, where scikit-learn cuts them off
    yield Case(cls(), symmetries=moves, problems=solid, **best)
    yield Case(cls(tol=1e-12), symmetries=moves, **best)
    yield Case(cls(fit_intercept=False), symmetries=(rotation(), scale()), problems=solid)
    yield Case(cls(positive=True), symmetries=(shift(), stretch()))


def ridge(cls):
    """Ridge regression by each of its routes; the iterative ones run until nothing changes."""
    best = {"objective": penalised_error, "optimum": least_penalised_error, "reached": True}
    yield Case(cls(), draws=False, symmetries=RIDGE, **best)
    yield Case(cls(alpha=0.1, fit_intercept=False), draws=False, symmetries=(rotation(),))
    for solver in ("svd", "cholesky"):
        yield Case(cls(alpha=0.1, solver=solver), draws=False, symmetries=RIDGE)
    for solver in ("lsqr", "sparse_cg"):
        yield Case(cls(alpha=0.1, solver=solver, tol=1e-14, max_iter=10_000), draws=False)
    yield Case(cls(positive=True, tol=1e-10), draws=False, symmetries=(shift(),))


def ridge_cv(cls):
    """Ridge regression that leaves rows out one by one."""
    penalties = penalty("alphas")
    yield Case(cls(), symmetries=(*LINEAR, rotation(), penalties), excused=LEFT_OUT)
    yield Case(cls(alphas=(0.1, 10.0), gcv_mode="svd"), symmetries=LINEAR, excused=LEFT_OUT)
    yield Case(cls(alphas=(0.1, 10.0), fit_intercept=False), excused=LEFT_OUT)


def ridge_classifier(cls):
    """Ridge regression on the classes."""
    yield Case(cls(), draws=False, symmetries=(shift(), rotation(), penalty()))


def ridge_classifier_cv(cls):
    """Ridge regression on the classes that leaves rows out one by one."""
    yield Case(cls(), symmetries=(shift(), rotation(), penalty("alphas")), excused=LEFT_OUT)


def kmeans(cls):
    """k-means: from centres that are drawn, taken from the rows, or fixed; of bounded sizes."""
    promised = {"falls": ("inertia",), "objective": inertia, "optimum": inertia_bound}
    moves = (shift(), rotation(), scale(UNIT, transform=lambda D, X: UNIT * D))
    few = {"n_clusters": 3, "n_init": 1}
    # On a grid distances tie, and rounding decides which of two seeds is the better one.
    no_grid = {"flaws": ("none", "duplicate rows", "constant column", "equal columns")}
    yield Case(cls(n_clusters=3, n_init=2), symmetries=moves, problems=no_grid, **promised)
    yield Case(cls(algorithm="elkan", **few), problems=no_grid, **promised)
    yield Case(cls(init=spread_rows, **few), draws=False, excused=ROWS_SEEN, **promised)
    yield Case(cls(init=fixed_centers, **few), draws=False, **promised)
    yield Case(cls(init="k-means||", **few), symmetries=moves, problems=no_grid, **promised)
    bounded = {"size_min": 2, "init": fixed_centers, **few}
    enough = no_grid | {"rows": (30, 40)}
    yield Case(cls(**bounded), draws=False, excused=WHOLE_ROWS, problems=enough, **promised)


def pca(cls):
    """Principal components; the density of a plane, where nothing is left over, is undefined."""
    unit = scale(
        UNIT,
        transform=lambda Z, X: UNIT * Z,
        score_samples=lambda s, X: s - X.shape[1] * np.log(UNIT),
    )
    # Pieces go through the scatter matrix, whose smallest eigenvalue has condition^2 for error.
    full_rank = {"columns": (4, 6), "flaws": ("none",), "conditions": (10.0, 1e2)}
    several = ("none", "duplicate rows", "constant column", "equal columns")
    rank = {"columns": (4, 6), "flaws": several, "conditions": (10.0, 1e3)}
    best = {"objective": reconstruction_error, "optimum": least_reconstruction_error}
    moves = {"draws": False, "symmetries": (shift(), unit)}
    yield Case(cls(), problems=full_rank, **moves)
    full = cls(n_components=2, svd_solver="full")
    yield Case(full, problems=rank, reached=True, **best, **moves)
    yield Case(cls(n_components=2, svd_solver="covariance_eigh"), problems=rank, **moves)
    # The density that scikit-learn has for whitened scores depends on the unit.
    white = {"draws": False, "symmetries": (shift(),)}
    yield Case(cls(n_components=2, whiten=True), problems=full_rank, **white)
    yield Case(cls(n_components=0.9, svd_solver="full"), problems=rank, **moves)
    yield Case(cls(n_components=2, svd_solver="randomized"), problems=rank)
    yield Case(cls(n_components=2, svd_solver="arpack"), problems=rank)
    apart = {"columns": (2, 4), "flaws": ("none",), "conditions": (1e2,)}  # variances, 4 times
    yield Case(cls(n_components=2, svd_solver="deflation", random_state=0), problems=apart, **moves)


PROMISES = {
    "KMeans": kmeans,
    "LinearRegression": linear_regression,
    "PCA": pca,
    "Ridge": ridge,
    "RidgeCV": ridge_cv,
    "RidgeClassifier": ridge_classifier,
    "RidgeClassifierCV": ridge_classifier_cv,
}


def default(cls):
    """Yield the class as it comes."""
    yield Case(cls())


def all_cases():
    """List the cases of every estimator that there is; threads change no bit of any."""
    promises, long = PROMISES | all_promises(), long_rows()
    return [
        case._replace(same_bits=True, long=long.get(name, case.long))
        for name, cls in all_estimators()
        for case in promises.get(name, default)(cls)
    ]


def small(cls):
    """Return an instance that is quick to fit and always the same: few clusters, one seed."""
    few = {"n_clusters": 3, "n_init": 1, "random_state": 0}
    few |= sharp_parameters().get(cls.__name__, {})
    estimator = cls()
    return estimator.set_params(**{k: v for k, v in few.items() if k in estimator.get_params()})
