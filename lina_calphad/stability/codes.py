"""A phase as source text for microstructure codes: NumPy, C99, MOOSE, by SymPy's printers."""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import sympy
from pycalphad import Database, Model
from pycalphad import variables as v
from symengine import S, Symbol
from sympy.printing.c import C99CodePrinter
from sympy.printing.numpy import NumPyPrinter
from sympy.printing.str import StrPrinter

from lina_calphad import __version__
from lina_calphad.checks import kelvin
from lina_calphad.errors import MissingElasticData, UnsupportedPhase
from lina_calphad.output import write_text
from lina_calphad.phase.coherent import CoherentModel
from lina_calphad.phase.energy import R, build_model
from lina_calphad.stability.solution import Solution
from lina_calphad.text import printable

_MARK = "Exported by lina-calphad"
_T = sympy.Symbol("T")
UNITS = {"C11": "GPa", "C12": "GPa", "C44": "GPa", "V0": "m3 per mole of formula units"}


class _Exact:
    """Numbers with all their digits."""

    def _print_Float(self, expr: Any) -> str:  # noqa: N802 - SymPy's name
        return repr(float(expr))


class _NumPy(_Exact, NumPyPrinter):  # type: ignore[misc]  # SymPy has no types here
    pass


class _C99(_Exact, C99CodePrinter):  # type: ignore[misc]
    pass


class _Moose(_Exact, StrPrinter):  # type: ignore[misc]
    """The expressions of MOOSE's parsed materials."""

    def _print_Pow(self, expr: Any, rational: bool = False) -> str:  # noqa: N802, ARG002
        return f"({self._print(expr.base)})^({self._print(expr.exp)})"

    def _print_Piecewise(self, expr: Any) -> str:  # noqa: N802
        (value, where), *rest = expr.args
        if where == True or not rest:  # noqa: E712 - SymPy's own True
            return str(self._print(value))
        other = self._print(sympy.Piecewise(*rest, evaluate=False))
        return f"if({self._print(where)}, {self._print(value)}, {other})"

    def _print_And(self, expr: Any) -> str:  # noqa: N802
        return " & ".join(f"({self._print(each)})" for each in expr.args)


@dataclass(frozen=True)
class _Phase:
    """What is written: expressions in the independent fractions and T."""

    name: str
    variables: list[str]
    dependent: str
    functions: dict[str, list[Any]]
    elastic: dict[str, Any]

    @property
    def arguments(self) -> list[str]:
        every = chain(self.elastic.values(), *self.functions.values())
        return self.variables + [str(_T)] * any(_T in each.free_symbols for each in every)


def _phase(
    dbf: Database, components: Sequence[str], phase: str, model: type[Model], T: float | None
) -> _Phase:
    solution = Solution(dbf, components, phase, model)
    energy = solution.energy
    if len(energy.sublattices) != 1:
        raise UnsupportedPhase(
            f"{solution.phase} mixes on {len(energy.sublattices)} sublattices; one is exported"
        )
    species = [y.species.name for y in energy.variables]
    if charged := [name for name in species if not name.isalnum()]:
        raise UnsupportedPhase(f"{solution.phase} holds {charged[0]}: ions are not exported")
    dependent = "VA" if "VA" in species else next(c for c in solution.components if c in species)
    order = [c for c in solution.components if c in species and c != dependent]
    free = [sympy.Symbol(f"x_{name}") for name in order]
    share = dict(zip(order, free, strict=True)) | {dependent: 1 - sympy.Add(*free)}
    at_T = _T if T is None else sympy.Float(float(kelvin(T)))
    given = {"P": sympy.Float(solution.pressure), "T": at_T}
    given |= {str(name): share[s] for name, s in zip(energy.names, species, strict=True)}
    rest = sympy.sympify(energy.expression)
    ideal = sympy.Add(*(x * sympy.log(x) for x in share.values()))
    whole = rest.subs(given) + R * at_T * float(energy.sites[0]) * ideal
    slopes = [whole.diff(x) for x in free]
    functions = {
        "gibbs_energy": [whole],
        "potentials": slopes,
        "hessian": [slope.diff(x) for slope in slopes for x in free],
    }
    elastic = {
        name: sympy.sympify(value).subs(_T, at_T)
        for name, value in _elastic(dbf, solution, model).items()
    }
    name = re.sub(r"^(?=\d)|\W", "_", solution.phase.lower())  # an identifier
    return _Phase(name, list(map(str, free)), dependent, functions, elastic)


