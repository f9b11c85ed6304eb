"""Lloyd's iteration for k-means.

Problem     Place centres c_1 .. c_k so that the inertia of the rows x_i, of weight w_i, is least:
                J(c, z) = sum_i w_i |x_i - c_{z_i}|^2                                         (1)
Iteration   Both halves lower J, which therefore converges, to a local minimum:
                z_i = argmin_j |x_i - c_j|^2                                                  (2)
                c_j = sum_{z_i = j} w_i x_i / sum_{z_i = j} w_i                               (3)
Cost        n k d products per iteration, all of them in (2); but bounds (see `bounds`) tell which
            rows may change their label, and only those are looked at.
Progress    With S_j and W_j the two sums of (3), J needs no pass over the rows:
                J = sum_i w_i |x_i|^2 + sum_j (W_j |c_j|^2 - 2 <c_j, S_j>)                    (4)
Reference   S. Lloyd, Least squares quantization in PCM, IEEE Trans. Inf. Theory, 1982.
"""

from typing import NamedTuple

import numpy as np

from skcourse.cluster.bounds import Motion, margin, unknown
from skcourse.cluster.statistics import Stats, measure
from skcourse.core.chunks import one_blas_thread
from skcourse.core.distances import pad, prepare
from skcourse.core.history import SILENCE, History
from skcourse.core.kernel import kernel

ROWS_PER_GAP = 16  # with fewer rows per cluster, distances between centres cost more than they save


class Clustering(NamedTuple):
    """The result of one run."""

    centers: np.ndarray  # c_j, (k, d), units and dtype of X
    labels: np.ndarray  # z_i, int32, (n,)
    inertia: float  # J, squared units of X
    n_iter: int
    history: dict  # "inertia" and "center_shift", one number per iteration


@kernel
def means(sums, weights, counts, centers):
    """Write (3) into `centers`, (k, d); an empty cluster goes to the centre of the heaviest."""
    k, d = sums.shape
    heaviest = 0
    for j in range(k):
        if weights[j] > weights[heaviest]:
            heaviest = j
    for j in range(k):
        source = j if counts[j] > 0 and weights[j] > 0 else heaviest
        for f in range(d):
            centers[j, f] = sums[source, f] / weights[source]


@kernel
def move(centers, points, origin, motion, with_gaps):
    """Replace `centers` by `points`, (k, d), float64; describe their way in `motion`.

    Returns
    -------
    moved : Centers
    shift : float, sum_j |c_j' - c_j|^2
    """
    k, d = points.shape
    moved = pad(points, origin)
    outward, inward = 1.0 + 1e-9, 1.0 - 1e-9  # these distances are rounded too
    shift, first, second, fastest, offset = 0.0, 0.0, 0.0, 0, 0.0
    for f in range(d):
        offset += (np.float64(origin[f]) - np.float64(centers.origin[f])) ** 2
    blur = motion.margin * np.sqrt(offset)  # rows are rounded anew about another origin
    for j in range(k):
        square = 0.0
        for f in range(d):
            t = np.float64(moved.points[j, f]) - np.float64(centers.points[j, f])
            t += np.float64(origin[f]) - np.float64(centers.origin[f])
            square += t * t
        shift += square
        drift = np.sqrt(square) * outward + blur
        motion.drift[j] = drift
        motion.path[j] += drift
        motion.norms[j] = np.sqrt(2.0 * moved.half_norms[j]) * outward
        if drift > first:
            first, second, fastest = drift, first, j
        elif drift > second:
            second = drift
    for j in range(k):
        motion.decay[j] = second if j == fastest else first
        motion.gap[j] = np.inf if with_gaps else 0.0
    if with_gaps:
        for j in range(k):
            for i in range(j):
                square = 0.0
                for f in range(d):
                    t = np.float64(moved.points[j, f]) - np.float64(moved.points[i, f])
                    square += t * t
                gap = np.sqrt(square) * inward
                motion.gap[i] = min(motion.gap[i], gap)
                motion.gap[j] = min(motion.gap[j], gap)
    return moved, shift


