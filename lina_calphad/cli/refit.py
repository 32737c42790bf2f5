"""The `lina-calphad refit` command: argument parsing and printing, nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from lina_calphad.cli.options import options_of
from lina_calphad.fit.settings import RefitSettings
from lina_calphad.text import printable

DEFAULT_OUT = "lina-refit"
_SECONDS_BETWEEN_LINES = 30.0


@click.command(
    epilog="\b\nExamples:\n"
    "  lina-calphad refit\n"
    "  lina-calphad refit --data gpaw2026-54 --out own\n"
    "  lina-calphad refit --data mine.json --iterations 0\n"
    "  lina-calphad refit --resume --iterations 4000\n"
    "  lina-calphad refit --write-inputs for-espei\n\n"
    "Shipped datasets are the energies santos2025, gpaw2026-54, gpaw2026-16 and gpaw2026-sqs, and "
    "for --model chemical the measured invariants down1975, howland1957 and khairulin2019."
)
@options_of(RefitSettings)
@click.option(
    "--scheduler", default="none", show_default=True, metavar="WHERE",
    help="none, dask (workers on this machine), or the JSON file of a running Dask scheduler.",
)  # fmt: skip
@click.option(
    "--cores", type=click.IntRange(1, 1024), metavar="N",
    help="Workers of --scheduler dask.  [default: all cores]",
)  # fmt: skip
@click.option(
    "--out", type=click.Path(path_type=Path), default=DEFAULT_OUT, show_default=True,
    metavar="FOLDER", help="Folder for the chain, the refitted TDB, tables and figures.",
)  # fmt: skip
@click.option(
    "--resume", is_flag=True,
    help="Go on with the run in FOLDER, with its settings, up to --iterations.",
)  # fmt: skip
@click.option(
    "--write-inputs", type=click.Path(path_type=Path), metavar="DIR",
    help="Write inputs for the plain `espei --input refit.yaml` to DIR, and do no more.",
)  # fmt: skip
@click.pass_context
def refit(
    context: click.Context,
    /,
    scheduler: str,
    cores: int | None,
    out: Path,
    resume: bool,
    write_inputs: Path | None,
    **given: Any,
) -> None:
    """Refit an assessment with ESPEI, with honest error bars.

    ESPEI generates the parameters from energies, then samples their posterior. Where all data
    are linear in the parameters, as energies are, the posterior is also known in closed form:
    its values are taken, and the chain checks them. Data of other kinds (solubilities, tie-lines)
    take the most probable sample.

    FOLDER gets refit.tdb with the draws of its parameters beside it (`lina-calphad compare
    santos2025 FOLDER/refit.tdb --bands` shows what they mean), parameters.csv, residuals.csv,
    figures, and trace.npy and lnprob.npy as ESPEI writes them. Ctrl-C keeps what was sampled (exit
    status 130).
    """
    from lina_calphad.fit.folder import RunFolder, read_settings
    from lina_calphad.fit.models import ModuleInFolder
    from lina_calphad.fit.refit import refit as run
    from lina_calphad.fit.report import report

    named = {
        name for name in given if context.get_parameter_source(name) is not ParameterSource.DEFAULT
    }
    if "model" in named and "." in given["model"]:
        # Named here, a module of the working folder may be imported; no other, and not by a file.
        ModuleInFolder(given["model"].split(".")[0], str(Path.cwd())).allow()
    if resume:
        _check_named(
            named - {"iterations", "model"} | ({"write_inputs"} if write_inputs else set())
        )
        settings = read_settings(out, given["model"] if "model" in named else None)
        if "iterations" in named:
            settings = replace(settings, iterations=given["iterations"])
    else:
        settings = RefitSettings(**given)
    if write_inputs:
        _write_inputs(settings, write_inputs)
        return
    with RunFolder(out) as folder, _progress() as say:
        result = run(settings, out, scheduler=scheduler, cores=cores, resume=resume, progress=say)
        say("computing bands and figures", 0, 0)
        found = report(result)
        files = folder.write(found)
    found.show()
    there = printable(out)
    click.echo(f"{len(files)} files are in {there}, {there}/refit.tdb among them")


def _check_named(names: set[str]) -> None:
    """Refuse options of a new run where one goes on."""
    if names:
        options = {each.name: each.metadata.get("option") for each in fields(RefitSettings)}
        given = sorted(options.get(n) or "--" + n.replace("_", "-") for n in names)
        raise click.UsageError(
            f"a run is resumed with its own settings: leave out {', '.join(given)}"
        )


def _write_inputs(settings: RefitSettings, folder: Path) -> None:
    from lina_calphad.fit.setup import prepare, write_inputs

    for file in write_inputs(prepare(settings), folder):
        click.echo(f"wrote {printable(file)}")
    click.echo(f"next: cd {printable(folder)} && espei --input refit.yaml")


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar with rate and time left where there is a terminal, else lines of a log."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeRemainingColumn,
    )  # fmt: skip

    console = Console(stderr=True)
    if not console.is_terminal:
        last = time.monotonic()

        def log(what: str, done: int, wanted: int) -> None:
            nonlocal last
            if time.monotonic() - last > _SECONDS_BETWEEN_LINES:
                last = time.monotonic()
                click.echo(f"{what}: {done} of {wanted}" if wanted else what, err=True)

        yield log
        return
    columns = (
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=None, rate="")

        def say(what: str, done: int, wanted: int) -> None:
            speed = progress.tasks[0].speed
            rate = f"{speed:.1f}/s" if speed and wanted else ""
            progress.update(task, description=what, completed=done, total=wanted or None, rate=rate)

        yield say