def _elastic(dbf: Database, solution: Solution, model: type[Model]) -> dict[str, Any]:
    """Elastic constants, volume and misfits, if the database has them."""
    kind = model if issubclass(model, CoherentModel) else CoherentModel
    try:
        built = build_model(kind, dbf, solution.components, solution.phase)
    except MissingElasticData:
        return {}
    misfits = {f"misfit_{name}": chi for (_, name), chi in built.misfits.items() if chi != 0}
    found = {**built.constants, "V0": built.volume, **misfits}
    return {name: S(value).xreplace({v.T: Symbol("T")}) for name, value in found.items()}


def export_phase(
    dbf: Database, path: str | os.PathLike[str], language: str, *,
    phase: str = "BCC_A2", components: Sequence[str] = ("LI", "NA"), model: type[Model] = Model,
    T: float | None = None, source: str = "a database", overwrite: bool = False,
) -> Path:  # fmt: skip
    """Write G of a phase with its first and second derivatives for a microstructure code.

    G is in J per mole of formula units, over the fractions of the constituents of the one
    sublattice that mixes, without the dependent one: vacancies if there are any, or else the
    first component. With the elastic constants and misfits, where the database has them.

    Parameters
    ----------
    dbf
        A database.
    path
        The file to write.
    language
        "python" (NumPy), "c" (C99) or "moose" (parsed materials).
    phase, components, model
        As of `Solution`; `CoherentModel` puts the coherency energy into G.
    T
        Temperature in K; a variable of the functions if None.
    source
        What `dbf` is, for the header.
    overwrite
        Replace an existing file that this has written.

    Raises
    ------
    UnsupportedPhase
        If more than one sublattice mixes, or as `Solution`.
    OutputError
        If the file exists and `overwrite` is not set, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import lina_calphad as lc
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = export_phase(lc.load("santos2025"), f"{folder}/bcc.py", "python", T=300.0)
    ...     exec(path.read_text())
    >>> bcc = lc.BinarySolution(lc.load("santos2025"), ("LI", "NA"), "BCC_A2")
    >>> bool(abs(gibbs_energy(0.5) - bcc.gibbs_energy(300.0, 0.5)) < 1e-6)
    True
    """
    found = _phase(dbf, components, phase, model, T)
    header = [
        f"{_MARK} {__version__} from {_harmless(source)}.",
        f"{phase.upper()}, {model.__name__}"
        + ("" if T is None else f", at {T:g} K")
        + f": G in J per mole of formula units; the fraction of {found.dependent} is the rest.",
    ]
    lines = [line for text in header for line in textwrap.wrap(text, 90)]
    text = {"python": _python, "c": _c, "moose": _moose}[language](found, lines)
    return write_text(path, text, overwrite=overwrite, mark=_MARK)


def _harmless(source: str) -> str:
    """A name that ends no comment and no string."""
    return re.sub(r'[*"\\]', "_", printable(source))


