"""Mapped phase diagrams: pycalphad's own ignores custom models, ours does not."""

from __future__ import annotations

import pytest
from pycalphad import variables as v
from pycalphad.core.utils import instantiate_models
from pycalphad.mapping import BinaryStrategy
from support import COMPS

from lina_calphad import CoherentModel
from lina_calphad.phase.coherent import EndmemberCoherentModel
from lina_calphad.phase.maps import map_binary

CONDITIONS = {v.T: (150, 260, 10), v.P: 101325, v.X("NA"): (0, 1, 0.02)}
TC_COHERENT = (16000 - 12575.71674646883) / (2 * 8.3145)


def top(strategy) -> float:
    return max(T for data in strategy.get_tieline_data(v.X("NA"), v.T) for T in data.data[0].y)


@pytest.mark.parametrize("model", [CoherentModel, {"BCC_A2": EndmemberCoherentModel}])
def test_a_coherent_map_closes_at_the_coherent_critical_point(databases, model):
    mapped = map_binary(databases["zhang2003"], COMPS, ["BCC_A2"], CONDITIONS, model)
    # pycalphad loses the last tenth of a kelvin under an apex.
    assert top(mapped) == pytest.approx(TC_COHERENT, abs=0.2)


def test_pycalphad_still_ignores_models_in_a_map(databases):
    # When this fails, pycalphad has mended it: map_binary can go.
    dbf = databases["zhang2003"]
    models = instantiate_models(dbf, COMPS, ["BCC_A2"], model=CoherentModel)
    strategy = BinaryStrategy(dbf, COMPS, ["BCC_A2"], CONDITIONS, models=models)
    strategy.do_map()
    assert top(strategy) == pytest.approx(260, abs=10)  # the chemical gap: open at 260 K
