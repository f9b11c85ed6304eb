"""Pictures of fits, drawn without a screen. Each function draws one and returns the figure.

A picture belongs to an estimator and is drawn where that estimator is shown.
"""

import pathlib

import numpy as np
from matplotlib.figure import Figure
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

from skcourse.inspection import EMDisplay
from skcourse.tour.cases import spread_rows
from skcourse.tour.data import load

GREY, BLUE, ORANGE = "0.6", "#1f77b4", "#e6740a"
TICKS = (0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200)


def draw_all(estimators, rows, out):
    """Draw the pictures of `estimators`, and one of the times of all `rows`, into the folder `out`.

    Returns
    -------
    written : list of Path
    failed : list of (name of the picture, error)
    """
    out = pathlib.Path(out).resolve()
    available = dict(estimators)
    written, failed = [], []
    for name, draw, needs in PICTURES:
        if not all(need in available for need in needs):
            continue
        try:
            figure = draw(*[available[need] for need in needs])
            written.append(save(figure, out / name))
        except Exception as error:
            failed.append((name, error))
    timed = [row for row in rows if row.ratio is not None]
    if timed:
        written.append(save(times(timed), out / "times.png"))
    return written, failed


def save(figure, path):
    """Write the figure, in a folder made now if need be; return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
    return path


def digit_centres(KMeans):
    """Draw what k-means takes ten kinds of digits to be."""
    data = load("digits")
    model = KMeans(n_clusters=10, n_init=10, random_state=0).fit(data.X)
    said = [np.bincount(data.y[model.labels_ == j], minlength=10) for j in range(10)]
    figure = Figure(figsize=(7, 3.4), layout="constrained")
    for place, j in enumerate(sorted(range(10), key=lambda j: int(np.argmax(said[j])))):
        axes = figure.add_subplot(2, 5, place + 1)
        axes.imshow(model.cluster_centers_[j].reshape(8, 8), cmap="gray_r")
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        share = said[j].max() / said[j].sum()
        axes.set_title(f"{share:.0%} are a {np.argmax(said[j])}", fontsize=9)
    figure.suptitle(f"KMeans on {len(data.X)} digits: the ten centres, and whom they stand for")
    return figure


def iris_regions(KMeans):
    """Draw the regions of three centres among irises, and which species grow there."""
    data = load("iris")
    petals = data.X[:, 2:]
    model = KMeans(n_clusters=3, init=spread_rows, n_init=1).fit(petals)
    low, high = petals.min(axis=0) - 0.3, petals.max(axis=0) + 0.3
    x, y = np.meshgrid(np.linspace(low[0], high[0], 400), np.linspace(low[1], high[1], 400))
    regions = model.predict(np.column_stack([x.ravel(), y.ravel()])).reshape(x.shape)
    figure = Figure(figsize=(6.4, 4), layout="constrained")
    axes = figure.add_subplot()
    axes.contourf(
        x, y, regions, levels=[-0.5, 0.5, 1.5, 2.5], colors=["#d6e6f4", "#fde3c8", "#dcefdc"]
    )
    for species, marker in enumerate("o^s"):
        there = petals[data.y == species]
        name = ("setosa", "versicolor", "virginica")[species]
        axes.scatter(*there.T, s=18, marker=marker, c="0.35", linewidths=0, label=name)
    axes.scatter(*model.cluster_centers_.T, s=120, marker="*", c="k", label="centre")
    axes.set(xlabel="petal length (cm)", ylabel="petal width (cm)")
    axes.set_title("KMeans on irises: whose centre is nearest")
    beside(axes)
    return figure


def iris_shapes(GaussianMixture):
    """Draw the Gaussians of which irises are a mixture."""
    data = load("iris")
    petals = data.X[:, 2:]
    model = GaussianMixture(n_components=3, n_init=5, random_state=0).fit(petals)
    figure = Figure(figsize=(5.6, 4), layout="constrained")
    axes = figure.add_subplot()
    EMDisplay.from_estimator(model, petals, ax=axes)
    axes.set(xlabel="petal length (cm)", ylabel="petal width (cm)")
    right = adjusted_rand_score(data.y, model.predict(petals))
    axes.set_title(f"GaussianMixture on irises: agrees with the species by {right:.2f}")
    return figure


def digits_in_the_plane(PCA):
    """Draw the digits along their first two principal components."""
    data = load("digits")
    model = PCA(n_components=2).fit(data.X)
    points = model.transform(data.X)
    share = model.explained_variance_ratio_
    figure = Figure(figsize=(6.6, 4.6), layout="constrained")
    axes = figure.add_subplot()
    for digit in range(10):
        there = points[data.y == digit]
        axes.scatter(*there.T, s=10, alpha=0.7, linewidths=0, color=f"C{digit}", label=str(digit))
    axes.set(
        xlabel=f"first component ({share[0]:.0%} of the variance)",
        ylabel=f"second component ({share[1]:.0%})",
        title=f"PCA of {len(points)} digits: 64 pixels seen in 2 dimensions",
        aspect="equal",
    )
    beside(axes, title="digit", markerscale=2)
    return figure


def ridge_path(Ridge, RidgeCV):
    """Draw the coefficients on diabetes as the penalty grows, and what leave-one-out chooses."""
    data = load("diabetes")
    X = StandardScaler().fit_transform(data.X)
    alphas = np.logspace(-2, 5, 60)
    paths = np.array([Ridge(alpha=alpha).fit(X, data.y).coef_ for alpha in alphas])
    chosen = RidgeCV(alphas=alphas).fit(X, data.y).alpha_
    figure = Figure(figsize=(6.8, 4.2), layout="constrained")
    axes = figure.add_subplot()
    for f, name in enumerate(("age", "sex", "bmi", "bp", *[f"s{i}" for i in range(1, 7)])):
        axes.semilogx(alphas, paths[:, f], color=f"C{f}", label=name)
    axes.axhline(0, color=GREY, linewidth=0.6)
    axes.axvline(chosen, color="k", linestyle=":", label=f"RidgeCV: {chosen:.3g}")
    axes.set(xlabel="alpha", ylabel="progression per standard deviation")
    axes.set_title("Ridge on diabetes: the coefficients as the penalty grows")
    beside(axes)
    return figure


def predicted_against_true(LinearRegression):
    """Draw predictions of ours and of scikit-learn's on rows held out: a dot in each ring."""
    from sklearn.linear_model import LinearRegression as Theirs

    data = load("diabetes")
    ours, theirs = (
        cls().fit(data.X, data.y).predict(data.X_held) for cls in (LinearRegression, Theirs)
    )
    figure = Figure(figsize=(5.6, 4.4), layout="constrained")
    axes = figure.add_subplot()
    ends = [min(data.y_held.min(), ours.min()), max(data.y_held.max(), ours.max())]
    axes.plot(ends, ends, color=GREY, linewidth=0.8, label="predicted = true")
    axes.scatter(
        data.y_held, theirs, s=36, facecolors="none", edgecolors=ORANGE, label="scikit-learn"
    )
    axes.scatter(data.y_held, ours, s=8, color=BLUE, linewidths=0, label="skcourse")
    axes.set(
        xlabel="true progression after a year",
        ylabel="predicted",
        title=f"LinearRegression on diabetes: {len(ours)} patients held out",
        aspect="equal",
    )
    beside(axes)
    return figure


