"""What a check of consistency says: identities, each with both sides and a verdict."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from lina_calphad.checks import Array

Verdict = Literal["holds", "fails", "no gap", "did not converge", "not applicable"]

_PLURAL = {"holds": "hold", "fails": "fail"}


@dataclass(frozen=True)
class Identity:
    """One identity, with both sides where they differ most.

    Parameters
    ----------
    name
        Its name.
    formula
        What is compared with what, in words.
    unit
        Of both sides, of the deviation and of the tolerance; "1" for pure numbers.
    tolerance
        The largest deviation allowed.
    because
        Why this tolerance.
    verdict
        "holds" or "fails"; "no gap", "did not converge" or "not applicable" where there is
        nothing to compare.
    lhs, rhs, deviation
        Both sides and the deviation where that is largest; None without a comparison.
    at
        Where that is.
    reason
        Why there is no comparison, at some temperatures or at all; or an empty string.
    """

    name: str
    formula: str
    unit: str
    tolerance: float
    because: str
    verdict: Verdict
    lhs: float | None = None
    rhs: float | None = None
    deviation: float | None = None
    at: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Consistency:
    """What `check_consistency` found.

    Parameters
    ----------
    solution
        What was checked.
    T
        Temperatures in K, in one dimension.
    identities
        One for each identity.
    """

    solution: str
    T: tuple[float, ...]
    identities: tuple[Identity, ...]

    @property
    def ok(self) -> bool:
        """Whether no identity fails, and none is left open by a solver that did not converge."""
        return all(i.verdict not in ("fails", "did not converge") for i in self.identities)

    def __getitem__(self, name: str) -> Identity:
        """The identity of this name."""
        for identity in self.identities:
            if identity.name == name:
                return identity
        msg = (
            f"there is no identity {name!r}; there are {', '.join(i.name for i in self.identities)}"
        )
        raise KeyError(msg)

    def __repr__(self) -> str:
        verdicts = [i.verdict for i in self.identities]
        parts = []
        for verdict in dict.fromkeys(verdicts):
            names = [i.name for i in self.identities if i.verdict == verdict]
            which = "" if verdict == "holds" else f" ({', '.join(names)})"
            parts.append(f"{len(names)} {_PLURAL.get(verdict, verdict)}{which}")
        return f"<Consistency of {self.solution.strip('<>')}: {', '.join(parts)}>"

    def to_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        rows = [asdict(identity) for identity in self.identities]
        for row in rows:
            for name in ("lhs", "rhs", "deviation"):
                if row[name] is not None and not math.isfinite(row[name]):
                    row[name] = None
        return {"solution": self.solution, "T": self.T, "ok": self.ok, "identities": rows}

    def to_dataframe(self) -> pd.DataFrame:
        """One row for each identity."""
        import pandas as pd

        return pd.DataFrame([asdict(identity) for identity in self.identities])


def compare(
    row: Identity, lhs: Array, rhs: Array | list[Array], at: list[str], reason: str = ""
) -> Identity:
    """A row with its verdict: of several right sides the nearest counts at each point."""
    sides = np.stack(rhs if isinstance(rhs, list) else [rhs])
    deviations = np.nan_to_num(np.abs(lhs - sides), nan=np.inf)
    nearest = deviations.argmin(0)[None]
    deviation, right = (np.take_along_axis(a, nearest, 0).ravel() for a in (deviations, sides))
    worst = int(deviation.argmax())
    return replace(
        row, verdict="holds" if deviation[worst] <= row.tolerance else "fails", reason=reason,
        lhs=float(lhs.ravel()[worst]), rhs=float(right[worst]), deviation=float(deviation[worst]),
        at=at[worst],
    )  # fmt: skip
