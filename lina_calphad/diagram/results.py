"""What a whole binary diagram looks like: tie-lines, invariants and fields as results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from lina_calphad.checks import Array


_LETTER = 0.008  # width of a letter of a label in mole fractions


@dataclass(frozen=True)
class Invariant:
    """What happens at one temperature of a diagram.

    Parameters
    ----------
    kind
        Of three phases "eutectic", "eutectoid", "monotectic", "monotectoid", "metatectic",
        "peritectic", "peritectoid" or "syntectic" ("inverse ..." where a liquid forms on
        cooling); "upper critical point" or "lower critical point"; "congruent maximum" or
        "congruent minimum"; "transition" of a pure component or a compound.
    T
        Temperature in K.
    phases
        Name and mole fraction of the second component of each phase, in order of the latter.
    logs
        ln of the mole fractions of both components in each.
    """

    kind: str
    T: float
    phases: tuple[tuple[str, float], ...]
    logs: tuple[tuple[float, float], ...] = ()

    def x(self, phase: str) -> list[float]:
        """Compositions of a phase there, in ascending order."""
        return [x for name, x in self.phases if name == phase]

    def __str__(self) -> str:
        parts = ", ".join(f"{name} {x:.6g}" for name, x in self.phases)
        return f"{self.kind} at {self.T:.4f} K: {parts}"


@dataclass(frozen=True)
class Invariants(Sequence[Invariant]):
    """Everything that happens between two temperatures, from low to high."""

    found: tuple[Invariant, ...]

    def __len__(self) -> int:
        return len(self.found)

    def __getitem__(self, index: Any) -> Any:
        return self.found[index]

    def of(self, kind: str) -> list[Invariant]:
        """Those of one kind."""
        return [one for one in self.found if one.kind == kind]

    def __repr__(self) -> str:
        return "\n".join(["<Invariants:", *(f"  {one}" for one in self.found)]) + ">"

    def to_dataframe(self) -> pd.DataFrame:
        """One row an invariant; phases and mole fractions in order of composition."""
        import pandas as pd

        rows = []
        for one in self.found:
            row: dict[str, Any] = {"kind": one.kind, "T": one.T}
            for k in range(3):
                name, x = one.phases[k] if k < len(one.phases) else (None, np.nan)
                row |= {f"phase_{k + 1}": name, f"x_{k + 1}": x}
            rows.append(row)
        columns = ["kind", "T", *(f"{n}_{k}" for k in (1, 2, 3) for n in ("phase", "x"))]
        return pd.DataFrame(rows, columns=columns)


class Region(NamedTuple):
    """A range of composition with the phases that are stable there."""

    x_from: float
    x_to: float
    phases: tuple[str, ...]


def label(phases: Sequence[str]) -> str:
    """Name of a region: of its phases in one order, "2 ..." where both are the same."""
    if len(phases) == 2 and phases[0] == phases[1]:
        return f"2 {phases[0]}"
    return " + ".join(sorted(phases))


@dataclass(frozen=True, eq=False)
class TieLines:
    """Two-phase equilibria, in order of temperature and of composition.

    Parameters
    ----------
    T
        Temperature in K of each, shape (n,).
    phases
        Names of both phases, shape (2, n).
    x
        Mole fraction of the second component in both, shape (2, n).
    ln_x, ln_one_minus_x
        Logarithms of the mole fractions of both components, shape (2, n).
    """

    T: Array
    phases: Any
    x: Array
    ln_x: Array
    ln_one_minus_x: Array

    def __repr__(self) -> str:
        return f"<TieLines: {self.T.size} at {np.unique(self.T).size} temperatures>"

    def to_dataframe(self) -> pd.DataFrame:
        """One row a tie-line."""
        import pandas as pd

        columns: dict[str, Any] = {"T": self.T}
        for k in (0, 1):
            columns |= {
                f"phase_{k + 1}": self.phases[k],
                f"x_{k + 1}": self.x[k],
                f"ln_x_{k + 1}": self.ln_x[k],
                f"ln_one_minus_x_{k + 1}": self.ln_one_minus_x[k],
            }
        return pd.DataFrame(columns)


@dataclass(frozen=True, eq=False)
class Field:
    """One two-phase field: its two boundaries over temperature, closed at their ends.

    Parameters
    ----------
    phases
        Names of the phase poor and rich in the second component.
    T
        Temperatures in K, ascending, shape (m,).
    x, ln_x, ln_one_minus_x
        As of `TieLines`, shape (2, m).
    """

    phases: tuple[str, str]
    T: Array
    x: Array
    ln_x: Array
    ln_one_minus_x: Array

    @property
    def label(self) -> str:
        """Names of the phases; "2 ..." where both are the same."""
        return label(self.phases)


@dataclass(frozen=True, eq=False)
class Diagram:
    """A phase diagram of two components.

    Parameters
    ----------
    components
        The two components; x is the mole fraction of the second.
    span
        Lowest and highest temperature in K.
    fields
        The two-phase fields.
    invariants
        What happens between.
    singles
        Temperature, phase, and the two mole fractions between which it is stable alone, at
        each temperature computed.
    """

    components: tuple[str, str]
    span: tuple[float, float]
    fields: tuple[Field, ...]
    invariants: Invariants
    singles: tuple[tuple[float, str, float, float], ...]

    def __repr__(self) -> str:
        low, high = self.span
        return (
            f"<Diagram of {' and '.join(self.components)} from {low:g} to {high:g} K: "
            f"{len(self.fields)} two-phase fields, {len(self.invariants)} invariants>"
        )

    def to_dataframe(self) -> pd.DataFrame:
        """One row a temperature and two-phase field."""
        import pandas as pd

        frames = []
        for number, field in enumerate(self.fields, 1):
            lines = TieLines(
                field.T, [[name] * field.T.size for name in field.phases], field.x, field.ln_x,
                field.ln_one_minus_x,
            )  # fmt: skip
            frames.append(lines.to_dataframe().assign(field=number))
        table = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
        return table.reindex(columns=["field", *table.columns.drop("field", errors="ignore")])

    def regions(self) -> list[tuple[str, float, float, float]]:
        """A label for each region, where it has most room (x, T in K), and its width there."""
        labels = []
        for field in self.fields:
            labels.append((field.label, *self._roomiest(field.T, *field.x)))
        for name, *room in self._connected():
            labels.append((name, *self._roomiest(*room)))
        return labels

    def _roomiest(self, T: Array, low: Array, high: Array) -> tuple[float, float, float]:
        """Where a region is wide, over the height of a line, and how wide; 0 if it is lower."""
        height = 0.03 * (self.span[1] - self.span[0])
        near = np.abs(T[:, None] - T) < height
        left = np.where(near, low, -np.inf).max(axis=1)
        right = np.where(near, high, np.inf).min(axis=1)
        far = np.minimum(np.minimum(T - T.min(), T.max() - T), 4 * height)
        k = int(((right - left).clip(0) * far).argmax())
        width = float(right[k] - left[k]) if far[k] > 0.4 * height else 0.0
        return float(left[k] + right[k]) / 2, float(T[k]), width

    def _connected(self) -> Iterator[tuple[str, Array, Array, Array]]:
        """Single-phase regions, T and both x: ranges that overlap from one T to the next."""
        if not self.singles:
            return
        T, name, low, high = map(np.array, zip(*self.singles, strict=True))
        level = np.unique(T, return_inverse=True)[1]
        joined = (level[:, None] == level + 1) & (name[:, None] == name)
        joined &= (low[:, None] < high) & (low < high[:, None])
        count, region = connected_components(coo_array(joined), directed=False)
        for k in range(count):
            some = region == k
            yield str(name[some][0]), T[some], low[some], high[some]

    def plot(self, ax: Axes | None = None, *, colour: str = "#0072B2", labels: bool = True) -> Axes:
        """Draw boundaries, invariants with their temperatures, and labels of regions.

        Parameters
        ----------
        ax
            Where; a new figure if None.
        colour
            Of the lines.
        labels
            Whether to label regions and invariants.

        Returns
        -------
        matplotlib.axes.Axes
        """
        from matplotlib.figure import Figure

        ax = ax or Figure(figsize=(7.2, 5.4), layout="constrained").subplots()
        for field in self.fields:
            for x in field.x:
                ax.plot(x, field.T, color=colour, linewidth=1.4)
        low, high = self.span
        written: list[tuple[float, float]] = []
        for one in sorted(self.invariants, key=lambda one: -one.T):
            if len(one.phases) == 3:
                xs = [x for _, x in one.phases]
                ax.plot(xs, [one.T] * 3, color=colour, linewidth=1.4)
                # Away from the middle phase, from which boundaries go up or down.
                left, right = max(pairwise(xs), key=lambda pair: pair[1] - pair[0])
                at, width, height = (left + right) / 2, 7 * _LETTER, 0.025 * (high - low)
                apart = all(abs(x - at) > width or up - one.T > height for x, up in written)
                if labels and apart:
                    written.append((at, one.T))
                    ax.annotate(
                        f"{one.T:.1f} K", (at, one.T), (0, 2),
                        textcoords="offset points", ha="center", fontsize="x-small", color="0.3",
                    )  # fmt: skip
            elif "critical" in one.kind:
                ax.plot(one.phases[0][1], one.T, "o", color=colour, markersize=3.5)
        if labels:
            for name, x, T, width in self.regions():
                if width > _LETTER * len(name):
                    ax.text(x, T, name, ha="center", va="center", fontsize="x-small", clip_on=True)
        second = self.components[1].title()
        ax.set(xlim=(0, 1), ylim=(low, high), xlabel=f"mole fraction of {second}")
        ax.set_ylabel("temperature / K")
        return ax