def times(rows):
    """Draw how many times faster each fit of the tour was than scikit-learn's."""
    names = [f"{row.case.name}, {row.case.data.replace('_', ' ')}" for row in rows]
    ratios = np.array([row.ratio for row in rows])
    figure = Figure(figsize=(6.6, 0.9 + 0.3 * len(rows)), layout="constrained")
    axes = figure.add_subplot()
    colours = np.where(ratios >= 1, BLUE, ORANGE)
    axes.barh(names, ratios - 1, left=1, height=0.6, color=colours)  # from 1: the axis has no zero
    for place, ratio in enumerate(ratios):
        axes.annotate(
            f"{ratio:.1f}", (max(1, ratio), place), (4, 0), textcoords="offset points", va="center"
        )
    low, high = min(0.8, 0.8 * ratios.min()), 1.6 * max(2, ratios.max())
    axes.axvline(1, color="k", linewidth=0.8)
    axes.set(xscale="log", xlim=(low, high))
    axes.set_xticks(
        [tick for tick in (0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200) if low <= tick <= high]
    )
    axes.xaxis.set_major_formatter("{x:g}")
    axes.minorticks_off()
    axes.invert_yaxis()
    axes.set_xlabel("scikit-learn's time of a fit / ours (logarithmic)")
    axes.set_title("The fits of the tour, on this machine")
    return figure


def beside(axes, **options):
    """Put the legend to the right of the axes, off the data."""
    axes.figure.legend(loc="outside right center", frameon=False, **options)


PICTURES = (
    ("kmeans_digits.png", digit_centres, ["KMeans"]),
    ("kmeans_regions.png", iris_regions, ["KMeans"]),
    ("mixture_iris.png", iris_shapes, ["GaussianMixture"]),
    ("pca_digits.png", digits_in_the_plane, ["PCA"]),
    ("ridge_path.png", ridge_path, ["Ridge", "RidgeCV"]),
    ("predicted_against_true.png", predicted_against_true, ["LinearRegression"]),
)
