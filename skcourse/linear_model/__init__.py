"""Linear models: a prediction is a weighted sum of the features."""

from skcourse.linear_model.ols import LinearRegression
from skcourse.linear_model.ridge import Ridge, ridge_regression
from skcourse.linear_model.ridge_classifier import RidgeClassifier
from skcourse.linear_model.ridge_classifier_cv import RidgeClassifierCV
from skcourse.linear_model.ridge_cv import RidgeCV

__all__ = [
    "LinearRegression",
    "Ridge",
    "RidgeCV",
    "RidgeClassifier",
    "RidgeClassifierCV",
    "ridge_regression",
]
