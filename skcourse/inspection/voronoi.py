"""The regions of clusters, drawn in a plane through the data.

Plane       x(s, t) = o + s a + t b, through the mean of the samples: along two features, or along
            their first two principal axes, for which the samples lie nearest to it. A point of the
            plane is a point like any other, and gets the label that the clusterer gives it: by
            nearest centres the regions are those of Voronoi, cut by the plane.
Samples     They are projected onto the plane and keep their own labels. One that lies far from the
            plane may so appear in the region of another cluster; between two features only, none.
"""

import numpy as np
from sklearn.utils import check_array, get_tags
from sklearn.utils.validation import check_is_fitted

from skcourse.inspection.axes import axes_or_new, coloured

CENTERS = ("cluster_centers_", "means_")


class VoronoiDisplay:
    """Samples, coloured by cluster, on the regions of the clusters.

    Parameters
    ----------
    points : ndarray of shape (n_samples, 2)
        The samples in the coordinates of the plane.
    labels : ndarray of shape (n_samples,)
    regions : ndarray of shape (n_vertical, n_horizontal)
        The labels of a grid over the plane, from its lower left corner.
    extent : tuple of float
        (left, right, bottom, top) of the grid.
    centers : ndarray of shape (n_clusters, 2), or None
    names : sequence of two str, default=("axis 0", "axis 1")

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    image_ : matplotlib AxesImage, the regions
    scatter_ : matplotlib PathCollection, the samples
    centers_ : matplotlib Line2D, or None

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skcourse.cluster import KMeans
    >>> from skcourse.inspection import VoronoiDisplay
    >>> X = load_iris().data
    >>> kmeans = KMeans(n_clusters=3, random_state=0).fit(X)
    >>> display = VoronoiDisplay.from_estimator(kmeans, X)  # doctest: +SKIP
    """

    def __init__(self, points, labels, regions, extent, centers, names=("axis 0", "axis 1")):
        self.points = points
        self.labels = labels
        self.regions = regions
        self.extent = extent
        self.centers = centers
        self.names = names

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        *,
        features=None,
        grid_resolution=200,
        margin=0.05,
        ax=None,
        **scatter_kwargs,
    ):
        """Draw a fitted clusterer.

        Parameters
        ----------
        estimator : clusterer or mixture, fitted, with `predict`
            Its centres are drawn if it has `cluster_centers_` or `means_`.
        X : array-like of shape (n_samples, n_features)
        features : pair of int or str, or None, default=None
            Along which features the plane lies; None is the first two principal axes of X, or the
            two features that there are.
        grid_resolution : int, default=200
            How many points of the plane are asked for in each direction.
        margin : float, default=0.05
            How much of the plane is shown beyond the samples, in units of their range.
        ax : matplotlib Axes, default=None
            None makes a new figure.
        **scatter_kwargs
            Of `Axes.scatter`.

        Returns
        -------
        display : VoronoiDisplay

        Raises
        ------
        TypeError
            If the estimator has no `predict`, or asks for distances instead of samples.
        ValueError
            If X has one feature only, or `features` are not two different ones of it.
        """
        if not hasattr(estimator, "predict"):
            raise TypeError(f"VoronoiDisplay asks `predict` for labels: {estimator!r} has none.")
        check_is_fitted(estimator)
        if get_tags(estimator).input_tags.pairwise:
            raise TypeError(f"VoronoiDisplay draws samples, but {estimator!r} asks for distances.")
        labels = np.asarray(estimator.predict(X))
        rows = check_array(X, dtype=[np.float64, np.float32], ensure_min_features=2)
        columns = getattr(estimator, "feature_names_in_", None)
        origin, axes, names = plane(rows, features, columns)
        points = (rows - origin) @ axes.T
        centers = centers_of(estimator, rows.shape[1])
        if centers is not None:
            centers = (centers - origin) @ axes.T
        shown = points if centers is None else np.vstack([points, centers])
        extent, grid = grid_over(shown, margin, grid_resolution)
        asked = (origin + grid @ axes).astype(rows.dtype)
        if columns is not None:
            asked = like(X, asked, columns)
        regions = np.asarray(estimator.predict(asked)).reshape(grid_resolution, grid_resolution)
        display = cls(points, labels, regions, extent, centers, names)
        return display.plot(ax, **scatter_kwargs)

    def plot(self, ax=None, **scatter_kwargs):
        """Draw regions, samples and centres.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
        **scatter_kwargs
            Of `Axes.scatter`.

        Returns
        -------
        self : VoronoiDisplay

        Raises
        ------
        ImportError
            Without matplotlib.
        """
        ax = axes_or_new(ax, "VoronoiDisplay.plot")
        known = np.unique(np.concatenate([self.labels.ravel(), self.regions.ravel()]))
        last = max(len(known) - 1, 1)
        colours = "tab10" if last < 10 else "tab20" if last < 20 else "turbo"
        size = {"tab10": 9, "tab20": 19}.get(colours, last)
        style = {"cmap": colours, "vmin": 0, "vmax": size}
        self.image_ = ax.imshow(
            np.searchsorted(known, self.regions),
            extent=self.extent,
            origin="lower",
            aspect="auto",
            interpolation="nearest",
            alpha=0.3,
            **style,
        )
        dots = coloured(np.searchsorted(known, self.labels), style, scatter_kwargs)
        self.scatter_ = ax.scatter(*self.points.T, **{"s": 10} | dots)
        self.centers_ = None
        if self.centers is not None:
            (self.centers_,) = ax.plot(
                *self.centers.T, "X", color="black", markeredgecolor="white", markersize=10
            )
        ax.set_xlim(self.extent[:2])
        ax.set_ylim(self.extent[2:])
        ax.set_xlabel(self.names[0])
        ax.set_ylabel(self.names[1])
        self.ax_, self.figure_ = ax, ax.figure
        return self


