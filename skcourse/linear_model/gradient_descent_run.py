"""One run of gradient descent: epochs until the parameters come to rest, or validation says stop.

Iteration   An epoch takes theta to theta', through one batch or through many, see
            `gradient_descent_steps`. All rows as one batch are a sum over chunks, on threads.
Stop        When |theta' - theta|^2 <= tol; or when the loss on validation data has had no new
            minimum for a number of epochs. Then the parameters of its minimum are the answer.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse

from skcourse.core.history import SILENCE, History
from skcourse.core.losses import MULTINOMIAL
from skcourse.core.optimizers import State
from skcourse.core.penalties import L2
from skcourse.linear_model.gradient_descent_steps import (
    TILE_BYTES,
    Rows,
    Targets,
    Work,
    epoch,
    length_at,
    shrink,
    update,
)
from skcourse.linear_model.multinomial_risk import MultinomialRisk
from skcourse.linear_model.risk import Risk

NONE = np.empty(0)


class Memory(NamedTuple):
    """Where a descent is: what a later `partial_fit` goes on from."""

    theta: np.ndarray  # (M,), float64, changed in place
    state: State  # of the rule, changed in place
    seed: np.uint64
    n_draws: int


def copy_of(memory):
    """Return a copy that may be changed: a fit that fails leaves no trace."""
    state = State(*(part.copy() for part in memory.state))
    return memory._replace(theta=memory.theta.copy(), state=state)


class Data(NamedTuple):
    """Samples to learn from, or to judge by."""

    X: np.ndarray  # (n, p), C-contiguous floats, or CSR matrix
    values: np.ndarray  # see `Targets`
    weights: np.ndarray | None  # (n,), of mean 1

    @property
    def targets(self):
        """The targets as kernels take them."""
        return Targets(self.values, NONE if self.weights is None else self.weights)


def rows_of(X):
    """Return X as kernels take it."""
    if not issparse(X):
        none = np.empty(0, np.int32)
        return Rows(read_only(X), none, none, np.empty(0, X.dtype))
    return Rows(read_only(np.empty((0, X.shape[1]), X.dtype)), X.indptr, X.indices, X.data)


def read_only(X):
    """Return a view that cannot be written: machine code is made for either kind."""
    view = np.asarray(X).view()
    view.flags.writeable = False
    return view


def tile_shape(X):
    """Return the shape of the rows that are copied side by side."""
    n, p = X.shape
    return min(n, max(4, TILE_BYTES // (X.itemsize * p))), p


class MeanLoss:
    """The risk of all samples, without a penalty, and its gradient.

    Parameters
    ----------
    data : Data
    objective : Objective
    n_outputs : int, K
    """

    def __init__(self, data, objective, n_outputs):
        X = data.X if issparse(data.X) else read_only(data.X)
        self.softmax, self.K = objective.loss.code == MULTINOMIAL, n_outputs
        if self.softmax:
            self.risks = [MultinomialRisk(X, data.values[:, 0], n_outputs, data.weights)]
        else:
            self.risks = [
                Risk(X, data.values[:, k], objective.loss, data.weights) for k in range(n_outputs)
            ]

    def value_and_gradient(self, theta):
        """Return the risk and its gradient at theta, (M,)."""
        columns = np.vstack([theta[: -self.K].reshape(self.K, -1).T, theta[-self.K :]])
        if self.softmax:
            value, gradient = self.risks[0].value_and_gradient(columns.ravel())
            G = gradient.reshape(columns.shape)
        else:
            parts = [
                risk.value_and_gradient(np.ascontiguousarray(column))
                for risk, column in zip(self.risks, columns.T, strict=True)
            ]
            value = sum(part[0] for part in parts)
            G = np.column_stack([part[1] for part in parts])
        return value, np.concatenate([G[:-1].T.ravel(), G[-1]])


class Descent:
    """A run from `memory` on.

    Parameters
    ----------
    data : Data
    objective : Objective
    rule : skcourse.core.optimizers.Rule, which spares the K intercepts
    memory : Memory
    plan : Plan
    validation : Data or None, default=None
    record_path : bool, default=False
    """

    def __init__(self, data, objective, rule, memory, plan, *, validation=None, record_path=False):
        self.data, self.objective, self.rule = data, objective, rule
        self.memory, self.plan, self.theta = memory, plan, memory.theta
        theta = memory.theta
        n, m, K = data.X.shape[0], len(theta), rule.spared
        n_batches = -(-n // plan.batch_size)
        path = np.empty((n_batches if record_path else 0, m))
        smooth = objective.penalty.code <= L2
        point = theta if smooth else theta.copy()
        tile = np.empty((n, 0) if issparse(data.X) else tile_shape(data.X), data.X.dtype)
        room = np.empty(K), np.zeros(m), np.empty(m), point, np.empty(m - K)
        self.work = Work(*room, path, tile, np.arange(0 if n_batches == 1 else n))
        self.full = MeanLoss(data, objective, K) if n_batches == 1 else None
        if self.full is None:
            self.rows, self.targets = rows_of(data.X), data.targets
        self.judge = None if validation is None else MeanLoss(validation, objective, K)
        self.n_batches, self.record_path = n_batches, record_path
        self.history, self.n_iter = History(), 0
        self.best, self.best_loss, self.n_worse = self.work.point, np.inf, 0
        self.shift = np.inf  # |theta' - theta|^2 of the last epoch

    def run(self, *, max_iter, tol, n_iter_no_change, task=SILENCE, attributes=None):
        """Go on until it stops, and return why: "converged", "stopped", "max_iter", "diverged".

        "stopped" is said by a callback. `attributes` makes those of the estimator from theta.
        """
        for _ in range(max_iter):
            part = task.subtask("epoch")
            before = self.theta.copy()
            with np.errstate(over="ignore", invalid="ignore"):
                finite = self.one_epoch()
                moved = self.theta - before
                self.shift = moved @ moved
            if not (finite and np.isfinite(self.shift)):
                return "diverged"
            stale = self.judge is not None and self.n_worse >= n_iter_no_change
            stop = part.end(lambda: attributes(self.answer))
            if stale or (tol is not None and self.shift <= tol):
                return "converged"
            if stop:
                return "stopped"
        return "max_iter"

    @property
    def answer(self):
        """The parameters found so far: the best on validation data, or else the last."""
        return self.work.point if self.judge is None else self.best

    def one_epoch(self):
        """Take theta through all batches, note what is seen, and return whether it is finite."""
        plan, work = self.plan._replace(first=np.uint64(self.memory.n_draws)), self.work
        state = self.memory.state
        work.mean_gradient[:] = 0.0
        if self.full is None:
            loss = epoch(
                self.rows,
                self.targets,
                self.objective,
                self.rule,
                state,
                plan,
                self.theta,
                work,
            )
        else:
            loss, work.gradient[:] = self.full.value_and_gradient(self.theta)
            length = length_at(plan, state.count[0] + 1)
            sums = work.gradient, work.mean_gradient
            loss += update(self.objective, self.rule, state, self.theta, *sums, 1, length)
            if self.objective.penalty.code > L2:
                shrink(self.objective, self.rule, state, self.theta, work, length)
            if self.record_path:
                work.path[0] = work.point
        self.memory = self.memory._replace(n_draws=self.memory.n_draws + len(self.data.values))
        self.n_iter += 1
        seen = {
            "loss": loss,
            "gradient_norm": np.linalg.norm(work.mean_gradient / self.n_batches),
            "learning_rate": length_at(plan, state.count[0]),
        }
        if self.judge is not None:
            seen["validation_loss"] = self.look(work.point)
        if self.record_path:
            seen["parameters"] = work.path.copy()
        self.history.append(**seen)
        return np.isfinite(loss) and np.isfinite(seen.get("validation_loss", 0.0))

    def look(self, point):
        """Return the loss on the validation data; keep the parameters if it has never been less."""
        loss = self.judge.value_and_gradient(point)[0]
        self.n_worse += 1
        if loss < self.best_loss:
            self.best, self.best_loss, self.n_worse = point.copy(), loss, 0
        return loss
