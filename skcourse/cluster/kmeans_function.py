"""k-means as a function."""

from skcourse.cluster.kmeans import KMeans
from skcourse.core.validation import validate_params


@validate_params(
    {
        "X": ["array-like", "sparse matrix"],
        "sample_weight": ["array-like", None],
        "return_n_iter": [bool],
    },
    prefer_skip_nested_validation=False,
)
def k_means(
    X,
    n_clusters,
    *,
    sample_weight=None,
    init="k-means++",
    n_init="auto",
    max_iter=300,
    verbose=False,
    tol=1e-4,
    random_state=None,
    copy_x=True,
    algorithm="lloyd",
    return_n_iter=False,
    size_min=None,
    size_max=None,
):
    """Run k-means as a function: the parameters are those of `KMeans` and of its `fit`.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
    n_clusters : int
    sample_weight, init, n_init, max_iter, verbose, tol, random_state, copy_x, algorithm
        See `KMeans`.
    return_n_iter : bool, default=False
    size_min, size_max : int, default=None
        See `KMeans`.

    Returns
    -------
    centroid : ndarray of shape (n_clusters, n_features)
    label : ndarray of shape (n_samples,), int32
    inertia : float
    best_n_iter : int, only if `return_n_iter`

    Examples
    --------
    >>> from skcourse.cluster import k_means
    >>> centroid, label, inertia = k_means([[0.0], [1.0], [9.0]], n_clusters=2, random_state=0)
    >>> inertia
    0.5
    """
    model = KMeans(
        n_clusters,
        init=init,
        n_init=n_init,
        max_iter=max_iter,
        verbose=verbose,
        tol=tol,
        random_state=random_state,
        copy_x=copy_x,
        algorithm=algorithm,
        size_min=size_min,
        size_max=size_max,
    ).fit(X, sample_weight=sample_weight)
    result = model.cluster_centers_, model.labels_, model.inertia_
    return (*result, model.n_iter_) if return_n_iter else result
