"""Decomposition: few directions in which the rows of a matrix vary most."""

from skcourse.decomposition.dictionary_functions import dict_learning, dict_learning_online
from skcourse.decomposition.dictionary_learning import DictionaryLearning
from skcourse.decomposition.dictionary_minibatch import MiniBatchDictionaryLearning
from skcourse.decomposition.factor_analysis import FactorAnalysis
from skcourse.decomposition.incremental_pca import IncrementalPCA
from skcourse.decomposition.nmf import NMF
from skcourse.decomposition.nmf_function import non_negative_factorization
from skcourse.decomposition.pca import PCA
from skcourse.decomposition.probabilistic_pca import ProbabilisticPCA
from skcourse.decomposition.sparse_coder import SparseCoder
from skcourse.decomposition.sparse_encode import sparse_encode
from skcourse.decomposition.truncated_svd import TruncatedSVD

__all__ = [
    "NMF",
    "PCA",
    "DictionaryLearning",
    "FactorAnalysis",
    "IncrementalPCA",
    "MiniBatchDictionaryLearning",
    "ProbabilisticPCA",
    "SparseCoder",
    "TruncatedSVD",
    "dict_learning",
    "dict_learning_online",
    "non_negative_factorization",
    "sparse_encode",
]
