"""Linear models: large and small problems, one fit and hundreds."""

from functools import partial

import numpy as np

from benchmarks.contenders import estimators
from benchmarks.data import classification, regression
from benchmarks.harness import Workload


def training_loss(data, fitted):
    """Return the weighted mean of the squared residuals, plus Ridge's alpha |w|^2 / n."""
    residuals = fitted.predict(data.X) - data.y
    loss = np.average(residuals**2, weights=data.sample_weight)
    return loss + getattr(fitted, "alpha", 0.0) * np.sum(fitted.coef_**2) / len(data.y)


def loss_on_fresh_rows(data, fitted):
    """Return the mean squared error on rows kept back."""
    return np.mean((fitted.predict(data.X_test) - data.y_test) ** 2)


def error_rate_on_fresh_rows(data, fitted):
    """Return the share of the rows kept back that go to a wrong class."""
    return np.mean(fitted.predict(data.X_test) != data.y_test)


SETTINGS = {}

WORKLOADS = [
    Workload(
        "LinearRegression 500,000 x 100",
        data=partial(regression, 500_000, 100),
        contenders=partial(estimators, "linear_model", "LinearRegression"),
        loss=training_loss,
        floor=15,
    ),
    Workload(
        "LinearRegression 1,000 x 20, 300 fits",
        data=partial(regression, 1_000, 20),
        contenders=partial(estimators, "linear_model", "LinearRegression", repeat=300),
        loss=training_loss,
        floor=1.5,
    ),
    Workload(
        "LinearRegression 500,000 x 100, sample_weight",
        data=partial(regression, 500_000, 100, weighted=True),
        contenders=partial(estimators, "linear_model", "LinearRegression"),
        loss=training_loss,
    ),
    Workload(
        "Ridge 500,000 x 100",
        data=partial(regression, 500_000, 100),
        contenders=partial(estimators, "linear_model", "Ridge"),
        loss=training_loss,
    ),
    Workload(
        "Ridge 1,000 x 20, 300 fits",
        data=partial(regression, 1_000, 20),
        contenders=partial(estimators, "linear_model", "Ridge", repeat=300),
        loss=training_loss,
    ),
    Workload(
        "RidgeCV 20,000 x 300, leave-one-out, 50 alphas",
        data=partial(regression, 20_000, 300, n_test=5_000),
        contenders=partial(estimators, "linear_model", "RidgeCV", alphas=np.logspace(-3, 4, 50)),
        loss=loss_on_fresh_rows,
        floor=10,
    ),
    Workload(
        "RidgeClassifier 50,000 x 100, 10 classes",
        data=partial(classification, 50_000, 100, 10, n_test=10_000),
        contenders=partial(estimators, "linear_model", "RidgeClassifier"),
        loss=error_rate_on_fresh_rows,
        slack=1e-3,  # a row in 10,000 that lies on a border
    ),
]
