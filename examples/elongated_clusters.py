"""A mixture against k-means on elongated clusters.

To k-means every cluster is a ball of one size: it cuts long clusters in two. A mixture of Gaussians
learns the shape of each cluster as well, or, tied, the one that they share; with round covariances
it sees what k-means sees.
"""

import sys

import numpy as np
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

from skcourse.cluster import KMeans
from skcourse.mixture import GaussianMixture

X, y = make_blobs(900, centers=[[-3, 0], [0, 0], [3, 0]], cluster_std=0.6, random_state=0)
X = X @ np.array([[0.6, -0.6], [0.8, 3.2]])

models = {"k-means": KMeans(3, n_init=10, random_state=0)}
for shape in ("spherical", "diag", "tied", "full"):
    options = {"n_init": 10, "init_params": "k-means++", "random_state": 0}
    models[f"mixture, {shape}"] = GaussianMixture(3, covariance_type=shape, **options)
found = {name: model.fit_predict(X) for name, model in models.items()}
for name, labels in found.items():
    print(f"{name:<19} agrees with the true clusters by {adjusted_rand_score(y, labels):.2f}")

try:
    from matplotlib.figure import Figure

    from skcourse.inspection import EMDisplay
except ImportError:
    print("No picture: matplotlib is not installed.")
    sys.exit()

figure = Figure(figsize=(8, 3.4), layout="constrained")
left, right = figure.subplots(1, 2)
left.scatter(*X.T, c=found["k-means"], cmap="tab10", vmin=0, vmax=9, s=8, alpha=0.5)
left.set_title("k-means")
EMDisplay.from_estimator(models["mixture, full"], X, ax=right)
right.set_title("mixture with full covariances")
figure.savefig("elongated_clusters.png", dpi=120)
print("wrote elongated_clusters.png")
