"""A phase of a binary for the solver: its energy over RT and its amounts. Numbers only.

A phase of one mixing sublattice has the site fraction y and t = ln(y/(1-y)); one of fixed
composition has neither. With the chemical potentials of both components, in units of RT,
s = mu_B - mu_A grows with t on every stable branch, and a = mu_A falls with s: da/ds = -x, the
mole fraction of B. Rows are as in `lina_calphad.phase.ranges`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import expit, log_expit, logit

from lina_calphad.phase.gap import Gap

if TYPE_CHECKING:
    from collections.abc import Callable

    from lina_calphad.checks import Array
    from lina_calphad.phase.rows import Rows

# Tails as dilute as doubles go: at the last point a solution is its pure end.
_TAIL = np.concatenate([np.arange(5.5, 8, 0.5), np.arange(8, 30), np.arange(30, 121, 10), [1e6]])
GRID = np.concatenate([-_TAIL[::-1], logit(np.arange(0.005, 0.9975, 0.005)), _TAIL])
#: Potentials that belong to pure ends.
FAR = 5e5
# t beyond which nothing but ideal mixing changes, and a magnetic phase may divide by zero.
_CONSTANT = (-230.0, 36.0)


class Points(NamedTuple):
    """Points on a curve with what does not depend on the phase: worked out once for many rows."""

    t: Array
    y: Array
    inner: Array
    log_rest: Array

    @classmethod
    def of(cls, t: Array) -> Points:
        """Points at t."""
        return cls(t, expit(t), expit(np.clip(t, *_CONSTANT)), log_expit(-t))


@dataclass(frozen=True)
class Phase:
    """A phase by its energy over RT, per mole of sites (or of formula units, if fixed).

    Parameters
    ----------
    name
        In messages.
    terms
        Of a solution: terms(T, y, *values) gives g - y g', g', psi and d psi/dt on a last axis,
        with g the energy without ideal mixing. Of a compound: terms(T, *values) gives g.
    origin
        Amounts of A and B at y = 0, or of the compound.
    change
        How they change with y; None for a compound.
    switches
        switches(T, y, *values) gives on a last axis what changes sign where a condition of the
        energy switches; None where none does.
    """

    name: str
    terms: Callable[..., Array]
    origin: tuple[float, float] = (1.0, 0.0)
    change: tuple[float, float] | None = (-1.0, 1.0)
    switches: Callable[..., Array] | None = None

    @property
    def fixed(self) -> bool:
        """Whether its composition is fixed."""
        return self.change is None

    @cached_property
    def gap(self) -> Gap:
        """The solver for tie-lines within the phase."""
        where = "{:g} K".format
        return Gap(self.terms, self.name, lambda rows: where(np.ravel(rows[0])[0]), self.switches)

    @cached_property
    def _inverse(self) -> Array:
        return np.linalg.inv(np.array([self.origin, self.change]))

    def amounts(self, t: Array) -> tuple[Array, Array]:
        """Logarithms of the amounts of A and B; t is ignored for a compound."""
        with np.errstate(divide="ignore"):
            if self.change is None:
                a, b = np.log(self.origin)
                return np.full(np.shape(t), a), np.full(np.shape(t), b)
            y = expit(t)
            logs = []
            for start, step in zip(self.origin, self.change, strict=True):
                if start == 0 and step:  # nothing at y = 0: as dilute as it gets
                    logs.append(np.log(step) + log_expit(t))
                elif start + step == 0:
                    logs.append(np.log(start) + log_expit(-t))
                else:
                    logs.append(np.log(start + step * y))
        return logs[0], logs[1]

    def logs(self, t: Array) -> tuple[Array, Array]:
        """Ln x_A and ln x_B."""
        a, b = self.amounts(t)
        with np.errstate(invalid="ignore"):  # of no t, as of a compound, there is none
            whole = np.logaddexp(a, b)
        return a - whole, b - whole

    def curve(self, t: Array | Points, rows: Rows) -> tuple[Array, ...]:
        """s, a, x, ds/dt and psi at t; x, too, keeps its digits where it is small."""
        at = t if isinstance(t, Points) else Points.of(t)
        shape = np.broadcast_shapes(at.t.shape, rows[0].shape)
        terms = self.terms(rows[0], np.broadcast_to(at.inner, shape), *rows[1:])
        w, f = at.log_rest + terms[..., 0], at.t + terms[..., 1]
        (a_w, a_f), (b_w, b_f) = self._inverse
        a, s = _sum(a_w, w, a_f, f), _sum(b_w - a_w, w, b_f - a_f, f)
        x, psi = self.x(at.y), terms[..., 2]
        return s, a, x, psi * ((b_f - a_f) - at.y * (b_w - a_w)), psi

    def place(self, logs: tuple[Array, Array]) -> Array:
        """T at ln x_A and ln x_B; infinite at an end of the phase, NaN beyond."""
        assert self.change is not None
        (a, b), (da, db) = self.origin, self.change
        x_a, x_b = np.exp(logs)
        # x_B/x_A = (b + db y)/(a + da y)
        with np.errstate(divide="ignore", invalid="ignore"):
            t: Array = np.log(x_b * a - x_a * b) - np.log(x_a * (b + db) - x_b * (a + da))
        return t

    def pure(self, side: float, rows: Rows) -> Array:
        """Terms of the pure end at y = 0 (side -1) or y = 1."""
        y = expit(_CONSTANT[int(side > 0)])
        return self.terms(rows[0], np.full(rows[0].shape, y), *rows[1:])

    def x(self, y: Array) -> Array:
        """Mole fraction of B; keeps its digits where it is small."""
        assert self.change is not None
        (first, second), (da, db) = self.origin, self.change
        fraction: Array = (second + db * y) / (first + second + (da + db) * y)
        return fraction

    def dx(self, t: Array) -> Array:
        """dx/dt of a solution."""
        assert self.change is not None
        (a, b), (da, db), y = self.origin, self.change, expit(t)
        slope: Array = y * expit(-t) * (db * a - da * b) / (a + b + y * (da + db)) ** 2
        return slope

    def line(self, rows: Rows) -> tuple[Array, Array]:
        """Energy of a compound per mole of atoms, and its x."""
        whole = sum(self.origin)
        energy = self.terms(*rows) / whole
        return energy, np.full(energy.shape, self.origin[1] / whole)


def _sum(one: float, w: Array, two: float, f: Array) -> Array:
    """One w + two f, most often one of the two alone."""
    if not one:
        return two * f
    return one * w + two * f if two else one * w
