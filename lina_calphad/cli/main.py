"""The `lina-calphad` command: argument parsing and printing, nothing else."""

from __future__ import annotations

import atexit
import codecs
import gc
import io
import signal
import sys
import textwrap
import threading
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lina_calphad.cli.anode import anode
from lina_calphad.cli.assess import assess
from lina_calphad.cli.check import check
from lina_calphad.cli.dataset import dataset
from lina_calphad.cli.diagram import diagram
from lina_calphad.cli.options import KELVIN, names, reporting
from lina_calphad.cli.refit import refit
from lina_calphad.cli.reproduce import reproduce
from lina_calphad.cli.stability import stability
from lina_calphad.errors import Interrupted, LinaCalphadError, OutsideAssessedRange
from lina_calphad.text import one_line, printable, spelled_in_ascii

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lina_calphad.report import Report

# New objects from which on garbage is sought. Modules and figures are hundreds of thousands that
# stay, and to look through them time and again takes a tenth of a short command.
_GARBAGE = 500_000

# What is heavy is imported in the commands: `--help` answers at once.


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: lina-calphad compare zhang2003 santos2025 -T 300",
)
@click.version_option(package_name="lina-calphad", prog_name="lina-calphad")
def cli() -> None:
    """Li-Na thermodynamics: compare assessments, chemical and coherent."""


@cli.command(
    epilog="Examples: lina-calphad compare; "
    "lina-calphad compare zhang2003 my.tdb -T 320 --out my-results; "
    "lina-calphad compare santos2025 -T 25C --bands; "
    "lina-calphad compare a.tdb b.tdb --components AL,ZN --phase FCC_A1 -T 500"
)
@click.argument("sources", nargs=-1)
@click.option(
    "-T", "--temperature", type=KELVIN, default="300K", show_default=True, metavar="TEMPERATURE",
    help="Of the solubilities and spinodals in the table, as in 300 (K) or 25C.",
)  # fmt: skip
@click.option(
    "--bands", is_flag=True,
    help="Add what is known of the parameters: bands in the figures, a table of uncertainties.",
)  # fmt: skip
@click.option(
    "--components", type=names, metavar="A,B",
    help="Two other components: compare TDB files of any binary.  [default: LI,NA]",
)  # fmt: skip
@click.option(
    "--phase", metavar="PHASE",
    help="With --components: the phase whose miscibility gap is compared.",
)  # fmt: skip
@click.option("--phases", type=names, metavar="NAMES", help="With --components: all phases.")
@reporting("lina-results")
def compare(
    sources: tuple[str, ...], temperature: float, bands: bool, components: tuple[str, ...] | None,
    phase: str | None, phases: tuple[str, ...] | None,
) -> Report:  # fmt: skip
    """Compare assessments of Li-Na, or of any binary, side by side.

    SOURCES are keys of shipped assessments (see `lina-calphad list`) or paths of
    TDB files with LI, NA and BCC_A2; all shipped ones if none is given. A TDB
    without elastic data takes the shipped ones.

    Prints solubilities, spinodals, critical points and the invariants with the
    liquid, and writes the same as CSV with the low-temperature phase diagram,
    Arrhenius plots of both solubility limits and the Gibbs energy curves.

    With --bands the diagram and the Arrhenius plots show where 68 % and 95 % of
    the draws of the parameters lie. For santos2025 these come from 0.01 eV on
    each substitution energy, which is our assumption; for my.tdb from the table
    my_draws.csv beside it, with a column for each symbol of the TDB and a row
    for each draw. What has no such table has no band.

    With --components A,B and --phase the SOURCES are TDB files of these: the gap
    of the phase, every invariant and both whole diagrams are compared.
    """
    from lina_calphad.report import steps

    if components:
        if not phase or len(components) != 2 or bands:
            raise click.UsageError("--components takes two, with --phase and without --bands")
        from lina_calphad.compare.pairs import pair_report

        with steps(len(sources)) as say:
            return pair_report(
                sources, components, phase.upper(), temperature, phases, progress=say
            )
    if phase or phases:
        raise click.UsageError("--phase and --phases go with --components")
    from lina_calphad.compare.comparison import compare as run

    # Bands come in four pieces of draws, more for a long table.
    with steps((2 + 4 * bands) * (len(sources) or 3)) as say, warnings.catch_warnings():
        # The notes of the result say the same.
        warnings.simplefilter("ignore", OutsideAssessedRange)
        return run(sources or None, temperature, bands=bands, progress=say).report()


@cli.command(
    "list", short_help="List the shipped assessments.", epilog="Example: lina-calphad list"
)
def list_assessments() -> None:
    """List the shipped assessments: what each rests on and when to use it."""
    from lina_calphad.data.assessments import assessments, tdb_folder

    folder = Path(str(tdb_folder())).resolve()
    for assessment in assessments().values():
        low, high = assessment.temperature_range
        click.echo(f"{assessment.key}")
        for label, text in (
            ("title", assessment.title),
            ("source", assessment.citation),
            ("doi", assessment.doi or "not known to us"),
            ("range", f"{low:g} to {high:g} K"),
            ("use for", assessment.recommended_for),
            ("basis", assessment.basis),
            (
                "files",
                ", ".join(str(folder / name) for name in assessment.files),
            ),
        ):
            lines = textwrap.wrap(text, 84, break_long_words=False, break_on_hyphens=False)
            click.echo(f"  {label:8} " + f"\n{'':11}".join(lines))


