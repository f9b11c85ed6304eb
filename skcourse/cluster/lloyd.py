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
from skcourse.cluster.statistics import Stats
from skcourse.core.chunks import add
from skcourse.core.distances import pad
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
        source = j if counts[j] > 0 else heaviest
        for f in range(d):
            centers[j, f] = sums[source, f] / weights[source]


@kernel
def move(centers, points, origin, motion, with_gaps):
    """Replace `centers` by `points`, float64 (k, d) relative to `origin`; describe the way in `motion`.

    Returns
    -------
    moved : Centers
    shift : float, sum_j |c_j' - c_j|^2
    """
    k, d = points.shape
    moved = pad(points, origin)
    outward, inward = 1.0 + 1e-9, 1.0 - 1e-9  # these distances are rounded too
    shift, first, second, fastest = 0.0, 0.0, 0.0, 0
    for j in range(k):
        square = 0.0
        for f in range(d):
            t = np.float64(moved.points[j, f]) - np.float64(centers.points[j, f])
            t += np.float64(origin[f]) - np.float64(centers.origin[f])
            square += t * t
        shift += square
        drift = np.sqrt(square) * outward
        motion.drift[j] = drift
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


@kernel
def reduction(sums, weights, centers):
    """Return sum_j (W_j |c_j|^2 - 2 <c_j, S_j>), the part of (4) that the centres change."""
    total = 0.0
    for j in range(sums.shape[0]):
        for f in range(sums.shape[1]):
            c = np.float64(centers.points[j, f])
            total += c * (weights[j] * c - 2.0 * sums[j, f])
    return total


class Lloyd:
    """One run of Lloyd's iteration.

    Parameters
    ----------
    rows : DenseRows or SparseRows
    origin : array of shape (d,), dtype of the rows, near their mean: what they are centred at
    squares : float, sum_i w_i |x_i - origin|^2
    seeds : array of shape (k, d), the first centres, relative to `origin`
    """

    def __init__(self, rows, origin, squares, seeds):
        n, d = rows.shape
        k = len(seeds)
        self.rows, self.origin, self.squares = rows, origin, squares
        self.centers = pad(np.asarray(seeds, np.float64), origin)
        self.state = unknown(n, rows.dtype)
        self.totals = Stats.zeros(k, d)
        still = [np.zeros(k) for _ in range(4)]
        weight = rows.total_weight
        self.motion = Motion(*still, margin(d, rows.dtype), float(np.sqrt(squares / weight)))
        self.with_gaps = k > 1 and n >= ROWS_PER_GAP * k

    def run(self, *, max_iter, tol, verbose=False, task=SILENCE):
        """Iterate (2) and (3) until no label moves, or the squared shift of the centres is <= tol."""
        history = History()
        for n_iter in range(1, max_iter + 1):
            step = task.subtask("iteration")
            n_moved = self.assign()
            inertia = self.inertia_so_far()
            shift = self.update()
            history.append(inertia=inertia, center_shift=shift)
            if verbose:
                print(f"Iteration {n_iter - 1}, inertia {inertia}.")
            stop = step.end(lambda n=n_iter, J=inertia: self.attributes(n, J))
            if n_moved == 0 or shift <= tol:
                if verbose:
                    print(f"Converged at iteration {n_iter - 1}: {reason(n_moved, shift, tol)}.")
                break
            if stop:
                break
        centers = self.finish()
        labels = self.state.labels
        inertia = self.rows.inertia(centers, labels)
        return Clustering(centers, labels, inertia, n_iter, history.arrays())

    def assign(self):
        """Run (2) where bounds do not answer it; return how many labels moved."""
        change = self.rows.assign(self.centers, self.motion, self.state)
        totals = add(self.totals, change._replace(n_moved=0))
        if totals.is_stale(self.motion.scale):
            totals = self.rows.sums(self.state.labels, len(totals.weights), self.origin)
        self.totals = totals
        return change.n_moved

    def inertia_so_far(self):
        """Return (4) for the labels and the centres that they were found with."""
        return max(
            0.0, self.squares + reduction(self.totals.sums, self.totals.weights, self.centers)
        )

    def update(self):
        """Run (3); return the squared shift of the centres."""
        points = self.means()
        self.bounded = self.centers
        self.centers, shift = move(
            self.bounded, points, self.origin, self.motion, self.with_gaps
        )
        return shift

    def means(self):
        """Return (3), float64, relative to the origin; give each empty cluster the farthest row left."""
        sums, weights, counts = self.totals[:3]
        empty = counts == 0
        self.relocated = bool(empty.any())
        if self.relocated:
            sums[empty] = weights[empty] = self.totals.turnover[empty] = 0.0
            sums, weights, counts = self.relocate(np.flatnonzero(empty))
        points = np.empty_like(sums)
        means(sums, weights, counts, points)
        return points

    def relocate(self, empty):
        """Return the sums, weights and counts with the farthest rows moved to the empty clusters."""
        sums, weights, counts = (array.copy() for array in self.totals[:3])
        labels = self.state.labels
        k, d = sums.shape
        centers = self.centers.points[:k, :d].astype(np.float64) + self.origin
        far = self.rows.distances_to_own(centers, labels)
        if far.max() > 0:  # else there are no more distinct rows than filled clusters
            farthest = np.argpartition(far, -len(empty))[: -len(empty) - 1 : -1]
            for j, i in zip(empty, farthest, strict=True):
                w = self.rows.weight_of(i)
                x = self.rows.take(i).astype(np.float64) - self.origin
                sums[labels[i]] -= w * x
                weights[labels[i]] -= w
                counts[labels[i]] -= w > 0
                sums[j], weights[j], counts[j] = w * x, w, w > 0
        return sums, weights, counts

    def finish(self):
        """Return the centres in the units of X, and give each row the label that `predict` will."""
        k, d = self.totals.sums.shape
        if self.relocated:
            points = self.centers.points[:k, :d].astype(np.float64)
        else:
            self.totals = self.rows.sums(self.state.labels, k, self.origin)
            points = self.means()
        centers = (points + self.origin).astype(self.rows.dtype)
        origin = self.rows.origin_of(centers)
        points = centers - origin.astype(np.float64)
        returned, _ = move(self.bounded, points, origin, self.motion, self.with_gaps)
        self.rows.assign(returned, self.motion, self.state)
        return centers

    def attributes(self, n_iter, inertia):
        """Return what a fit that ended now would set, for callbacks."""
        k, d = self.totals.sums.shape
        points = self.centers.points[:k, :d].astype(np.float64)
        return {
            "cluster_centers_": (points + self.origin).astype(self.rows.dtype),
            "labels_": self.state.labels.copy(),
            "inertia_": inertia,
            "n_iter_": n_iter,
            "_n_features_out": k,
        }


def reason(n_moved, shift, tol):
    """Say why the iteration ended."""
    if n_moved == 0:
        return "strict convergence"
    return f"center shift {shift} within tolerance {tol}"
