"""What commands share: numbers with units, and where results go."""

from __future__ import annotations

import math
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import MISSING, fields
from functools import wraps
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin, get_type_hints

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

    def __new__(cls, value: float, text: str = "") -> Typed:
        """The number, and the text that it was read from."""
        number = super().__new__(cls, value)
        number.text = text
        return number

    text: str


class Measure(click.ParamType):  # type: ignore[type-arg]  # not generic before click 8.3
    """A number with a unit, such as 100um or 1 mA/cm2, as a float in `unit`, in pint's words.

    From `bare` on a number without a unit is taken in that unit; `aliases` are patterns of units
    that mean something else here than in pint, such as C.
    """

    name = "measure"

    def __init__(
        self,
        unit: str,
        example: str,
        *,
        bare: float | None = None,
        aliases: dict[str, str] | None = None,
    ) -> None:
        self.unit = unit
        self.example = example
        self.bare = bare
        self.aliases = aliases or {}

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read the text; a click.BadParameter says what is wrong with it."""
        if isinstance(value, float):
            return value
        # To one spelling of ², µ and ℃.
        found = re.fullmatch(rf"\s*({_NUMBER})\s*(.*?)\s*", unicodedata.normalize("NFKC", value))
        if not found or "," in value:
            hint = "; a decimal point is a point" if "," in value else ""
            self.fail(f"{value!r} is no number such as {self.example}{hint}", param, ctx)
        number, unit = float(found[1]), found[2]
        if not math.isfinite(number):
            self.fail(f"{value!r} is no finite number", param, ctx)
        if not unit:
            if self.bare is not None and (number >= self.bare or number <= 0):
                return Typed(number, value)
            self.fail(f"{value!r} has no unit: write it as in {self.example}", param, ctx)
        try:
            return Typed(self._in_unit(number, unit), value)
        except ValueError:
            self.fail(f"{unit!r} is no unit of this: write it as in {self.example}", param, ctx)

    def _in_unit(self, number: float, unit: str) -> float:
        """The number in our unit; ValueError if that cannot be."""
        if (unit, self.unit) == ("K", "kelvin"):  # as mostly: pint takes a third of a second
            return number
        # pycalphad's registry: quantities of two registries do not mix. It takes seconds.
        from pint.errors import PintError
        from pycalphad.property_framework.units import ureg

        # People write cm2 or cm-2 for cm^2 and cm^-2, and so does the paper.
        text = re.sub(r"(?<=[A-Za-z])(-?[1-3])\b", r"^\1", unit)
        for pattern, meaning in self.aliases.items():
            text = meaning if re.fullmatch(pattern, unit) else text
        try:
            return float(ureg.Quantity(number, text).to(self.unit).magnitude)
        except (PintError, AttributeError, AssertionError, TypeError) as error:
            raise ValueError(unit) from error


class Fraction(Measure):
    """A mole fraction of the second of two elements: 0.03, 3%, 3 at.%, 9.3 wt.%."""

    def __init__(self, components: tuple[str, str]) -> None:
        percent = r"((at|mol|atom|mole)[.\- ]*)?%"
        super().__init__(
            "dimensionless", "0.03, 3% (of the atoms) or 9.3wt%", bare=0,
            aliases={percent: "percent"},
        )  # fmt: skip
        self.components = components

    def _in_unit(self, number: float, unit: str) -> float:
        if not re.fullmatch(r"(wt|weight|mass)[.\- ]*%", unit):
            return super()._in_unit(number, unit)
        from ase.data import atomic_masses, atomic_numbers

        first, second = (atomic_masses[atomic_numbers[name.title()]] for name in self.components)
        share = number / 100
        return float(share / second / (share / second + (1 - share) / first))


class Diffusivity(click.ParamType):  # type: ignore[type-arg]  # not generic before click 8.3
    """A diffusivity, as it is or over temperature: 1e-10cm2/s, D0@Q, or D@T,D@T."""

    name = "diffusivity"
    plain = Measure("m^2/s", "1e-10cm2/s, 0.4cm2/s@12kcal/mol or 1e-10cm2/s@25C,4e-10cm2/s@60C")
    energy = Measure(
        "J/mol", "12kcal/mol, 50kJ/mol or 0.5eV", aliases={"eV(/atom)?": "eV*avogadro_constant"}
    )

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """A number in m²/s, or an `Arrhenius`."""
        if not isinstance(value, str) or "@" not in value:
            return self.plain.convert(value, param, ctx)
        from lina_calphad.phase.kinetics import Arrhenius

        pairs = [each.split("@") for each in value.split(",")]
        if any(len(pair) != 2 for pair in pairs) or len(pairs) > 2:
            self.fail(f"{value!r} is no diffusivity such as {self.plain.example}", param, ctx)
        D = [float(self.plain.convert(pair[0], param, ctx)) for pair in pairs]
        if min(D) <= 0:
            self.fail(f"{value!r}: a diffusivity is positive", param, ctx)
        if len(pairs) == 1:
            return Arrhenius(D[0], float(self.energy.convert(pairs[0][1], param, ctx)))
        T = [float(KELVIN.convert(pair[1], param, ctx)) for pair in pairs]
        if min(T) <= 0 or T[0] == T[1]:
            self.fail(f"{value!r} needs two temperatures above 0 K", param, ctx)
        return Arrhenius.through((D[0], T[0]), (D[1], T[1]))


class DepthType(click.ParamType):  # type: ignore[type-arg]  # not generic before click 8.3
    """How deep an anode is stripped: a share of its Li, or a charge."""

    name = "depth"
    example = "50%, 1000mAh/g or 3mAh/cm2"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """A `Depth`."""
        from lina_calphad.anode.charge import Depth

        for unit in ("share", "mAh/cm²", "mAh/g"):
            measure = SHARE if unit == "share" else Measure(unit.replace("mAh", "mA*hour"), "")
            try:
                return Depth(measure.convert(value.replace("mAh", "mA*hour"), param, ctx), unit)
            except click.BadParameter:
                continue
        return self.fail(f"{value!r} is no depth of stripping such as {self.example}", param, ctx)


class Current(Measure):
    """A current density in A/m², or as a C-rate: 0.5C strips all the Li in two hours."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """A number in A/m², or a `CRate`."""
        found = re.fullmatch(rf"\s*(?:({_NUMBER})\s*C|C\s*/\s*({_NUMBER}))\s*", str(value))
        if not found:
            return super().convert(value, param, ctx)
        from lina_calphad.anode.charge import CRate

        rate = float(found[1] or 0) if found[1] else float(found[2]) and 1 / float(found[2])
        if rate <= 0:
            self.fail(f"{value!r}: a C-rate is positive", param, ctx)
        return CRate(rate)


# A bare 25 is nobody's kelvin.
KELVIN = Measure("kelvin", "300K or 25C", bare=200, aliases={"°? ?C|celsius": "degC"})
FRACTION = Fraction(("LI", "NA"))
SHARE = Measure("dimensionless", "0.5 or 50%", bare=0, aliases={"%": "percent"})
METRES = Measure("m", "100um")
DENSITY = Measure("kg/m^3", "0.55g/cm3")
CURRENT_DENSITY = Current("A/m^2", "1mA/cm2 or 0.5C")
DIFFUSIVITY = Diffusivity()
DEPTH = DepthType()
SECONDS = Measure("s", "10min")


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


class _Names(click.ParamType):  # type: ignore[type-arg]  # not generic before click 8.3
    """Names with commas between them."""

    name = "names"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, ...]:
        names = value if isinstance(value, tuple) else tuple(n.strip() for n in value.split(","))
        if not all(names):
            self.fail(f"{value!r} is no list of names such as AL,ZN", param, ctx)
        return tuple(name.upper() for name in names)


NAMES = _Names()


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
    command gets it as a keyword of the field's name. The type is that of the annotation: str,
    int, float, bool (a flag), Path, one of these or None, a tuple of several as (str, str), and
    tuple[str, ...] for an option that may be given again. The default is the field's and is
    shown in the help. The metadata may have these, too:

    - "option": its name, such as "--start", or several as a tuple
    - "metavar": what stands for its value in the help
    - "type": a click type instead of the annotation's, such as `KELVIN`
    - "default": a text to show for the default, "" for none

    The module of the dataclass is imported when the program starts: it must be a light one.

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
            if "help" not in each.metadata:
                continue
            names = each.metadata.get("option", "--" + each.name.replace("_", "-"))
            names = (names,) if isinstance(names, str) else names
            default = each.default if each.default_factory is MISSING else each.default_factory()
            given: dict[str, Any] = dict(each.metadata)
            given.pop("option", None)
            given["show_default"] = given.pop("default", True) or False
            if default is MISSING:
                given["required"] = True
            else:
                given["default"] = default
            given = {**_type(types[each.name]), **given}
            function = click.option(*names, each.name, **given)(function)
        return function

    return decorate


def _type(annotation: Any) -> dict[str, Any]:
    """What click is told of a field's type."""
    arguments = get_args(annotation)
    if isinstance(annotation, UnionType) or get_origin(annotation) is Union:
        (annotation,) = (a for a in arguments if a is not NoneType)
        return _type(annotation)
    if get_origin(annotation) is tuple and Ellipsis in arguments:
        return {**_type(arguments[0]), "multiple": True}
    if get_origin(annotation) is tuple:
        return {"type": tuple(_type(a)["type"] for a in arguments)}
    if annotation is bool:
        return {"is_flag": True}
    return {"type": click.Path(path_type=Path) if annotation is Path else annotation}
