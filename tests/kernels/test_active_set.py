"""Steps under the bounds of GARCH(1,1): by hand, and against numpy.linalg."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from fxloom.kernels.active_set import (
    descent,
    face_basis,
    longest_step,
    project,
    put_on_sides,
    reduce_matrix,
    side_to_leave,
    slack,
    solve_definite,
)

FLOOR = 1e-8
NORMALS = np.array([[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, -1, -1]], float)  # inward, of the four sides
FACES = [np.array(a) for a in product([False, True], repeat=4) if not (a[1] and a[2] and a[3])]
FREE = FACES[0]


def basis_of(active: np.ndarray) -> np.ndarray:
    basis = np.zeros((4, 4))
    return basis[:, : face_basis(active, basis)]


def sides(*active: int) -> np.ndarray:
    return np.isin(np.arange(4), active)


def definite(seed: int) -> np.ndarray:
    a = np.random.default_rng(seed).standard_normal((4, 4))
    return a @ a.T + 0.1 * np.eye(4)


@pytest.mark.parametrize("active", FACES, ids=str)
def test_a_basis_spans_the_face(active: np.ndarray) -> None:
    basis = basis_of(active)
    assert np.linalg.matrix_rank(basis) == basis.shape[1] == 4 - np.linalg.matrix_rank(NORMALS[active])
    assert (NORMALS[active] @ basis == 0.0).all()


def test_projection_of_a_gradient() -> None:
    basis, out = np.zeros((4, 4)), np.zeros(4)
    m = face_basis(sides(3), basis)
    assert project(basis, m, np.array([1.0, -2.0, 7.0, 3.0]), out) == 4.0
    assert out[:m].tolist() == [1.0, -2.0, 4.0]


@pytest.mark.parametrize("active", FACES[1:], ids=str)
def test_the_side_with_the_most_negative_multiplier_is_left(active: np.ndarray) -> None:
    for g in np.random.default_rng(4).standard_normal((20, 4)):
        multipliers = np.full(4, np.inf)
        multipliers[active] = np.linalg.lstsq(NORMALS[active].T, g, rcond=None)[0]
        want = int(np.argmin(multipliers)) if multipliers.min() < 0.0 else -1
        assert side_to_leave(active, g, 0.0) == want


def test_distances_from_the_sides() -> None:
    x = np.array([0.0, 0.5, 0.25, 0.5])
    assert [slack(side, x, 0.125) for side in range(4)] == [0.375, 0.25, 0.5, 0.25]


def test_a_step_stops_short_of_a_distant_side() -> None:
    """alpha + beta may grow by 0.25, the step would add 0.5: four fifths of half the step."""
    x, d = np.array([0.0, 0.5, 0.25, 0.5]), np.array([0.0, 0.0, 0.5, 0.0])
    share, blocking = longest_step(x, d, FREE, FLOOR)
    assert share == pytest.approx(0.4)
    assert blocking == -1


def test_a_step_ends_on_a_near_side() -> None:
    x, d = np.array([0.0, 0.5, 0.0005, 0.5]), np.array([0.0, 0.0, -0.001, 0.0])
    share, blocking = longest_step(x, d, FREE, FLOOR)
    assert share == pytest.approx(0.5)
    assert blocking == 1


def test_a_step_along_an_active_side_is_whole() -> None:
    x, d = np.array([0.0, 0.5, 0.25, 0.75]), np.array([1.0, 0.1, 0.0, 0.0])
    assert longest_step(x, d, sides(3), FLOOR) == (1.0, -1)


@pytest.mark.parametrize(
    ("active", "x", "want"),
    [
        (sides(0), [0.1, 0.2, 0.3, 0.4], [0.1, FLOOR, 0.3, 0.4]),
        (sides(1), [0.1, 0.2, 1e-17, 0.4], [0.1, 0.2, 0.0, 0.4]),
        (sides(1, 3), [0.1, 0.2, 1e-17, 0.999], [0.1, 0.2, 0.0, 1.0]),
        (sides(3), [0.1, 0.2, 0.3, 0.75], [0.1, 0.2, 0.25, 0.75]),
        (sides(), [0.1, -1e-17, -1e-17, 0.4], [0.1, FLOOR, 0.0, 0.4]),
        (sides(), [0.1, 0.2, 0.5, 0.75], [0.1, 0.2, 0.25, 0.75]),
    ],
)
def test_points_are_put_exactly_on_active_sides(active: np.ndarray, x: list[float], want: list[float]) -> None:
    point = np.array(x)
    put_on_sides(point, active, FLOOR)
    assert point.tolist() == want


@pytest.mark.parametrize("m", [1, 2, 3, 4])
def test_definite_systems_are_solved(m: int) -> None:
    matrix, right, out = definite(m), np.arange(1.0, 5.0), np.zeros(4)
    assert solve_definite(matrix, m, right, out)
    np.testing.assert_allclose(out[:m], np.linalg.solve(matrix[:m, :m], right[:m]), rtol=1e-10)


def test_indefinite_systems_are_reported() -> None:
    assert not solve_definite(np.diag([1.0, -1.0, 1.0, 1.0]), 4, np.ones(4), np.zeros(4))
    assert not solve_definite(np.ones((4, 4)), 4, np.ones(4), np.zeros(4))


def test_a_matrix_is_reduced_to_a_face() -> None:
    matrix, basis, out = definite(5), np.zeros((4, 4)), np.zeros((4, 4))
    m = face_basis(sides(0, 3), basis)
    reduce_matrix(matrix, basis, m, out)
    np.testing.assert_allclose(out[:m, :m], basis[:, :m].T @ matrix @ basis[:, :m], rtol=1e-13)


@pytest.mark.parametrize("indefinite", [False, True])
def test_descent_is_newtons_step_or_fishers(indefinite: bool) -> None:
    """Within the face alpha + beta = 1; the expected Hessian replaces one that is not positive definite."""
    hessian, scoring = (-definite(6) if indefinite else definite(6)), definite(7)
    basis, reduced, d = np.zeros((4, 4)), np.zeros(4), np.zeros(4)
    m = face_basis(sides(3), basis)
    project(basis, m, np.array([1.0, -2.0, 0.5, 3.0]), reduced)
    descent(hessian, scoring, basis, m, reduced, d)
    b = basis[:, :m]
    used = scoring if indefinite else hessian
    np.testing.assert_allclose(d, -b @ np.linalg.solve(b.T @ used @ b, reduced[:m]), rtol=1e-9)
    assert d[2] == -d[3]
