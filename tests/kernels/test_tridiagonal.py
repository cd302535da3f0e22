"""Eigenvalues and eigenvectors of small symmetric matrices against numpy.linalg."""

from __future__ import annotations

import numpy as np
import pytest

from fxloom.kernels.tridiagonal import largest_eigenvalues, largest_eigenvectors, restore, tridiagonalise


def solved(matrices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The four largest eigenvalues (4, n) and three vectors (3, 15, n) of matrices (n, 15, 15)."""
    n = len(matrices)
    a = np.ascontiguousarray(matrices.transpose(1, 2, 0))
    diagonal, off, beta = np.zeros((15, n)), np.zeros((15, n)), np.zeros((15, n))
    values, vectors = np.zeros((4, n)), np.zeros((3, 15, n))
    tridiagonalise(a, n, diagonal, off, beta)
    largest_eigenvalues(diagonal, off, n, values)
    largest_eigenvectors(diagonal, off, values, n, vectors)
    restore(a, beta, n, vectors)
    return values, vectors


def with_eigenvalues(*rows: list[float]) -> np.ndarray:
    rng = np.random.default_rng(9)
    made = []
    for top in rows:
        q, _ = np.linalg.qr(rng.standard_normal((15, 15)))
        values = np.concatenate([top, 1e-3 * top[-1] * rng.random(15 - len(top))])
        made.append((q * values) @ q.T)
    return np.array(made)


SPECTRA = [
    [9.0, 3.0, 2.0, 1.0],
    [9.0, 9.0 - 1e-7, 2.0, 1.0],
    [9.0, 3.0, 3.0, 1.0],
    [9.0, 3.0, 3.0 - 1e-12, 1.0],
    [9.0, 3.0, 3.0 - 1e-8, 1.0, 1.0, 1.0],
    [15.0, 1e-5, 1e-6, 1e-7],
    [1.0, 1.0, 1.0, 0.5],
    [1.0] * 7,
    [1.0] * 15,
]


def test_eigenvalues_match_lapack() -> None:
    matrices = with_eigenvalues(*SPECTRA)
    values, _ = solved(matrices)
    expected = np.linalg.eigvalsh(matrices)[:, ::-1]
    assert (np.abs(values.T - expected[:, :4]) <= 1e-14 * expected[:, :1]).all()


def test_vectors_span_the_same_space_as_lapacks() -> None:
    matrices = with_eigenvalues(*SPECTRA)
    values, vectors = solved(matrices)
    for i, matrix in enumerate(matrices):
        v, w = vectors[:, :, i], values[:, i]
        assert v @ v.T == pytest.approx(np.eye(3), abs=1e-12)
        assert np.abs(matrix @ v.T - v.T * w[:3]).max() <= 1e-13 * w[0]
        _, u = np.linalg.eigh(matrix)
        top = u[:, ::-1][:, :3]
        if w[2] - w[3] > 1e-9 * w[0]:
            assert v.T @ v == pytest.approx(top @ top.T, abs=1e-13 * w[0] / (w[2] - w[3]))


def test_diagonal_zero_and_rank_one_matrices() -> None:
    one = np.outer(np.ones(15), np.ones(15))
    matrices = np.array([np.diag(np.arange(15.0)), one, np.diag([3.0] + [0.0] * 14)])
    values, vectors = solved(matrices)
    assert values[:, 0] == pytest.approx([14.0, 13.0, 12.0, 11.0], abs=1e-13)
    assert values[:, 1] == pytest.approx([15.0, 0.0, 0.0, 0.0], abs=1e-13)
    assert values[:, 2] == pytest.approx([3.0, 0.0, 0.0, 0.0], abs=1e-13)
    assert np.abs(vectors[0, :, 1]) == pytest.approx(np.full(15, 15**-0.5), abs=1e-12)
    assert abs(vectors[0, 0, 2]) == pytest.approx(1.0, abs=1e-12)


def test_a_result_does_not_depend_on_other_matrices() -> None:
    matrices = with_eigenvalues(*SPECTRA)
    values, vectors = solved(matrices)
    for i in range(len(matrices)):
        alone_values, alone_vectors = solved(matrices[i : i + 1])
        np.testing.assert_array_equal(alone_values[:, 0], values[:, i])
        np.testing.assert_array_equal(alone_vectors[:, :, 0], vectors[:, :, i])


def test_eigenvalues_of_a_tridiagonal_matrix_by_hand() -> None:
    """2 on the diagonal and 1 beside it, of order 3: 2 + sqrt(2), 2, 2 - sqrt(2)."""
    values = np.zeros((3, 1))
    largest_eigenvalues(np.full((3, 1), 2.0), np.ones((2, 1)), 1, values)
    assert values[:, 0] == pytest.approx([2.0 + np.sqrt(2.0), 2.0, 2.0 - np.sqrt(2.0)], abs=1e-14)
