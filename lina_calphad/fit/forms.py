"""The database of a recipe: its parameters as symbols, fitted, held or moving within errors."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from pycalphad import Database
from pycalphad import variables as v
from symengine import S, Symbol, exp, expand, log, sympify

from lina_calphad.data.assessments import assessments, load, tdb_folder
from lina_calphad.data.databases import parameter_text
from lina_calphad.data.datasets import shipped_datasets
from lina_calphad.data.interactions import (
    interaction_array,
    phase_prefix,
    start_value,
    without_interactions,
)
from lina_calphad.data.tdb_files import read_tdb
from lina_calphad.errors import RecipeError
from lina_calphad.fit.recipe import RATES, Form, Recipe


def reference_key(recipe: Recipe) -> str:
    """What a TDB calls the source of the fitted parameters."""
    return re.sub("[^A-Z0-9]", "", recipe.name.upper())[:12] or "FIT"


def start_file(recipe: Recipe) -> Path:
    """The TDB that a recipe starts from, without elastic data; UnknownAssessment if it is none."""
    path = Path(path_of(recipe, recipe.start))
    if recipe.start in assessments():
        return tdb_folder() / assessments()[recipe.start].files[0]
    if not path.is_file():
        load(recipe.start)  # says which assessments there are
    return path


def symbols_of(recipe: Recipe) -> tuple[Database, dict[str, float], dict[str, float]]:
    """The start database of a recipe with its parameters as symbols, and which of them are free.

    Returns
    -------
    Database
        All symbols have their values to start from in it.
    dict of str to float
        Fitted symbols, with their values.
    dict of str to float
        Nuisances, which move within their errors about zero, with these.

    Raises
    ------
    RecipeError
        If a parameter that it names is not there, or an expression cannot be understood.
    LinaCalphadError
        If the start cannot be read.
    """
    dbf = read_tdb(start_file(recipe))
    if lacking := sorted(set(recipe.phases) - set(dbf.phases)):
        raise RecipeError(f"{recipe.name}: {recipe.start} has no phase {', '.join(lacking)}")
    free: dict[str, float] = {}
    for phase, forms in recipe.parameters.items():
        array = interaction_array(dbf, phase, recipe.components)
        starts = {k: start_value(dbf, phase, recipe.components, k) for k in forms}
        dbf = without_interactions(dbf, phase, recipe.components)
        for order, form in forms.items():
            expression, values = _expression(form, phase, order, starts[order])
            dbf.add_parameter("G", phase, array, order, expression)
            free |= values
    dbf.symbols.update({name: S(value) for name, value in free.items()})
    nuisances = {f"NUIS{k}": each.error for k, each in enumerate(recipe.nuisances, 1)}
    for name, each in zip(nuisances, recipe.nuisances, strict=True):
        wanted = each.parameter.replace(" ", "").upper()
        found = dbf.search(lambda p, wanted=wanted: parameter_text(p).upper() == wanted)
        if not found:
            raise RecipeError(f"{recipe.name}: {recipe.start} has no parameter {each.parameter}")
        (parameter,) = found
        array = [[s.name for s in names] for names in parameter["constituent_array"]]
        dbf.add_parameter(
            parameter["parameter_type"], parameter["phase_name"], array,
            parameter["parameter_order"], Symbol(name) * _parse(each.shape, each.parameter),
        )  # fmt: skip
        dbf.symbols[name] = S.Zero
    if not free:
        raise RecipeError(f"{recipe.name}: every parameter is held, and there is nothing to fit")
    return dbf, free, nuisances


def _expression(form: Form, phase: str, order: int, start: float) -> tuple[Any, dict[str, float]]:
    """A parameter of symbols, and the values of these."""
    if form.kind == "held":
        return _parse(form.expression, f"{phase} L{order}"), {}
    name = f"{phase_prefix(phase)}L{order}"
    value = start if form.start is None else form.start
    if form.kind == "constant":
        return Symbol(name), {name: value}
    if form.kind in RATES:
        # One temperature rules all parameters of a phase, or one this parameter alone.
        rate = f"{phase_prefix(phase)}K" if form.kind == "tau" else f"{name}K"
        K = Symbol(rate) if form.number is None else S(float(f"{1 / form.number:.6g}"))
        change = 1 - K * v.T if form.kind == "tau" else exp(-K * v.T)
        own = {rate: RATES[form.kind]} if form.number is None else {}
        return expand(Symbol(name) * change), {name: value, **own}
    basis = (S.One, v.T, v.T * log(v.T))[: 2 if form.kind == "linear" else 3]
    names = [f"{name}{letter}" for letter in "ABC"[: len(basis)]]
    expression = sum((Symbol(n) * b for n, b in zip(names, basis, strict=True)), S.Zero)
    return expression, dict.fromkeys(names, 0.0) | {names[0]: value}


def _parse(text: str, what: str) -> Any:
    """An expression in T as TDB files write it."""
    try:
        found = sympify(re.sub(r"\bLN\b", "log", text.upper()).replace("EXP", "exp"))
        strange = {str(s) for s in found.free_symbols} - {"T"}
    except (RuntimeError, TypeError, ValueError) as error:
        raise RecipeError(f"{what}: {text!r} is no expression in T: {error}") from error
    if strange:
        raise RecipeError(f"{what}: {text!r} has {', '.join(sorted(strange))} beside T")
    return found.xreplace({Symbol("T"): v.T})


def path_of(recipe: Recipe, name: str) -> str:
    """A file that is named as from the recipe's folder; names of shipped things stay."""
    beside = recipe.folder / name
    return os.fspath(beside) if beside.exists() and name not in shipped_datasets() else name
