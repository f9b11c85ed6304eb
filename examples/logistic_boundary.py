"""Logistic regression draws straight borders, and says how sure it is on either side.

Three kinds of irises by the length and width of their petals: the model gives each a score that is
linear in both, and the softmax of the scores is a probability. Where two are equal lies the border.
"""

import sys

import numpy as np
from sklearn.datasets import load_iris

from skcourse.linear_model import LogisticRegression

iris = load_iris()
petals, names = iris.data[:, 2:], iris.target_names
models = {C: LogisticRegression(C=C, max_iter=1000).fit(petals, iris.target) for C in (0.1, 100.0)}
for C, model in models.items():
    sure = model.predict_proba(petals).max(axis=1)
    right = model.score(petals, iris.target)
    print(f"C = {C:g}: {right:.1%} right, mean certainty {sure.mean():.1%}")
between = models[100.0].predict_proba([[4.9, 1.65]])[0]
print("petals of 4.9 by 1.65 cm, C = 100:")
for name, share in zip(names, between, strict=True):
    print(f"{name:>12} {share:.0%}")

try:
    from matplotlib.figure import Figure
except ImportError:
    print("No picture: matplotlib is not installed.")
    sys.exit()

x, y = np.meshgrid(np.linspace(0.5, 7.5, 300), np.linspace(-0.2, 2.8, 300))
grid = np.column_stack([x.ravel(), y.ravel()])
figure = Figure(figsize=(8, 3.8), layout="constrained")
for axes, (C, model) in zip(figure.subplots(1, 2, sharey=True), models.items(), strict=True):
    shares = model.predict_proba(grid)
    colours = np.array([[0.84, 0.90, 0.96], [0.99, 0.89, 0.78], [0.86, 0.94, 0.86]])
    axes.imshow(
        (shares @ colours).reshape(*x.shape, 3),
        extent=(x.min(), x.max(), y.min(), y.max()),
        origin="lower",
        aspect="auto",
    )
    regions = model.decision_function(grid).argmax(axis=1).reshape(x.shape)
    axes.contour(x, y, regions, levels=[0.5, 1.5], colors="0.3", linewidths=0.8)
    for kind, marker in enumerate("o^s"):
        there = petals[iris.target == kind]
        label = names[kind] if C == 100.0 else None
        axes.scatter(*there.T, s=14, marker=marker, c="0.25", linewidths=0, label=label)
    axes.set(title=f"C = {C:g}", xlabel="petal length (cm)")
figure.axes[0].set_ylabel("petal width (cm)")
figure.legend(loc="outside lower center", ncols=3, frameon=False)
figure.savefig("logistic_boundary.png", dpi=120)
print("wrote logistic_boundary.png")
