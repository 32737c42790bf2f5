"""The Li-Na anode: which microstructure at which composition, temperature and stripped share."""

from lina_calphad.anode.charge import CRate, Depth
from lina_calphad.anode.cycling import CycleProfile, cycle, cycle_profile
from lina_calphad.anode.diffusion import DepthProfile, depth_profile
from lina_calphad.anode.phases import phases
from lina_calphad.anode.potential import Potential, hysteresis, potential
from lina_calphad.anode.results import Study
from lina_calphad.anode.side_by_side import experiments, verdicts
from lina_calphad.anode.stripping import (
    StrippingPath,
    initial_composition,
    stripped_composition,
    stripped_share,
    stripping_path,
)
from lina_calphad.anode.study import study
from lina_calphad.anode.windows import BOUNDARIES, REGIONS, Regions, describe, regions

__all__ = [
    "BOUNDARIES",
    "REGIONS",
    "CRate",
    "CycleProfile",
    "Depth",
    "DepthProfile",
    "Potential",
    "Regions",
    "StrippingPath",
    "Study",
    "cycle",
    "cycle_profile",
    "depth_profile",
    "describe",
    "experiments",
    "hysteresis",
    "initial_composition",
    "phases",
    "potential",
    "regions",
    "stripped_composition",
    "stripped_share",
    "stripping_path",
    "study",
    "verdicts",
]
