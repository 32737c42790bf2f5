"""Invariants with the liquid, against the three-phase conditions solved by mpmath."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from pycalphad import Model
from pycalphad import variables as v
from support import COMPS
from sympy import Symbol, lambdify

import lina_calphad as lc
from lina_calphad.diagram.alloy import Alloy


@pytest.fixture(scope="module")
def alloys(databases):
    return {key: Alloy.of(key, databases[key]) for key in lc.assessments()}


def gibbs_energy(dbf, phase):
    """G of a phase and dG/dx in T and x as mpmath functions, from pycalphad's own expression."""
    model = Model(dbf, COMPS, phase)
    T, x = Symbol("T"), Symbol("x")
    at = {"LI": 1 - x, "NA": x, "VA": 1}
    values = {y: at[y.species.name] for y in model.site_fractions}
    g = model.GM.subs({v.T: T, v.P: 101325, **values})._sympy_()
    return lambdify((T, x), g, "mpmath"), lambdify((T, x), g.diff(x), "mpmath")


@pytest.mark.parametrize("key", ["zhang2003", "santos2025"])
def test_invariants_are_those_of_the_three_phase_conditions(databases, alloys, key):
    invariants = alloys[key].invariants
    assert [invariant.kind for invariant in invariants] == ["eutectic", "monotectic"]
    energies = {phase: gibbs_energy(databases[key], phase) for phase in ("BCC_A2", "LIQUID")}
    for invariant in invariants:

        def conditions(T, *x, phases=invariant.phases):
            points = [
                (energies[name][0](T, at), energies[name][1](T, at), at)
                for (name, _), at in zip(phases, x, strict=True)
            ]
            intercepts = [g - slope * at for g, slope, at in points]
            slopes = [slope for _, slope, _ in points]
            return [part[i] - part[0] for part in (slopes, intercepts) for i in (1, 2)]

        with mp.workdps(40):
            start = invariant.T, *(x for _, x in invariant.phases)
            T, *x = mp.findroot(conditions, start, tol=1e-40)
        assert invariant.T == pytest.approx(float(T), abs=1e-8)
        found = [at for _, at in invariant.phases]
        assert found == pytest.approx([float(at) for at in x], abs=1e-9)


def test_liquid_is_present_above_the_invariants(alloys):
    alloy = alloys["santos2025"]
    eutectic = alloy.invariant("eutectic").T
    T = np.array([eutectic - 0.02, eutectic + 0.02])
    assert alloy.liquid_present(np.full(2, 0.5), T).tolist() == [False, True]
