"""How many clusters? Four ways to ask, and not always one answer.

The inertia falls with every cluster more, so one looks for the bend in it. The gap statistic asks
whether it falls faster than without any clusters, the silhouette how much nearer a sample is to its
own cluster than to the next one, and BIC what the parameters of another cluster are worth.
"""

import sys

from sklearn.datasets import load_iris, make_blobs

from skcourse.cluster import KMeans, select_n_clusters

METHODS = ("elbow", "gap", "silhouette", "bic")
blobs, _ = make_blobs(400, centers=5, cluster_std=0.8, random_state=3)
data = {"five blobs": blobs, "iris": load_iris().data}
model = KMeans(n_init=5, random_state=0)
for name, X in data.items():
    found = {m: select_n_clusters(model, X, method=m, random_state=0).n_clusters for m in METHODS}
    print(f"{name:<11}", ", ".join(f"{m}: {k}" for m, k in found.items()))

try:
    from matplotlib.figure import Figure

    from skcourse.inspection import ElbowDisplay
except ImportError:
    print("No picture: matplotlib is not installed.")
    sys.exit()

figure = Figure(figsize=(10, 2.8), layout="constrained")
for axes, method in zip(figure.subplots(1, 4), METHODS, strict=True):
    ElbowDisplay.from_estimator(model, blobs, method=method, random_state=0, ax=axes)
figure.savefig("how_many_clusters.png", dpi=120)
print("wrote how_many_clusters.png")
