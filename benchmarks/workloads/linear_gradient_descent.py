"""Gradient descent, online and in batches, beside scikit-learn's SGD and a loop in numpy."""

from functools import partial

import numpy as np
from sklearn.linear_model import SGDRegressor

from benchmarks.data import regression
from benchmarks.harness import Workload
from skcourse.linear_model import GradientDescentRegressor

EPOCHS = 10
ONLINE = {"learning_rate": "invscaling", "eta0": 0.01, "power_t": 0.25}
ADAM = {"optimizer": "adam", "eta0": 0.03, "power_t": 0.25, "learning_rate": "invscaling"}
SETTINGS = {}


class Line:
    """What a loop in numpy found."""

    def __init__(self, theta):
        self.theta = theta

    def predict(self, X):
        """Return the linear prediction."""
        return X @ self.theta[:-1] + self.theta[-1]


def mean_squared_error(data, fitted):
    """Return the mean squared error on the rows of the fit."""
    return np.mean((fitted.predict(data.X) - data.y) ** 2)


def sgd(data):
    """Fit scikit-learn's, which takes one row at a time."""
    model = SGDRegressor(penalty=None, max_iter=EPOCHS, tol=None, random_state=0, **ONLINE)
    return model.fit(data.X, data.y)


def ours(options, batch_size, data):
    """Fit ours on batches."""
    options = options | {"max_iter": EPOCHS, "tol": None, "random_state": 0}
    return GradientDescentRegressor(batch_size=batch_size, **options).fit(data.X, data.y)


def numpy_adam(batch_size, data):
    """Write Adam on batches as a course would, with arrays."""
    n, p = data.X.shape
    rng, theta, v, s, t = np.random.default_rng(0), np.zeros(p + 1), 0.0, 0.0, 0
    for _ in range(EPOCHS):
        order = rng.permutation(n)
        for start in range(0, n, batch_size):
            rows = order[start : start + batch_size]
            Z = np.column_stack([data.X[rows], np.ones(len(rows))])
            gradient = Z.T @ (Z @ theta - data.y[rows]) / len(rows)
            t += 1
            v, s = 0.9 * v + 0.1 * gradient, 0.999 * s + 0.001 * gradient**2
            rate = ADAM["eta0"] / t ** ADAM["power_t"] * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
            theta -= rate * v / (np.sqrt(s) + 1e-8)
    return Line(theta)


WORKLOADS = [
    Workload(
        "GradientDescentRegressor 200,000 x 50, online, 10 epochs",
        data=partial(regression, 200_000, 50),
        contenders=lambda: {"scikit-learn": sgd, "skcourse": partial(ours, ONLINE, 1)},
        loss=mean_squared_error,
        slack=0.02,  # two orders of the rows
    ),
    Workload(
        "GradientDescentRegressor 200,000 x 50, batches of 32, Adam, 10 epochs",
        data=partial(regression, 200_000, 50),
        contenders=lambda: {
            "scikit-learn": sgd,
            "numpy": partial(numpy_adam, 32),
            "skcourse": partial(ours, ADAM, 32),
        },
        loss=mean_squared_error,
        slack=0.02,
    ),
]
