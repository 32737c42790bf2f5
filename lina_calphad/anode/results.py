"""What there is to know of one anode: every table that answers a study."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from pycalphad import Database
from scipy.special import expit, logit

from lina_calphad.anode.charge import Depth
from lina_calphad.anode.cycling import CycleProfile, cycle, cycle_profile
from lina_calphad.anode.diffusion import DepthProfile, depth_profile
from lina_calphad.anode.lengths import gradient_energy, sizes, waves
from lina_calphad.anode.map import chart, solid_rows, windows
from lina_calphad.anode.notes import notes
from lina_calphad.anode.phases import phases
from lina_calphad.anode.potential import hysteresis, potential
from lina_calphad.anode.side_by_side import verdicts
from lina_calphad.anode.stripping import (
    StrippingPath,
    initial_composition,
    stripped_composition,
    stripped_share,
)
from lina_calphad.anode.windows import BOUNDARIES, keys, regions, tidy
from lina_calphad.checks import Array
from lina_calphad.diagram.alloy import Alloy
from lina_calphad.errors import OutsideAssessedRange
from lina_calphad.phase.bands import Bands, bands
from lina_calphad.phase.draws import ParameterDraws
from lina_calphad.phase.kinetics import CAPILLARY_LENGTH, DIFFUSIVITY, Arrhenius, Estimate
from lina_calphad.phase.tally import NAMES

#: Mole fraction of Na up to which potentials are tabled.
VOLTAGE_END = 0.9999
_NEIGHBOURS = (0.1, 1.0, 10.0)  # factors of a diffusivity that is known to an order of magnitude

# What of a study is written in which file; curves and depths are too long for the JSON.
_FILES = {
    "assessments": "verdicts", "windows": "windows", "path": "crossed", "depths": "at_depths",
    "phases": "phases", "voltage": "voltage", "hysteresis": "hysteresis", "waves": "waves",
    "coarsening": "sizes", "estimates": "estimated", "sensitivity": "sensitivity",
    "uncertainty": "uncertainty", "cycle": "cycles", "profile": "depth", "crossings": "crossings",
    "interface": "interface", "cycle_profile": "cycle_depth", "map": "chart",
}  # fmt: skip
_LONG = ("voltage", "profile", "cycle_profile", "map")


@dataclass(frozen=True, eq=False)
class Study:
    """What there is to know of an anode of one composition; its tables are made when asked for.

    Parameters
    ----------
    description
        The assessment.
    x0, T
        Mole fraction of Na before stripping, and temperatures in K, shape (n,).
    path
        Its stripping path at each temperature.
    density, depths, draws
        As of `study`.
    current
        In A/m² at each temperature; None if not given.
    stripped, cycled
        Shares of the Li at which depth profiles end, and between which the anode is cycled, at
        each temperature; None if not given.
    rest
        In s, after each step of a cycle.
    diffusivity
        In m²/s at each temperature.
    law
        What it comes from, as given.
    others
        Assessments to compare with.
    asked
        Whether depths were asked for.
    """

    description: Alloy
    x0: float
    T: Array
    path: StrippingPath
    density: float | None
    depths: tuple[Depth, ...]
    draws: tuple[Database, ParameterDraws] | None
    current: Array | None
    stripped: Array | None
    cycled: Array | None
    rest: float
    diffusivity: Array
    law: float | Arrhenius | None
    others: tuple[Alloy, ...]
    asked: bool

    def __repr__(self) -> str:
        levels = ", ".join(f"{T:g}" for T in self.T)
        return f"<Study of {self.description.name} from x0 = {self.x0:g} at {levels} K>"

    @property
    def thickness(self) -> float | None:
        """Of the foil before stripping in m."""
        foil = self.path.foil.thickness
        return None if foil is None else float(foil.flat[0])

    @property
    def notes(self) -> tuple[str, ...]:
        """What the numbers do not know, what matters most first."""
        return tuple(notes(self))

    def tables(self) -> dict[str, pd.DataFrame]:
        """Every table by the name of its file."""
        return self._tables(_FILES)

    def _tables(self, files: Iterable[str]) -> dict[str, pd.DataFrame]:
        tables = {name: getattr(self, _FILES[name]) for name in files}
        return {name: table for name, table in tables.items() if table is not None}

    def to_dict(self) -> dict[str, Any]:
        """Input and every table but those of curves and depths, for JSON; None for missing."""
        tables = self._tables(name for name in _FILES if name not in _LONG)
        return {
            "assessment": self.description.name,
            "x0": self.x0,
            "T": self.T.tolist(),
            "region": keys(self.path.start).tolist(),
            "notes": self.notes,
            "exhausted_at": [profile.exhausted_at for profile in self.profiles],
            **{n: t.astype(object).where(t.notna(), None).to_dict("records")
               for n, t in tables.items()},
        }  # fmt: skip

    # -- the alloy --

    @cached_property
    def verdicts(self) -> pd.DataFrame:
        """What each assessment says."""
        return verdicts(self.x0, self.T, [self.description, *self.others])

    @cached_property
    def windows(self) -> pd.DataFrame:
        """One row a temperature and range of composition, from pure Li to pure Na."""
        return windows(self.description, self.T)

    @cached_property
    def chart(self) -> pd.DataFrame:
        """For the map: boundaries over temperature, and between which compositions is liquid."""
        return chart(self.description, self.T)

    @cached_property
    def hysteresis(self) -> pd.DataFrame:
        """Between which potentials stripping and plating lie."""
        return hysteresis(self.T, self.description)

    # -- stripping --

    @cached_property
    def crossed(self) -> pd.DataFrame:
        """The path with the potential at each boundary."""
        rows = self.path.to_dataframe()
        return rows.join(self._volts(rows["x"], rows["T"]))

    @cached_property
    def at_depths(self) -> pd.DataFrame:
        """One row a temperature and depth: what the anode is there, and what starts to unmix there.

        `x0_wanted` is the alloy that enters the coherent spinodal at that depth, or `reason` why
        there is none; `porosity` is that of a body whose lattice does not collapse.
        """
        foil, frames = self.path.foil, []
        for depth in self.depths:
            q = foil.share(depth)
            x, left = stripped_composition(self.x0, q), foil.left(q)
            columns = {"T": self.T, "depth": str(depth), "q": q, **foil.charges(q)}
            if foil.thickness is not None:
                columns["thickness_m"] = foil.thickness * left
            columns |= {"porosity": 1 - left, "x": x}
            columns["region"] = regions(x, self.T, self.description).key
            wanted = [self._wanted(depth, T) for T in self.T.tolist()]
            frame = pd.DataFrame(columns).join(self._volts(x, self.T))
            frames.append(frame.join(pd.DataFrame(wanted, columns=["x0_wanted", "reason"])))
        table = pd.concat(frames, ignore_index=True)
        return table.sort_values(["T", "q"], kind="stable", ignore_index=True)

    def _wanted(self, depth: Depth, T: float) -> tuple[float, str]:
        foil: dict[str, Any] = {"thickness": self.thickness, "density": self.density}
        try:
            x0 = float(initial_composition(depth, T, source=self.description, **foil))
        except OutsideAssessedRange as error:
            return np.nan, str(error)
        return x0, f"there is no coherent spinodal at {T:g} K" if np.isnan(x0) else ""

    @cached_property
    def phases(self) -> pd.DataFrame:
        """Phases and their amounts before stripping (depth 0) and at each depth."""
        frames = []
        for depth in (Depth(0.0), *self.depths):
            q = self.path.foil.share(depth)
            found = phases(stripped_composition(self.x0, q), self.T, self.description)
            points = found.pop("point")
            frames.append(found.assign(depth=str(depth), q=q[points]))
        return pd.concat(frames, ignore_index=True)

    @cached_property
    def voltage(self) -> pd.DataFrame:
        """Potential of each state along stripping, finely over composition; bands with draws."""
        grid = expit(np.linspace(logit(self.x0), logit(VOLTAGE_END), 200))
        even = stripped_composition(self.x0, np.linspace(0, 0.99, 100))
        x = np.unique(np.concatenate([grid, even]))
        x = x[(self.x0 <= x) & (x <= max(VOLTAGE_END, self.x0))]
        q = stripped_share(self.x0, x)
        charges = self.path.foil.charges(q[:, None])
        columns = {"T": self.T[:, None], "x": x, "q": q}
        table = tidy(columns | {name: charge.T for name, charge in charges.items()})
        return table.join(self._volts(table["x"], table["T"], self.draws))

    def _volts(self, x: ArrayLike, T: ArrayLike, draws: Any = None) -> pd.DataFrame:
        """The columns of potentials alone."""
        found = potential(x, T, self.description, draws=draws)
        return found.to_dataframe().filter(like="E_")

    # -- at a current, and back --

    def _runs(self) -> list[dict[str, Any]]:
        """What a profile at each temperature is computed from; none without a current."""
        if self.current is None:
            return []
        given = {"x0": self.x0, "thickness": self.thickness, "source": self.description}
        names = ("T", "current_density", "diffusivity")
        each = zip(self.T.tolist(), self.current.tolist(), self.diffusivity.tolist(), strict=True)
        return [given | dict(zip(names, values, strict=True)) for values in each]

    @cached_property
    def profiles(self) -> tuple[DepthProfile, ...]:
        """Depth profile at each temperature; empty without a current."""
        ends = [None] * self.T.size if self.stripped is None else self.stripped
        return tuple(
            depth_profile(**run, q=None if end is None else np.linspace(0, end, 11))
            for run, end in zip(self._runs(), ends, strict=False)
        )

    @cached_property
    def depth(self) -> pd.DataFrame | None:
        """Composition over the depth; None without a current."""
        return _joined(profile.to_dataframe().assign(T=profile.T) for profile in self.profiles)

    @cached_property
    def crossings(self) -> pd.DataFrame | None:
        """When either side of the foil crosses each boundary; None without a current."""
        return _joined(p.crossings_dataframe().assign(T=p.T) for p in self.profiles)

    @cached_property
    def interface(self) -> pd.DataFrame | None:
        """Potential at the interface, and what it has over that of the mean."""
        frames = []
        for profile in self.profiles:
            x = profile.x[:, -1]
            # Where all Li has gone there is no potential.
            mean = np.minimum(stripped_composition(profile.x0, profile.q), 1 - 1e-12)
            here, slow = (self._volts(at, profile.T) for at in (np.minimum(x, 1 - 1e-12), mean))
            over = (here - slow).rename(columns=lambda name: f"over_{name[2:]}")
            frame = pd.DataFrame({"T": profile.T, "x_interface": x}).join(here)
            frame = frame.assign(q=profile.q, t_s=profile.t, x_mean=mean).join(over)
            frame.loc[x >= 1 - 1e-12, [*here, *over]] = np.nan
            frames.append(frame)
        return _joined(frames)

    @cached_property
    def sensitivity(self) -> pd.DataFrame | None:
        """When both sides enter the coherent spinodal, and the end, by diffusivity."""
        rows = []
        for run, factor in product(self._runs(), _NEIGHBOURS):
            D = factor * run["diffusivity"]
            try:
                found = depth_profile(**run | {"diffusivity": D})
            except ValueError:  # beyond what the profile resolves
                continue
            near, far = found.crossings["coherent spinodal alpha"]
            row = {"T": run["T"], "diffusivity": D, "q_interface": near, "q_collector": far}
            rows.append(row | {"q_exhausted": found.exhausted_at})
        return pd.DataFrame(rows) if self.current is not None else None

    @cached_property
    def cycles(self) -> pd.DataFrame | None:
        """What a slow cycle runs through; None without one."""
        each = () if self.cycled is None else zip(self.T.tolist(), *self.cycled.T, strict=True)
        return _joined(cycle(self.x0, T, self.description, low=a, high=b) for T, a, b in each)

    @cached_property
    def cycle_profiles(self) -> tuple[CycleProfile, ...]:
        """Depth profiles over two cycles at each temperature; empty without a current."""
        ends: Iterable[Any] = [] if self.cycled is None else self.cycled
        return tuple(
            cycle_profile(**run, low=low, high=high, rest=self.rest)
            for run, (low, high) in zip(self._runs(), ends, strict=False)
        )

    @cached_property
    def cycle_depth(self) -> pd.DataFrame | None:
        """Both sides of the foil over two cycles; None without a cycle at a current."""
        return _joined(profile.to_dataframe() for profile in self.cycle_profiles)

    # -- lengths and times --

    @cached_property
    def estimates(self) -> tuple[Estimate, ...]:
        """Inputs that nobody measured for this purpose."""
        given = DIFFUSIVITY.basis if self.law is None else "as given"
        if isinstance(self.law, Arrhenius):
            D = [Estimate(f"diffusivity at {T:g} K", float(each), "m²/s", f"{given}: {self.law}")
                 for T, each in zip(self.T, self.diffusivity, strict=True)]  # fmt: skip
        else:
            D = [Estimate("diffusivity", float(self.diffusivity[0]), "m²/s", given)]
        kappas = gradient_energy(self.description, self.T)
        basis = "pairs of nearest neighbours, Cahn & Hilliard 1958"
        kappa = [Estimate(f"gradient energy at {T:g} K", float(each), "J m²/mol", basis)
                 for T, each in zip(self.T, kappas, strict=True)]  # fmt: skip
        return (*D, CAPILLARY_LENGTH, *kappa)

    @cached_property
    def estimated(self) -> pd.DataFrame:
        """The same as a table."""
        return pd.DataFrame([asdict(estimate) for estimate in self.estimates])

    @cached_property
    def waves(self) -> pd.DataFrame:
        """Waves over both spinodals at each temperature; empty without any."""
        return waves(self.description, self.T, self.diffusivity)

    @cached_property
    def sizes(self) -> pd.DataFrame:
        """Sizes after some times: in bulk, along interfaces, and through either solution."""
        return sizes(self.description, self.T, self.diffusivity)

    # -- how sure --

    @cached_property
    def spread(self) -> Bands | None:
        """Where draws put the boundaries, at the temperatures of a study and over the map."""
        if not self.draws:
            return None
        rows, solid = self.chart["T"], self.chart["T"][solid_rows(self.chart)]
        return bands(*self.draws, np.unique([*rows[::5], solid.max(), *self.T]))

    @cached_property
    def uncertainty(self) -> pd.DataFrame | None:
        """What draws make of the boundaries and of the shares stripped there; None without draws.

        Only what lies ahead of the alloy is reached; where draws have no gap it is missing.
        """
        if self.spread is None:
            return None
        drawn = self.spread.to_dataframe()
        drawn["boundary"] = drawn["kind"] + " " + drawn["branch"]
        here = drawn.set_index(["boundary", "T"]).loc[[*product(BOUNDARIES, self.T)]].reset_index()
        table = here[["T", "boundary", "share_with_gap"]].copy()
        for name in NAMES:
            x = table[f"x_{name}"] = here[f"x_{name}"]
            ahead = x > self.x0
            table[f"q_{name}"] = np.where(ahead, stripped_share(self.x0, x.where(ahead, 1)), np.nan)
        return table


def _joined(frames: Iterable[pd.DataFrame]) -> pd.DataFrame | None:
    """One table of several, None of none."""
    some = [*frames]
    return pd.concat(some, ignore_index=True) if some else None
