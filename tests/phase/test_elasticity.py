"""Elastic constants, biaxial modulus and the coherency coefficient."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lina_calphad import CubicElasticity, coherency_coefficient
from lina_calphad.data.elasticity import biaxial_modulus
from lina_calphad.errors import ElasticDataError

moduli = st.floats(1, 500)
ratios = st.floats(-0.9, 0.45)
index = st.integers(-5, 5)
directions = st.tuples(index, index, index).filter(any)


@st.composite
def stable(draw):
    """Any mechanically stable cubic crystal: bulk, tetragonal and trigonal moduli are positive."""
    bulk, tetragonal, trigonal = draw(moduli), draw(moduli), draw(moduli)
    c12 = bulk - 2 * tetragonal / 3
    return CubicElasticity(c12 + 2 * tetragonal, c12, trigonal)


def by_tensors(c: CubicElasticity, direction) -> float:
    """Y(n) from the full stiffness tensor and a numerical inverse."""
    n = np.array(direction) / np.linalg.norm(direction)
    stiffness = np.zeros((3, 3, 3, 3))
    for i, j in itertools.product(range(3), repeat=2):
        stiffness[i, i, j, j] = c.c12 if i != j else c.c11
        if i != j:
            stiffness[i, j, i, j] = stiffness[i, j, j, i] = c.c44
    stress = np.einsum("ijkk->ij", stiffness)
    acoustic = np.einsum("ijkl,j,l->ik", stiffness, n, n)
    force = stress @ n
    return float((np.trace(stress) - force @ np.linalg.inv(acoustic) @ force) / 2)


def test_the_papers_coherency_coefficient():
    b = coherency_coefficient(CubicElasticity.isotropic(13.8, 0.33), 3.42, 4.19)
    assert b == pytest.approx(12575.71674646883, rel=1e-14)


def test_isotropic_constants_of_the_paper():
    c = CubicElasticity.isotropic(13.8, 0.33)
    expected = (20.446704997788586, 10.07076514816453, 5.18796992481203)
    assert (c.c11, c.c12, c.c44) == pytest.approx(expected, rel=1e-15)


@given(stable(), directions)
def test_closed_form_is_that_of_the_tensors(c, direction):
    assert c.biaxial_modulus(direction) == pytest.approx(by_tensors(c, direction), rel=1e-9)


@given(stable())
def test_cahns_formulas_for_100_and_111(c):
    y100 = c.c11 + c.c12 - 2 * c.c12**2 / c.c11
    trace = c.c11 + 2 * c.c12
    y111 = 6 * c.c44 * trace / (trace + 4 * c.c44)
    assert c.biaxial_modulus((1, 0, 0)) == pytest.approx(y100, rel=1e-9)
    assert c.biaxial_modulus((1, 1, 1)) == pytest.approx(y111, rel=1e-9)


@given(moduli, ratios, directions)
def test_an_isotropic_body_has_one_modulus(youngs_modulus, poisson_ratio, direction):
    c = CubicElasticity.isotropic(youngs_modulus, poisson_ratio)
    assert c.zener_ratio == pytest.approx(1, rel=1e-12)
    expected = youngs_modulus / (1 - poisson_ratio)
    assert c.biaxial_modulus(direction) == pytest.approx(expected, rel=1e-9)


@given(stable(), directions, st.integers(1, 9))
def test_symmetry_and_length_of_the_direction_do_not_matter(c, direction, scale):
    y = c.biaxial_modulus(direction)
    for equivalent in itertools.permutations(-scale * np.array(direction)):
        assert c.biaxial_modulus(equivalent) == pytest.approx(y, rel=1e-9)


def test_the_soft_direction_of_a_cubic_metal_is_100():
    lithium = CubicElasticity(13.5, 11.4, 8.8)  # handbook values, quoted from memory
    y = [lithium.biaxial_modulus(n) for n in ((1, 0, 0), (1, 1, 0), (1, 1, 1))]
    assert y == sorted(y)
    assert y[0] == pytest.approx(5.6467, abs=1e-4)


def test_no_pole_where_an_eigenvalue_of_the_diagonal_part_vanishes():
    assert CubicElasticity(2, 1, 1).biaxial_modulus((1, 0, 0)) == pytest.approx(2)


def test_arrays_pass_through():
    y = biaxial_modulus(np.array([13.5, 7.4]), np.array([11.4, 6.2]), np.array([8.8, 4.2]))
    assert y == pytest.approx([5.646667, 3.210811], abs=1e-6)


@pytest.mark.parametrize("constants", [(1, 2, 1), (2, 1, 0), (1, -0.6, 1), (float("nan"), 1, 1)])
def test_an_unstable_crystal_is_refused(constants):
    with pytest.raises(ElasticDataError, match="Born"):
        CubicElasticity(*constants)


def test_pascals_are_noticed():
    with pytest.raises(
        ElasticDataError, match=r"in GPa, none above 5000; got .*: are they in Pa\?"
    ):
        CubicElasticity(13.5e9, 11.4e9, 8.8e9)


@pytest.mark.parametrize("direction", [(0, 0, 0), (1, 0), "abc", (1, 0, float("nan"))])
def test_a_bad_direction_is_refused(direction):
    with pytest.raises(ElasticDataError, match="Miller"):
        CubicElasticity(2, 1, 1).biaxial_modulus(direction)


@pytest.mark.parametrize("ratio", [0.5, -1, float("nan")])
def test_a_bad_poisson_ratio_is_refused(ratio):
    with pytest.raises(ElasticDataError, match="Poisson"):
        CubicElasticity.isotropic(10, ratio)


def test_lattice_constants_in_metres_are_noticed():
    with pytest.raises(ElasticDataError, match=r"a_host.*ångström"):
        coherency_coefficient(CubicElasticity(2, 1, 1), 3.42e-10, 4.19e-10)


def test_coefficient_scales_with_the_square_of_the_misfit():
    c = CubicElasticity(2, 1, 1)
    small, large = (coherency_coefficient(c, 4.0, 4.0 + d, atoms_per_cell=4) for d in (0.1, 0.2))
    assert large == pytest.approx(4 * small, rel=1e-12)
    assert coherency_coefficient(c, 4.0, 4.1) == pytest.approx(2 * small, rel=1e-12)