class Lloyd:
    """One run of Lloyd's iteration.

    Parameters
    ----------
    rows : DenseRows or SparseRows
    origin : array of shape (d,), dtype of the rows, near their mean: what they are centred at
    squares : float, sum_i w_i |x_i - origin|^2
    seeds : array of shape (k, d), the first centres, relative to `origin`
    n_bounds : int or None
        For how many centres each row keeps a bound; None leaves it to the rows.
    """

    def __init__(self, rows, origin, squares, seeds, n_bounds=None):
        n, d = rows.shape
        k = len(seeds)
        self.rows, self.origin, self.squares = rows, origin, squares
        self.centers = prepare(np.asarray(seeds, np.float64), origin)
        if n_bounds is None:
            n_bounds = rows.n_bounds(k)
        self.state = unknown(n, n_bounds, rows.dtype)
        self.totals = Stats.zeros(k, d)
        still = [np.zeros(k) for _ in range(4)]
        scale = float(np.sqrt(squares / rows.total_weight))
        self.motion = Motion(*still, np.zeros(max(k, n_bounds)), margin(d, rows.dtype), scale)
        self.with_gaps = k > 1 and n >= ROWS_PER_GAP * k

    def run(self, *, max_iter, tol, verbose=False, task=SILENCE):
        """Iterate until no label moves, or the squared shift of the centres is at most `tol`."""
        history = History()
        with one_blas_thread():
            for n_iter in range(1, max_iter + 1):
                step = task.subtask("iteration")
                n_moved, inertia = self.assign()
                shift = self.update()
                history.append(inertia=inertia, center_shift=shift)
                if verbose:
                    print(f"Iteration {n_iter - 1}, inertia {inertia}.")
                stop = step.end(lambda n=n_iter, J=inertia: self.attributes(n, J))
                if n_moved == 0 or shift <= tol:
                    if verbose:
                        why = reason(n_moved, shift, tol)
                        print(f"Converged at iteration {n_iter - 1}: {why}.")
                    break
                if stop:
                    break
            centers = self.finish()
            inertia = self.rows.inertia(centers, self.state.labels)
        return Clustering(centers, self.state.labels, inertia, n_iter, history.arrays())

    def assign(self):
        """Run (2) where bounds do not answer it; return how many labels moved, and (4)."""
        n_moved = self.rows.assign(self.centers, self.motion, self.state, self.totals)
        change, self.n_empty, stale = measure(self.totals, self.centers, self.motion.scale)
        if stale:
            self.sum_anew()
            change, self.n_empty, _ = measure(self.totals, self.centers, self.motion.scale)
        return n_moved, max(0.0, self.squares + change)

    def sum_anew(self):
        """Add up the rows of each cluster, without a history of roundings."""
        self.totals = self.rows.sums(self.state.labels, len(self.totals.weights), self.origin)

    def update(self):
        """Run (3); return the squared shift of the centres."""
        points = self.means()
        self.bounded = self.centers
        self.centers, shift = move(self.bounded, points, self.origin, self.motion, self.with_gaps)
        return shift

    def means(self):
        """Return (3), float64, relative to the origin; empty clusters get the farthest rows."""
        stats = self.relocated() if self.n_empty else self.totals
        points = np.empty_like(stats.sums)
        means(stats.sums, stats.weights, stats.counts, points)
        return points

    def relocated(self):
        """Return the statistics after the rows at the farthest places went to the empty clusters.

        Rows that are equal go together, so that a weight of 2 is the row twice.
        """
        stats, labels = self.totals.copy(), self.state.labels
        empty = np.flatnonzero(stats.counts == 0)
        for new, members in zip(empty, self.far_places(), strict=False):
            old, w = labels[members[0]], self.rows.weight_of(members)
            x = self.rows.take(members[0]).astype(np.float64) - self.origin
            for cluster, sign in ((old, -1), (new, 1)):
                stats.sums[cluster] += sign * w * x
                stats.weights[cluster] += sign * w
                stats.counts[cluster] += sign * len(members)
        return stats

    def far_places(self):
        """Yield the rows of each place that is not a centre, the farthest from its centre first."""
        k, d = self.totals.sums.shape
        labels = self.state.labels
        points = self.centers.points[:k, :d].astype(np.float64)
        far = self.rows.distances_to_own(points + self.origin, labels)
        if len(self.rows.weights):
            far[self.rows.weights == 0] = 0.0  # as if absent
        rounding = 4 * np.finfo(self.rows.dtype).eps * np.abs(points).max()
        order = np.argsort(-far, kind="stable")
        order = order[: np.count_nonzero(far > d * rounding**2)]
        while len(order):
            first = order[0]
            near = order[(far[order] == far[first]) & (labels[order] == labels[first])]
            equal = (self.rows.take(near) == self.rows.take(first)).all(axis=1)
            yield near[equal]
            order = order[~np.isin(order, near[equal])]

    def finish(self):
        """Return the centres in the units of X, and give each row the label that `predict` will."""
        k, d = self.totals.sums.shape
        if self.n_empty:
            points = self.centers.points[:k, :d].astype(np.float64)
        else:
            self.sum_anew()
            points = self.means()
        centers = (points + self.origin).astype(self.rows.dtype)
        origin = self.rows.origin_of(centers)
        points = centers - origin.astype(np.float64)
        returned, _ = move(self.bounded, points, origin, self.motion, self.with_gaps)
        self.rows.assign(returned, self.motion, self.state, self.totals)
        return centers

    def attributes(self, n_iter, inertia):
        """Return what a fit that ended now would set, for callbacks."""
        centers = self.centers_now()
        return {
            "cluster_centers_": centers,
            "labels_": self.state.labels.copy(),
            "inertia_": inertia,
            "n_iter_": n_iter,
            "_n_features_out": len(centers),
        }

    def centers_now(self):
        """Return the centres in the units of X."""
        k, d = self.totals.sums.shape
        points = self.centers.points[:k, :d].astype(np.float64)
        return (points + self.origin).astype(self.rows.dtype)


def reason(n_moved, shift, tol):
    """Say why the iteration ended."""
    if n_moved == 0:
        return "strict convergence"
    return f"center shift {shift} within tolerance {tol}"
