"""Mixtures: densities made of Gaussians, fitted by expectation and maximisation."""

from skcourse.mixture.bayesian_mixture import BayesianGaussianMixture
from skcourse.mixture.gaussian import Gaussian
from skcourse.mixture.gaussian_mixture import GaussianMixture

__all__ = ["BayesianGaussianMixture", "Gaussian", "GaussianMixture"]
