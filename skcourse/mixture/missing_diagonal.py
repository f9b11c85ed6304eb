"""Rows with missing values under normal distributions without correlations: kernels of `missing`.

Model       The features of x ~ N(m_k, diag(v_k)) are independent, so what is missing is left out:
                log p_k(x_s) = -1/2 sum over seen f of (log 2 pi v_kf + (x_f - m_kf)^2 / v_kf)  (1)
                E_k x_f = m_kf,   var_k x_f = v_kf   where x_f is missing                      (2)
Cost        A few operations per value and component; no pattern matters.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.elementary import exp
from skcourse.core.kernel import kernel

LEAST = -690.0  # exp of less counts as 0: products with it would be slow, and change nothing
LOG_2_PI = np.log(2 * np.pi)


class Normals(NamedTuple):
    """Components without correlations."""

    means: np.ndarray  # m_k, (k, d)
    roots: np.ndarray  # v_k^(-1/2), (k, d)
    constants: np.ndarray  # log pi_k, (k,)
    offsets: np.ndarray  # m_k - o_k: the sums are about o_k, (k, d)


@kernel
def log_joint(x, seen, normals, logs, joint):
    """Write log pi_k p_k(x) of one row by (1); `logs`, (k, d), is log(v^(-1/2))."""
    k, d = normals.means.shape
    for j in range(k):
        square, log_root, n_seen = 0.0, 0.0, 0.0
        for f in range(d):
            z = seen[f] * (x[f] - normals.means[j, f]) * normals.roots[j, f]
            square += z * z
            log_root += seen[f] * logs[j, f]
            n_seen += seen[f]
        joint[j] = normals.constants[j] + log_root - 0.5 * (square + n_seen * LOG_2_PI)


@kernel
def respond(joint):
    """Turn log pi_k p_k(x), (k,), into the responsibilities; return log p(x)."""
    largest, total = joint[0], 0.0
    for j in range(1, len(joint)):
        largest = max(largest, joint[j])
    for j in range(len(joint)):
        s = joint[j] - largest
        joint[j] = 0.0 if s < LEAST else exp(s)  # NaN passes
        total += joint[j]
    for j in range(len(joint)):
        joint[j] /= total
    return largest + np.log(total)


@kernel
def look(X, i, x, seen):
    """Write row i into x, 0 for what is missing, and 1 or 0 into `seen`; return how many are."""
    n_seen = 0
    for f in range(len(x)):
        value = np.float64(X[i, f])
        n_seen += not np.isnan(value)
        seen[f] = 0.0 if np.isnan(value) else 1.0
        x[f] = 0.0 if np.isnan(value) else value
    return n_seen


@kernel
def expect(X, weights, normals, sums):
    """Add up the rows of X; `weights` of length 0 are 1. Second moments are (k, d)."""
    k, d = normals.means.shape
    x, seen, joint, logs = np.zeros(d), np.zeros(d), np.zeros(k), np.log(normals.roots)
    for i in range(X.shape[0]):
        w = np.float64(weights[i]) if len(weights) else 1.0
        if look(X, i, x, seen) == 0:
            continue  # a row without any value says nothing
        log_joint(x, seen, normals, logs, joint)
        log_p = respond(joint)
        sums.totals[0] += w * log_p
        sums.totals[2] += w
        for j in range(k):
            r = joint[j]
            if r == 0:
                continue
            sums.totals[1] -= w * r * np.log(r)
            sums.counts[j] += w * r
            for f in range(d):
                hidden = 1.0 - seen[f]
                z = seen[f] * (x[f] - normals.means[j, f]) + normals.offsets[j, f]
                root = normals.roots[j, f]
                sums.firsts[j, f] += w * r * z
                sums.seconds[j, f] += w * r * (z * z + hidden / (root * root))  # (2)


@kernel
def ask(X, normals, joint, filled):
    """Write log pi_k p_k(x) of the rows into `joint`, (n, k), or E x into `filled`, (n, d).

    Of the two, one has length 0.
    """
    k, d = normals.means.shape
    x, seen, own, logs = np.zeros(d), np.zeros(d), np.zeros(k), np.log(normals.roots)
    for i in range(X.shape[0]):
        look(X, i, x, seen)
        log_joint(x, seen, normals, logs, own)
        if len(joint):
            joint[i] = own
            continue
        respond(own)
        for f in range(d):
            if seen[f] == 0:
                total = 0.0
                for j in range(k):
                    total += own[j] * normals.means[j, f]
                filled[i, f] = total
