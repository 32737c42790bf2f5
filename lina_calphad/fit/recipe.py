"""A recipe: what to assess, with which parameters and data. Read from YAML and checked."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import numpy as np
import yaml
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.dataclasses import dataclass

from lina_calphad.data.foreign_files import read_text, shipped
from lina_calphad.errors import RecipeError

#: How a parameter depends on temperature; "held" is an expression that is not fitted.
FORMS = {
    "constant": "A",
    "linear": "A + B*T",
    "T ln T": "A + B*T + C*T*LN(T)",
    "tau": "A*(1 - K*T)",
    "exponential": "A*EXP(-K*T)",
    "held": "",
}
#: K in 1/K to start from: one for each parameter, but of "tau" one for the phase.
RATES = {"tau": 1 / 3000.0, "exponential": 1 / 1000.0}
_LARGEST = 1_000_000
_STRICT = ConfigDict(extra="forbid", coerce_numbers_to_str=True)


@dataclass(frozen=True, config=_STRICT)
class Form:
    """One interaction parameter: how it depends on temperature.

    Parameters
    ----------
    kind
        One of `FORMS`.
    number
        1/K in K of "tau" and "exponential" where that is held; None where it is fitted.
    start
        Value of A to start from, in J/mol; that of the start database's parameter if None.
    expression
        Of "held".
    """

    kind: str
    number: float | None = None
    start: float | None = None
    expression: str = ""


@dataclass(frozen=True, config=_STRICT)
class Nuisance:
    """A number that is not fitted and not exactly known: it moves within its error.

    Parameters
    ----------
    parameter
        To which it is added, such as "G(LIQUID,LI;0)".
    shape
        Expression in T that it multiplies: 1 - T/453.6 is a fusion enthalpy at a fixed melting
        temperature.
    error
        Standard error, in J/mol where the shape is a number.
    """

    parameter: str
    shape: str
    error: float = Field(gt=0, allow_inf_nan=False)


@dataclass(frozen=True, config=_STRICT)
class Source:
    """Data: an ESPEI dataset, and what of it counts.

    Parameters
    ----------
    name
        Of a shipped dataset, or a path; relative ones are as from the recipe's folder.
    weight
        Divides the errors; data of weight 0 are compared and do not count.
    x
        Range of composition of what is taken.
    errors
        Standard errors of the compositions of invariants that replace the dataset's, by the
        invariant's name, each a list.
    """

    name: str
    weight: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    x: tuple[float, float] = (0.0, 1.0)
    errors: Mapping[str, tuple[float | None, ...]] = Field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 <= self.x[0] < self.x[1] <= 1:
            raise ValueError(f"x of {self.name} is a range within 0 to 1; got {self.x}")


def _form(given: Any) -> Form:
    """From "linear", {"tau": 2857}, {"exponential": free, "start": 9000} or {"held": "..."}."""
    if isinstance(given, Form):
        return given
    entry = dict(given) if isinstance(given, Mapping) else {str(given): None}
    start = entry.pop("start", None)
    if len(entry) != 1 or next(iter(entry)) not in FORMS:
        raise ValueError(f"a form is one of {', '.join(FORMS)}")
    ((kind, value),) = entry.items()
    if kind == "held":
        return Form(kind, start=start, expression=str(value))
    if value in (None, "free"):
        return Form(kind, start=start)
    if kind not in RATES or not float(value) > 0:
        takes = "a positive number of K or free" if kind in RATES else "no number"
        raise ValueError(f"{kind} takes {takes}")
    return Form(kind, value, start)


def _order(given: Any) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given <= 9:
        raise ValueError("the order of a parameter is from 0 to 9")
    return given


Name = Annotated[str, AfterValidator(str.upper)]
Forms = Mapping[Annotated[int, BeforeValidator(_order)], Annotated[Form, BeforeValidator(_form)]]
Data = Annotated[Source, BeforeValidator(lambda s: {"name": s} if isinstance(s, str) else s)]


@dataclass(frozen=True, config=_STRICT)
class Recipe:
    """What to assess: a start, parameters with their forms, data, and what is held.

    Raises
    ------
    ValueError
        If something is missing or out of its range; `read_recipe` makes it a RecipeError.

    Examples
    --------
    >>> read_recipe("lina2026").parameters["BCC_A2"][0]
    Form(kind='tau', number=2857.0, start=None, expression='')
    """

    name: str
    start: str
    components: tuple[Name, Name]
    phases: Annotated[tuple[Name, ...], Field(min_length=1)]
    parameters: Annotated[Mapping[Name, Forms], Field(min_length=1)]
    data: Annotated[tuple[Data, ...], Field(min_length=1)]
    nuisances: tuple[Nuisance, ...] = ()
    title: str = ""
    text: str = ""
    references: Mapping[str, str] = Field(default_factory=dict)
    temperature: tuple[float, float] = (200.0, 3000.0)
    entropy_bound: float = Field(default=3.0, gt=0)
    starts: int = 4
    predict: tuple[Mapping[str, Any], ...] = ()
    variants: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    folder: Path = Path()

    def __post_init__(self) -> None:
        if len(set(self.components)) != 2:
            raise ValueError(f"two different components are needed; got {self.components}")
        if extra := sorted(self.parameters.keys() - set(self.phases)):
            raise ValueError(f"parameters of {', '.join(extra)}, which is not among the phases")
        low, high = self.temperature
        if not 0 < low < high < np.inf:
            raise ValueError(f"a temperature range goes up, in K; got {low:g} to {high:g}")
        if not 1 <= self.starts <= 1000:
            raise ValueError(f"starts are from 1 to 1000; got {self.starts}")

    def variant(self, name: str) -> Recipe:
        """One of the competing forms: what differs is replaced, phase by phase."""
        change = {key: value for key, value in self.variants[name].items() if key != "why"}
        own = {str(k).upper(): v for k, v in change.pop("parameters", {}).items()}
        change |= {"name": f"{self.name}: {name}", "parameters": {**self.parameters, **own}}
        with _refused(change["name"]):
            return replace(self, variants={}, **change)


def shipped_recipes() -> Mapping[str, Path]:
    """From name to YAML file of the recipes that come with the package.

    Examples
    --------
    >>> list(shipped_recipes())
    ['lina2026']
    """
    found = sorted(shipped("recipes").glob("*.yaml"))
    return MappingProxyType({p.stem: p for p in found})


def read_recipe(source: str | os.PathLike[str]) -> Recipe:
    """Read a recipe.

    Parameters
    ----------
    source
        Name of a shipped one (`shipped_recipes`) or path of a YAML file.

    Raises
    ------
    RecipeError
        If there is none, it is no YAML, or it is refused; see `Recipe`.
    """
    shipped = shipped_recipes()
    path = shipped.get(str(source), Path(source))
    if not path.is_file():
        near = get_close_matches(str(source).lower(), shipped, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}?" if near else f"shipped are {', '.join(shipped)}"
        raise RecipeError(f"there is no recipe {str(source)!r}; {hint}")
    try:
        raw = yaml.safe_load(read_text(path, largest=_LARGEST))
    except (OSError, ValueError, yaml.YAMLError) as error:
        msg = f"{path} cannot be read as YAML: {' '.join(str(error).split())}"
        raise RecipeError(msg) from error
    if not isinstance(raw, dict) or "folder" in raw:
        raise RecipeError(f"{path} is no recipe: it has names such as start, parameters and data")
    with _refused(raw.get("name", path.stem)):
        named = {str(key): value for key, value in raw.items()}
        return Recipe(**{"name": path.stem, **named}, folder=path.parent)


@contextmanager
def _refused(name: str) -> Iterator[None]:
    """What pydantic finds wrong first, as a sentence."""
    try:
        yield
    except ValidationError as error:
        first = error.errors()[0]
        where = " ".join(str(part) for part in first["loc"] if part != "[key]")
        said = first["msg"].removeprefix("Value error, ")
        if first["type"] == "unexpected_keyword_argument":
            known = [each.name for each in fields(Recipe)]
            near = get_close_matches(where, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"it may have {', '.join(known)}"
            said = f"a recipe has no {where}; {hint}"
        elif first["type"] in ("missing", "too_short"):
            said = f"the recipe lacks {where}"
        elif where:
            said = f"{where}: {said}; got {first['input']!r}"
        raise RecipeError(f"{name}: {said}") from error
