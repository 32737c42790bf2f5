"""What commands share: numbers with units, and where results go."""

from __future__ import annotations

import math
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, get_args, get_type_hints

import click

from lina_calphad.errors import LinaCalphadError, OutputError
from lina_calphad.text import printable

if TYPE_CHECKING:
    from lina_calphad.output import ResultsFolder
    from lina_calphad.report import Report

Decorator = Callable[[Callable[..., Any]], Callable[..., None]]

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"


class Typed(float):
    """A number in SI units that knows how it was typed, for what an error says of it."""

    text: str = ""


def _refuse(text: str) -> NoReturn:
    raise click.BadParameter(text)


def measure(
    unit: str,
    example: str,
    *,
    bare: float | None = None,
    aliases: Mapping[str, Callable[[float], float] | str] | None = None,
) -> Callable[[str | float], float]:
    """Make an option's type of a unit: what reads numbers with units, as floats in it.

    From `bare` on, a number without a unit is taken in that unit. `aliases` are patterns of units
    that mean something else here than in pint, such as C: in pint's words, or a function.
    """

    def read(value: str | float) -> float:
        if isinstance(value, float):
            return value
        # To one spelling of ², µ and ℃.
        text = unicodedata.normalize("NFKC", str(value))
        found = re.fullmatch(rf"\s*({_NUMBER})\s*(.*?)\s*", text)
        if not found or "," in text:
            hint = "; a decimal point is a point" if "," in text else ""
            _refuse(f"{value!r} is no number such as {example}{hint}")
        number, given = float(found[1]), found[2]
        if not math.isfinite(number):
            _refuse(f"{value!r} is no finite number")
        if not given and (bare is None or 0 < number < bare):
            _refuse(f"{value!r} has no unit: write it as in {example}")
        meaning = next((m for p, m in (aliases or {}).items() if re.fullmatch(p, given)), given)
        try:
            typed = Typed(
                meaning(number) if callable(meaning)
                else _converted(number, meaning, unit) if given else number
            )  # fmt: skip
        except ValueError:
            _refuse(f"{given!r} is no unit of this: write it as in {example}")
        typed.text = text
        return typed

    return read


def _converted(number: float, given: str, unit: str) -> float:
    """The number in our unit; ValueError if that cannot be."""
    if (given, unit) == ("K", "kelvin"):  # as mostly: pint takes a third of a second
        return number
    # pycalphad's registry: quantities of two registries do not mix. It takes seconds.
    from pint.errors import PintError
    from pycalphad.property_framework.units import ureg

    # People write cm2 or cm-2 for cm^2 and cm^-2, and so does the paper.
    text = re.sub(r"(?<=[A-Za-z])(-?[1-3])\b", r"^\1", given)
    try:
        return float(ureg.Quantity(number, text).to(unit).magnitude)
    except (PintError, AttributeError, AssertionError, TypeError) as error:
        raise ValueError(given) from error


def _by_weight(percent: float) -> float:
    """Mole fraction of Na in an alloy of so many percent of its weight."""
    from ase.data import atomic_masses, atomic_numbers

    first, second = (atomic_masses[atomic_numbers[name]] for name in ("Li", "Na"))
    share = percent / 100
    return float(share / second / (share / second + (1 - share) / first))


# A bare 25 is nobody's kelvin.
KELVIN = measure("kelvin", "300K or 25C", bare=200, aliases={"°? ?C|celsius": "degC"})
#: A mole fraction of Na.
FRACTION = measure(
    "dimensionless", "0.03, 3% (of the atoms) or 9.3wt%", bare=0,
    aliases={
        r"((at|mol|atom|mole)[.\- ]*)?%": "percent", r"(wt|weight|mass)[.\- ]*%": _by_weight,
    },
)  # fmt: skip
SHARE = measure("dimensionless", "0.5 or 50%", bare=0, aliases={"%": "percent"})
METRES = measure("m", "100um")
DENSITY = measure("kg/m^3", "0.55g/cm3")
SECONDS = measure("s", "10min")

_CURRENT = measure("A/m^2", "1mA/cm2 or 0.5C")
_PLAIN = "1e-10cm2/s, 0.4cm2/s@12kcal/mol or 1e-10cm2/s@25C,4e-10cm2/s@60C"
_DIFFUSIVITY = measure("m^2/s", _PLAIN)
_ENERGY = measure(
    "J/mol", "12kcal/mol, 50kJ/mol or 0.5eV", aliases={"eV(/atom)?": "eV*avogadro_constant"}
)
_CHARGES = {
    "share": SHARE,
    "mAh/cm²": measure("mA*hour/cm²", ""),
    "mAh/g": measure("mA*hour/g", ""),
}


