"""Too stiff, too bent, repaired: polynomials of three degrees, and the ridge that tames the last.

A polynomial is a linear model on powers of x. A line misses the shape of the data; fifteen powers
follow their noise. On fresh points both are worse than a modest degree. A penalty on the
coefficients, chosen by cross-validation, lets all fifteen powers stay.
"""

import sys

import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from skcourse.linear_model import LinearRegression, RidgeCV

rng = np.random.default_rng(4)


def truth(x):
    """Return what would be measured without noise."""
    return np.cos(1.5 * np.pi * x)


def measure(n):
    """Draw n points in [0, 1] and measure there."""
    x = np.sort(rng.uniform(0, 1, size=n))
    return x[:, np.newaxis], truth(x) + 0.2 * rng.normal(size=n)


def polynomial(degree, regression):
    """Return a regression on the powers of x up to `degree`."""
    return make_pipeline(
        PolynomialFeatures(degree, include_bias=False), StandardScaler(), regression
    )


X, y = measure(30)
X_fresh, y_fresh = measure(1000)
models = {
    "degree 1": polynomial(1, LinearRegression()),
    "degree 4": polynomial(4, LinearRegression()),
    "degree 15": polynomial(15, LinearRegression(tol=1e-14)),
    "degree 15, ridge": polynomial(15, RidgeCV(alphas=np.logspace(-6, 2, 33))),
}


def error(model, X, y):
    """Return the root mean squared error."""
    return np.sqrt(np.mean((model.predict(X) - y) ** 2))


print(f"{'':<18}  on its points  on fresh points  largest coefficient")
for name, model in models.items():
    model.fit(X, y)
    seen, fresh = error(model, X, y), error(model, X_fresh, y_fresh)
    print(f"{name:<18}  {seen:13.3f}  {fresh:15.3f}  {np.abs(model[-1].coef_).max():19.3g}")
print(f"chosen penalty: {models['degree 15, ridge'][-1].alpha_:.1e}")

try:
    from matplotlib.figure import Figure
except ImportError:
    print("No picture: matplotlib is not installed.")
    sys.exit()

grid = np.linspace(0, 1, 300)
figure = Figure(figsize=(11, 2.8), layout="constrained")
for axes, (name, model) in zip(figure.subplots(1, 4, sharey=True), models.items(), strict=True):
    axes.plot(grid, truth(grid), color="0.7")
    axes.plot(X[:, 0], y, ".", color="0.3", markersize=4)
    axes.plot(grid, model.predict(grid[:, np.newaxis]), color="tab:blue")
    axes.set(title=name, xlabel="x", xlim=(0, 1), ylim=(-1.8, 1.8))
figure.savefig("polynomial_regression.png", dpi=120)
print("wrote polynomial_regression.png")
