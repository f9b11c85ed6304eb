"""Clustering: k-means and k-medoids, and how many clusters there are."""

from skcourse.cluster.bisecting import BisectingKMeans
from skcourse.cluster.kmeans import KMeans
from skcourse.cluster.kmeans_function import k_means
from skcourse.cluster.kmedoids import KMedoids
from skcourse.cluster.minibatch import MiniBatchKMeans
from skcourse.cluster.seeding import kmeans_plusplus
from skcourse.cluster.selection import ClusterSelection, select_n_clusters

__all__ = [
    "BisectingKMeans",
    "ClusterSelection",
    "KMeans",
    "KMedoids",
    "MiniBatchKMeans",
    "k_means",
    "kmeans_plusplus",
    "select_n_clusters",
]
