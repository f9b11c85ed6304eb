"""Linear models: a prediction is a weighted sum of the features."""

from skcourse.linear_model.ard import ARDRegression
from skcourse.linear_model.bayesian_ridge import BayesianRidge
from skcourse.linear_model.gamma import GammaRegressor
from skcourse.linear_model.ols import LinearRegression
from skcourse.linear_model.poisson import PoissonRegressor
from skcourse.linear_model.quantile import QuantileRegressor
from skcourse.linear_model.ridge import Ridge
from skcourse.linear_model.ridge_classifier import RidgeClassifier
from skcourse.linear_model.ridge_classifier_cv import RidgeClassifierCV
from skcourse.linear_model.ridge_cv import RidgeCV
from skcourse.linear_model.ridge_function import ridge_regression
from skcourse.linear_model.tweedie import TweedieRegressor

__all__ = [
    "ARDRegression",
    "BayesianRidge",
    "GammaRegressor",
    "LinearRegression",
    "PoissonRegressor",
    "QuantileRegressor",
    "Ridge",
    "RidgeCV",
    "RidgeClassifier",
    "RidgeClassifierCV",
    "TweedieRegressor",
    "ridge_regression",
]
