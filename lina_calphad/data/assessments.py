"""The shipped assessments: what they rest on, what was published of them, and how to load one."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING

from lina_calphad.data.databases import copy_elastic_data
from lina_calphad.data.elasticity import CubicElasticity
from lina_calphad.errors import UnknownAssessment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable

    from pycalphad import Database


@dataclass(frozen=True)
class Published:
    """One number as its source prints it, or as we read its words.

    Parameters
    ----------
    quantity
        What it is, unique within one source.
    value
        The number, in `unit`.
    tolerance
        Half the last printed digit or the source's own uncertainty, in `unit`.
    unit
        Unit of `value` and `tolerance`; "1" for mole fractions.
    where
        Where in the source it stands, with the conditions.
    reading
        If the source has words and no number: how we read them. Value and tolerance are
        ours then.
    doubt
        Why it is not held against the computed value, if so: the source contradicts itself,
        or the result that it speaks of.
    """

    quantity: str
    value: float
    tolerance: float
    unit: str
    where: str
    reading: str = ""
    doubt: str = ""


@dataclass(frozen=True)
class Assessment:
    """A published description of Li-Na and the file that holds it.

    Parameters
    ----------
    key
        What `load` takes.
    title, citation, doi
        The source. `doi` is None where it is not known to us.
    files
        Names of the TDB files, Gibbs energies first, then elastic data.
    temperature_range
        Range in K the description was made for.
    basis
        What the parameters rest on, and what is not known of them.
    recommended_for
        When to use it.
    published
        Numbers its source prints.
    substitution_error
        Standard error in eV of each substitution energy that the bcc parameters rest on.
        It is our assumption, the source states none; None where we have no ground for one.
    """

    key: str
    title: str
    citation: str
    doi: str | None
    files: tuple[str, ...]
    temperature_range: tuple[float, float]
    basis: str
    recommended_for: str
    published: tuple[Published, ...]
    substitution_error: float | None = None

    def __repr__(self) -> str:
        return f"<Assessment {self.key}: {self.citation}>"


_LIQUID = (
    "The liquid and the close-packed interaction terms are those of a K-Li-Na TDB text posted "
    "in pycalphad issue 434, taken for Zhang 2003's because its bcc parameter is the same; "
    "the paper's own table could not be seen."
)
_EUTECTIC = "stated as about 350 K in one place and as about 370 K in another"
#: The elastic data that every assessment shares.
ELASTIC_FILE = "LiNa_elastic.tdb"

_ASSESSMENTS = (
    Assessment(
        key="zhang2003",
        title="Thermodynamic modeling of the Ca-Li-Na system",
        citation="S. Zhang, D. Shin, Z.-K. Liu, Calphad 27 (2003) 235-241",
        doi="10.1016/j.calphad.2003.09.001",
        files=("LiNa_Zhang2003.tdb", ELASTIC_FILE),
        temperature_range=(200.0, 2300.0),
        basis="bcc: one regular-solution parameter, as quoted by Pereira dos Santos et al. 2025. "
        + _LIQUID,
        recommended_for="the liquid, its miscibility gap and the invariants with it",
        published=(
            Published("bcc 0L", 16000.0, 0.0, "J/mol", "quoted in Santos 2025, section 3.1"),
            Published("coherent critical temperature", 205.0, 2.0, "K", "Santos 2025, section 3.2"),
        ),
    ),
    Assessment(
        key="santos2025",
        title="Revisiting the Li-Na system: Ab initio based description of the low-temperature "
        "thermodynamics for battery applications",
        citation="L.C. Pereira dos Santos, M. Mann, C. Schwab, D. Fattakhova-Rohlfing, "
        "M. Finsterbusch, R. Spatschek (2025)",
        doi=None,
        files=("LiNa_Santos2025.tdb", ELASTIC_FILE),
        temperature_range=(1.0, 370.0),
        basis="bcc: 0 K energies of one substituted atom in 128 on each side (VASP, PBE), without "
        "vibrations. " + _LIQUID + " The paper changes bcc alone.",
        recommended_for="bcc below the eutectic: solubilities, spinodals, coherent diagrams",
        published=(
            Published("bcc 0L", 20109.8, 0.05, "J/mol", "section 3.1, eqs. 8 and 9"),
            Published("bcc 1L", 5772.6, 0.05, "J/mol", "section 3.1, eqs. 8 and 9"),
            Published("chemical solubility of Na in Li", 3e-5, 0.5e-5, "1", "section 3.3, room T"),
            Published("chemical spinodal onset", 0.036, 0.0005, "1", "section 3.3, room T"),
            Published(
                "coherent solubility of Na in Li",
                3.8e-3,
                0.1e-3,
                "1",
                "section 3.3, room T; it rounds to 3.7 at 298.15 K and to 3.9 at 300 K, so the "
                "whole last digit is the tolerance",
            ),
            Published("coherent spinodal onset", 0.058, 0.0005, "1", "section 3.3, room T"),
            Published("bcc Li turns close-packed (hcp)", 75.0, 5.0, "K", 'Fig. 1: "around 75 K"'),
            Published("monotectic Li-rich liquid, x(Na)", 0.03, 0.005, "1", "section 3.3, 3 at.%"),
            Published(
                "eutectic temperature, abstract", 350.0, 5.0, "K", "abstract", doubt=_EUTECTIC
            ),
            Published(
                "eutectic temperature, text", 370.0, 5.0, "K", "section 3.1", doubt=_EUTECTIC
            ),
            Published(
                "chemical spinodal onset, old over new",
                2.0,
                0.5,
                "1",
                'section 3.1: "roughly twice as high"',
                "within a quarter",
            ),
            Published(
                "ln of the solubility of Li in Na, new over old",
                1.0,
                0.15,
                "1",
                'section 3.1: "very similar results" in the Arrhenius plot',
                "within 15 % there, though the solubility itself doubles",
            ),
            Published(
                "temperature where eq. 11 is off by half",
                50.0,
                10.0,
                "K",
                'section 3.1: reliable "only at very low temperatures, as at around 50 K the '
                'spinodal concentration is already high"',
                "half as much again as the exact value",
            ),
            Published(
                "coherent Li in Na at 200 K, closed form over exact",
                1.0,
                0.3,
                "1",
                'Fig. 6: "deviate slightly from the exponential asymptotic approximations"',
                "within 30 %",
                "true on the Li side alone: on the Na side the exponent is small",
            ),
            Published(
                "coherent Na in Li, <100> over isotropic",
                1.0,
                0.3,
                "1",
                'section 3.2: the solubility limits "will only weakly be affected" by anisotropy',
                "within 30 %, with the handbook constants of Li at 300 K",
                "the constants of Li, anisotropic by a factor of eight, say otherwise",
            ),
        ),
        substitution_error=0.01,
    ),
)

#: Measured invariants of Li-Na: J. Chem. Soc. Dalton 1975, 1490 (Down, Hubberstey,
#: Pulham) and, for the critical point, Khairulin et al. 2019, doi 10.1134/S1810232819040027.
MEASURED = (
    Published("monotectic temperature", 443.90, 0.05, "K", "Down 1975"),
    Published("monotectic Li-rich liquid, x(Na)", 0.030, 0.0005, "1", "Down 1975"),
    Published("monotectic Na-rich liquid, x(Na)", 0.899, 0.0005, "1", "Down 1975"),
    Published("eutectic temperature", 365.25, 0.05, "K", "Down 1975"),
    Published("eutectic liquid, x(Na)", 0.970, 0.0005, "1", "Down 1975"),
    Published("liquid critical temperature", 576.8, 1.0, "K", "Khairulin 2019"),
    Published("liquid critical composition, x(Na)", 0.359, 0.004, "1", "Khairulin 2019"),
)


@dataclass(frozen=True)
class HandbookConstants:
    """Elastic constants of one bcc element.

    Parameters
    ----------
    element, temperature
        Whose they are, and at what temperature.
    elasticity
        The constants in GPa.
    source
        Where they come from.
    note
        What else is known of them.
    """

    element: str
    temperature: str
    elasticity: CubicElasticity
    source: str
    note: str


@dataclass(frozen=True)
class LatticeConstants:
    """Lattice constants of bcc Li and Na on one basis.

    Parameters
    ----------
    basis
        How they were had, and at what temperature.
    li, na
        In ångström.
    source
        Where they come from.
    """

    basis: str
    li: float
    na: float
    source: str


_MEMORY = "handbook values, quoted from memory"
_POTENTIALS = (
    "embedded-atom potentials fitted to measured moduli (Nichol and Ackland 2016) give {} GPa"
)

#: Cubic constants of Li and Na; none was read in its source.
HANDBOOK_ELASTICITY = (
    HandbookConstants(
        "LI",
        "low T",
        CubicElasticity(14.8, 12.5, 10.8),
        _MEMORY,
        _POTENTIALS.format("14.74, 12.48, 10.73"),
    ),
    HandbookConstants("LI", "300 K", CubicElasticity(13.5, 11.4, 8.8), _MEMORY, ""),
    HandbookConstants(
        "NA",
        "low T",
        CubicElasticity(8.2, 6.8, 5.8),
        _MEMORY,
        _POTENTIALS.format("8.21, 6.71, 5.53"),
    ),
    HandbookConstants("NA", "300 K", CubicElasticity(7.4, 6.2, 4.2), _MEMORY, ""),
)

#: Lattice constants beside those of eq. 12 of Santos 2025, which are in `ELASTIC_FILE`.
LATTICE_CONSTANTS = (
    LatticeConstants(
        "PBE, all-electron, 0 K", 3.4351, 4.1989, "mean of two codes, ACWF verification set"
    ),
    LatticeConstants(
        "measured, room temperature",
        3.5100,
        4.2906,
        "WebElements: lithium at 25 °C, 3.51004 ± 0.00041 Å; sodium at 298 K, 4.2906 Å",
    ),
)


def assessments() -> Mapping[str, Assessment]:
    """List the shipped assessments.

    Returns
    -------
    Mapping[str, Assessment]
        By key, oldest first.

    Examples
    --------
    >>> list(assessments())
    ['zhang2003', 'santos2025']
    >>> assessments()["santos2025"].recommended_for
    'bcc below the eutectic: solubilities, spinodals, coherent diagrams'
    """
    return MappingProxyType({assessment.key: assessment for assessment in _ASSESSMENTS})


def tdb_folder() -> Traversable:
    """Folder of the shipped TDB files, in a wheel and in an editable install alike."""
    package = files("lina_calphad")
    shipped = package / "tdb"
    # An editable install runs from the checkout, where `tdb` stands beside the package.
    return shipped if shipped.is_dir() else package / ".." / "tdb"


def load(key: str, *, elastic: bool = True) -> Database:
    """Load a shipped assessment as a pycalphad Database.

    Parameters
    ----------
    key
        Key of an assessment; see `assessments`.
    elastic
        Whether to add the elastic data of BCC_A2 (V0, C11, C12, C44), which
        `CoherentModel` reads and every other model ignores.

    Returns
    -------
    pycalphad.Database
        A database of its own: change it as you like.

    Raises
    ------
    UnknownAssessment
        If no assessment has this key.

    Examples
    --------
    >>> dbf = load("santos2025")
    >>> sorted(dbf.phases)
    ['BCC_A2', 'FCC_A1', 'HCP_A3', 'LIQUID']
    """
    known = assessments()
    if key not in known:
        near = get_close_matches(key.lower(), known, n=1, cutoff=0.4)
        hint = f"; did you mean {near[0]}?" if near else ""
        if key.lower().endswith(".tdb"):
            hint = "; a TDB file of your own is read by pycalphad.Database"
        msg = f"no assessment is called {key!r}; there are {', '.join(known)}{hint}"
        raise UnknownAssessment(msg)
    gibbs, elastic_file = known[key].files
    dbf = read_shipped(gibbs)
    if elastic:
        copy_elastic_data(read_shipped(elastic_file), dbf)
    return dbf


def read_shipped(name: str) -> Database:
    """Read one of the shipped TDB files by its name."""
    from pycalphad import Database

    return Database.from_string((tdb_folder() / name).read_text(encoding="utf-8"), fmt="tdb")
