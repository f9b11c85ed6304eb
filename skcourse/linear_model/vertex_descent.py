"""Weighted absolute deviations by descent along edges, to a vertex that is exactly optimal.

Problem     For rows a_i of A, targets y_i and slopes l_i <= 0 <= h_i,
                min over b of  sum_i max(h_i r_i, l_i r_i),   r_i = y_i - <a_i, b>.           (1)
            It is piecewise linear; some optimum is a vertex, where k independent rows B, the
            basis, have r_i = 0. A lasso penalty c |b_j| is one more row: e_j, y = 0, l = -c, h = c.
Optimality  A row off the vertex pulls with d_i = h_i or l_i, by the side it lies on. Weights d_B
            that balance the pull g = sum_{i not in B} d_i a_i must lie between the slopes:
                d_B = -A_B^-T g,   l_B <= d_B <= h_B.                                         (2)
            Then d is feasible for the dual, max <d, y> with A'd = 0, and attains the value of (1):
            the certificate.
Iteration   If (2) fails at row j of B, the edge along which all other rows of B stay fitted,
                b(t) = b -+ t A_B^-1 e_j,                                                     (3)
            leads down, at first by the excess of d_j over its bound; each row whose residual
            changes sign on the way takes |<a_i, edge>| (h_i - l_i) off that slope. Where nothing
            is left of it, that row enters the basis. Of several edges the steepest is taken.
Ties        Where (2) holds with equality there are several optima. Then that one is taken
            which is the limit of the optima for slopes h + e s, l + e s, e -> 0+, s given: the
            edge is followed if <A_B^-1 e_j, sum_i s_i a_i> says so. It depends on no order of rows.
Cost        n k products for an edge, some 5 k to 10 k edges from afar, few from nearby.
Reference   I. Barrodale, F. Roberts, An improved algorithm for discrete l1 linear approximation,
            SIAM J. Numerical Analysis, 1973. R. Koenker, Quantile Regression, Cambridge, 2005.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel

EPS = np.finfo(np.float64).eps
ROUND = 1e3 * EPS  # what hundreds of updates make of a rounding error
PARALLEL = 1e-12  # the cosine between a row and an edge, up to which it does not cross the row
PIVOTS = 100  # edges (and k more) after which all is computed afresh
ROUNDS, PATIENCE = 300, 8
NOISE = 1e-7  # of the targets, where too many rows meet in one vertex
OPTIMAL, UNFINISHED, UNBOUNDED, STUCK = range(4)


class Rows(NamedTuple):
    """The data of (1)."""

    A: np.ndarray  # (n, k), C-contiguous
    targets: np.ndarray  # y, (n,)
    low: np.ndarray  # l, (n,)
    high: np.ndarray  # h, (n,)
    lean: np.ndarray  # s, which optimum of several, (n,)


class Totals(NamedTuple):
    """What all rows add up to, those included that are far off and take no part."""

    pull: np.ndarray  # sum of d_i a_i of the rows that take no part, (k,)
    lean: np.ndarray  # sum of s_i a_i, (k,)
    size: np.ndarray  # sum of (h_i - l_i) |a_i|: what the sums are accurate against, (k,)


class Vertex(NamedTuple):
    """Where the descent is."""

    basis: np.ndarray  # B, int64, (k,)
    edges: np.ndarray  # row j is A_B^-1 e_j, (k, k)
    coef: np.ndarray  # b, (k,)
    residuals: np.ndarray  # r, (n,)
    side: np.ndarray  # int8: 1 where d_i = h_i, -1 where d_i = l_i, 0 in the basis, (n,)
    pull: np.ndarray  # g, (k,)


class Line(NamedTuple):
    """The rows that an edge meets."""

    speeds: np.ndarray  # how fast each residual falls, (n,)
    times: np.ndarray  # when it is 0; these of the first m rows that are met
    gains: np.ndarray  # what meeting it takes off the slope
    rows: np.ndarray  # which one it is, int64


@kernel
def steepest_edge(rows, vertex, totals):
    """Return the place in B of the row to leave, the side it goes to, and the slope.

    The place is -1 at the optimum.
    """
    best, place, side, slope = np.float64(0.0), -1, 0, np.float64(0.0)
    best_tie, tie, tie_side = np.float64(0.0), -1, 0
    for j in range(len(vertex.basis)):
        d, leaning, length, error = np.float64(0.0), np.float64(0.0), np.float64(0.0), 0.0
        for f in range(len(vertex.coef)):
            e = vertex.edges[j, f]
            d -= e * vertex.pull[f]  # (2)
            leaning -= e * totals.lean[f]
            length += e * e
            error += abs(e) * totals.size[f]
        length, error = np.sqrt(length), ROUND * error
        above = d - rows.high[vertex.basis[j]]
        below = rows.low[vertex.basis[j]] - d
        towards = 1 if above > below or (above == below and leaning > 0) else -1
        excess = max(above, below)
        if excess > error and excess > best * length:
            best, place, side, slope = excess / length, j, towards, -excess
        if above > -error and below > -error:
            towards = 1 if leaning > 0 else -1
        if abs(excess) <= error < towards * leaning and towards * leaning > best_tie * length:
            best_tie, tie, tie_side = towards * leaning / length, j, towards
    return (place, side, slope) if place >= 0 else (tie, tie_side, slope)


@kernel
def rows_met(rows, sizes, vertex, edge, line):
    """Collect the rows whose residuals fall to 0 along the edge; return how many they are."""
    length = np.float64(0.0)
    for f in range(len(edge)):
        length += edge[f] * edge[f]
    parallel = PARALLEL * np.sqrt(length)
    m = 0
    for i in range(len(rows.targets)):
        speed = np.float64(0.0)
        for f in range(len(edge)):
            speed += rows.A[i, f] * edge[f]
        line.speeds[i] = speed
        width = rows.high[i] - rows.low[i]
        if vertex.side[i] * speed > parallel * sizes[i] and width > 0:
            line.times[m] = max(vertex.residuals[i] / speed, 0.0)
            line.gains[m] = abs(speed) * width
            line.rows[m] = i
            m += 1
    return m


@kernel
def swap(line, i, j):
    """Exchange two of the rows that are met."""
    line.times[i], line.times[j] = line.times[j], line.times[i]
    line.gains[i], line.gains[j] = line.gains[j], line.gains[i]
    line.rows[i], line.rows[j] = line.rows[j], line.rows[i]


@kernel
def last_met(line, m, slope):
    """Return s: with the row met at place s the slope is no longer negative, before it still is.

    What is met earlier comes to stand before s, by the partitions of quickselect.
    """
    first, last = 0, m
    while last - first > 1:
        a, b, c = line.times[first], line.times[(first + last) // 2], line.times[last - 1]
        pivot = max(min(a, b), min(max(a, b), c))
        earlier, later, i = first, last, first
        before, at = np.float64(0.0), np.float64(0.0)
        while i < later:
            if line.times[i] < pivot:
                before += line.gains[i]
                swap(line, i, earlier)
                earlier += 1
                i += 1
            elif line.times[i] > pivot:
                later -= 1
                swap(line, i, later)
            else:
                at += line.gains[i]
                i += 1
        if slope + before >= 0 and earlier > first:
            last = earlier
        elif slope + before + at < 0 and later < last:
            first, slope = later, slope + before + at
        else:
            slope += before
            for j in range(earlier, later - 1):
                slope += line.gains[j]
                if slope >= 0:
                    return j
            return later - 1
    return first


@kernel
def exchange(edges, j, row):
    """Update the edges of (3) for a basis with `row` in the place j."""
    k = len(row)
    speed = np.float64(0.0)
    for f in range(k):
        speed += row[f] * edges[j, f]
    for f in range(k):
        edges[j, f] /= speed
    for i in range(k):
        speed = np.float64(0.0)
        for f in range(k):
            speed += row[f] * edges[i, f]
        if i != j and speed != 0:
            for f in range(k):
                edges[i, f] -= speed * edges[j, f]


@kernel
def follow(rows, vertex, line, edge, met, leaves):
    """Go along the edge to the row at place `met`; `leaves` is (place in B, the side it goes to).

    Rows met before change sides, which changes the pull; so does who is in the basis.
    """
    k = len(edge)
    place, side = leaves
    leaving, entering, time = vertex.basis[place], line.rows[met], line.times[met]
    for s in range(met):
        i = line.rows[s]
        change = vertex.side[i] * (rows.high[i] - rows.low[i])
        vertex.side[i] = -vertex.side[i]
        for f in range(k):
            vertex.pull[f] -= change * rows.A[i, f]
    joins = rows.high[leaving] if side > 0 else rows.low[leaving]
    ceases = rows.high[entering] if vertex.side[entering] > 0 else rows.low[entering]
    for f in range(k):
        vertex.pull[f] += joins * rows.A[leaving, f] - ceases * rows.A[entering, f]
        vertex.coef[f] += time * edge[f]
    for i in range(len(vertex.residuals)):
        vertex.residuals[i] -= time * line.speeds[i]
    vertex.side[leaving], vertex.side[entering] = side, 0
    vertex.residuals[entering] = 0.0
    vertex.basis[place] = entering
    exchange(vertex.edges, place, rows.A[entering])


@kernel
def descend(rows, sizes, vertex, totals, limit):
    """Follow at most `limit` edges; return how many, and how it ended."""
    n, k = rows.A.shape
    line = Line(np.empty(n), np.empty(n), np.empty(n), np.empty(n, np.int64))
    edge = np.empty(k)
    idle = 0  # edges of length 0 in a row
    for n_edges in range(limit):
        place, side, slope = steepest_edge(rows, vertex, totals)
        if place < 0:
            return n_edges, OPTIMAL
        for f in range(k):
            edge[f] = -side * vertex.edges[place, f]
        m = rows_met(rows, sizes, vertex, edge, line)
        if m == 0:
            return n_edges, UNBOUNDED
        met = last_met(line, m, slope)
        idle = 0 if line.times[met] > 0 else idle + 1
        follow(rows, vertex, line, edge, met, (place, side))
        if idle > 2 * k + 10:
            return n_edges + 1, STUCK
    return limit, UNFINISHED


def fresh_vertex(rows, sizes, basis, side, pull):
    """Return the vertex of a basis, all computed anew.

    Parameters
    ----------
    rows : Rows
    sizes : array of shape (n,), |a_i|
    basis : int64 array of shape (k,)
    side : int8 array of shape (n,), kept where a residual is 0 but for rounding
    pull : array of shape (k,), of rows that take no part

    Returns
    -------
    vertex : Vertex
    gap : float
        By how much (1) is above the value of its dual because of sides that were kept, if (2)
        holds, over what rounding may do to (1).

    Raises
    ------
    numpy.linalg.LinAlgError
        If the rows of the basis are not independent.
    """
    A, y = rows.A, rows.targets
    edges = np.linalg.inv(A[basis])
    coef = np.linalg.solve(A[basis], y[basis])
    residuals = y - A @ coef
    rounding = 4 * len(coef) * EPS * (np.abs(y) + sizes * np.sqrt(coef @ coef))
    error = np.abs(edges) @ rounding[basis]  # of the coefficients
    noise = rounding + sizes * np.sqrt(error @ error)
    sure = np.abs(residuals) > noise
    side[sure] = np.sign(residuals[sure])
    side[side == 0] = 1
    losses = (rows.high - rows.low) * np.abs(residuals)
    gap = losses[residuals * side < 0].sum()
    size = 1e-10 * losses.sum() + 4 * (rows.high - rows.low) @ rounding
    residuals[~sure] = 0.0
    side[basis], residuals[basis] = 0, 0.0
    d = np.where(side > 0, rows.high, np.where(side < 0, rows.low, 0.0))
    pull = pull + d @ A
    vertex = Vertex(basis, np.ascontiguousarray(edges.T), coef, residuals, side, pull)
    return vertex, gap / size if gap > 0 else 0.0


def optimal_vertex(rows, basis, side, totals):
    """Return the optimum of (1), the number of edges followed, and how it ended.

    Parameters
    ----------
    rows : Rows
    basis : int64 array of shape (k,), where to start: any independent rows
    side : int8 array of shape (n,), where rows with residual 0 there count to
    totals : Totals

    Returns
    -------
    vertex : Vertex, not the optimum if `status` is not
    n_edges : int
    status : OPTIMAL; UNBOUNDED, where the rows that take no part pull too hard; STUCK, where
        rounding keeps (2) from being reached
    """
    sizes = np.sqrt(np.einsum("ij,ij->i", rows.A, rows.A))
    total, vertex, problem, status = 0, None, rows, STUCK
    rng, patience = np.random.default_rng(0), PATIENCE
    for _ in range(ROUNDS):
        try:
            vertex, gap = fresh_vertex(problem, sizes, basis, side, totals.pull)
        except np.linalg.LinAlgError:
            break
        n_edges, status = descend(problem, sizes, vertex, totals, PIVOTS + len(basis))
        total, basis, side = total + n_edges, vertex.basis, vertex.side
        patience -= status != UNFINISHED
        if status == STUCK or (patience == 0 and problem is rows):
            problem, patience = rows._replace(targets=shaken(rows.targets, rng)), PATIENCE
        elif n_edges == 0:  # so say numbers computed anew
            if problem is rows:
                return vertex, total, status if gap <= 1 else STUCK
            problem, patience = rows, PATIENCE  # the same d, optimal if no side has changed
        elif patience == 0:
            break
    return vertex, total, STUCK


def shaken(targets, rng):
    """Return targets no two of which are the same, moved by little."""
    size = np.abs(targets)
    typical = np.median(size[size > 0]) if size.any() else 1.0
    return targets + NOISE * (size + typical) * rng.uniform(-1, 1, len(targets))
