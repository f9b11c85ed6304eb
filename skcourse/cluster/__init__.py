"""Clustering: k-means, by an iteration that skips what cannot change."""

from skcourse.cluster.kmeans import KMeans
from skcourse.cluster.kmeans_function import k_means
from skcourse.cluster.kmedoids import KMedoids
from skcourse.cluster.minibatch import MiniBatchKMeans
from skcourse.cluster.seeding import kmeans_plusplus

__all__ = ["KMeans", "KMedoids", "MiniBatchKMeans", "k_means", "kmeans_plusplus"]
