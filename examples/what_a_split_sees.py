"""What a split sees: how impure the two sides are, for every threshold on every feature.

A tree asks one question at a time. Before the first, it tries every threshold between two values of
every feature, and takes the one after which the classes on the two sides are purest. Here are all
of them, for irises: what Gini's impurity gains, what entropy gains, and which the tree takes. Where
two gain the same, it takes the one that it happens to look at first.
"""

import sys

import numpy as np
from sklearn.datasets import load_iris

from skcourse.tree import DecisionTreeClassifier

iris = load_iris()
X, y = iris.data, iris.target
kinds = np.eye(3)[y]


def gini(shares):
    """Return 1 - sum_k p_k^2 of shares (n, 3)."""
    return 1 - np.sum(shares**2, axis=1)


def entropy(shares):
    """Return -sum_k p_k log2 p_k."""
    return -np.sum(shares * np.log2(np.where(shares > 0, shares, 1)), axis=1)


def gains(values, impurity):
    """Return the thresholds between distinct values, and what a split there gains."""
    order = np.argsort(values)
    values, below = values[order], np.cumsum(kinds[order], axis=0)
    cuts = np.flatnonzero(values[1:] > values[:-1])
    left, right = below[cuts], below[-1] - below[cuts]
    n_left, n_right = left.sum(axis=1), right.sum(axis=1)
    after = n_left * impurity(left / n_left[:, None]) + n_right * impurity(right / n_right[:, None])
    before = impurity(below[-1:] / len(values))
    return (values[cuts] + values[cuts + 1]) / 2, before - after / len(values)


for name, impurity in {"gini": gini, "entropy": entropy}.items():
    tree = DecisionTreeClassifier(criterion=name, max_depth=1, random_state=0).fit(X, y).tree_
    threshold, gain = gains(X[:, tree.feature[0]], impurity)
    best = threshold[np.argmax(gain)]
    chosen = iris.feature_names[tree.feature[0]]
    print(f"{name}: the tree asks whether {chosen} <= {tree.threshold[0]:.2f}")
    print(f"  by hand, that feature gains most, {gain.max():.3f}, at {best:.2f}")
    for f in np.flatnonzero(np.arange(4) != tree.feature[0]):
        print(f"  at best, {iris.feature_names[f]} gains {gains(X[:, f], impurity)[1].max():.3f}")

try:
    from matplotlib.figure import Figure
except ImportError:
    print("No picture: matplotlib is not installed.")
    sys.exit()

figure = Figure(figsize=(11, 2.8), layout="constrained")
for f, axes in enumerate(figure.subplots(1, 4, sharey=True)):
    for name, impurity in {"Gini": gini, "entropy": entropy}.items():
        axes.step(*gains(X[:, f], impurity), where="mid", label=name)
    for kind, colour in enumerate(["tab:red", "tab:green", "tab:purple"]):
        there = X[y == kind, f]
        axes.plot(there, np.full(len(there), -0.05 - 0.05 * kind), "|", color=colour)
    axes.set(xlabel=iris.feature_names[f])
figure.axes[0].set_ylabel("gain of a split")
figure.axes[0].legend(frameon=False)
figure.savefig("what_a_split_sees.png", dpi=120)
print("wrote what_a_split_sees.png")
