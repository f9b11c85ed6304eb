"""The colours of a photograph, by k-means: 96,615 colours become 16.

Each pixel is a row of three numbers: red, green, blue. The centres are the palette, the labels say
which of its colours a pixel gets. Reading the photograph takes pillow, drawing it matplotlib.
"""

import sys

import numpy as np
from sklearn.datasets import load_sample_image

from skcourse.cluster import KMeans

try:
    photo = load_sample_image("china.jpg") / 255.0
except ImportError:
    print("No photograph: pillow is not installed.")
    sys.exit()

pixels = photo.reshape(-1, 3)
some = pixels[:: len(pixels) // 20_000]  # a palette needs no more
model = KMeans(n_clusters=16, n_init=4, random_state=0).fit(some)
repainted = model.cluster_centers_[model.predict(pixels)].reshape(photo.shape)
print(f"{len(np.unique(pixels, axis=0)):,} colours become {len(model.cluster_centers_)};")
print(f"root mean square error {np.sqrt(np.mean((repainted - photo) ** 2)):.3f} of the full range")

try:
    from matplotlib.figure import Figure
except ImportError:
    print("No picture: matplotlib is not installed.")
    sys.exit()

figure = Figure(figsize=(9, 3.4), layout="constrained")
left, right = figure.subplots(1, 2)
for axes, image, title in (
    (left, photo, "the photograph"),
    (right, np.clip(repainted, 0, 1), "in 16 colours, chosen by k-means"),
):
    axes.imshow(image)
    axes.set_title(title)
    axes.axis("off")
figure.savefig("colours_of_a_photo.png", dpi=120)
print("wrote colours_of_a_photo.png")
