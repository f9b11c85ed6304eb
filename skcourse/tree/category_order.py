"""In which order to try the categories of a node, when there are too many to try all subsets.

Problem     m categories can be split in 2^(m - 1) - 1 ways. With means mu_b = S_b / W_b on a line
            (one statistic, or two classes) the best split is between neighbours in the order of
            the mu_b (Fisher, Breiman): m - 1 of them. With K statistics it is a hyperplane
            between the mu_b, and which one is not known in advance.
Iteration   Along the direction a in which the mu_b vary most, the first eigenvector of
                C = sum_b W_b (mu_b - mu) (mu_b - mu)^T                          (1)
            by the power method,    a <- sum_b W_b <mu_b - mu, a> (mu_b - mu) / |..|    (2)
            from the longest sqrt(W_b) (mu_b - mu). The order is that of <mu_b, a>.
Cost        m K per step of (2), `STEPS` steps; m log m to sort.
Reference   D. Coppersmith, S. J. Hong and J. R. M. Hosking, Partitioning nominal attributes in
            decision trees, Data Mining and Knowledge Discovery 3, 1999.
"""

import numpy as np

from skcourse.core.kernel import kernel

STEPS = 20  # of the power method: an order needs few digits


@kernel(exact=True)
def sink(keys, order, top, n):
    """Restore the heap order[top:n] whose largest (key, number) is on top, but for order[top]."""
    moving = order[top]
    child = 2 * top + 1
    while child < n:
        if child + 1 < n and comes_before(keys, order[child], order[child + 1]):
            child += 1
        if not comes_before(keys, moving, order[child]):
            break
        order[top] = order[child]
        top, child = child, 2 * child + 1
    order[top] = moving


@kernel(exact=True)
def comes_before(keys, a, b):
    """Tell whether a is before b: by their keys, and by number where these are the same."""
    return keys[a] < keys[b] or (keys[a] == keys[b] and a < b)


@kernel(exact=True)
def sort_by_key(keys, order):
    """Sort the numbers in `order` by their keys, in place: a heap sort, m log m at worst."""
    n = len(order)
    for top in range(n // 2 - 1, -1, -1):
        sink(keys, order, top, n)
    for last in range(n - 1, 0, -1):
        order[0], order[last] = order[last], order[0]
        sink(keys, order, 0, last)


@kernel(exact=True)
def principal_keys(groups, present, keys):
    """Write keys[b] = <mu_b - mu, a> for the groups present, a the first eigenvector of (1).

    Parameters
    ----------
    groups : float64 (n_groups, 2 + K), C: count, W, S_1 .. S_K
    present : int64 (m,), groups of positive weight
    keys : float64 (n_groups,), overwritten at those present
    """
    n_sums = groups.shape[1] - 2
    vectors = np.zeros((3, n_sums))  # mu, a, and what (2) makes of a
    centre_and_longest(groups, present, vectors)
    for _ in range(STEPS):
        size = 0.0
        for b in present:
            keys[b] = project(groups, b, vectors)
            for k in range(n_sums):
                mean = groups[b, 2 + k] / groups[b, 1] - vectors[0, k]
                vectors[2, k] += groups[b, 1] * keys[b] * mean
        for k in range(n_sums):
            size += vectors[2, k] ** 2
        if not size > 0.0:
            break
        for k in range(n_sums):
            vectors[1, k] = vectors[2, k] / np.sqrt(size)
            vectors[2, k] = 0.0
    for b in present:
        keys[b] = project(groups, b, vectors)


@kernel(exact=True)
def centre_and_longest(groups, present, vectors):
    """Write mu to vectors[0], and the longest sqrt(W_b) (mu_b - mu) but for its length to [1]."""
    n_sums = vectors.shape[1]
    weight, longest = 0.0, 0.0
    for b in present:
        weight += groups[b, 1]
        for k in range(n_sums):
            vectors[0, k] += groups[b, 2 + k]
    for k in range(n_sums):
        vectors[0, k] /= weight
    for b in present:
        length = 0.0
        for k in range(n_sums):
            length += groups[b, 1] * (groups[b, 2 + k] / groups[b, 1] - vectors[0, k]) ** 2
        if length > longest:
            longest = length
            for k in range(n_sums):
                vectors[1, k] = groups[b, 2 + k] / groups[b, 1] - vectors[0, k]


@kernel(exact=True)
def project(groups, b, vectors):
    """Return <mu_b - mu, a>, mu = vectors[0] and a = vectors[1]."""
    along = 0.0
    for k in range(vectors.shape[1]):
        along += (groups[b, 2 + k] / groups[b, 1] - vectors[0, k]) * vectors[1, k]
    return along
