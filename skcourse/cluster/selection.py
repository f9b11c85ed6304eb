"""How many clusters: by the elbow of the inertia, the gap statistic, silhouettes, or BIC.

Problem     Let W_k be the sum of squares within k clusters. It falls with every k: not its least
            value tells how many clusters there are, but where the fall slows down.
Elbow       With k and W_k each brought to [0, 1], the point farthest below the chord:
                argmax over k of  1 - k' - W_k'                                               (1)
Gap         Data without clusters, drawn uniformly from the box of X along its principal axes, give
            W*_k, and s_k = (standard deviation of log W*_k) (1 + 1 / references)^(1/2):
                gap(k) = mean log W*_k - log W_k                                              (2)
                the least k with gap(k) >= gap(k + 1) - s_(k+1)                               (3)
Silhouette  The mean over the samples of (b - a) / max(a, b), a the mean distance to its own
            cluster, b to the nearest other one; the highest.
BIC         -2 log-likelihood + (number of parameters) log n; the lowest. k-means is the mixture of
            k round Gaussians of one variance, W_k / (n d), each sample given to one:
                log-likelihood = sum_j n_j log(n_j / n) - n d (log(2 pi W_k / (n d)) + 1) / 2   (4)
                parameters = (k - 1) + k d + 1
            Where values are missing, n d is the number of those that are not.
Reference   V. Satopää et al., Finding a "kneedle" in a haystack, ICDCS workshops, 2011.
            R. Tibshirani, G. Walther, T. Hastie, Estimating the number of clusters in a data set
            via the gap statistic, J. Royal Statistical Society B, 2001.
            P. Rousseeuw, Silhouettes, J. Computational and Applied Mathematics, 1987.
            D. Pelleg, A. Moore, X-means, ICML, 2000.
"""

from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.metrics import silhouette_score
from sklearn.utils import check_array, check_random_state, get_tags

from skcourse.core.validation import FLOATS, Interval, StrOptions, validate_params

METHODS = ("elbow", "gap", "silhouette", "bic")


@dataclass(frozen=True)
class ClusterSelection:
    """What `select_n_clusters` looked at, and what it chose.

    Attributes
    ----------
    n_clusters : int
        The number chosen.
    candidates : ndarray of shape (n_candidates,), int64, rising
    scores : ndarray of shape (n_candidates,)
        Of each candidate: the inertia ("elbow"), the gap, the mean silhouette, or the BIC.
    errors : ndarray of shape (n_candidates,), or None
        s_k of the gap statistic.
    method : str
    estimator : estimator
        Fitted with the number chosen.
    """

    n_clusters: int
    candidates: np.ndarray
    scores: np.ndarray
    errors: np.ndarray | None
    method: str
    estimator: Any


