"""Digits in few numbers: what the first principal components keep of 64 pixels.

PCA turns an image into a few numbers, and `inverse_transform` turns these back into an image. The
more components, the more of the variance returns. A ratio as `n_components` asks for that share.
"""

import sys

import numpy as np
from sklearn.datasets import load_digits

from skcourse.decomposition import PCA

X = load_digits().data
sizes = (2, 5, 10, 20, 40)
models = {size: PCA(n_components=size).fit(X) for size in sizes}
for size, model in models.items():
    print(f"{size:>3} components keep {model.explained_variance_ratio_.sum():.1%} of the variance")
enough = PCA(n_components=0.95).fit(X)
print(f"95% takes {enough.n_components_} components")

try:
    from matplotlib.figure import Figure
except ImportError:
    print("No picture: matplotlib is not installed.")
    sys.exit()

figure = Figure(figsize=(7.2, 5), layout="constrained")
grid = figure.subplots(4, len(sizes) + 1)
for i, row in enumerate(grid):
    returned = [model.inverse_transform(model.transform(X[i : i + 1])) for model in models.values()]
    for axes, image in zip(row, [*returned, X[i]], strict=True):
        axes.imshow(np.reshape(image, (8, 8)), cmap="gray_r", vmin=0, vmax=16)
        axes.set(xticks=[], yticks=[])
for axes, title in zip(grid[0], [*(f"{size} numbers" for size in sizes), "64 pixels"], strict=True):
    axes.set_title(title, fontsize=9)
figure.savefig("digits_in_few_numbers.png", dpi=120)
print("wrote digits_in_few_numbers.png")
