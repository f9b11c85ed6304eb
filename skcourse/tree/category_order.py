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


@kernel
def means_about_centre(groups, present, means):
    """Write mu_b - mu of the groups present (rows: count, W, S_1 .. S_K) to means (m, K)."""
    m, n_sums = means.shape
    weight = 0.0
    for i in range(m):
        weight += groups[present[i], 1]
    for k in range(n_sums):
        total = 0.0
        for i in range(m):
            total += groups[present[i], 2 + k]
        for i in range(m):
            b = present[i]
            means[i, k] = groups[b, 2 + k] / groups[b, 1] - total / weight


@kernel
def principal_keys(groups, present, keys):
    """Write keys[b] = <mu_b - mu, a> for the groups present, a the first eigenvector of (1)."""
    m, n_sums = len(present), groups.shape[1] - 2
    means = np.empty((m, n_sums))
    means_about_centre(groups, present, means)
    direction, image = np.zeros(n_sums), np.zeros(n_sums)
    longest = 0.0
    for i in range(m):
        length = 0.0
        for k in range(n_sums):
            length += groups[present[i], 1] * means[i, k] ** 2
        if length > longest:
            longest = length
            direction[:] = means[i]
    for _ in range(STEPS):
        image[:] = 0.0
        for i in range(m):
            along = 0.0
            for k in range(n_sums):
                along += means[i, k] * direction[k]
            for k in range(n_sums):
                image[k] += groups[present[i], 1] * along * means[i, k]
        size = 0.0
        for k in range(n_sums):
            size += image[k] ** 2
        if not size > 0.0:
            break
        for k in range(n_sums):
            direction[k] = image[k] / np.sqrt(size)
    for i in range(m):
        along = 0.0
        for k in range(n_sums):
            along += means[i, k] * direction[k]
        keys[present[i]] = along
