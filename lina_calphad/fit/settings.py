"""What to fit, and how: the options of `lina-calphad refit`, checked."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

_MOST_SAMPLES = 10**8  # numbers of a chain: 1 GB


def _option(value: Any, what: str, **more: str) -> Any:
    return field(default=value, metadata={"help": what, **more})


@dataclass(frozen=True)
class RefitSettings:
    """What to fit, and how.

    Every field is an option of ``lina-calphad refit``, which describes it. One name of data,
    a phase or a symbol may stand by itself.

    Raises
    ------
    ValueError
        If a number is out of its range, or the two elements are one.
    TypeError
        If a value is of another type.

    Examples
    --------
    >>> RefitSettings(data="gpaw2026-54", iterations=0).data
    ('gpaw2026-54',)
    """

    source: str = _option(
        "santos2025",
        "Assessment or TDB file to start from.",
        option="--start",
        metavar="SOURCE",
    )
    data: tuple[str, ...] = _option(
        ("santos2025",),
        "Name of a shipped dataset, a JSON file or a folder; give it again for more. See "
        "`lina-calphad dataset --help` to make one.",
        metavar="DATA",
    )
    components: tuple[str, str] = _option(("LI", "NA"), "The two elements.", metavar="A,B")
    phases: tuple[str, ...] = _option(
        ("BCC_A2",),
        "Phase whose interaction parameters are fitted; give it again for more.",
        option="--phase",
        metavar="PHASE",
    )
    model: str = _option(
        "coherent", "coherent, chemical or the import path of a pycalphad Model.", metavar="MODEL"
    )
    symbols: tuple[str, ...] = _option(
        (),
        "FUNCTION of the start that is fitted instead; give it again for more.",
        option="--symbol",
        metavar="NAME",
    )
    order: int | None = _option(
        None,
        "Highest order of the interaction parameters that are fitted: 0 for a regular solution, 1 "
        "for a sub-regular one. If not given, as many as ESPEI finds the data to ask for.",
    )
    chains: int = _option(10, "Walkers, an even number; more where two for each parameter are.")
    iterations: int = _option(
        1500,
        "Iterations of every walker; 0 takes the closed form alone (data linear in the "
        "parameters, such as energies).",
    )
    seed: int = _option(0, "Seed of the random numbers.")

    def __post_init__(self) -> None:
        for name in ("data", "components", "phases", "symbols"):
            value = getattr(self, name)
            # One name is a tuple of one, not of its letters.
            items = [value] if isinstance(value, str | os.PathLike) else value
            object.__setattr__(self, name, tuple(os.fspath(item) for item in items))
        for name in ("components", "phases"):
            object.__setattr__(self, name, tuple(n.upper() for n in getattr(self, name)))
        for name in ("source", "model"):
            object.__setattr__(self, name, os.fspath(getattr(self, name)))
        for name in ("chains", "iterations", "seed", "order"):
            value = getattr(self, name)
            if name == "order" and value is None:
                continue
            if isinstance(value, bool) or not hasattr(value, "__index__"):
                raise TypeError(f"{name} is a whole number; got {value!r}")
            object.__setattr__(self, name, int(value))
        if len(set(self.components)) != 2:
            raise ValueError(
                f"two different elements are needed; got {' and '.join(self.components)}"
            )
        if self.order is not None and (self.symbols or not 0 <= self.order <= 9):
            raise ValueError(f"order is from 0 to 9, and not for symbols; got {self.order}")
        if self.chains < 4 or self.chains % 2:
            raise ValueError(f"chains are an even number, at least 4; got {self.chains}")
        if self.iterations < 0 or 0 < self.iterations < 4:
            raise ValueError(
                f"iterations are 0 (the closed form alone) or at least 4; got {self.iterations}"
            )
        if self.chains * max(self.iterations, 1) > _MOST_SAMPLES:
            raise ValueError(
                f"chains times iterations are at most {_MOST_SAMPLES:.0e} samples; "
                f"got {self.chains} x {self.iterations}"
            )
        if not 0 <= self.seed < 2**32:
            raise ValueError(f"a seed is between 0 and 2^32 - 1; got {self.seed}")

    def to_dict(self) -> dict[str, Any]:
        """The settings for a JSON file, paths made absolute."""
        plain = asdict(self)
        plain["source"] = _absolute(self.source)
        plain["data"] = [_absolute(name) for name in self.data]
        return plain


def _absolute(name: str) -> str:
    return str(Path(name).resolve()) if Path(name).exists() else name
