"""A run of mini-batch k-means: which rows are drawn, when centres start anew, when it ends.

Draws       Row i with probability w_i / sum w, from one table of cumulated weights.
New starts  Now and then, a centre that has seen far less weight than others moves to a row of
            the batch, and goes on as if it had seen as much as the least of the others.
End         When the moving average of the inertia of the batches has not fallen for a while.
"""

import numpy as np

from skcourse.cluster.base import rows_of
from skcourse.cluster.minibatch_step import pull, sum_batch
from skcourse.cluster.seeding import probabilities

PATIENCE = 10  # rows per cluster after which centres of few rows may start anew


class Run:
    """The centres on their way, relative to `origin`, float64, and the weight each has seen."""

    def __init__(self, model, rows, centers, origin, seen, rng):
        self.model, self.rows, self.rng = model, rows, rng
        self.centers = np.array(centers, np.float64)
        self.origin, self.seen = origin, seen
        self.n_waiting = getattr(model, "_n_since_last_reassign", 0) if seen.any() else 0

    def step(self, members):
        """Learn from rows; return their inertia, the squared shift and how many started anew."""
        due, before = self.due(), self.centers.copy()
        batch = sum_batch(self.rows, members, self.centers, self.origin)
        shift, n_reassigned = pull(self.centers, self.seen, batch), 0
        if due and self.model.reassignment_ratio > 0:
            n_reassigned = self.reassign(members)
            if n_reassigned:
                shift = float(np.sum((self.centers - before) ** 2))
        return float(batch.inertia[0]), shift, n_reassigned

    def due(self):
        """Tell whether centres of few rows may start anew: now and then, or if one is empty."""
        self.n_waiting += self.model._batch_size
        if not np.all(self.seen) or self.n_waiting >= PATIENCE * self.model.n_clusters:
            self.n_waiting = 0
            return True
        return False

    def reassign(self, members):
        """Move the centres that have seen least to rows of the batch; return how many."""
        few = self.seen < self.model.reassignment_ratio * self.seen.max()
        most = len(members) // 2
        if np.count_nonzero(few) > 0.5 * len(members):
            few[np.argsort(self.seen)[most:]] = False
        n_few = np.count_nonzero(few)
        if n_few:
            chosen = self.rng.choice(len(members), replace=False, size=n_few)
            if self.model.verbose:
                print(f"[MiniBatchKMeans] Reassigning {n_few} cluster centers.")
            x = self.rows.take(members[chosen]).astype(np.float64)
            self.centers[few] = x - self.origin
            if n_few < len(few):  # else all of them began with the same weight, none
                self.seen[few] = self.seen[~few].min()
        return n_few

    def attributes(self, dtype=None):
        """Return what a fit that ended now would set."""
        centers = (self.centers + self.origin).astype(dtype or self.rows.dtype)
        return {
            "cluster_centers_": centers,
            "_counts": self.seen.copy(),
            "_n_since_last_reassign": self.n_waiting,
            "_n_features_out": len(centers),
        }


class Judge:
    """Tells when to end: when the centres, or the smoothed inertia of the batches, rest."""

    def __init__(self, model, n_samples, n_steps, tol):
        self.model, self.n_steps, self.tol = model, n_steps, tol
        self.share = min(1.0, 2.0 * model._batch_size / (n_samples + 1))
        self.smoothed, self.lowest, self.n_idle = None, np.inf, 0

    def __call__(self, step, inertia, shift):
        """Hear of a step, counted from 0, and the mean inertia of its batch."""
        if step <= 1:  # the first is of the seeds
            self.smoothed = inertia
        else:
            self.smoothed = self.smoothed * (1 - self.share) + inertia * self.share
        if self.model.verbose:
            told = f"Minibatch step {step + 1}/{self.n_steps}: mean batch inertia: {inertia}"
            print(told if step == 0 else f"{told}, ewa inertia: {self.smoothed}")
        if step == 0:
            return False
        if self.tol > 0.0 and shift <= self.tol:
            return self.end("small centers change", step)
        self.n_idle = 0 if self.smoothed < self.lowest else self.n_idle + 1
        self.lowest = min(self.lowest, self.smoothed)
        patience = self.model.max_no_improvement
        if patience is not None and self.n_idle >= patience:
            return self.end("lack of improvement in inertia", step)
        return False

    def end(self, why, step):
        """Say why; return True."""
        if self.model.verbose:
            print(f"Converged ({why}) at step {step + 1}/{self.n_steps}")
        return True


class Draws:
    """Rows drawn by their weights, with replacement: the numbers of `RandomState.choice`."""

    def __init__(self, rows, rng):
        self.rng, self.weighted = rng, len(rows.weights) > 0
        self.ends = np.cumsum(probabilities(rows), dtype=np.float64)
        self.ends /= self.ends[-1]

    def __call__(self, size):
        """Return the indices of `size` rows, uint32."""
        drawn = self.rng.random_sample(size)
        return self.ends.searchsorted(drawn, side="right").astype(np.uint32)


def unweighted(rows):
    """Return the same rows, of weight 1."""
    return rows_of(rows.X)
