"""What commands share: numbers with units, and where results go."""

from __future__ import annotations

import re
import sys
from contextlib import nullcontext
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from lina_calphad.report import Report

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"


class Measure(click.ParamType):  # type: ignore[type-arg]  # not generic before click 8.3
    """A number with a unit, such as 100um or 1 mA/cm2, as a float in another unit.

    Parameters
    ----------
    unit
        Of the float, as pint spells it.
    example
        What an error shows.
    bare
        Whether a number without a unit is taken in `unit`: from this value on; never if None.
    aliases
        Units that mean something else here than in pint, such as C.
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
        found = re.fullmatch(rf"\s*({_NUMBER})\s*(.*?)\s*", value)
        if not found or "," in value:
            hint = "; a decimal point is a point" if "," in value else ""
            self.fail(f"{value!r} is no number such as {self.example}{hint}", param, ctx)
        number, unit = float(found[1]), found[2]
        if not unit:
            if self.bare is not None and (number >= self.bare or number <= 0):
                return number
            self.fail(f"{value!r} has no unit: write it as in {self.example}", param, ctx)
        # pycalphad's registry: quantities of two registries do not mix. It takes seconds.
        from pint.errors import PintError
        from pycalphad.property_framework.units import ureg

        # People write cm2 or cm-2 for cm^2 and cm^-2, and so does the paper.
        text = self.aliases.get(unit, re.sub(r"(?<=[A-Za-z])(-?[1-3])\b", r"^\1", unit))
        try:
            return float(ureg.Quantity(number, text).to(self.unit).magnitude)
        except (PintError, ValueError, AttributeError, AssertionError, TypeError):
            self.fail(f"{unit!r} is no unit of this: write it as in {self.example}", param, ctx)


# A bare 25 is nobody's kelvin.
KELVIN = Measure("kelvin", "300K or 25C", bare=200, aliases={"C": "degC", "°C": "degC"})
FRACTION = Measure("dimensionless", "0.03 or 3%", bare=0, aliases={"%": "percent"})
METRES = Measure("m", "100um")
DENSITY = Measure("kg/m^3", "0.55g/cm3")
CURRENT_DENSITY = Measure("A/m^2", "1mA/cm2")
DIFFUSIVITY = Measure("m^2/s", "1e-10cm2/s")


def reporting(default: str, what: str = "tables (CSV) and figures (PNG, SVG)") -> Any:
    """Make a command of a function that returns a Report: --out, --overwrite and --json.

    The folder is looked at before the function runs, so that no work is lost.

    Parameters
    ----------
    default
        Folder where --out is not given; with --json nothing is written then.
    what
        What goes there, for the help.
    """

    def decorate(function: Callable[..., Report]) -> Callable[..., None]:
        @click.option(
            "--out", type=click.Path(path_type=Path), metavar="FOLDER",
            help=f"Folder for {what}.  [default: {default}]",
        )  # fmt: skip
        @click.option(
            "--overwrite", is_flag=True, help="Replace results of an earlier run in the folder."
        )
        @click.option(
            "--json", "as_json", is_flag=True,
            help="Print the numbers as JSON; write files only where --out is given.",
        )  # fmt: skip
        @wraps(function)
        def command(
            *arguments: Any, out: Path | None, overwrite: bool, as_json: bool, **options: Any
        ) -> None:
            from lina_calphad.report import results_folder, steps

            folder = out or (None if as_json else Path(default))
            writing = results_folder(folder, overwrite=overwrite) if folder else nullcontext()
            with writing as files:
                report = function(*arguments, **options)
                if as_json:
                    click.echo(report.to_json())
                else:
                    report.show()
                if files:
                    with steps(len(report.figures)) as say:
                        report.write(files, say)
            if folder and not as_json:
                place = f"{folder}{'' if str(folder).endswith('/') else '/'}"
                click.echo(f"Tables and figures are in {place}")
            if not report.ok:
                sys.exit(1)

        return command

    return decorate
