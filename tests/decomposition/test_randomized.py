"""Block Krylov iteration against the singular values, and against what scikit-learn captures."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.utils.extmath import randomized_svd

from skcourse.core.centred_rows import CentredRows
from skcourse.decomposition import randomized
from skcourse.decomposition.randomized import block_krylov, block_width, is_worthwhile, orthonormal
from tests.decomposition.test_spectrum import assert_orthonormal, rows


def centred(A):
    return CentredRows(A, np.zeros(A.shape[1]))


def found(A, k, b, **options):
    return block_krylov(centred(A), k, b, size=np.linalg.norm(A), random_state=0, **options)


@pytest.mark.parametrize("shape", [(200, 120), (120, 200)])
def test_values_and_axes(shape):
    A, s = rows(*shape, condition=1e6)
    spectrum = found(A, 8, 12)
    # the block spans 8 decades of s^2 per step: only rounding is left
    assert_allclose(spectrum.values, s[:8], rtol=1e-12)
    assert_orthonormal(spectrum.axes)
    assert_allclose(spectrum.scores, A @ spectrum.axes.T, atol=1e-14)
    assert_allclose(np.linalg.norm(spectrum.scores, axis=0), spectrum.values, rtol=1e-12)


@pytest.mark.parametrize("decay", ["none", "slow", "spikes"])
def test_captures_as_much_as_scikit_learn(decay):
    rng = np.random.default_rng(0)
    A = rng.standard_normal((400, 900))
    if decay != "none":
        U, V = (np.linalg.qr(rng.standard_normal((m, 60)))[0] for m in A.shape)
        s = 300 / np.sqrt(np.arange(1, 61)) if decay == "slow" else np.repeat(80.0, 60)
        A += U * s @ V.T
    theirs = randomized_svd(A, 10, random_state=0)[2]
    ours = found(A, 10, block_width(A.shape, 10, 10)).values
    assert np.sum(ours**2) >= np.sum((A @ theirs.T) ** 2)


@pytest.mark.parametrize("rank", [0, 1, 3, 10])
def test_lower_rank_than_the_block(rank):
    rng = np.random.default_rng(0)
    A = rng.standard_normal((90, rank)) @ rng.standard_normal((rank, 80))
    spectrum = found(A, 6, 12)
    s = np.linalg.svd(A, compute_uv=False)
    assert_allclose(spectrum.values, s[:6], atol=1e-12)
    assert_orthonormal(spectrum.axes)


def test_rows_that_live_in_a_few_columns():
    A = np.zeros((90, 80))
    A[:, [3, 50]] = np.random.default_rng(0).standard_normal((90, 2))
    spectrum = found(A, 6, 12)
    assert_allclose(spectrum.values, np.linalg.svd(A, compute_uv=False)[:6], atol=1e-12)
    assert_orthonormal(spectrum.axes)


def test_repeated_singular_values():
    rng = np.random.default_rng(0)
    U, V = (np.linalg.qr(rng.standard_normal((m, 40)))[0] for m in (200, 150))
    A = U * np.repeat([2.0, 1e-3], [10, 30]) @ V.T
    assert_allclose(found(A, 10, 12).values, 2.0, rtol=1e-12)


def test_steps_beyond_those_that_are_kept(monkeypatch):
    rng = np.random.default_rng(0)
    A = rng.standard_normal((300, 260))
    s = np.linalg.svd(A, compute_uv=False)
    captured = [np.sum(found(A, 5, 8, n_steps=q).values ** 2) for q in (0, 2, 4, 8, 20)]
    assert np.all(np.diff(captured) > 0)
    assert captured[-1] <= np.sum(s[:5] ** 2) * (1 + 1e-12)
    monkeypatch.setattr(randomized, "KEPT", 0)
    assert np.sum(found(A, 5, 8, n_steps=4).values ** 2) < captured[2]


def test_normalisers_keep_what_the_powers_would_lose(monkeypatch):
    monkeypatch.setattr(randomized, "KEPT", 0)
    A, _ = rows(300, 250, condition=1e8)
    values = {
        how: found(A, 20, 24, n_steps=12, normalizer=how).values
        for how in ("auto", "QR", "LU", "none")
    }
    np.testing.assert_array_equal(values["auto"], values["LU"])
    assert not np.array_equal(values["QR"], values["LU"])
    # the same space; without a normaliser, (s_20 / s_1)^24 = 2e-15 of it is left
    assert_allclose(values["LU"], values["QR"], rtol=1e-10)
    assert np.max(np.abs(values["none"] / values["QR"] - 1)) > 1e-6


def test_random_state():
    A = np.random.default_rng(0).standard_normal((150, 120))
    one, again, other = (
        block_krylov(centred(A), 4, 6, n_steps=1, size=1.0, random_state=seed) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.axes, again.axes)
    assert not np.allclose(one.values, other.values)


def test_orthonormal_replaces_what_depends_on_the_rest():
    rng = np.random.default_rng(0)
    Q = np.linalg.qr(rng.standard_normal((50, 6)))[0]
    block = np.column_stack([Q[:, 0], rng.standard_normal((50, 2)), np.zeros(50)])
    block[:, 2] = block[:, 1]
    added = orthonormal(block, Q, rng)
    assert_orthonormal(np.hstack([Q, added]).T)
    fresh = block[:, 1] - Q @ (Q.T @ block[:, 1])
    assert_allclose(added @ (added.T @ fresh), fresh, atol=1e-13)


def test_blocks_are_wider_where_one_must_do():
    assert block_width((2000, 5000), 20, 10) == 25
    assert block_width((100, 5000), 30, 10) == 40


def test_worthwhile_only_if_passes_are_few():
    assert is_worthwhile((2000, 5000), 30, 4)
    assert not is_worthwhile((100, 5000), 50, 4)
    assert not is_worthwhile((100, 5000), 100, 0)