def plane(X, features, columns):
    """Return a point of the plane, (d,), its two orthonormal directions, (2, d), and their names.

    Parameters
    ----------
    X : array of shape (n, d)
    features : pair of int or str, or None
    columns : sequence of str, the names of the features, or None
    """
    d = X.shape[1]
    origin = X.mean(axis=0, dtype=np.float64)
    if features is None and d > 2:
        centred = X - origin
        axes = np.linalg.eigh(centred.T @ centred)[1].T[:-3:-1]
        axes = axes * np.where(axes.sum(axis=1, keepdims=True) < 0, -1.0, 1.0)
        return origin, axes, ("principal axis 0", "principal axis 1")
    names = list(columns) if columns is not None else [f"feature {i}" for i in range(d)]
    features = (0, 1) if features is None else features
    pair = [names.index(f) if isinstance(f, str) and f in names else f for f in features]
    inside = len(pair) == 2 and all(isinstance(i, int | np.integer) and 0 <= i < d for i in pair)
    if not inside or pair[0] == pair[1]:
        raise ValueError(f"features must be two different ones of {names}, got {features!r}.")
    origin[pair] = 0.0  # the coordinates are the features themselves
    return origin, np.eye(d)[pair], [names[i] for i in pair]


def centers_of(estimator, d):
    """Return the centres of the clusters, (n_clusters, d), or None if there are none to be seen."""
    for name in CENTERS:
        centers = getattr(estimator, name, None)
        if centers is not None and np.ndim(centers) == 2 and np.shape(centers)[1] == d:
            return np.asarray(centers, dtype=np.float64)
    return None


def grid_over(points, margin, resolution):
    """Return the extent of a grid over the points, and its points, (resolution^2, 2), row by row.

    They are in the middle of the cells that are drawn.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    room = np.where(high > low, margin * (high - low), 1.0)
    low, high = low - room, high + room
    steps = (np.arange(resolution) + 0.5) / resolution
    across, up = (low[j] + steps * (high[j] - low[j]) for j in range(2))
    grid = np.column_stack([np.tile(across, resolution), np.repeat(up, resolution)])
    return (low[0], high[0], low[1], high[1]), grid


def like(X, rows, columns):
    """Return the rows as a data frame of the kind of X, which the estimator was fitted on."""
    if hasattr(X, "columns"):
        return type(X)(
            rows, **{"schema" if "polars" in type(X).__module__ else "columns": list(columns)}
        )
    return rows
