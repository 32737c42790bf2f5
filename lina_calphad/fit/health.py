"""What is doubtful in an assessment: artificial gaps, entropies beyond reason, hidden phases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from pycalphad import Model
from symengine import S

from lina_calphad.data.databases import parameter_text
from lina_calphad.data.interactions import interactions
from lina_calphad.diagram.phases import GRID
from lina_calphad.errors import LinaCalphadError
from lina_calphad.phase.energy import Compiled, T, X, binary_energy

if TYPE_CHECKING:
    from lina_calphad.fit.assess import Assessed

_TEMPERATURES = 120
_FAR = 3.0  # errors beyond which a datum is missed


def health(found: Assessed) -> list[str]:
    """What to know of an assessment, a sentence each; nothing if all is well."""
    return [
        *_minimum(found), *_missed(found), *_hidden(found), *_gaps(found), *_signs(found),
        *_entropies(found),
    ]  # fmt: skip


def _minimum(found: Assessed) -> Iterator[str]:
    tried, same = found.starts
    if same < tried:
        yield f"{same} of {tried} starts came to this minimum, the others to none or a higher one"


def _missed(found: Assessed) -> Iterator[str]:
    data = found.data[(found.data["weight"] > 0) & (found.data["in_sigma"].abs() > _FAR)]
    for row in data.to_dict("records"):
        yield (
            f"{row['name']}, {row['quantity']}: {row['computed']:.6g} for {row['measured']:.6g} "
            f"± {row['error']:.2g}, {row['in_sigma']:+.1f} errors away: data that contradict each "
            "other, or too few parameters"
        )


def _hidden(found: Assessed) -> Iterator[str]:
    """Measured equilibria that another phase hides."""
    system, values = found.problem.system, found.values
    for part in found.problem.invariants:
        for datum, (at, _) in zip(part.items, part.found(values), strict=True):
            if datum.kind == "tie-line" or not np.isfinite(at):
                continue
            try:
                stable = system.invariants(at * (1 - 2e-3), at * (1 + 2e-3), values)
            except LinaCalphadError as error:
                yield f"{datum.name}: whether it is stable is not known: {error}"
                continue
            if not any(abs(one.T - at) < 1e-6 * at for one in stable):
                yield f"{datum.name} at {at:.2f} K is not stable: another phase lies below it"


def _gaps(found: Assessed) -> Iterator[str]:
    """Phases that unmix at high temperature, or mix again at low."""
    low, high = found.recipe.temperature
    grid = np.geomspace(low, high, _TEMPERATURES)
    t = GRID[np.abs(GRID) < 30]
    at, every = (a.ravel() for a in np.meshgrid(grid, t, indexing="ij"))
    rows = (at, *(np.full(at.shape, value) for value in found.values))
    for phase in found.problem.system.phases:
        if phase.fixed:
            continue
        unstable = phase.curve(every, rows)[4].reshape(grid.size, t.size).min(axis=1) < 0
        turns = np.flatnonzero(np.diff(unstable.astype(int)))
        for k in turns:
            if unstable[k + 1]:
                yield (
                    f"{phase.name} mixes below and unmixes above {grid[k]:.0f} K: an artificial "
                    "gap, of parameters that grow with temperature"
                )
        if unstable[-1]:
            yield f"{phase.name} is still unmixed at {high:g} K"


def _signs(found: Assessed) -> Iterator[str]:
    """Parameters that change their sign."""
    problem = found.problem
    grid = np.linspace(*found.recipe.temperature, 600)
    for phase in found.recipe.parameters:
        for parameter in interactions(problem.dbf, phase, found.recipe.components):
            energy = Compiled([S(parameter["parameter"])], problem.symbols)
            curve = energy(grid, np.zeros_like(grid), *found.values[:, None])[:, 0]
            for k in np.flatnonzero(np.diff(np.sign(curve))):
                yield f"{parameter_text(parameter)} changes its sign at {grid[k]:.0f} K"


def excess_entropies(found: Assessed) -> list[tuple[str, str, float]]:
    """Excess entropy of a dilute component in k_B: phase, component and value.

    At the temperature of the data at which it is largest.
    """
    at = np.unique([datum.T for part in found.problem.invariants for datum in part.items] or 298.15)
    system, result = found.problem.system, []
    for phase in found.recipe.parameters:
        energy = binary_energy(
            system.dbf, system.components, phase, Model, system.pressure, system.symbols
        )
        partial = Compiled([-(T * energy.r.diff(X)).diff(T)], system.symbols)
        first, second = system.components
        for solute, x, sign in ((second, 1e-12, 1), (first, 1 - 1e-12, -1)):
            entropy = sign * partial(at, np.full(at.shape, x), *found.values[:, None])[:, 0]
            result.append((phase, solute, float(entropy[np.abs(entropy).argmax()])))
    return result


def _entropies(found: Assessed) -> Iterator[str]:
    for phase, solute, entropy in excess_entropies(found):
        if abs(entropy) > found.recipe.entropy_bound:
            yield (
                f"dilute {solute.title()} in {phase} has an excess entropy of {entropy:+.2f} k_B, "
                f"beyond {found.recipe.entropy_bound:g}"
            )
