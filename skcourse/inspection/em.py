"""Expectation and maximisation in motion: the components of a mixture, as ellipses."""

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from skcourse.inspection.axes import animation, axes_or_new, coloured, patches

ATTRIBUTES = ("means_", "covariances_", "weights_", "covariance_type")


class EMDisplay:
    """Samples, and the components of a Gaussian mixture over two features, iteration by iteration.

    Parameters
    ----------
    points : ndarray of shape (n_samples, 2)
    labels : ndarray of shape (n_samples,)
        The most probable component of each sample, in the end.
    means : ndarray of shape (n_frames, n_components, 2)
        Before each iteration, and in the end; in the end only if the path was not recorded.
    covariances : ndarray of shape (n_frames, n_components, 2, 2)
    log_likelihood : ndarray of shape (n_frames,), NaN where it is not known
        The mean of a sample; in the end, of those that are drawn.
    names : sequence of two str, default=("feature 0", "feature 1")

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    scatter_ : matplotlib PathCollection
    ellipses_ : list of matplotlib Ellipse, component by component, from the inner to the outer
    centers_ : matplotlib Line2D
    animation_ : matplotlib FuncAnimation, after `animate`

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skcourse.inspection import EMDisplay
    >>> from skcourse.mixture import GaussianMixture
    >>> X = load_iris().data
    >>> mixture = GaussianMixture(3, record="path", init_params="random", random_state=0).fit(X)
    >>> display = EMDisplay.from_estimator(mixture, X, features=(2, 3))  # doctest: +SKIP
    >>> display.animate().save("em.gif")  # doctest: +SKIP
    """

    def __init__(
        self, points, labels, means, covariances, log_likelihood, names=("feature 0", "feature 1")
    ):
        self.points = points
        self.labels = labels
        self.means = means
        self.covariances = covariances
        self.log_likelihood = log_likelihood
        self.names = names

    @classmethod
    def from_estimator(
        cls, estimator, X, *, features=(0, 1), ax=None, iteration=-1, n_std=(1, 2), **scatter_kwargs
    ):
        """Draw a fitted mixture.

        Parameters
        ----------
        estimator : GaussianMixture or BayesianGaussianMixture, fitted
            With `record="path"`, every iteration can be drawn; scikit-learn's, its end only.
        X : array-like of shape (n_samples, n_features)
        features : pair of int or str, default=(0, 1)
            Whose joint density is drawn; the others are integrated out, which is exact.
        ax, iteration, n_std, **scatter_kwargs
            See `plot`.

        Returns
        -------
        display : EMDisplay

        Raises
        ------
        TypeError
            If the estimator is no mixture of Gaussians.
        ValueError
            If `features` are not two features of X.
        """
        missing = [name for name in ATTRIBUTES if not hasattr(estimator, name)]
        if "covariance_type" in missing or not hasattr(estimator, "predict"):
            raise TypeError(f"EMDisplay draws mixtures of Gaussians, got {estimator!r}.")
        check_is_fitted(estimator)
        columns = getattr(estimator, "feature_names_in_", None)
        pair = indices_of(features, columns, estimator.means_.shape[1])
        labels = estimator.predict(X)
        rows = check_array(X, ensure_all_finite="allow-nan", dtype=np.float64)
        means, covariances, likelihood = path_of(estimator, X)
        d = means.shape[2]
        names = [f"feature {i}" for i in range(d)] if columns is None else columns
        full = as_full(covariances, estimator.covariance_type, means.shape)
        display = cls(
            rows[:, pair],
            labels,
            means[:, :, pair],
            full[:, :, pair][:, :, :, pair],
            likelihood,
            [names[i] for i in pair],
        )
        return display.plot(ax, iteration=iteration, n_std=n_std, **scatter_kwargs)

    def plot(self, ax=None, *, iteration=-1, n_std=(1, 2), **scatter_kwargs):
        """Draw samples and ellipses.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a new figure.
        iteration : int, default=-1
            Which one, if the path was recorded; 0 is the start and -1 the end.
        n_std : sequence of float, default=(1, 2)
            How far from the mean the ellipses are, in standard deviations.
        **scatter_kwargs
            Of `Axes.scatter`.

        Returns
        -------
        self : EMDisplay

        Raises
        ------
        ImportError
            Without matplotlib.
        IndexError
            If there is no such iteration.
        """
        ax = axes_or_new(ax, "EMDisplay.plot")
        n_components = self.means.shape[1]
        style = {"cmap": "tab10", "vmin": 0, "vmax": max(9, n_components - 1)}
        style = coloured(self.labels, style, scatter_kwargs)
        self.scatter_ = ax.scatter(*self.points.T, **{"s": 8, "alpha": 0.5} | style)
        if self.scatter_.get_array() is None:  # colours that were given: not those of components
            self.scatter_.set(cmap="tab10", clim=(0, max(9, n_components - 1)))
        colours = self.scatter_.get_cmap()(self.scatter_.norm(np.arange(n_components)))
        n_std = np.ravel(n_std)
        (self.centers_,) = ax.plot([], [], "k+", markersize=10)
        self.ellipses_, self._n_std = [], np.repeat([n_std], n_components, axis=0).ravel()
        for j, _ in enumerate(self._n_std):
            colour = colours[j // len(n_std)]
            patch = patches().Ellipse((0, 0), 1, 1, facecolor="none", edgecolor=colour, linewidth=2)
            self.ellipses_.append(ax.add_artist(patch))  # add_patch would show where it is now
        ax.set_xlabel(self.names[0])
        ax.set_ylabel(self.names[1])
        self.ax_, self.figure_ = ax, ax.figure
        shown = range(len(self.means))[iteration]
        reach = n_std.max() * np.sqrt(np.diagonal(self.covariances[shown], axis1=1, axis2=2))
        ax.update_datalim(np.vstack([self.means[shown] - reach, self.means[shown] + reach]))
        ax.autoscale_view()
        self._show(shown)
        return self

    def animate(self, *, interval=300, **animation_kwargs):
        """Return an animation over the iterations, on the axes of `plot`.

        Parameters
        ----------
        interval : int, default=300
            Milliseconds between two of them.
        **animation_kwargs
            Of `matplotlib.animation.FuncAnimation`.

        Returns
        -------
        animation : matplotlib FuncAnimation, also kept as `animation_`

        Raises
        ------
        ValueError
            If the path was not recorded.
        """
        if len(self.means) < 2:
            raise ValueError('There is nothing to animate: fit the mixture with record="path".')
        if not hasattr(self, "ax_"):
            self.plot()
        self.animation_ = animation().FuncAnimation(
            self.figure_, self._show, frames=len(self.means), interval=interval, **animation_kwargs
        )
        return self.animation_

    def _show(self, iteration):
        """Move the ellipses to where they are in an iteration; return what moved."""
        means, covariances = self.means[iteration], self.covariances[iteration]
        self.centers_.set_data(means.T)
        per_component = len(self.ellipses_) // len(means)
        for i, (ellipse, n_std) in enumerate(zip(self.ellipses_, self._n_std, strict=True)):
            j = i // per_component
            variances, axes = np.linalg.eigh(covariances[j])
            width, height = 2 * n_std * np.sqrt(np.maximum(variances, 0))
            ellipse.set_center(means[j])
            ellipse.set_width(width)
            ellipse.set_height(height)
            ellipse.set_angle(np.degrees(np.arctan2(axes[1, 0], axes[0, 0])))
        words = [f"iteration {iteration}"] if len(self.means) > 1 else []
        if np.isfinite(self.log_likelihood[iteration]):
            words.append(f"mean log-likelihood {self.log_likelihood[iteration]:.4f}")
        self.ax_.set_title("\n".join(words))
        return [self.centers_, *self.ellipses_]


def indices_of(features, columns, d):
    """Return two features as indices."""
    known = {} if columns is None else {name: i for i, name in enumerate(columns)}
    found = [known.get(f, f) if isinstance(f, str) else f for f in np.atleast_1d(features).tolist()]
    inside = len(found) == 2 and all(isinstance(i, int) and -d <= i < d for i in found)
    if not inside or found[0] % d == found[1] % d:
        raise ValueError(f"features should be two of the {d} features of X, got {features!r}.")
    return [i % d for i in found]


def path_of(estimator, X):
    """Return means (T, k, d), covariances (T, ...) and log-likelihood (T,), the last the fit's."""
    end = estimator.means_[np.newaxis], estimator.covariances_[np.newaxis], [estimator.score(X)]
    history = getattr(estimator, "history_", {})
    if "means" not in history:
        return end[0], end[1], np.array(end[2])
    unknown = np.full(len(history["means"]), np.nan)
    parts = history["means"], history["covariances"], history.get("log_likelihood", unknown)
    return tuple(np.concatenate(pair) for pair in zip(parts, end, strict=True))


def as_full(covariances, covariance_type, shape):
    """Return covariances of any type as matrices, (T, k, d, d)."""
    n_frames, k, d = shape
    if covariance_type == "tied":
        covariances = np.repeat(covariances[:, np.newaxis], k, axis=1)
    elif covariance_type == "diag":
        covariances = covariances[..., np.newaxis] * np.eye(d)
    elif covariance_type == "spherical":
        covariances = covariances[..., np.newaxis, np.newaxis] * np.eye(d)
    return covariances.reshape(n_frames, k, d, d)
