"""Charge of a Li-Na anode: how deep a depth is, how thick the foil is then, and rates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import constants

from lina_calphad.checks import Array, within
from lina_calphad.data.assessments import COMPONENTS
from lina_calphad.diagram.alloy import Alloy
from lina_calphad.errors import DatabaseError
from lina_calphad.phase.host_energy import HostEnergy

MAH = constants.milli * constants.hour  # one mAh in coulomb
FARADAY = constants.e * constants.N_A
#: Thickness of a foil in m.
FOIL = (1e-9, 1e-2)
SHARE = "q is the share of the Li stripped"
_DENSITY = (50.0, 25_000.0)  # in kg/m³


class Depth(NamedTuple):
    """How deep an anode is stripped.

    Parameters
    ----------
    value
        How much.
    unit
        Of what: "share" of the Li, or the charge in "mAh/cm²" of foil or "mAh/g" of the alloy
        before stripping.
    """

    value: float
    unit: str = "share"

    def __str__(self) -> str:
        return f"{100 * self.value:g} %" if self.unit == "share" else f"{self.value:g} {self.unit}"


class CRate(float):
    """A current by the hours it takes for all the Li: 2.0 strips it in half an hour."""


@dataclass(frozen=True, eq=False)
class Foil:
    """Charge and size of an anode before stripping; arrays broadcast.

    Parameters
    ----------
    x0
        Mole fraction of Na.
    density
        In kg/m³.
    thickness
        In m; None if not given.
    mass, volume
        Of the elements in g/mol and m³/mol, each a pair.
    given
        Whether the density was given: whatever the alloy, it has that one.
    """

    x0: Array
    density: Array
    thickness: Array | None
    mass: tuple[float, float]
    volume: tuple[Array, Array]
    given: bool = False

    @property
    def per_gram(self) -> Array:
        """Charge of all the Li in mAh per gram of the alloy."""
        lithium, sodium = self.mass
        return (1 - self.x0) * FARADAY / MAH / ((1 - self.x0) * lithium + self.x0 * sodium)

    @property
    def per_area(self) -> Array:
        """Charge of all the Li in mAh/cm²; ValueError without a thickness."""
        if self.thickness is None:
            raise ValueError("a charge per area needs the thickness of the foil, as in 100um")
        # kg/m² into g/cm²
        grams = self.density * self.thickness / constants.gram * constants.centi**2
        return self.per_gram * grams

    def full(self, unit: str) -> Array:
        """All the Li in a unit of `Depth`."""
        if unit == "share":
            return np.ones_like(self.x0)
        return self.per_gram if unit == "mAh/g" else self.per_area

    def share(self, depth: Depth) -> Array:
        """Share of the Li that a depth is; ValueError if that is more than there is."""
        full = self.full(depth.unit)
        wrong = ~((depth.value >= 0) & (depth.value <= full))
        if wrong.any():
            most = Depth(float(full[wrong].flat[0]), depth.unit)
            end = f"from 0 to the {most} of all its Li" if depth.unit != "share" else "from 0 to 1"
            got = f"{depth.value:g}" if depth.unit == "share" else depth
            raise ValueError(
                f"a depth of stripping is a share of the Li, {end}; got {got}"
                if depth.unit == "share"
                else (f"a depth of stripping lies {end}; got {got}")
            )
        return depth.value / full

    def left(self, q: Array) -> Array:
        """Thickness of a dense foil with a share q stripped, over that before."""
        lithium, sodium = self.volume
        before = (1 - self.x0) * lithium + self.x0 * sodium
        return ((1 - self.x0) * (1 - q) * lithium + self.x0 * sodium) / before

    def start(self, x: Array, depth: Depth) -> Array:
        """Mole fraction of Na before stripping of what is at x at a depth.

        Of a foil as thick; negative where none holds that much Li.
        """
        if depth.unit == "share":
            return (1 - depth.value) * x / (1 - depth.value * x)
        # Moles of Li taken from a size, and the size of one mole of either element.
        taken: Any = depth.value * MAH / FARADAY
        size: Any = 1.0
        lithium: Any = self.mass[0]
        sodium: Any = self.mass[1]
        if depth.unit == "mAh/cm²":
            self.per_area  # noqa: B018 - a ValueError without a thickness
            taken, size = taken / constants.centi**2, self.thickness
            lithium, sodium = self.volume
            if self.given:
                lithium, sodium = (m * constants.gram / self.density for m in self.mass)
        rise = x * taken * (sodium - lithium)
        result: Array = x * (size - taken * lithium) / (size + rise)
        return result


def foil(
    alloy: Alloy, x0: Array, T: Array, thickness: ArrayLike | None, density: ArrayLike | None
) -> Foil:
    """The foil of an alloy; a given density scales its molar volumes."""
    mass = tuple(molar_mass(alloy, element) for element in COMPONENTS)
    x0, T = np.broadcast_arrays(x0, T)
    lithium, sodium = (molar_volume(alloy, np.full(T.shape, end), T) for end in (0.0, 1.0))
    grams = ((1 - x0) * mass[0] + x0 * mass[1]) * constants.gram
    dense = grams / molar_volume(alloy, x0, T)
    given = dense if density is None else within(density, _DENSITY, "density is in kg/m³")
    room = dense / given  # how much larger all volumes are
    thick = None if thickness is None else within(thickness, FOIL, "thickness is in m")
    shape = np.broadcast_shapes(x0.shape, given.shape, () if thick is None else thick.shape)
    wide = [np.broadcast_to(a, shape) for a in (x0, given, lithium * room, sodium * room)]
    thick = None if thick is None else np.broadcast_to(thick, shape)
    volume = (wide[2], wide[3])
    return Foil(wide[0], wide[1], thick, mass, volume, density is not None)  # type: ignore[arg-type]


def molar_mass(alloy: Alloy, element: str) -> float:
    """In g/mol, as the database has it."""
    mass = float(alloy.dbf.refstates.get(element, {}).get("mass", 0.0))
    if not mass > 0:
        raise DatabaseError(
            f"{alloy.name} has no mass of {element}: its ELEMENT line gives {mass:g} g/mol"
        )
    return mass


def molar_volume(alloy: Alloy, x: Array, T: Array) -> Array:
    """In m³ per mole of atoms, from the V0 of the database."""
    if x.size == 0:  # pycalphad refuses what NumPy allows
        return x
    fractions, column = np.unique(x, return_inverse=True)
    levels, row = np.unique(T, return_inverse=True)
    volumes = HostEnergy(alloy.chemical).sample("VM", levels, fractions)
    return volumes[row.reshape(T.shape), column.reshape(x.shape)]
