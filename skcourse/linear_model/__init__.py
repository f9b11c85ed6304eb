"""Linear models: a prediction is a weighted sum of the features."""

from skcourse.linear_model.ols import LinearRegression

__all__ = ["LinearRegression"]
