"""Linear models: a prediction is a weighted sum of the features."""

from skcourse.linear_model.ols import LinearRegression
from skcourse.linear_model.ridge import Ridge, ridge_regression

__all__ = ["LinearRegression", "Ridge", "ridge_regression"]