@cli.command(
    epilog="\b\nExamples:\n"
    "  lina-calphad export santos2025 coherent.tdb\n"
    "  lina-calphad export my.tdb coherent.tdb --plane 1 1 1\n"
    "  lina-calphad export santos2025 bcc.py --format python -T 300\n"
    "  lina-calphad export alloy.tdb fcc.i --format moose --components AL,CU,ZN --phase FCC_A1"
)
@click.argument("source")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--plane", type=(float, float, float), default=(1, 0, 0), show_default=True, metavar="H K L",
    help="Miller indices of the composition wave.",
)  # fmt: skip
@click.option(
    "--format", "language", type=click.Choice(["tdb", "python", "c", "moose"]), default="tdb",
    show_default=True, help="Of the file: the coherent TDB, or G for a microstructure code.",
)  # fmt: skip
@click.option(
    "--components", type=names, default="LI,NA", show_default=True, metavar="A,B,...",
    help="The components.",
)  # fmt: skip
@click.option("--phase", default="BCC_A2", show_default=True, metavar="PHASE", help="The phase.")
@click.option("--coherent", is_flag=True, help="Put the coherency energy into G (a TDB has it).")
@click.option(
    "-T", "--temperature", type=KELVIN, metavar="TEMPERATURE",
    help="Fix the temperature in G.  [default: a variable]",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace FILE if it exists.")
def export(
    source: str, file: Path, plane: tuple[float, float, float], language: str,
    components: tuple[str, ...], phase: str, coherent: bool, temperature: float | None,
    overwrite: bool,
) -> None:  # fmt: skip
    """Write a coherent phase as a plain TDB, or any phase for a microstructure code.

    SOURCE is the key of an assessment or the path of a TDB file. In a TDB the
    interaction parameter is 0L - B, so that Thermo-Calc, OpenCalphad, Pandat or
    plain pycalphad compute the coherent miscibility gap and spinodal of the phase.
    Its equilibria with other phases have no meaning there. The plane matters
    where the elastic data are anisotropic; the shipped ones are isotropic.

    With another format FILE has G, its first and second derivatives in the
    fractions, and elastic constants and misfits where there are any: functions of
    NumPy, C99 or parsed materials of MOOSE.
    """
    from pycalphad import Model

    from lina_calphad.data.assessments import read
    from lina_calphad.phase.coherent import CoherentModel
    from lina_calphad.phase.export import export_coherent_tdb

    if language == "tdb" and temperature is not None:
        raise click.UsageError("a TDB is for all temperatures: -T goes with the other formats")
    phase = phase.upper()
    chosen = type("CoherentModel", (CoherentModel,), {"plane": plane})
    dbf, origin = read(source, components, [phase])
    named = "; ".join(filter(None, origin))
    if language == "tdb":
        written = export_coherent_tdb(
            dbf, file, phase=phase, components=components, model=chosen, source=named,
            overwrite=overwrite,
        )  # fmt: skip
    else:
        from lina_calphad.stability.codes import export_phase

        written = export_phase(
            dbf, file, language, phase=phase, components=components,
            model=chosen if coherent else Model, T=temperature, source=named, overwrite=overwrite,
        )  # fmt: skip
    if origin.elastic:
        click.echo(f"note: {printable(origin.elastic)}")
    click.echo(f"wrote {printable(written)}")


cli.add_command(anode)
cli.add_command(dataset)
cli.add_command(refit)
cli.add_command(check)
cli.add_command(diagram)
cli.add_command(assess)
cli.add_command(reproduce)
cli.add_command(stability)


def main(arguments: list[str] | None = None) -> Any:
    """Run the command; an expected error is one line on stderr and exit status 2."""
    gc.set_threshold(_GARBAGE)
    atexit.register(gc.freeze)  # to take it all apart at the end takes as long
    arguments = _joined(sys.argv[1:] if arguments is None else arguments)
    with _surroundings():
        try:
            return cli.main(arguments, "lina-calphad", standalone_mode=False, obj=arguments)
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.ctx.get_help() if error.ctx else "")
            sys.exit(0)
        except (click.exceptions.Abort, KeyboardInterrupt):
            sys.exit(130)
        except click.ClickException as error:
            message = one_line(error.format_message())
        except Interrupted as error:
            click.echo(f"lina-calphad: {one_line(error)}", err=True)
            sys.exit(130)
        except (LinaCalphadError, ValueError, OSError) as error:
            message = one_line(error)
        except MemoryError as error:
            message = one_line(f"out of memory: {error}" if str(error) else "out of memory")
        except RecursionError:
            message = "the input is nested too deeply"
        click.echo(f"lina-calphad: error: {message}", err=True)
        sys.exit(2)


def _joined(arguments: list[str]) -> list[str]:
    """The same with --components AL,ZN for AL ZN, as some commands took it in 0.1.0."""
    for i, (option, *pair) in enumerate(zip(arguments, arguments[1:], arguments[2:], strict=False)):
        if option == "--components" and all(name.isalpha() and len(name) < 3 for name in pair):
            return [*arguments[: i + 1], ",".join(pair), *arguments[i + 3 :]]
    return arguments


@contextmanager
def _surroundings() -> Iterator[None]:
    """Whatever the terminal can write, and a TERM that stops a run as Ctrl-C does."""
    codecs.register_error("lina-ascii", spelled_in_ascii)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="lina-ascii")
    plain = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if issubclass(category, LinaCalphadError):
            click.echo(f"note: {one_line(message)}", err=True)
        else:
            plain(message, category, *place, **more)

    before = None
    if threading.current_thread() is threading.main_thread():
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = show
            yield
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)
