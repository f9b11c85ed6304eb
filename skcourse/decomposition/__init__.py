"""Decomposition: few directions in which the rows of a matrix vary most."""

from skcourse.decomposition.incremental_pca import IncrementalPCA
from skcourse.decomposition.pca import PCA

__all__ = ["PCA", "IncrementalPCA"]
