"""Real data that scikit-learn carries with it, cut into rows to learn from and rows held out."""

import functools
from typing import NamedTuple

import numpy as np
from sklearn import datasets
from sklearn.model_selection import train_test_split


class Data(NamedTuple):
    """A problem; y is None where there is nothing to predict."""

    name: str
    X: np.ndarray  # (n, p), float64
    y: np.ndarray | None  # (n,), classes (integers) or numbers (floats); (n, t), numbers
    X_held: np.ndarray  # the rows held out
    y_held: np.ndarray | None


@functools.cache
def load(name):
    """Return the data called `name`: one of scikit-learn's, one of PHOTOS, or "halves"."""
    if name in PHOTOS:
        X, y = PHOTOS[name](photo("china.jpg"))
    elif name == "halves":
        X, y = halves(datasets.load_digits().images)
    else:
        X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    held = 0.5 if name in PHOTOS else 0.25
    classes = y is not None and y.ndim == 1 and len(np.unique(y)) <= 20
    parts = train_test_split(
        *[X, np.zeros(len(X)) if y is None else y],
        test_size=held,
        random_state=0,
        stratify=y if classes else None,
    )
    X, X_held, y_train, y_held = parts
    return Data(name, X, None if y is None else y_train, X_held, None if y is None else y_held)


def photo(name):
    """Return a photograph, floats in [0, 1], (height, width, 3); reading it takes pillow."""
    return datasets.load_sample_image(name) / 255.0


def colours(image):
    """Every pixel is a row, (red, green, blue); nothing to predict."""
    return image.reshape(-1, 3), None


def pixels(image):
    """Every pixel's brightness is to be predicted from the 24 around it."""
    windows = np.lib.stride_tricks.sliding_window_view(image.mean(axis=2), (5, 5))
    windows = windows.reshape(-1, 25)
    return np.delete(windows, 12, axis=1), windows[:, 12].copy()


def halves(images):
    """The left half of each digit is to tell the right half: 32 targets."""
    left, right = images[:, :, :4], images[:, :, 4:]
    return left.reshape(len(images), -1), right.reshape(len(images), -1)


PHOTOS = {"colours": colours, "pixels": pixels}