def diffusivity(value: Any) -> Any:
    """A number in m²/s, or an `Arrhenius`: 1e-10cm2/s, D0@Q, or D@T,D@T."""
    if not isinstance(value, str) or "@" not in value:
        return _DIFFUSIVITY(value)
    from lina_calphad.phase.kinetics import Arrhenius

    pairs = [each.split("@") for each in value.split(",")]
    if any(len(pair) != 2 for pair in pairs) or len(pairs) > 2:
        _refuse(f"{value!r} is no diffusivity such as {_PLAIN}")
    D = [float(_DIFFUSIVITY(pair[0])) for pair in pairs]
    if min(D) <= 0:
        _refuse(f"{value!r}: a diffusivity is positive")
    if len(pairs) == 1:
        return Arrhenius(D[0], float(_ENERGY(pairs[0][1])))
    T = [float(KELVIN(pair[1])) for pair in pairs]
    if min(T) <= 0 or T[0] == T[1]:
        _refuse(f"{value!r} needs two temperatures above 0 K")
    return Arrhenius.through((D[0], T[0]), (D[1], T[1]))


def depth(value: str) -> Any:
    """How deep an anode is stripped, a `Depth`: a share of its Li, or a charge."""
    from lina_calphad.anode.charge import Depth

    for unit, read in _CHARGES.items():
        with suppress(click.BadParameter):
            return Depth(read(value.replace("mAh", "mA*hour")), unit)
    _refuse(f"{value!r} is no depth of stripping such as 50%, 1000mAh/g or 3mAh/cm2")


def current_density(value: Any) -> Any:
    """A number in A/m², or a `CRate`: 0.5C strips all the Li in two hours."""
    found = re.fullmatch(rf"\s*(?:({_NUMBER})\s*C|C\s*/\s*({_NUMBER}))\s*", str(value))
    if not found:
        return _CURRENT(value)
    from lina_calphad.anode.charge import CRate

    rate = float(found[1]) if found[1] else float(found[2]) and 1 / float(found[2])
    if rate <= 0:
        _refuse(f"{value!r}: a C-rate is positive")
    return CRate(rate)


def names(value: str) -> tuple[str, ...]:
    """Names with commas between them."""
    found = tuple(name.strip().upper() for name in value.split(","))
    if not all(found):
        _refuse(f"{value!r} is no list of names such as AL,ZN")
    return found


def pair(value: str | tuple[str, ...]) -> tuple[str, ...]:
    """Two names with a comma between them."""
    found = names(value) if isinstance(value, str) else value
    if len(found) != 2:
        _refuse(f"{value!r} is no pair of names such as AL,ZN")
    return found


def span(value: str) -> tuple[float, float | None]:
    """Two temperatures in K with a colon between them; the second may be left out."""
    low, colon, high = value.partition(":")
    if not colon:
        _refuse(f"{value!r} is no range of temperature such as 200:700")
    ends = [KELVIN(end) for end in (low, high) if end]
    if not low or (len(ends) == 2 and not ends[0] < ends[1]):
        _refuse(f"{value!r} is no range from low to high, such as 200:700")
    return ends[0], ends[1] if high else None


def composition(value: str) -> tuple[float, ...]:
    """Mole fractions with commas between them."""
    try:
        return tuple(float(part) for part in value.split(","))
    except ValueError:
        _refuse(f"{value!r} is no list of mole fractions such as 0.2,0.3")


@contextmanager
def _as_typed(options: dict[str, Any]) -> Iterator[None]:
    """Beside a number in SI units that an error tells of, say how it was typed."""
    try:
        yield
    except (LinaCalphadError, ValueError) as error:
        text = str(error)
        for value in options.values():
            for each in value if isinstance(value, tuple) else (value,):
                if isinstance(each, Typed) and each.text.rstrip(" K") != f"{each:.12g}":
                    for number in {f"{each:.12g}", f"{each:g}", repr(float(each))}:
                        told = rf"\bgot {re.escape(number)}(?![\w.])|\b{re.escape(number)} K\b"
                        text = re.sub(told, rf"\g<0> ({each.text})", text, count=1)
        error.args = (text, *error.args[1:])
        raise


