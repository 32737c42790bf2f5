"""The `lina-calphad refit` command: argument parsing and printing, nothing else."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lina_calphad.fit.refit import Refit

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
@click.option(
    "--data", multiple=True, metavar="DATA",
    help="Name of a shipped dataset, a JSON file or a folder; give it again for more. See "
    "`lina-calphad dataset --help` to make one.  [default: santos2025]",
)  # fmt: skip
@click.option(
    "--start", "source", metavar="SOURCE", default="santos2025", show_default=True,
    help="Assessment or TDB file to start from.",
)  # fmt: skip
@click.option(
    "--model", default="coherent", show_default=True, metavar="MODEL",
    help="coherent, chemical or the import path of a pycalphad Model.",
)  # fmt: skip
@click.option(
    "--components", type=(str, str), default=("LI", "NA"), show_default=True, metavar="A B",
    help="The two elements.",
)  # fmt: skip
@click.option(
    "--phase", "phases", multiple=True, metavar="PHASE",
    help="Phase whose interaction parameters are fitted; give it again for more.  "
    "[default: BCC_A2]",
)  # fmt: skip
@click.option(
    "--symbol", "symbols", multiple=True, metavar="NAME",
    help="FUNCTION of the start that is fitted instead; give it again for more.",
)  # fmt: skip
@click.option(
    "--chains",
    default=10,
    show_default=True,
    help="Walkers; more where two for each parameter are.",
)
@click.option(
    "--iterations", default=1500, show_default=True,
    help="Iterations of every walker; 0 takes the closed form alone (data linear in the "
    "parameters, such as energies).",
)  # fmt: skip
@click.option("--seed", default=0, show_default=True, help="Seed of the random numbers.")
@click.option(
    "--scheduler", default="none", show_default=True, metavar="WHERE",
    help="none, dask (workers on this machine), or the JSON file of a running Dask scheduler.",
)  # fmt: skip
@click.option(
    "--cores", type=click.IntRange(min=1), help="Workers of --scheduler dask.  [default: all cores]"
)
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
    data: tuple[str, ...],
    source: str,
    model: str,
    components: tuple[str, str],
    phases: tuple[str, ...],
    symbols: tuple[str, ...],
    chains: int,
    iterations: int,
    seed: int,
    scheduler: str,
    cores: int | None,
    out: Path,
    resume: bool,
    write_inputs: Path | None,
) -> None:
    """Refit an assessment with ESPEI, with honest error bars.

    ESPEI generates the parameters from energies, then samples their posterior. Where all data
    are linear in the parameters, as energies are, the posterior is also known in closed form:
    its values are taken, and the chain checks them. Data of other kinds (solubilities, tie-lines)
    take the most probable sample.

    FOLDER gets refit.tdb with the draws of its parameters beside it (`lina-calphad compare
    santos2025 FOLDER/refit.tdb --bands` shows what they mean), parameters.csv, figures, and
    trace.npy and lnprob.npy as ESPEI writes them. Ctrl-C keeps what was sampled (exit status 130).
    """
    from lina_calphad.fit.refit import read_settings
    from lina_calphad.fit.refit import refit as run
    from lina_calphad.fit.report import write_results
    from lina_calphad.fit.setup import RefitSettings, prepare
    from lina_calphad.fit.setup import write_inputs as write

    if resume:
        given = {
            name
            for name in context.params
            if context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT
        }
        other = sorted(given - {"resume", "iterations", "out", "scheduler", "cores"})
        if other:
            msg = f"a run is resumed with its own settings: leave out --{', --'.join(other)}"
            raise click.UsageError(msg)
        settings = read_settings(out)
        if context.get_parameter_source("iterations") is not click.core.ParameterSource.DEFAULT:
            settings = replace(settings, iterations=iterations)
    else:
        settings = RefitSettings(
            source=source,
            data=data or ("santos2025",),
            components=components,
            phases=phases or ("BCC_A2",),
            model=model,
            symbols=symbols,
            chains=chains,
            iterations=iterations,
            seed=seed,
        )
    if write_inputs:
        for file in write(prepare(settings), write_inputs):
            click.echo(f"wrote {file}")
        click.echo(f"next: cd {write_inputs} && espei --input refit.yaml")
        return
    with _progress() as say:
        result = run(settings, out, scheduler=scheduler, cores=cores, resume=resume, progress=say)
        say("writing tables and figures", 0, 0)
        files, notes = write_results(result, out)
    _print(result)
    for note in [*result.notes, *notes]:
        click.echo(f"note: {note}")
    click.echo(f"{len(files)} files are in {out}, {files[0].parent / 'refit.tdb'} among them")


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar with rate and time left, where there is a terminal."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Log()
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task: Any = progress.add_task("", total=None, rate="")

        def say(what: str, done: int, wanted: int) -> None:
            speed = progress.tasks[0].speed
            rate = f"{speed:.1f}/s" if speed and wanted else ""
            progress.update(task, description=what, completed=done, total=wanted or None, rate=rate)

        yield say


class _Log:
    """A line every half minute, where there is no terminal."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, what: str, done: int, wanted: int) -> None:
        if time.monotonic() - self._last > _SECONDS_BETWEEN_LINES:
            self._last = time.monotonic()
            click.echo(f"{what}: {done} of {wanted}" if wanted else what, err=True)


def _print(result: Refit) -> None:
    from rich.markup import escape
    from rich.table import Table

    from lina_calphad.report import table_console

    settings = result.setup.settings
    table = Table(title=f"refit of {escape(Path(settings.source).name)}", title_justify="left")
    for name in ("parameter", "stands in", "old", "new", "standard error"):
        table.add_column(name, justify="left" if name in ("parameter", "stands in") else "right")
    chain = result.convergence is not None
    if chain:
        table.add_column("chain", justify="right")
    exact = result.finite_difference
    by_difference = {0: exact.L0, 1: exact.L1} if exact else {}
    if exact:
        table.add_column("eqs. 8, 9", justify="right")
    for i, row in enumerate(result.to_dataframe().to_dict("records")):
        old = "" if row["old"] != row["old"] else f"{row['old']:.6g}"
        cells = [row["symbol"], row["parameter"], old, f"{row['new']:.7g}"]
        cells.append(f"{row['standard_error']:.3g}")
        if chain:
            cells.append(f"{row['chain_mean']:.6g} ± {row['chain_standard_error']:.3g}")
        if exact:
            cells.append(f"{by_difference[i]:.6g}" if i in by_difference else "")
        table.add_row(*map(escape, cells))
    table_console().print(table)
    for i, name in enumerate(result.symbols):
        for j in range(i):
            r = result.correlation[i, j]
            if abs(r) >= 0.005:
                click.echo(f"correlation of {result.symbols[j]} and {name}: {r:.2f}")
    click.echo(f"values: {result.method.lower()}")
    if result.convergence is not None:
        click.echo(result.convergence.verdict)
