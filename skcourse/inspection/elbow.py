"""The number of clusters, and what spoke for it, drawn."""

from skcourse.cluster import select_n_clusters
from skcourse.inspection.axes import axes_or_new, whole_numbers

LABELS = {
    "elbow": "inertia",
    "gap": "gap statistic",
    "silhouette": "mean silhouette",
    "bic": "BIC",
}


class ElbowDisplay:
    """A score of each number of clusters, and the number that was chosen.

    Parameters
    ----------
    selection : ClusterSelection
        What :func:`skcourse.cluster.select_n_clusters` returns.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    line_ : matplotlib Line2D, the scores
    chosen_ : matplotlib Line2D, at the number chosen
    errorbar_ : matplotlib ErrorbarContainer, or None
        Of the gap statistic.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skcourse.cluster import KMeans
    >>> from skcourse.inspection import ElbowDisplay
    >>> X = load_iris().data
    >>> display = ElbowDisplay.from_estimator(KMeans(random_state=0), X)  # doctest: +SKIP
    >>> display.selection.n_clusters  # doctest: +SKIP
    3
    """

    def __init__(self, selection):
        self.selection = selection

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        *,
        n_clusters=None,
        method="elbow",
        n_references=10,
        sample_size=None,
        random_state=None,
        ax=None,
        **line_kwargs,
    ):
        """Choose a number of clusters and draw it.

        Parameters
        ----------
        estimator : estimator with a parameter `n_clusters` or `n_components`
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        n_clusters, method, n_references, sample_size, random_state
            See :func:`skcourse.cluster.select_n_clusters`.
        ax : matplotlib Axes, default=None
            None makes a new figure.
        **line_kwargs
            Of matplotlib's `Axes.plot`, for the scores.

        Returns
        -------
        display : ElbowDisplay
        """
        selection = select_n_clusters(
            estimator,
            X,
            n_clusters=n_clusters,
            method=method,
            n_references=n_references,
            sample_size=sample_size,
            random_state=random_state,
        )
        return cls(selection).plot(ax, **line_kwargs)

    def plot(self, ax=None, **line_kwargs):
        """Draw the scores.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
        **line_kwargs
            Of `Axes.plot`.

        Returns
        -------
        self : ElbowDisplay

        Raises
        ------
        ImportError
            Without matplotlib.
        """
        ax = axes_or_new(ax, "ElbowDisplay.plot")
        chosen = self.selection
        style = {"marker": "o", **line_kwargs}
        (self.line_,) = ax.plot(chosen.candidates, chosen.scores, **style)
        self.errorbar_ = None
        if chosen.errors is not None:
            self.errorbar_ = ax.errorbar(
                chosen.candidates,
                chosen.scores,
                yerr=chosen.errors,
                fmt="none",
                ecolor=self.line_.get_color(),
                capsize=3,
            )
        self.chosen_ = ax.axvline(chosen.n_clusters, color="0.4", linestyle="--", linewidth=1)
        whole_numbers(ax.xaxis)
        ax.set_xlabel("number of clusters")
        ax.set_ylabel(LABELS[chosen.method])
        ax.set_title(f"{chosen.n_clusters} clusters")
        self.ax_, self.figure_ = ax, ax.figure
        return self
