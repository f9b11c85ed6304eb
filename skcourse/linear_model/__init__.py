"""Linear models: a prediction is a weighted sum of the features."""

from skcourse.linear_model.ard import ARDRegression
from skcourse.linear_model.bayesian_ridge import BayesianRidge
from skcourse.linear_model.elastic_net import ElasticNet
from skcourse.linear_model.elastic_net_cv import ElasticNetCV
from skcourse.linear_model.gamma import GammaRegressor
from skcourse.linear_model.generalized_linear_classifier import GeneralizedLinearClassifier
from skcourse.linear_model.generalized_linear_regressor import GeneralizedLinearRegressor
from skcourse.linear_model.gradient_descent_classifier import GradientDescentClassifier
from skcourse.linear_model.gradient_descent_regressor import GradientDescentRegressor
from skcourse.linear_model.huber import HuberRegressor
from skcourse.linear_model.lasso import Lasso
from skcourse.linear_model.lasso_cv import LassoCV
from skcourse.linear_model.lasso_path import enet_path, lasso_path
from skcourse.linear_model.logistic import LogisticRegression
from skcourse.linear_model.logistic_cv import LogisticRegressionCV
from skcourse.linear_model.mean_variance import MeanVarianceRegressor
from skcourse.linear_model.multi_task import MultiTaskElasticNet, MultiTaskLasso
from skcourse.linear_model.multi_task_cv import MultiTaskElasticNetCV, MultiTaskLassoCV
from skcourse.linear_model.ols import LinearRegression
from skcourse.linear_model.omp import OrthogonalMatchingPursuit
from skcourse.linear_model.omp_cv import OrthogonalMatchingPursuitCV
from skcourse.linear_model.omp_functions import orthogonal_mp, orthogonal_mp_gram
from skcourse.linear_model.perceptron import Perceptron
from skcourse.linear_model.poisson import PoissonRegressor
from skcourse.linear_model.quantile import QuantileRegressor
from skcourse.linear_model.ridge import Ridge
from skcourse.linear_model.ridge_classifier import RidgeClassifier
from skcourse.linear_model.ridge_classifier_cv import RidgeClassifierCV
from skcourse.linear_model.ridge_cv import RidgeCV
from skcourse.linear_model.ridge_function import ridge_regression
from skcourse.linear_model.sgd import SGDRegressor
from skcourse.linear_model.sgd_classifier import SGDClassifier
from skcourse.linear_model.sgd_one_class_svm import SGDOneClassSVM
from skcourse.linear_model.tweedie import TweedieRegressor

__all__ = [
    "ARDRegression",
    "BayesianRidge",
    "ElasticNet",
    "ElasticNetCV",
    "GammaRegressor",
    "GeneralizedLinearClassifier",
    "GeneralizedLinearRegressor",
    "GradientDescentClassifier",
    "GradientDescentRegressor",
    "HuberRegressor",
    "Lasso",
    "LassoCV",
    "LinearRegression",
    "LogisticRegression",
    "LogisticRegressionCV",
    "MeanVarianceRegressor",
    "MultiTaskElasticNet",
    "MultiTaskElasticNetCV",
    "MultiTaskLasso",
    "MultiTaskLassoCV",
    "OrthogonalMatchingPursuit",
    "OrthogonalMatchingPursuitCV",
    "Perceptron",
    "PoissonRegressor",
    "QuantileRegressor",
    "Ridge",
    "RidgeCV",
    "RidgeClassifier",
    "RidgeClassifierCV",
    "SGDClassifier",
    "SGDOneClassSVM",
    "SGDRegressor",
    "TweedieRegressor",
    "enet_path",
    "lasso_path",
    "orthogonal_mp",
    "orthogonal_mp_gram",
    "ridge_regression",
]
