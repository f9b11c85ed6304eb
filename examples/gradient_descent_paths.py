"""Five ways down one hill: gradient descent on the contours of a loss.

A line through points has two parameters, so the mean loss is a landscape over a plane. All rows at
once give its gradient: plain descent follows it, slowly along the valley. Batches and single rows
give the gradient but for chance, at a fraction of the cost. Momentum and Adam remember.
"""

import sys

import numpy as np

from skcourse.linear_model import GradientDescentRegressor

N, EPOCHS = 200, 25
rng = np.random.default_rng(0)
x = rng.uniform(0, 2, size=N)
y = 1.5 * x - 1.0 + 0.5 * rng.normal(size=N)
X = x[:, np.newaxis]
START = {"coef_init": [-1.5], "intercept_init": 2.5}
FIXED = {"learning_rate": "constant"}
WAYS = {
    "all rows": {},
    "batches of 20": {"batch_size": 20, "eta0": 0.1} | FIXED,
    "row by row": {"batch_size": 1, "eta0": 0.02} | FIXED,
    "all rows, momentum": {"optimizer": "momentum", "momentum": 0.8},
    "all rows, Adam": {"optimizer": "adam", "eta0": 0.3},
}

A = np.column_stack([x, np.ones(N)])
lowest = np.linalg.lstsq(A, y)[0]


def loss(slope, intercept):
    """Return the mean loss of a line, or of many."""
    return np.mean((np.multiply.outer(slope, x) + intercept[..., np.newaxis] - y) ** 2, -1) / 2


paths = {}
for way, options in WAYS.items():
    model = GradientDescentRegressor(
        max_iter=EPOCHS, tol=None, random_state=0, record="path", **options
    ).fit(X, y, **START)
    steps = model.history_["parameters"].reshape(-1, 2)
    paths[way] = np.vstack([[START["coef_init"][0], START["intercept_init"]], steps])
    above = loss(*steps[-1]) - loss(*lowest)
    print(f"{way:<20} {len(steps):>5} updates in {EPOCHS} epochs, {above:.1e} above the minimum")

try:
    from matplotlib.figure import Figure
except ImportError:
    print("No picture: matplotlib is not installed.")
    sys.exit()

slopes, intercepts = np.meshgrid(np.linspace(-2, 4, 90), np.linspace(-3.5, 3, 90))
figure = Figure(figsize=(12, 3), layout="constrained")
for axes, (way, path) in zip(
    figure.subplots(1, len(paths), sharey=True), paths.items(), strict=True
):
    axes.contour(slopes, intercepts, loss(slopes, intercepts), np.geomspace(0.13, 12, 14),
                 colors="0.75", linewidths=0.8)  # fmt: skip
    axes.plot(*path.T, "-o", color="tab:blue", linewidth=0.8, markersize=1.5)
    axes.plot(*lowest, "+", color="tab:red", markersize=9)
    axes.set(title=way, xlabel="slope", xlim=(-2, 4), ylim=(-3.5, 3))
figure.axes[0].set_ylabel("intercept")
figure.savefig("gradient_descent_paths.png", dpi=120)
print("wrote gradient_descent_paths.png")
