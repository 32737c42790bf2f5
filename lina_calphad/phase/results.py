"""What a miscibility gap looks like: binodal, spinodal and critical point as results."""

from __future__ import annotations

from dataclasses import dataclass, fields
from html import escape
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from lina_calphad.checks import Array, Flags


def span(T: Array) -> str:
    """Temperatures in words, for a repr."""
    if T.size == 1:
        return f"{T.item():g} K"
    return f"{T.size} temperatures, {T.min():g} to {T.max():g} K"


def _lines(values: Array) -> Array:
    """One row a description, one column a temperature."""
    return values.reshape(-1, values.shape[-1] if values.ndim else 1)


class _Table:
    """A result that is a table in a notebook."""

    def to_dataframe(self) -> pd.DataFrame:
        """One row a temperature or description; a missing value where there is no gap."""
        import pandas as pd

        values = {f.name: np.ravel(getattr(self, f.name)) for f in fields(self)}  # type: ignore[arg-type]
        return pd.DataFrame(values)

    def _repr_html_(self) -> str:
        table: str = self.to_dataframe().to_html(index=False, max_rows=12)
        return f"<p>{escape(repr(self))}</p>{table}"


@dataclass(frozen=True, eq=False)
class _Curve(_Table):
    """What a binodal and a spinodal have in common: two branches over temperature."""

    T: Array
    x_alpha: Array
    x_beta: Array

    @property
    def gap(self) -> Flags:
        """Where there is a gap; everything but `T` is NaN elsewhere."""
        return ~(np.isnan(self.x_alpha) & np.isnan(self.x_beta))

    def plot(self, ax: Axes | None = None, **style: Any) -> Axes:
        """Draw both branches, temperature over composition.

        Parameters
        ----------
        ax
            Where to draw; a new figure if None.
        style
            As of `matplotlib.axes.Axes.plot`, such as ``color`` and ``label``.

        Returns
        -------
        matplotlib.axes.Axes
        """
        if ax is None:
            from matplotlib import pyplot as plt

            ax = plt.subplots(layout="constrained")[1]
            ax.set(xlabel="mole fraction of the second component", ylabel="T / K")
        # Of many descriptions each is a line; up one branch and down the other.
        x = np.concatenate([_lines(self.x_alpha), _lines(self.x_beta)[:, ::-1]], axis=1)
        T = np.concatenate([_lines(self.T), _lines(self.T)[:, ::-1]], axis=1)
        style = {
            "label": type(self).__name__.lower(),
            "marker": "o" if x.shape[1] < 3 else "",
        } | style
        (first, *_) = ax.plot(x[0], T[0], **style)
        ax.plot(x[1:].T, T[1:].T, **style | {"color": first.get_color(), "label": "_"})
        return ax

    def __repr__(self) -> str:
        name = type(self).__name__
        if self.T.size == 0:
            return f"<{name} at no temperature>"
        if self.T.size == 1 and self.gap.all():
            ends = (float(np.ravel(branch)[0]) for branch in (self.x_alpha, self.x_beta))
            alpha, beta = ("none" if np.isnan(x) else f"{x:.6g}" for x in ends)
            return f"<{name} at {span(self.T)}: x = {alpha} and {beta}>"
        without = self.T.size - int(self.gap.sum())
        return f"<{name} at {span(self.T)}; {without or 'none'} of them without a gap>"


@dataclass(frozen=True, eq=False, repr=False)
class Binodal(_Curve):
    """Tie-lines of a miscibility gap.

    Every array has the shape of `T`; all but `T` are NaN where there is no gap (see `gap`).

    Parameters
    ----------
    T
        Temperature in K.
    x_alpha, x_beta
        Mole fraction of the second component in the phase poor and rich in it.
        Below about 1e-308 these are zero: the logarithms are not.
    ln_x_alpha, ln_one_minus_x_beta
        Natural logarithms of the dilute component of each phase.
    """

    ln_x_alpha: Array
    ln_one_minus_x_beta: Array


@dataclass(frozen=True, eq=False, repr=False)
class Gaps(Binodal):
    """All tie-lines of a phase, however many gaps it has.

    The fields are those of `Binodal` with the number of the gap on a first axis, in order of
    composition: shape (gaps, ...). Where a temperature has fewer gaps, the last are NaN.
    """

    def to_dataframe(self) -> pd.DataFrame:
        """One row a tie-line, with the number of its gap from 0; none where there is no gap."""
        frame = super().to_dataframe()
        frame.insert(1, "gap", np.repeat(np.arange(len(self.T)), self.T[0].size))
        return frame[self.gap.ravel()].reset_index(drop=True)

    def __repr__(self) -> str:
        if self.T[0].size == 0:
            return "<Gaps at no temperature>"
        numbers = self.gap.sum(axis=0)
        few, many = int(numbers.min()), int(numbers.max())
        count = f"{many}" if few == many else f"{few} to {many}"
        return f"<Gaps at {span(self.T[0])}: {count} at a temperature>"


@dataclass(frozen=True, eq=False, repr=False)
class Spinodal(_Curve):
    """Limits of stability; between them a homogeneous phase unmixes without a barrier.

    `x_alpha` and `x_beta` are mole fractions of the second component, of the shape of `T` in K; NaN
    where there is no gap (see `gap`).
    """


@dataclass(frozen=True)
class CriticalPoint(_Table):
    """A point at which both sides of a miscibility gap become one.

    Parameters
    ----------
    T
        Temperature in K.
    x
        Mole fraction of the second component.
    kind
        "upper" where the phase unmixes below, "lower" where it does above.
    stable
        False under another gap of the phase.
    """

    T: float
    x: float
    kind: Literal["upper", "lower"] = "upper"
    stable: bool = True


@dataclass(frozen=True, eq=False)
class CriticalPoints(_Table):
    """Critical points of many descriptions of one phase: T in K and x; NaN where one has no gap."""

    T: Array
    x: Array

    def __repr__(self) -> str:
        found = int(np.isfinite(self.T).sum())
        return f"<CriticalPoints of {self.T.size} descriptions; {found} have one>"
