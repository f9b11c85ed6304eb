"""Digits denoised: what lies off the plane of the principal components is mostly noise.

Probabilistic PCA says how far to go: it draws each image towards the mean as far as the noise
explains it, and fills in pixels that are missing by what the others say of them.
"""

import sys

import numpy as np
from sklearn.datasets import load_digits

from skcourse.decomposition import PCA, ProbabilisticPCA

X = load_digits().data
train, test = X[:1500], X[1500:]
rng = np.random.default_rng(0)
noisy_train = train + rng.normal(0, 4, train.shape)
noisy = test + rng.normal(0, 4, test.shape)
torn = np.where(rng.random(test.shape) < 0.3, np.nan, noisy)  # three pixels of ten are missing

pca = PCA(n_components=15).fit(noisy_train)
model = ProbabilisticPCA(n_components=15).fit(noisy_train)
means = np.broadcast_to(noisy_train.mean(axis=0), test.shape)
restored = {
    "noisy": noisy,
    "PCA": pca.inverse_transform(pca.transform(noisy)),
    "probabilistic": model.inverse_transform(model.transform(noisy)),
    "torn": torn,
    "mean of the pixel": np.where(np.isnan(torn), means, torn),
    "both at once": model.inverse_transform(model.transform(torn)),
}
for name, images in restored.items():
    error = np.sqrt(np.nanmean((images - test) ** 2))
    print(f"{name:<18} root mean square error {error:.2f} of 16 shades of grey")

try:
    from matplotlib.figure import Figure
except ImportError:
    print("No picture: matplotlib is not installed.")
    sys.exit()

figure = Figure(figsize=(8, 3.6), layout="constrained")
columns = {"digit": test} | restored
grid = figure.subplots(3, len(columns))
for i, row in enumerate(grid):
    for axes, (name, images) in zip(row, columns.items(), strict=True):
        axes.imshow(images[i].reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
        axes.set(xticks=[], yticks=[], title=name if i == 0 else "")
        axes.title.set_fontsize(8)
figure.savefig("digits_denoised.png", dpi=120)
print("wrote digits_denoised.png")
