"""The Li-Na anode: which microstructure at which composition, temperature and stripped share."""

from lina_calphad.anode.diffusion import DepthProfile, depth_profile
from lina_calphad.anode.stripping import (
    StrippingPath,
    initial_composition,
    stripped_composition,
    stripped_share,
    stripping_path,
)
from lina_calphad.anode.summary import Study, study
from lina_calphad.anode.windows import BOUNDARIES, REGIONS, Regions, describe, regions

__all__ = [
    "BOUNDARIES",
    "REGIONS",
    "DepthProfile",
    "Regions",
    "StrippingPath",
    "Study",
    "depth_profile",
    "describe",
    "initial_composition",
    "regions",
    "stripped_composition",
    "stripped_share",
    "stripping_path",
    "study",
]
