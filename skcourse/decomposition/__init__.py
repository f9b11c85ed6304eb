"""Decomposition: few directions in which the rows of a matrix vary most."""

from skcourse.decomposition.incremental_pca import IncrementalPCA
from skcourse.decomposition.pca import PCA
from skcourse.decomposition.probabilistic_pca import ProbabilisticPCA

__all__ = ["PCA", "IncrementalPCA", "ProbabilisticPCA"]
