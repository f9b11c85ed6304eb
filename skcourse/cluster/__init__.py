"""Clustering: k-means, by an iteration that skips what cannot change."""

from skcourse.cluster.kmeans import KMeans
from skcourse.cluster.kmeans_function import k_means
from skcourse.cluster.seeding import kmeans_plusplus

__all__ = ["KMeans", "k_means", "kmeans_plusplus"]
