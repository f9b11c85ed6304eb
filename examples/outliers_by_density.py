"""Outliers are where the density is low: a mixture, fitted without labels, finds them.

The data are measurements of digits 0 to 4; into the test set, a few digits 5 to 9 have slipped. One
Gaussian knows the correlations of pixels, a mixture also that there are several kinds of digits.
"""

import sys

import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score

from skcourse.decomposition import PCA
from skcourse.mixture import Gaussian, GaussianMixture

X, y = load_digits(return_X_y=True)
known, strange = np.flatnonzero(y < 5), np.flatnonzero(y >= 5)[:40]
train, test = known[:600], np.concatenate([known[600:], strange])
project = PCA(n_components=15).fit(X[train])
Z, Z_test = project.transform(X[train]), project.transform(X[test])

models = {
    "one round Gaussian": Gaussian(covariance_type="spherical"),
    "one Gaussian": Gaussian(),
    "mixture of 5": GaussianMixture(5, reg_covar=1.0, n_init=3, random_state=0),
    "mixture of 10": GaussianMixture(10, reg_covar=1.0, n_init=3, random_state=0),
}
densities = {}
for name, model in models.items():
    densities[name] = model.fit(Z).score_samples(Z_test)
    auc = roc_auc_score(y[test] >= 5, -densities[name])
    first = np.mean(y[test][np.argsort(densities[name])[:20]] >= 5)
    print(f"{name:<19} area under the ROC curve {auc:.3f}; of the 20 least likely, {first:.0%}")

try:
    from matplotlib.figure import Figure
except ImportError:
    print("No picture: matplotlib is not installed.")
    sys.exit()

least_likely = test[np.argsort(densities["mixture of 10"])[:16]]
figure = Figure(figsize=(8, 2.4), layout="constrained")
for axes, i in zip(figure.subplots(2, 8).flat, least_likely, strict=True):
    axes.imshow(X[i].reshape(8, 8), cmap="gray_r")
    axes.set(xticks=[], yticks=[], title=f"a {y[i]}")
figure.savefig("outliers_by_density.png", dpi=120)
print("wrote outliers_by_density.png")
