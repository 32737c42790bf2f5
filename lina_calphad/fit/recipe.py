"""A recipe: what to assess, with which parameters and data. Read from YAML and checked."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from lina_calphad.data.foreign_files import read_text, shipped
from lina_calphad.errors import RecipeError

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

#: How a parameter depends on temperature: its symbols, and what it is made of them.
FORMS = {
    "constant": "A",
    "linear": "A + B*T",
    "T ln T": "A + B*T + C*T*LN(T)",
    "tau": "A*(1 - K*T), K = 1/tau one number for the phase",
    "exponential": "A*EXP(-K*T)",
    "held": "an expression that is not fitted",
}
_TIMED = ("tau", "exponential")
_LARGEST = 1_000_000


@dataclass(frozen=True)
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


@dataclass(frozen=True)
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
    error: float


@dataclass(frozen=True)
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
    weight: float = 1.0
    x: tuple[float, float] = (0.0, 1.0)
    errors: Mapping[str, tuple[float | None, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Recipe:
    """What to assess: a start, parameters with their forms, data, and what is held.

    Raises
    ------
    RecipeError
        If something is missing or out of its range.

    Examples
    --------
    >>> read_recipe("lina2026").parameters["BCC_A2"][0]
    Form(kind='tau', number=2857.0, start=None, expression='')
    """

    name: str
    start: str
    components: tuple[str, str]
    phases: tuple[str, ...]
    parameters: Mapping[str, Mapping[int, Form]]
    data: tuple[Source, ...]
    nuisances: tuple[Nuisance, ...] = ()
    title: str = ""
    text: str = ""
    references: Mapping[str, str] = field(default_factory=dict)
    temperature: tuple[float, float] = (200.0, 3000.0)
    entropy_bound: float = 3.0
    starts: int = 4
    predict: tuple[Mapping[str, Any], ...] = ()
    variants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    folder: Path = Path()

    def variant(self, name: str) -> Recipe:
        """One of the competing forms: what differs is replaced, phase by phase."""
        change = dict(self.variants[name])
        change.pop("why", None)
        raw = {k: v for k, v in change.items() if k != "parameters"}
        made = _checked({**_plain(self), **raw, "name": f"{self.name}: {name}"}, self.folder)
        parameters = {**self.parameters, **_parameters(change.get("parameters", {}), self.name)}
        return replace(made, parameters=MappingProxyType(parameters), variants={})


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
    shipped, path = shipped_recipes(), Path(source)
    if str(source) in shipped:
        path = shipped[str(source)]
    elif not path.is_file():
        near = get_close_matches(str(source).lower(), shipped, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}?" if near else f"shipped are {', '.join(shipped)}"
        msg = f"there is no recipe {str(source)!r}; {hint}"
        raise RecipeError(msg)
    try:
        raw = yaml.safe_load(read_text(path, largest=_LARGEST))
    except (OSError, ValueError, yaml.YAMLError) as error:
        msg = f"{path} cannot be read as YAML: {' '.join(str(error).split())}"
        raise RecipeError(msg) from error
    if not isinstance(raw, dict):
        msg = f"{path} is no recipe: it has no names such as start, parameters and data"
        raise RecipeError(msg)
    return _checked({"name": path.stem, **raw}, path.parent)


def _checked(raw: Mapping[str, Any], folder: Path) -> Recipe:
    name = raw["name"]
    known = {each.name for each in fields(Recipe)} - {"folder"}
    if unknown := sorted({str(k) for k in raw} - known):
        near = get_close_matches(unknown[0], known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"it may have {', '.join(sorted(known))}"
        msg = f"{name}: a recipe has no {', '.join(unknown)}; {hint}"
        raise RecipeError(msg)
    needed = ("start", "components", "phases", "parameters", "data")
    if missing := [key for key in needed if not raw.get(key)]:
        msg = f"{name}: the recipe lacks {', '.join(missing)}"
        raise RecipeError(msg)
    try:
        made = {
            **raw,
            "start": str(raw["start"]),
            "components": tuple(str(c).upper() for c in raw["components"]),
            "phases": tuple(str(p).upper() for p in raw["phases"]),
            "parameters": MappingProxyType(_parameters(raw["parameters"], name)),
            "data": tuple(_source(entry, name) for entry in raw["data"]),
            "nuisances": tuple(_nuisance(entry) for entry in raw.get("nuisances", ())),
            "temperature": tuple(float(T) for T in raw.get("temperature", (200.0, 3000.0))),
            "references": MappingProxyType(dict(raw.get("references", {}))),
            "predict": tuple(dict(entry) for entry in raw.get("predict", ())),
            "variants": MappingProxyType(dict(raw.get("variants", {}))),
        }
        recipe = Recipe(**made, folder=folder)
    except (TypeError, ValueError, AttributeError) as error:
        msg = f"{name}: the recipe cannot be understood: {error}"
        raise RecipeError(msg) from error
    if len(set(recipe.components)) != 2:
        msg = f"{name}: two different components are needed; got {', '.join(recipe.components)}"
        raise RecipeError(msg)
    if extra := sorted(recipe.parameters.keys() - set(recipe.phases)):
        msg = f"{name}: parameters of {', '.join(extra)}, which is not among the phases"
        raise RecipeError(msg)
    low, high = recipe.temperature
    if not 0 < low < high < np.inf:
        msg = f"{name}: a temperature range goes up, in K; got {low:g} to {high:g}"
        raise RecipeError(msg)
    if not (1 <= recipe.starts <= 1000 and recipe.entropy_bound > 0):
        msg = (
            f"{name}: starts are from 1 to 1000 and entropy_bound is positive; got "
            f"{recipe.starts} and {recipe.entropy_bound:g}"
        )
        raise RecipeError(msg)
    return recipe


def _plain(recipe: Recipe) -> dict[str, Any]:
    """What a variant starts from; forms and sources as the checks take them."""
    plain = {each.name: getattr(recipe, each.name) for each in fields(Recipe)}
    for done in ("folder", "variants"):
        del plain[done]
    return plain


def _parameters(raw: Any, name: str) -> dict[str, Mapping[int, Form]]:
    parameters: dict[str, Mapping[int, Form]] = {}
    for phase, orders in raw.items():
        forms = {}
        for order, given in orders.items():
            if isinstance(order, bool) or not isinstance(order, int) or not 0 <= order <= 9:
                msg = f"{name}: the order of a parameter of {phase} is from 0 to 9; got {order!r}"
                raise RecipeError(msg)
            forms[order] = given if isinstance(given, Form) else _form(given, f"{phase} L{order}")
        parameters[str(phase).upper()] = MappingProxyType(forms)
    return parameters


def _form(given: Any, what: str) -> Form:
    """From "linear", {"tau": 2857}, {"exponential": free, "start": 9000} or {"held": "..."}."""
    entry = {given: None} if isinstance(given, str) else dict(given)
    start = entry.pop("start", None)
    if len(entry) != 1 or next(iter(entry)) not in FORMS:
        msg = f"{what}: a form is one of {', '.join(FORMS)}; got {given!r}"
        raise RecipeError(msg)
    ((kind, value),) = entry.items()
    number, expression = None, ""
    if kind == "held":
        expression = str(value)
    elif value not in (None, "free"):
        if kind not in _TIMED or not float(value) > 0:
            takes = "a positive number of K or free" if kind in _TIMED else "no number"
            msg = f"{what}: {kind} takes {takes}; got {value!r}"
            raise RecipeError(msg)
        number = float(value)
    return Form(kind, number, None if start is None else float(start), expression)


def _source(entry: Any, name: str) -> Source:
    if isinstance(entry, Source):
        return entry
    given: dict[str, Any] = {"name": entry} if isinstance(entry, str) else dict(entry)
    if "x" in given:
        low, high = given["x"]
        given["x"] = (float(low), float(high))
    given["errors"] = {str(k): tuple(v) for k, v in given.get("errors", {}).items()}
    source = Source(**given)
    if not 0 <= source.weight < np.inf or not 0 <= source.x[0] < source.x[1] <= 1:
        msg = (
            f"{name}: {source.name} has weight {source.weight} and x {source.x}; a weight is 0 or "
            "more, x a range within 0 to 1"
        )
        raise RecipeError(msg)
    return source


def _nuisance(entry: Any) -> Nuisance:
    if isinstance(entry, Nuisance):
        return entry
    made = Nuisance(str(entry["parameter"]), str(entry["shape"]), float(entry["error"]))
    if not 0 < made.error < np.inf:
        msg = f"{made.parameter}: the error of a nuisance is positive; got {made.error:g}"
        raise RecipeError(msg)
    return made
