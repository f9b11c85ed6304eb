"""A square whose opposite corners share a colour: no line separates them, nor does a single split.

Whether x and y have the same sign (XNOR) says nothing about x alone, nor about y alone. A linear
model stays at a coin's toss. A tree's first split gains nothing to speak of, but the splits below
it do; a forest averages such trees, and boosting adds them up.
"""

import sys

import numpy as np

from skcourse.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from skcourse.linear_model import LogisticRegression
from skcourse.tree import DecisionTreeClassifier


def square(n, rng):
    """Draw points of the square; a twentieth of them has the wrong colour."""
    X = rng.uniform(-1, 1, size=(n, 2))
    return X, (X[:, 0] * X[:, 1] > 0) ^ (rng.random(n) < 0.05)


rng = np.random.default_rng(0)
X, y = square(400, rng)
X_new, y_new = square(4000, rng)
models = {
    "linear": LogisticRegression(),
    "tree of depth 2": DecisionTreeClassifier(max_depth=2, random_state=0),
    "whole tree": DecisionTreeClassifier(random_state=0),
    "forest": RandomForestClassifier(random_state=0),
    "boosting": HistGradientBoostingClassifier(max_iter=40),
}
for name, model in models.items():
    model.fit(X, y)
    own, new = model.score(X, y), model.score(X_new, y_new)
    print(f"{name:<16} right on {own:.0%} of its points, {new:.0%} of new ones")
print("at best 95% of new ones")

try:
    from matplotlib.figure import Figure
except ImportError:
    print("No picture: matplotlib is not installed.")
    sys.exit()

ticks = np.linspace(-1, 1, 200)
grid = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
figure = Figure(figsize=(12, 2.8), layout="constrained")
for axes, (name, model) in zip(figure.subplots(1, len(models)), models.items(), strict=True):
    shares = model.predict_proba(grid)[:, 1].reshape(200, 200)
    axes.imshow(
        shares, extent=(-1, 1, -1, 1), origin="lower", cmap="RdBu", vmin=0, vmax=1, alpha=0.7
    )
    axes.scatter(*X.T, s=4, c=np.where(y, "tab:blue", "tab:red"), linewidths=0)
    axes.set(xticks=[], yticks=[], title=name)
figure.savefig("square_of_two_colours.png", dpi=120)
print("wrote square_of_two_colours.png")
