"""Expectation and maximisation in motion: three Gaussians find three clouds of samples.

Each iteration asks how likely each component is for each sample, and then moves the components to
where their samples are. The likelihood never falls, which is how one tells that it works.
"""

import sys

import numpy as np
from sklearn.datasets import make_blobs

from skcourse.mixture import GaussianMixture

X, _ = make_blobs(
    600, centers=[[0, 0], [4, 4], [5, 0]], cluster_std=[1.0, 0.7, 0.5], random_state=1
)
X = X @ [[1.0, 0.4], [0.0, 1.0]]
model = GaussianMixture(3, init_params="random", record="path", tol=1e-5, random_state=0)
model.fit(X)
likelihood = model.history_["log_likelihood"]
for i in range(0, len(likelihood), 10):
    print(f"iteration {i:>3}: mean log-likelihood {likelihood[i]:.4f}")
print(f"{model.n_iter_} iterations, of which {np.sum(np.diff(likelihood) < 0)} lowered it")

try:
    from matplotlib.figure import Figure

    from skcourse.inspection import EMDisplay
except ImportError:
    print("No picture: matplotlib is not installed.")
    sys.exit()

figure = Figure(figsize=(9, 3.2), layout="constrained")
for axes, iteration in zip(figure.subplots(1, 3), (0, model.n_iter_ // 4, -1), strict=True):
    EMDisplay.from_estimator(model, X, iteration=iteration, ax=axes)
figure.savefig("em_in_motion.png", dpi=120)
print("wrote em_in_motion.png")

figure = Figure(figsize=(5, 4))
display = EMDisplay.from_estimator(model, X, ax=figure.subplots())
display.animate().save("em_in_motion.gif", writer="pillow", fps=8)
print("wrote em_in_motion.gif")
