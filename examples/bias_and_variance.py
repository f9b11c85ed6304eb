"""Bias and variance: why many trees are better than one, and why there are two ways to have many.

From a curve that we know, 40 training sets are drawn, and each model is fitted to each of them. How
far its mean prediction lies from the curve is its bias; how far its predictions lie from their mean
is its variance. A whole tree has little bias and much variance: bagging averages the variance away.
A stump has the opposite: boosting adds stumps up until the bias is gone.
"""

import sys

import numpy as np

from skcourse.ensemble import BaggingRegressor, GradientBoostingRegressor
from skcourse.tree import DecisionTreeRegressor

N_SETS, N_SAMPLES, NOISE = 40, 150, 0.3


def curve(x):
    """Return what the samples are scattered about."""
    return np.sin(5 * x) + 2 * (x > 0.6)


models = {
    "stump": DecisionTreeRegressor(max_depth=1, random_state=0),
    "whole tree": DecisionTreeRegressor(random_state=0),
    "50 trees, bagged": BaggingRegressor(DecisionTreeRegressor(), 50, random_state=0),
    "200 stumps, boosted": GradientBoostingRegressor(max_depth=1, n_estimators=200, random_state=0),
}
rng = np.random.default_rng(0)
asked = np.linspace(0, 1, 201)
sets = []
for _ in range(N_SETS):
    x = rng.uniform(0, 1, N_SAMPLES)
    sets.append((x[:, np.newaxis], curve(x) + NOISE * rng.standard_normal(N_SAMPLES)))

predictions = {
    name: np.array([model.fit(X, y).predict(asked[:, np.newaxis]) for X, y in sets])
    for name, model in models.items()
}
print(f"{'':<20}  bias^2  variance   sum")
for name, predicted in predictions.items():
    bias = np.mean((predicted.mean(axis=0) - curve(asked)) ** 2)
    variance = np.mean(predicted.var(axis=0))
    print(f"{name:<20}  {bias:6.3f}  {variance:8.3f}  {bias + variance:4.3f}")

try:
    from matplotlib.figure import Figure
except ImportError:
    print("No picture: matplotlib is not installed.")
    sys.exit()

figure = Figure(figsize=(12, 2.8), layout="constrained")
for axes, (name, predicted) in zip(
    figure.subplots(1, 4, sharey=True), predictions.items(), strict=True
):
    axes.plot(asked, predicted[:12].T, color="tab:blue", linewidth=0.5, alpha=0.4)
    axes.plot(asked, predicted.mean(axis=0), color="tab:blue", label="mean of 40 fits")
    axes.plot(asked, curve(asked), color="black", linestyle="--", label="the curve")
    axes.set(title=name, xlabel="x")
figure.axes[0].legend(frameon=False, fontsize=8)
figure.savefig("bias_and_variance.png", dpi=120)
print("wrote bias_and_variance.png")