def _python(found: _Phase, header: list[str]) -> str:
    show, n = _NumPy().doprint, len(found.variables)
    text = ['"""' + "\n".join(header) + '\n"""', "", "import numpy", ""]
    for name, value in found.elastic.items():
        left = f"\n\ndef {name}(T):\n    return " if value.free_symbols else f"{name} = "
        unit = f"  # {UNITS[name]}" if name in UNITS else ""
        text.append(f"{left}{show(value)}{unit}")
    said = {
        "gibbs_energy": "G in J/mol.",
        "potentials": f"dG/dx of {', '.join(found.variables)} in J/mol.",
        "hessian": "Second derivatives of G in J/mol, rows on the first axis.",
    }
    for name, wanted in found.functions.items():
        shared, results = sympy.cse(wanted, symbols=sympy.numbered_symbols("s"))
        text += ["", "", f"def {name}({', '.join(found.arguments)}):", f'    """{said[name]}"""']
        text += [f"    {symbol} = {show(each)}" for symbol, each in shared]
        values = ", ".join(map(show, results))
        if name == "gibbs_energy":
            text.append(f"    return {values}")
            continue
        shape = f".reshape({n}, {n}, *s.shape[1:])" if name == "hessian" else ""
        text.append(f"    s = numpy.stack(numpy.broadcast_arrays({values}))")
        text.append(f"    return s{shape}")
    return "\n".join(text) + "\n"


def _c(found: _Phase, header: list[str]) -> str:
    show = _C99().doprint
    text = ["/* " + "\n   ".join(header)]
    text.append(
        f"   Derivatives are those with respect to {', '.join(found.variables)}, second ones row "
        "by row. */"
    )
    text += ["#include <math.h>", ""]
    for name, value in found.elastic.items():
        argument = "double T" if value.free_symbols else "void"
        unit = f"  /* {UNITS[name]} */" if name in UNITS else ""
        text.append(f"double {found.name}_{name}({argument}) {{ return {show(value)}; }}{unit}")
    names = ", ".join(f"double {name}" for name in found.arguments)
    for name, wanted in found.functions.items():
        shared, results = sympy.cse(wanted, symbols=sympy.numbered_symbols("s"))
        alone = name == "gibbs_energy"
        kind, out = ("double", "") if alone else ("void", f", double out[{len(wanted)}]")
        text += ["", f"{kind} {found.name}_{name}({names}{out})", "{"]
        text += [f"    const double {symbol} = {show(each)};" for symbol, each in shared]
        left = ["return"] if alone else [f"out[{i}] =" for i in range(len(wanted))]
        text += [f"    {to} {show(each)};" for to, each in zip(left, results, strict=True)]
        text.append("}")
    return "\n".join(text) + "\n"


def _moose(found: _Phase, header: list[str]) -> str:
    show = _Moose().doprint
    names = [x.removeprefix("x_") for x in found.variables]
    suffixes = ["", *(f"_mu_{i}" for i in names), *(f"_d2_{i}_{j}" for i in names for j in names)]
    text = [f"# {line}" for line in header]
    text += [
        f"# {name} = {show(value)} {UNITS.get(name, '')}".rstrip()
        for name, value in found.elastic.items()
    ]
    text.append("[Materials]")
    for suffix, expression in zip(suffixes, chain(*found.functions.values()), strict=True):
        text += [
            f"  [{found.name}{suffix}]",
            f"    type = {'ParsedMaterial' if suffix else 'DerivativeParsedMaterial'}",
            f"    property_name = G_{found.name}{suffix}",
            f"    coupled_variables = '{' '.join(found.arguments)}'",
            f"    expression = '{show(expression)}'",
            *(["    derivative_order = 2"] if not suffix else []),
            "  []",
        ]
    if all(name in found.elastic and not found.elastic[name].free_symbols for name in UNITS):
        c11, c12, c44 = (show(found.elastic[f"C{ij}"]) for ij in (11, 12, 44))
        text += [
            f"  [{found.name}_elasticity]",
            "    type = ComputeElasticityTensor",
            "    fill_method = symmetric9",
            f"    C_ijkl = '{c11} {c12} {c12} {c11} {c12} {c11} {c44} {c44} {c44}'  # GPa",
            "  []",
        ]
    text.append("[]")
    return "\n".join(text) + "\n"
