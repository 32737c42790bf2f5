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
    given: bool

    @property
    def per_gram(self) -> Array:
        """Charge of all the Li in mAh per gram of the alloy."""
        charge: Array = (1 - self.x0) * FARADAY / MAH / mixed(self.x0, self.mass)
        return charge

    @property
    def per_area(self) -> Array:
        """Charge of all the Li in mAh/cm²; ValueError without a thickness."""
        if self.thickness is None:
            raise ValueError("a charge per area needs the thickness of the foil, as in 100um")
        grams = self.density * self.thickness / constants.gram * constants.centi**2  # in a cm²
        return self.per_gram * grams

    def charges(self, q: ArrayLike) -> dict[str, Array]:
        """Charge of a share of the Li in each unit that is known, by column of the tables."""
        full = {"capacity_mAh_per_g": self.per_gram}
        if self.thickness is not None:
            full["capacity_mAh_per_cm2"] = self.per_area
        return {column: np.asarray(q) * charge for column, charge in full.items()}

    def share(self, depth: float | Depth) -> Array:
        """Share of the Li that a depth is; ValueError if that is more than there is."""
        depth = depth if isinstance(depth, Depth) else Depth(float(depth))
        if depth.unit == "share":
            full = np.ones_like(self.x0)
        else:
            full = self.per_gram if depth.unit == "mAh/g" else self.per_area
        wrong = ~((depth.value >= 0) & (depth.value <= full))
        if wrong.any():
            most = Depth(float(full[wrong].flat[0]), depth.unit)
            raise ValueError(
                f"a depth of stripping lies from 0 to the {most} of all its Li; got {depth}"
            )
        return depth.value / full

    def left(self, q: ArrayLike) -> Array:
        """Thickness of a dense foil with a share q stripped, over that before."""
        lithium, sodium = self.volume
        left = (1 - self.x0) * (1 - np.asarray(q)) * lithium + self.x0 * sodium
        share: Array = left / mixed(self.x0, self.volume)
        return share

    def start(self, x: Array, depth: Depth) -> Array:
        """Mole fraction of Na before stripping of what is at x at a depth.

        Of a foil as thick; negative where none holds that much Li.
        """
        if depth.unit == "share":
            return (1 - depth.value) * x / (1 - depth.value * x)
        # Moles of Li taken from a size, and the size of one mole of either element.
        taken: Any = depth.value * MAH / FARADAY
        size: Any = 1.0
        lithium, sodium = map(np.asarray, self.mass)
        if depth.unit == "mAh/cm²":
            self.per_area  # noqa: B018 - a ValueError without a thickness
            taken, size = taken / constants.centi**2, self.thickness
            lithium, sodium = self.volume
            if self.given:
                lithium, sodium = (mass * constants.gram / self.density for mass in self.mass)
        result: Array = x * (size - taken * lithium) / (size + x * taken * (sodium - lithium))
        return result


def foil(
    alloy: Alloy, x0: Array, T: Array, thickness: ArrayLike | None, density: ArrayLike | None
) -> Foil:
    """The foil of an alloy; without a density that of its molar volume."""
    lithium, sodium = COMPONENTS
    mass = molar_mass(alloy, lithium), molar_mass(alloy, sodium)
    if density is None:
        dense = mixed(x0, mass) * constants.gram / molar_volume(alloy, x0, T)
    else:
        dense = within(density, _DENSITY, "density is in kg/m³")
    thick = 0.0 if thickness is None else within(thickness, FOIL, "thickness is in m")
    x0, T, dense, thick = np.broadcast_arrays(x0, T, dense, thick)
    volume = molar_volume(alloy, 0.0, T), molar_volume(alloy, 1.0, T)
    return Foil(x0, dense, None if thickness is None else thick, mass, volume, density is not None)


def mixed(x: Any, elements: tuple[Any, Any]) -> Any:
    """Mass or volume of a mole of an alloy from those of its elements."""
    return (1 - x) * elements[0] + x * elements[1]


def molar_mass(alloy: Alloy, element: str) -> float:
    """In g/mol, as the database has it."""
    mass = float(alloy.dbf.refstates.get(element, {}).get("mass", 0.0))
    if not mass > 0:
        raise DatabaseError(
            f"{alloy.name} has no mass of {element}: its ELEMENT line gives {mass:g} g/mol"
        )
    return mass


def molar_volume(alloy: Alloy, x: ArrayLike, T: ArrayLike) -> Array:
    """In m³ per mole of atoms, from the V0 of the database, of the shape of both."""
    x, T = np.broadcast_arrays(np.asarray(x, dtype=float), T)
    if x.size == 0:  # pycalphad refuses what NumPy allows
        return x
    fractions, column = np.unique(x, return_inverse=True)
    levels, row = np.unique(T, return_inverse=True)
    volumes = HostEnergy(alloy.chemical).sample("VM", levels, fractions)
    return volumes[row.reshape(T.shape), column.reshape(x.shape)]


def share_by(x: Array, ratio: float) -> Array:
    """Share of Na by weight or volume, of which a mole of Li has that ratio to one of Na."""
    return x / (x + (1 - x) * ratio)
