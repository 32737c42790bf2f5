"""Length and time of unmixing: the fastest-growing wave of a spinodal, and coarsening after it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import constants

from lina_calphad.checks import Array, Flags, fraction, within
from lina_calphad.phase.coherent import CoherentModel
from lina_calphad.phase.energy import R
from lina_calphad.phase.solution import BinarySolution


@dataclass(frozen=True)
class Estimate:
    """An input that nobody measured for this purpose: its name, value, SI unit and basis."""

    quantity: str
    value: float
    unit: str
    basis: str


#: Of Li and Na in the alloy.
DIFFUSIVITY = Estimate(
    "diffusivity", 1e-14, "m²/s",
    "Pereira dos Santos et al. 2025, section 3.3: of the order of 1e-10 cm²/s for Li and Na "
    "between room temperature and 60 °C; here the same at all compositions",
)  # fmt: skip


@dataclass(frozen=True)
class Arrhenius:
    """A diffusivity D0 exp(-Q/RT) in m²/s.

    Parameters
    ----------
    D0
        In m²/s.
    Q
        Activation energy in J/mol.

    Examples
    --------
    >>> D = Arrhenius.through((1e-14, 298.15), (4e-14, 333.15))
    >>> D(np.array([298.15, 333.15])).round(16).tolist()
    [1e-14, 4e-14]
    """

    D0: float
    Q: float

    @classmethod
    def through(cls, one: tuple[float, float], other: tuple[float, float]) -> Arrhenius:
        """Through two diffusivities in m²/s, each with its temperature in K."""
        (D1, T1), (D2, T2) = one, other
        if T1 == T2:
            msg = f"two diffusivities need two temperatures; both are at {T1:g} K"
            raise ValueError(msg)
        Q = R * np.log(D2 / D1) / (1 / T1 - 1 / T2)
        return cls(float(D1 * np.exp(Q / (R * T1))), float(Q))

    def __call__(self, T: ArrayLike) -> Array:
        """At temperatures in K."""
        D: Array = self.D0 * np.exp(-self.Q / (R * np.asarray(T, dtype=float)))
        return D

    def __str__(self) -> str:
        return f"D0 = {self.D0:.3g} m²/s, Q = {self.Q / 1000:.3g} kJ/mol"


#: Twice the interface energy times the molar volume over RT.
CAPILLARY_LENGTH = Estimate(
    "capillary length", 3e-10, "m",
    "atomic scale, Pereira dos Santos et al. 2025, section 3.3; the number is ours, the distance "
    "of neighbours in bcc Li being 2.96 Å",
)  # fmt: skip
#: Range of temperature in K in which `DIFFUSIVITY` was stated: 20 to 60 °C.
DIFFUSIVITY_STATED = (293.15, 333.15)
#: What a solubility is, in errors.
SOLUBILITY = "a solubility is a mole fraction"
#: What is taken for a diffusivity in m²/s.
DIFFUSIVITY_RANGE = (1e-30, 1e-6)

#: Growth of a mean size R with time, by what carries the atoms.
LAWS = {
    "bulk": "(d0 D t)^(1/3): diffusion through both phases (the paper's section 3.3)",
    "interface": "(d0^2 D t)^(1/4): diffusion along interfaces, one capillary length thick and no "
    "faster than in the bulk",
    "dilute": "(4/9 d0 x D t)^(1/3): diffusion of the few atoms dissolved in a matrix, of mole "
    "fraction x (Lifshitz & Slyozov 1961, Wagner 1961)",
}


@dataclass(frozen=True, eq=False)
class FastestWave:
    """The composition wave that grows fastest in a spinodal, over mole fraction and T in K.

    Its wavelength in m (shorter waves than 1/sqrt(2) of it shrink) and the rate of its amplitude in
    1/s are of the shape to which both broadcast, NaN where it is stable (see `unstable`).
    """

    x: Array
    T: Array
    wavelength: Array
    rate: Array

    @property
    def unstable(self) -> Flags:
        """Where the solution lies inside its spinodal, and waves grow."""
        return ~np.isnan(self.rate)

    def __repr__(self) -> str:
        return f"<FastestWave at {self.x.size} points; {self.unstable.sum()} of them unstable>"

    def to_dataframe(self) -> pd.DataFrame:
        """One row a point; a missing value where the solution is stable."""
        names = {"x": self.x, "T": self.T, "wavelength_m": self.wavelength, "rate_per_s": self.rate}
        return pd.DataFrame({name: array.ravel() for name, array in names.items()})


@dataclass(frozen=True, eq=False)
class Coarsening:
    """Mean size of the phases in m by law (`LAWS`), each of the shape of the time `t` in s."""

    t: Array
    size: dict[str, Array]

    def __repr__(self) -> str:
        return f"<Coarsening at {self.t.size} times by {', '.join(self.size)}>"

    def to_dataframe(self) -> pd.DataFrame:
        """One row a time."""
        sizes = {f"{law}_m": size.ravel() for law, size in self.size.items()}
        return pd.DataFrame({"t_s": self.t.ravel(), **sizes})


def neighbour_distance(molar_volume: ArrayLike) -> Array:
    """Distance in m of nearest neighbours in a bcc crystal of a molar volume in m³/mol.

    Examples
    --------
    >>> float(neighbour_distance(1.2044e-5).round(13))  # Li: half the diagonal of 3.42 Å
    2.962e-10
    """
    edge = np.cbrt(2 * np.asarray(molar_volume, dtype=float) / constants.N_A)
    result: Array = np.sqrt(3) / 2 * edge
    return result


def gradient_energy(solution: BinarySolution, T: ArrayLike, distance: ArrayLike) -> Array:
    r"""Estimate the gradient energy coefficient in J m²/mol from the energy of mixing.

    :math:`\kappa = \tfrac16 L r^2` for pairs of nearest neighbours at distance r, with
    :math:`L = 4\,G_{xs}(x=\tfrac12)` (Cahn & Hilliard, J. Chem. Phys. 28 (1958) 258, whose
    :math:`\kappa` this is: the energy is the integral of
    :math:`G(x) + \kappa\,|\nabla x|^2`, without a factor of one half).

    Parameters
    ----------
    solution
        The chemical description: coherency is no interaction of neighbours.
    T
        Temperature in K.
    distance
        In m; `neighbour_distance` for bcc.

    Raises
    ------
    ValueError
        If a distance does not lie between 1e-10 and 1e-9 m, or the solution is a coherent one.

    Examples
    --------
    >>> from lina_calphad import BinarySolution, load
    >>> bcc = BinarySolution(load("santos2025"), ("LI", "NA"), "BCC_A2")
    >>> float(gradient_energy(bcc, 300.0, 2.962e-10))
    2.940...e-16
    """
    if issubclass(solution.model, CoherentModel):
        raise ValueError(
            f"a gradient energy comes from bonds, not from coherency: {solution} has the latter"
        )
    distance = within(distance, (1e-10, 1e-9), "a distance of neighbours is in m")
    middle, first, second = (solution.gibbs_energy(T, x) for x in (0.5, 0.0, 1.0))
    excess = middle - (first + second) / 2 + R * np.asarray(T) * np.log(2)
    result: Array = 4 * excess * distance**2 / 6
    return result


def mobility(x: ArrayLike, T: ArrayLike, diffusivity: ArrayLike = DIFFUSIVITY.value) -> Array:
    """Mobility D x (1 - x)/RT in m² mol/(J s), with which dx/dt = div(M grad dG/dx).

    Then the interdiffusion coefficient is D psi, with the thermodynamic factor psi of
    `BinarySolution.stability`: D in a dilute solution, less in a concentrated one. Where psi
    is negative there is no diffusion coefficient: the solution unmixes (`fastest_wave`).

    Parameters
    ----------
    x, T
        Mole fraction and temperature in K, broadcast together.
    diffusivity
        In m²/s, the same of both components.
    """
    x, T = np.asarray(x, dtype=float), np.asarray(T, dtype=float)
    result: Array = _diffusivity(diffusivity) * x * (1 - x) / (R * T)
    return result


def growth_rate(
    solution: BinarySolution,
    x: ArrayLike,
    T: ArrayLike,
    wavelength: ArrayLike,
    kappa: ArrayLike,
    diffusivity: ArrayLike = DIFFUSIVITY.value,
) -> Array:
    r"""Rate at which a weak composition wave grows, in 1/s; it shrinks where negative.

    :math:`-M \beta^2 (G'' + 2 \kappa \beta^2)` with :math:`\beta = 2\pi/\lambda` (Cahn, Acta
    Metall. 9 (1961) 795). Coherent with a coherent `solution`, whose G'' holds 2B.

    Parameters
    ----------
    solution
        The description, chemical or coherent.
    x, T
        Mean mole fraction of the second component, between 0 and 1, and temperature in K.
    wavelength
        In m.
    kappa
        Gradient energy coefficient in J m²/mol, as of `gradient_energy`.
    diffusivity
        In m²/s; see `mobility`. All arrays broadcast together.

    Raises
    ------
    ValueError
        If an argument is out of its range.
    """
    curvature, x, kappa = _wave(solution, x, T, kappa)
    beta = 2 * np.pi / within(wavelength, (1e-12, 1.0), "a wavelength is in m")
    return -mobility(x, T, diffusivity) * beta**2 * (curvature + 2 * kappa * beta**2)


def fastest_wave(
    solution: BinarySolution,
    x: ArrayLike,
    T: ArrayLike,
    kappa: ArrayLike,
    diffusivity: ArrayLike = DIFFUSIVITY.value,
) -> FastestWave:
    r"""Wavelength and rate of the wave that grows fastest (Cahn, Acta Metall. 9 (1961) 795).

    :math:`\lambda = 4\pi \sqrt{\kappa/|G''|}` and :math:`M G''^2/8\kappa`. A wavelength of
    a few ångström is beyond what a gradient energy can describe: take it for "atomic".

    Parameters
    ----------
    solution, x, T, kappa, diffusivity
        As of `growth_rate`, which says what it raises, too.

    Examples
    --------
    >>> from lina_calphad import BinarySolution, load
    >>> bcc = BinarySolution(load("santos2025"), ("LI", "NA"), "BCC_A2")
    >>> wave = fastest_wave(bcc, [0.03, 0.1, 0.3], 300.0, kappa=2.94e-16)
    >>> (wave.wavelength * 1e9).round(2).tolist()  # nm; 3 at.% is stable
    [nan, 1.07, 1.05]
    """
    curvature, x, kappa = _wave(solution, x, T, kappa)
    curvature, x, T, kappa, M = np.broadcast_arrays(
        curvature, x, np.asarray(T, dtype=float), kappa, mobility(x, T, diffusivity)
    )
    driving = np.where(curvature < 0, -curvature, np.nan)
    return FastestWave(x, T, 4 * np.pi * np.sqrt(kappa / driving), M * driving**2 / (8 * kappa))


def coarsening(
    t: ArrayLike,
    solubility: ArrayLike,
    *,
    diffusivity: ArrayLike = DIFFUSIVITY.value,
    capillary_length: ArrayLike = CAPILLARY_LENGTH.value,
) -> Coarsening:
    """Mean size of the phases that coarsening reaches in a time, by each of `LAWS`.

    Laws of scaling: their factors are one but for that of the dilute phase.

    Parameters
    ----------
    t
        Time in s.
    solubility
        Mole fraction of the dilute component in the matrix.
    diffusivity, capillary_length
        In m²/s and m, the latter twice the interface energy times the molar volume over RT.
        All arrays broadcast together.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Examples
    --------
    A day, with the estimates of the paper and a solubility of 3e-5:

    >>> found = coarsening(86400.0, 3.1e-5)
    >>> {law: f"{size * 1e6:.3f} µm" for law, size in found.size.items()}
    {'bulk': '0.638 µm', 'interface': '0.094 µm', 'dilute': '0.015 µm'}
    """
    t = within(t, (0.0, 1e12), "a time is in s")
    x = within(solubility, (0.0, 1.0), SOLUBILITY)
    d0 = within(capillary_length, (1e-11, 1e-6), "a capillary length is in m")
    volume = d0 * _diffusivity(diffusivity) * t
    sizes = (np.cbrt(volume), (d0 * volume) ** 0.25, np.cbrt(4 / 9 * x * volume))
    t, *arrays = np.broadcast_arrays(t, *sizes)
    return Coarsening(t, dict(zip(LAWS, arrays, strict=True)))


def time_to_reach(
    size: ArrayLike,
    law: str = "bulk",
    solubility: ArrayLike | None = None,
    *,
    diffusivity: ArrayLike = DIFFUSIVITY.value,
    capillary_length: ArrayLike = CAPILLARY_LENGTH.value,
) -> Array:
    """Time in s after which `coarsening` reaches a size in m; its inverse.

    Only the law "dilute" takes, and needs, a solubility. ValueError if there is no such
    law, or an argument is missing or out of its range.

    Examples
    --------
    >>> [round(float(time_to_reach(1e-6, law)) / 86400) for law in ("bulk", "interface")]  # days
    [4, 12860]
    """
    if law not in LAWS:
        raise ValueError(f"laws of coarsening are {', '.join(LAWS)}; got {law!r}")
    if law == "dilute" and solubility is None:
        raise ValueError("coarsening through a dilute phase needs its solubility")
    size = within(size, (0.0, 1.0), "a size is in m")
    x = within(1.0 if solubility is None else solubility, (1e-300, 1.0), SOLUBILITY)
    one = coarsening(1.0, x, diffusivity=diffusivity, capillary_length=capillary_length)
    return (size / one.size[law]) ** (4 if law == "interface" else 3)


def _wave(
    solution: BinarySolution, x: ArrayLike, T: ArrayLike, kappa: ArrayLike
) -> tuple[Array, Array, Array]:
    """G'' in J/mol, and the mean composition and the gradient energy, checked."""
    x = fraction(x, "the mean mole fraction of a wave", ends=False)
    kappa = within(kappa, (1e-20, 1e-10), "a gradient energy coefficient is in J m²/mol")
    curvature: Array = R * np.asarray(T) * solution.stability(T, x) / (x * (1 - x))
    return curvature, x, kappa


def _diffusivity(value: ArrayLike) -> Array:
    return within(value, DIFFUSIVITY_RANGE, "a diffusivity is in m²/s")