def reporting(default: str | None, what: str = "tables (CSV) and figures (PNG, SVG)") -> Decorator:
    """Make a command of a function that returns a Report: --out, --overwrite and --json.

    Results of the same command in the default folder are replaced unasked; others are not. The
    folder is looked at before the function runs, and made when that has found something. What the
    function prints, writes and hints at is the Report's; it may show progress by itself.

    Parameters
    ----------
    default
        Folder where --out is not given; with --json nothing is written then. None for a command
        that writes nothing.
    what
        What goes there, for the help.

    Examples
    --------
    >>> from lina_calphad.report import Report
    >>> @click.command()
    ... @reporting("lina-sums")
    ... def add() -> Report:
    ...     return Report("sum", {"sum": 3}, ["1 + 2 = 3"])
    >>> add(["--json"], standalone_mode=False)
    {
      "sum": 3
    }
    """

    def decorate(function: Callable[..., Report]) -> Callable[..., None]:
        @wraps(function)
        def command(
            *arguments: Any, as_json: bool, out: Path | None = None, overwrite: bool = False,
            **options: Any,
        ) -> None:  # fmt: skip
            from lina_calphad.output import ResultsFolder
            from lina_calphad.report import steps

            context = click.get_current_context()
            folder = out or (Path(default) if default and not as_json else None)
            place = folder and ResultsFolder(
                folder, context.info_name or "", context.find_root().obj or (),
                overwrite=overwrite, refresh=out is None,
            )  # fmt: skip
            if place:
                place.check()
            with _as_typed(options):
                report = function(*arguments, **options)
            failed = None
            if place:
                try:
                    with place.writing() as files, steps(len(report.figures)) as say:
                        report.write(files, say)
                except OutputError as error:  # what was found is shown all the same
                    failed = error
            with suppress(SystemExit):  # rich's, where the reader has gone
                if as_json:
                    click.echo(report.to_json())
                else:
                    report.show()
            if failed:
                raise failed
            if place and not as_json:
                _say_where(report, place)
            if not report.ok:
                sys.exit(1)

        text = "; write files only where --out is given" if default else ""
        text = f"Print the numbers as JSON{text}."
        command = click.option("--json", "as_json", is_flag=True, help=text)(command)
        if default is None:
            return command
        command = click.option(
            "--overwrite", is_flag=True,
            help="Replace the results of an earlier run in the folder; other files stay.",
        )(command)  # fmt: skip
        return click.option(
            "--out", type=click.Path(path_type=Path), metavar="FOLDER",
            help=f"Folder for {what}.  [default: {default}]",
        )(command)  # fmt: skip

    return decorate


def _say_where(report: Report, place: ResultsFolder) -> None:
    name = printable(place.path)
    unasked = place.replaces and not place.overwrite
    now = ", in place of those of an earlier run (--out keeps both)" if unasked else ""
    click.echo(f"Tables and figures are in {name}{'' if name[-1] == '/' else '/'}{now}")
    for file in place.kept:
        click.echo(f"note: {printable(file)} was changed since it was written, and is kept")
    for hint in report.hints:
        click.echo(printable(hint.replace("{folder}", name)))


def options_of(settings: type[Any]) -> Decorator:
    """Make click options from the fields of a dataclass.

    A field with a "help" in its metadata is an option: `chains` becomes --chains, and the
    command gets it as a keyword of the field's name, with the field's default. One of
    tuple[str, ...] may be given again. The metadata may have what `click.option` takes, and
    "option", another name than the field's. The module of the dataclass is imported when the
    program starts: it must be a light one.

    Examples
    --------
    >>> from dataclasses import dataclass, field
    >>> @dataclass(frozen=True)
    ... class Settings:
    ...     chains: int = field(default=10, metadata={"help": "Walkers."})
    ...     data: tuple[str, ...] = field(default=("a",), metadata={"help": "Datasets."})
    >>> @click.command()
    ... @options_of(Settings)
    ... def show(**given):
    ...     print(Settings(**given))
    >>> show(["--data", "b", "--data", "c"], standalone_mode=False)
    Settings(chains=10, data=('b', 'c'))
    """
    types = get_type_hints(settings)

    def decorate(function: Any) -> Any:
        for each in reversed(fields(settings)):
            if "help" in each.metadata:
                given = {"default": each.default, "show_default": True, **each.metadata}
                name = given.pop("option", f"--{each.name}")
                of = get_args(types[each.name])
                if Ellipsis in of:
                    given["multiple"] = True
                elif of:  # int | None, or a pair
                    given["type"] = of[0] if each.default is None else pair
                function = click.option(name, each.name, **given)(function)
        return function

    return decorate
