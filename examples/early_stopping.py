"""When to stop boosting: the loss on other rows falls, lies flat, and rises again.

Each tree lowers the loss on the rows it was grown from; after a while it only learns their noise.
Rows that no tree has seen tell when. Short steps (a small learning rate) need more trees, and end
lower: the valley is wider, and it matters less where exactly one stops.
"""

import sys

import numpy as np

from skcourse.ensemble import GradientBoostingRegressor

N, NOISE, N_TREES, PATIENCE = 600, 1.0, 400, 20


def surface(X):
    """Return what the samples are scattered about."""
    return 3 * np.sin(4 * X[:, 0]) + 4 * X[:, 1] * X[:, 2] + 2 * X[:, 3]


rng = np.random.default_rng(0)
X = rng.uniform(0, 1, (3 * N, 8))  # four of the features say nothing
y = surface(X) + NOISE * rng.standard_normal(3 * N)
train, held_out, test = (slice(i * N, (i + 1) * N) for i in range(3))
judged = {"X_val": X[held_out], "y_val": y[held_out]}

histories, stops = {}, {}
print(f"the noise alone: {NOISE**2:.2f}")
print("learning rate  trees   train  held out   test")
for rate in (1.0, 0.3, 0.1, 0.03):
    whole = GradientBoostingRegressor(
        learning_rate=rate, n_estimators=N_TREES, max_depth=3, random_state=0
    ).fit(X[train], y[train], **judged)
    histories[rate] = whole.history_
    patient = GradientBoostingRegressor(
        learning_rate=rate,
        n_estimators=N_TREES,
        n_iter_no_change=PATIENCE,
        tol=0.0,
        max_depth=3,
        random_state=0,
    ).fit(X[train], y[train], **judged)
    stops[rate] = patient.n_estimators_
    for model in (patient, whole):
        losses = [model.history_[name][-1] for name in ("loss", "validation_loss")]
        error = np.mean((y[test] - model.predict(X[test])) ** 2)
        told = f"{losses[0]:6.2f}  {losses[1]:8.2f}  {error:5.2f}"
        print(f"{rate:13.2f}  {model.n_estimators_:5d}  {told}")

try:
    from matplotlib.figure import Figure
except ImportError:
    print("No picture: matplotlib is not installed.")
    sys.exit()

figure = Figure(figsize=(12, 3), layout="constrained")
for axes, (rate, history) in zip(
    figure.subplots(1, 4, sharey=True), histories.items(), strict=True
):
    trees = np.arange(1, N_TREES + 1)
    axes.plot(trees, history["loss"], label="training rows")
    axes.plot(trees, history["validation_loss"], label="rows held out")
    axes.axhline(NOISE**2, color="black", linestyle="--", linewidth=0.8, label="the noise")
    axes.axvline(stops[rate], color="tab:red", linewidth=0.8, label="stopped")
    axes.set(title=f"learning rate {rate}", xlabel="trees", ylim=(0, 4))
figure.axes[0].set_ylabel("mean squared error")
figure.axes[0].legend(frameon=False, fontsize=8)
figure.savefig("early_stopping.png", dpi=120)
print("wrote early_stopping.png")
