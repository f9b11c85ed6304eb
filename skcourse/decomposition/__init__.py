"""Decomposition: few directions in which the rows of a matrix vary most."""

from skcourse.decomposition.factor_analysis import FactorAnalysis
from skcourse.decomposition.incremental_pca import IncrementalPCA
from skcourse.decomposition.nmf import NMF
from skcourse.decomposition.nmf_function import non_negative_factorization
from skcourse.decomposition.pca import PCA
from skcourse.decomposition.probabilistic_pca import ProbabilisticPCA

__all__ = [
    "NMF",
    "PCA",
    "FactorAnalysis",
    "IncrementalPCA",
    "ProbabilisticPCA",
    "non_negative_factorization",
]