@validate_params(
    {
        "estimator": "no_validation",
        "X": ["array-like", "sparse matrix"],
        "n_clusters": ["array-like", None],
        "method": [StrOptions(set(METHODS))],
        "n_references": [Interval(Integral, 2, None, closed="left")],
        "sample_size": [Interval(Integral, 2, None, closed="left"), None],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=False,
)
def select_n_clusters(
    estimator,
    X,
    *,
    n_clusters=None,
    method="elbow",
    n_references=10,
    sample_size=None,
    random_state=None,
):
    """Choose the number of clusters, or of components of a mixture.

    Parameters
    ----------
    estimator : estimator with a parameter `n_clusters` or `n_components`, and `fit_predict`
        It is cloned, not changed.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        With NaN, if the estimator takes it, for "elbow" and "bic".
    n_clusters : array-like of int, default=None
        The candidates; None is 1 to 10, without 1 for silhouettes. The elbow needs three, the gap
        two, and of consecutive numbers.
    method : {"elbow", "gap", "silhouette", "bic"}, default="elbow"
        "bic" asks the estimator's `bic(X)` if it has one. Silhouettes are made of Euclidean
        distances, or of X if the estimator takes it for distances; then "gap" and "bic" have no
        meaning.
    n_references : int, default=10
        Data sets without clusters for the gap, each fitted with every candidate.
    sample_size : int, default=None
        Of silhouettes, whose cost grows with the square of the samples; None takes them all.
    random_state : int, RandomState instance or None, default=None
        Draws the references, and the sample for silhouettes. The estimator has its own.

    Returns
    -------
    selection : ClusterSelection

    Raises
    ------
    TypeError
        If the estimator has no number of clusters.
    ValueError
        If there are too few candidates for the method, one below 1 or above the number of samples,
        or for silhouettes 1; or if X is sparse for the gap, or holds distances for "gap" or "bic".

    See Also
    --------
    skcourse.inspection.ElbowDisplay : The picture of it.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skcourse.cluster import KMeans, select_n_clusters
    >>> X, _ = make_blobs(300, centers=[[0, 0], [9, 0], [0, 9], [9, 9]], random_state=0)
    >>> selection = select_n_clusters(KMeans(random_state=0), X, method="silhouette")
    >>> selection.n_clusters
    4
    >>> selection.estimator
    KMeans(n_clusters=4, random_state=0)
    """
    name = parameter_of(estimator)
    tags = get_tags(estimator).input_tags
    given, X = X, check_rows(X, tags, method)
    rng = check_random_state(random_state)
    candidates = check_candidates(n_clusters, X.shape[0], method)
    fits = [clone(estimator).set_params(**{name: int(k)}) for k in candidates]
    labels = [fit.fit_predict(given) for fit in fits]
    errors = None
    if method == "silhouette":
        metric = "precomputed" if tags.pairwise else "euclidean"
        scores = [silhouette(X, z, metric, sample_size, rng) for z in labels]
        best = np.argmax(scores)
    elif method == "bic":
        scores = [
            float(fit.bic(given)) if hasattr(fit, "bic") else bic(X, z)
            for fit, z in zip(fits, labels, strict=True)
        ]
        best = np.argmin(scores)
    else:
        scores = [dispersion(fit, X, z) for fit, z in zip(fits, labels, strict=True)]
        best = knee(candidates, np.array(scores)) if method == "elbow" else None
    if method == "gap":
        scores, errors = gaps(fits, X, np.array(scores), n_references, rng)
        best = first_gap(scores, errors)
    scores = np.asarray(scores, dtype=np.float64)
    return ClusterSelection(int(candidates[best]), candidates, scores, errors, method, fits[best])


def parameter_of(estimator):
    """Return the name of the parameter that is the number of clusters."""
    is_estimator = hasattr(estimator, "get_params") and not isinstance(estimator, type)
    parameters = estimator.get_params(deep=False) if is_estimator else {}
    for name in ("n_clusters", "n_components"):
        if name in parameters and hasattr(estimator, "fit_predict"):
            return name
    raise TypeError(
        "estimator should have a parameter n_clusters or n_components and the method fit_predict, "
        f"got {estimator!r}."
    )


def check_rows(X, tags, method):
    """Return X as the method needs it; ValueError if it makes no sense for these rows."""
    if method == "gap" and sp.issparse(X):
        raise ValueError("method='gap' draws dense data in the box of X: X must not be sparse.")
    if method in ("gap", "bic") and tags.pairwise:
        raise ValueError(f"method={method!r} asks for samples, but the estimator for distances.")
    may_miss = tags.allow_nan and method in ("elbow", "bic")
    finite = "allow-nan" if may_miss else True
    return check_array(X, accept_sparse="csr", dtype=FLOATS, ensure_all_finite=finite)


def check_candidates(n_clusters, n_samples, method):
    """Return the candidates, int64, rising and different."""
    first = 2 if method == "silhouette" else 1
    last = n_samples - (method == "silhouette")
    if last < first:
        raise ValueError(f"method={method!r} needs more samples: n_samples={n_samples}.")
    if n_clusters is None:
        n_clusters = range(first, min(10, last) + 1)
    found = np.unique(np.asarray(n_clusters))
    if found.ndim != 1 or found.dtype.kind not in "iu" or not len(found):
        raise ValueError(f"n_clusters should be a list of integers, got {n_clusters!r}.")
    if found[0] < first or found[-1] > last:
        raise ValueError(
            f"n_clusters should be between {first} and {last} for method={method!r} and "
            f"n_samples={n_samples}, got {found[0]} to {found[-1]}."
        )
    least = {"elbow": 3, "gap": 2}.get(method, 1)
    if len(found) < least:
        raise ValueError(f"method={method!r} needs at least {least} candidates, got {len(found)}.")
    if method == "gap" and found[-1] - found[0] >= len(found):
        raise ValueError("method='gap' compares each number with the next: n_clusters has holes.")
    return found.astype(np.int64)


def dispersion(fit, X, labels):
    """Return the inertia of a fit, or else the sum of squares of the rows about their means."""
    if hasattr(fit, "inertia_"):
        return float(fit.inertia_)
    return squares_within(X, labels)


def squares_within(X, labels):
    """Return sum_i |x_i - mean of its cluster|^2, over the values that are not missing."""
    total = 0.0
    for z in np.unique(labels):
        members = X[labels == z]
        members = members.toarray() if sp.issparse(members) else members
        seen = ~np.isnan(members)
        mean = np.nansum(members, axis=0, dtype=np.float64) / np.maximum(seen.sum(axis=0), 1)
        total += np.nansum((members - mean) ** 2)
    return float(total)


def knee(candidates, scores):
    """Return the index of the point farthest below the chord, by (1)."""
    x = (candidates - candidates[0]) / (candidates[-1] - candidates[0])
    fall = scores[0] - scores[-1]
    if not fall > 0:
        return 0
    return np.argmax(1 - x - (scores - scores[-1]) / fall)


def silhouette(X, labels, metric, sample_size, rng):
    """Return the mean silhouette; -1, the worst, if all samples are in one cluster."""
    if len(np.unique(labels)) < 2:
        return -1.0
    size = None if sample_size is None or sample_size >= X.shape[0] else sample_size
    if metric == "euclidean" and not sp.issparse(X):
        X = X - X.mean(axis=0, dtype=np.float64)  # scikit-learn expands squares
    return silhouette_score(X, labels, metric=metric, sample_size=size, random_state=rng)


def bic(X, labels):
    """Return BIC of (4)."""
    n, d = X.shape
    n_values = n * d - (0 if sp.issparse(X) else np.count_nonzero(np.isnan(X)))
    counts = np.bincount(labels)
    counts = counts[counts > 0]
    least = np.finfo(np.float64).tiny * n_values  # clusters of equal rows have no variance
    variance = max(squares_within(X, labels), least) / n_values
    log_likelihood = counts @ np.log(counts / n)
    log_likelihood -= n_values * (np.log(2 * np.pi * variance) + 1) / 2
    return float(-2 * log_likelihood + (len(counts) * (1 + d)) * np.log(n))


def gaps(fits, X, dispersions, n_references, rng):
    """Return (2) and s_k for each candidate."""
    mean = X.mean(axis=0)
    axes = np.linalg.svd(X - mean, full_matrices=False)[2]
    scores = (X - mean) @ axes.T
    low, high = scores.min(axis=0), scores.max(axis=0)
    logs = np.empty((n_references, len(fits)))
    for r in range(n_references):
        shapeless = rng.uniform(low, high, scores.shape) @ axes + mean
        shapeless = np.ascontiguousarray(shapeless, dtype=X.dtype)
        for i, fit in enumerate(fits):
            other = clone(fit)
            logs[r, i] = log(dispersion(other, shapeless, other.fit_predict(shapeless)))
    errors = logs.std(axis=0) * np.sqrt(1 + 1 / n_references)
    return logs.mean(axis=0) - log(dispersions), errors


def log(dispersions):
    """Return the logarithm; of 0, where each sample is its own cluster, the least there is."""
    return np.log(np.maximum(dispersions, np.finfo(np.float64).tiny))


def first_gap(scores, errors):
    """Return the index of (3); of the last candidate if none is enough."""
    enough = np.flatnonzero(scores[:-1] >= scores[1:] - errors[1:])
    return enough[0] if len(enough) else len(scores) - 1
