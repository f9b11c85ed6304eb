"""One step of mini-batch k-means: the rows of a batch pull at their nearest centres.

Problem     Lower the inertia J(c) = sum_i w_i min_j |x_i - c_j|^2 by a few rows at a time.
Iteration   For a batch B, with W_j the weight that centre j has seen before it,
                z_i = argmin_j |x_i - c_j|^2,    i in B                                       (1)
                S_j = sum_{z_i = j} w_i x_i,     V_j = sum_{z_i = j} w_i                      (2)
                c_j <- (W_j c_j + S_j) / (W_j + V_j),    W_j <- W_j + V_j                     (3)
            so that c_j is the mean of all rows that ever were its own: a gradient step whose
            length is V_j / W_j, which makes it converge.
Cost        |B| k d products.
Reference   D. Sculley, Web-scale k-means clustering, Int. Conf. on World Wide Web, 2010.
"""

from typing import NamedTuple

import numpy as np

from skcourse.cluster import sparse
from skcourse.cluster.dense import DenseRows
from skcourse.core.chunks import chunk_slices, reduce_blocks
from skcourse.core.distances import TILE, U, fill, new_tile, prepare, search
from skcourse.core.kernel import kernel

PRODUCTS = 2**21  # in a chunk: less is done sooner than another thread begins


class Batch(NamedTuple):
    """Sums over the rows of a batch, relative to the origin of the centres."""

    sums: np.ndarray  # S_j, float64, (k, d)
    weights: np.ndarray  # V_j, float64, (k,)
    inertia: np.ndarray  # sum_i w_i |x_i - c_{z_i}|^2, float64, (1,)

    @classmethod
    def zeros(cls, n_clusters, n_features):
        """Return the sums over no rows."""
        return cls(np.zeros((n_clusters, n_features)), np.zeros(n_clusters), np.zeros(1))


@kernel
def add_rows(X, weights, members, centers, batch):
    """Add (2) over the rows `members`, uint32, to the batch; no weights, length 0, means 1."""
    tile, points, origin = new_tile(centers.points), centers.points, centers.origin
    sums, inertia = batch.sums, 0.0
    for start in range(0, members.shape[0], int(TILE)):
        rows = members[start : min(start + int(TILE), members.shape[0])]
        fill(tile, X, rows, origin)
        search(tile, points, centers.half_norms, U(rows.shape[0]))
        for t in range(rows.shape[0]):
            i, z, square = rows[t], tile.labels[t], 0.0
            w = np.float64(weights[i]) if len(weights) else 1.0
            for f in range(X.shape[1]):
                x = np.float64(X[i, f]) - np.float64(origin[f])
                sums[z, f] += w * x
                square += (x - points[z, f]) ** 2
            batch.weights[z] += w
            inertia += w * square
    batch.inertia[0] += inertia


@kernel
def add_sparse_rows(X, weights, members, across, half_norms, centers, norms, batch):
    """Do what `add_rows` does to rows of a `sparse.Csr`; `across` is C', (d, k')."""
    out = np.empty(across.shape[1], across.dtype)
    for t in range(members.shape[0]):
        i = members[t]
        sparse.products(X, i, across, out)
        z = sparse.two_lowest(half_norms, out)[0]
        w = np.float64(weights[i]) if len(weights) else 1.0
        sparse.add_row(X, i, batch.sums[z], w)
        batch.weights[z] += w
        square = sparse.squared_distance(X, i, centers[z], norms[z])
        batch.inertia[0] += w * square


@kernel
def pull(centers, seen, batch):
    """Apply (3) to `centers`, float64 (k, d), and to `seen`, W_j; return the squared shift."""
    shift = 0.0
    for j in range(centers.shape[0]):
        weight = batch.weights[j]
        if weight > 0.0:
            seen[j] += weight
            for f in range(centers.shape[1]):
                t = (batch.sums[j, f] - weight * centers[j, f]) / seen[j]
                centers[j, f] += t
                shift += t * t
    return shift


def sum_batch(rows, members, centers, origin):
    """Return `Batch` of the rows `members`, uint32, and centres relative to `origin`, float64.

    The weights of `rows` count.
    """
    (k, d), prepared = centers.shape, prepare(centers, origin)
    if isinstance(rows, DenseRows):
        X = np.asarray(rows.X)

        def add(members, batch):
            add_rows(X, rows.weights, members, prepared, batch)

    else:
        across = np.ascontiguousarray(prepared.points[:, :d].T)
        half_norms, norms = prepared.half_norms, sparse.squared_norms(centers)

        def add(members, batch):
            add_sparse_rows(
                rows.csr, rows.weights, members, across, half_norms, centers, norms, batch
            )

    def part(here):
        batch = Batch.zeros(k, d)
        add(members[here], batch)
        return batch

    slices = chunk_slices(len(members), max(1, 2**20 * k * d // PRODUCTS))
    return part(slices[0]) if len(slices) == 1 else reduce_blocks(part, slices)
