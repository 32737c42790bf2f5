"""Report: what every command returns, and how it is shown, printed as JSON and put on disk."""

from __future__ import annotations

import html
import json
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lina_calphad.output import ResultsFolder, results_folder, write_text
from lina_calphad.text import counted, printable

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pandas as pd
    from matplotlib.figure import Figure
    from rich.console import Console

__all__ = [
    "Line", "Report", "Shown", "results_folder", "save_figure", "steps", "table_console",
    "write_text",
]  # fmt: skip

_ROOMY = 100  # letters in a line


@dataclass(frozen=True)
class Shown:
    """A table on the terminal; its cells are text, the names of its columns the headings."""

    title: str
    frame: pd.DataFrame
    left: tuple[str, ...] = ()  # columns that are words and stand to the left
    sections: tuple[int, ...] = ()  # rows before which a line is drawn
    styles: Mapping[int, str] = field(default_factory=dict)  # of rows, in rich's words
    whole: tuple[str, ...] = ()  # columns whose cells are not broken over lines
    roomy: tuple[str, ...] = ()  # columns that a terminal of less than 100 letters leaves out


@dataclass(frozen=True)
class Line:
    """A sentence on the terminal, in a style of rich's such as "bold"."""

    text: str
    style: str | None = None


@dataclass(frozen=True, eq=False)
class Report:
    """What a command found: shown on a terminal or in a notebook, printed as JSON, saved.

    Examples
    --------
    >>> import pandas as pd
    >>> found = pd.DataFrame({"quantity": ["eutectic / K"], "computed": ["361.45"]})
    >>> shown = Shown("Li-Na", found, left=("quantity",))
    >>> report = Report("example", {"eutectic": 361.45}, [shown], ["a note"])
    >>> report
    <Report example: 0 tables, 0 figures, 1 note>
    >>> report.show()
    Li-Na...
    ┃ quantity     ┃ computed ┃
    ┡━━━━━━━━━━━━━━╇━━━━━━━━━━┩
    │ eutectic / K │   361.45 │
    └──────────────┴──────────┘
    note: a note
    >>> print(report.to_json())
    {
      "eutectic": 361.45
    }
    """

    #: Of the JSON file, without its suffix.
    name: str
    #: The numbers for programs, as JSON takes them; missing ones are None.
    content: Mapping[str, Any]
    #: What to print: tables, and sentences in between; last, what to know when reading it.
    shown: Sequence[Shown | Line | str] = ()
    notes: Sequence[str] = ()
    #: Written as CSV, by name; a function is called when they are saved.
    tables: Mapping[str, pd.DataFrame | Callable[[], pd.DataFrame]] = field(default_factory=dict)
    #: Written as PNG and SVG, by name; drawn only when they are saved.
    figures: Mapping[str, Callable[[], Figure]] = field(default_factory=dict)
    #: Other files by their full name, such as a page or a TDB.
    texts: Mapping[str, str] = field(default_factory=dict)
    #: What to do next, printed when files are written; {folder} stands for where they are.
    hints: Sequence[str] = ()
    #: Whether everything holds; a command ends with status 1 if not.
    ok: bool = True

    def __repr__(self) -> str:
        items = {"table": self.tables, "figure": self.figures, "note": self.notes}
        parts = ", ".join(counted(len(some), what) for what, some in items.items())
        return f"<Report {self.name}: {parts}{'' if self.ok else '; not ok'}>"

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        parts = []
        for item in self._lines():
            if isinstance(item, Shown):
                frame = item.frame.map(printable).to_html(index=False, border=0)
                parts.append(f"<p><i>{_html(item.title)}</i></p>{frame}")
            else:
                parts.append(f"<p>{_html(item.text)}</p>")
        return "\n".join(parts)

    def to_json(self) -> str:
        """The numbers as JSON."""
        return json.dumps(self.content, indent=2, allow_nan=False)

    def show(self, console: Console | None = None) -> None:
        """Print tables, sentences and notes."""
        console = console or table_console()
        for item in self._lines():
            if isinstance(item, Shown):
                console.print(rich_table(item, console.width))
            else:
                text = printable(item.text)
                console.print(text, highlight=False, markup=False, style=item.style)

    def _lines(self) -> Iterator[Shown | Line]:
        for item in (*self.shown, *(f"note: {note}" for note in self.notes)):
            yield Line(item) if isinstance(item, str) else item

    def write(self, files: Path, progress: Callable[[str], None] = lambda _: None) -> None:
        """Write everything into a folder that is there; see `save`."""
        for name, text in {**self.texts, f"{self.name}.json": self.to_json()}.items():
            (files / name).parent.mkdir(parents=True, exist_ok=True)
            (files / name).write_text(text, encoding="utf-8", errors="backslashreplace")
        for name, draw in self.figures.items():
            progress(name)
            save_figure(draw(), files, name)
        for name, table in self.tables.items():
            frame = table() if callable(table) else table
            frame.to_csv(files / f"{name}.csv", index=False, errors="backslashreplace")

    def save(self, folder: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write tables (CSV), JSON, figures (PNG, SVG) and other files, all of them or none.

        Raises
        ------
        OutputError
            If something is there already and `overwrite` is not set, or `folder` cannot
            be written.
        """
        with ResultsFolder(folder, self.name, overwrite=overwrite).writing() as files:
            self.write(files)
        return Path(folder)


def _html(text: str) -> str:
    return html.escape(printable(text))


def rich_table(shown: Shown, width: int = _ROOMY) -> Any:
    """A table as rich prints it, on a terminal of so many columns."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(printable(shown.title), "italic"), title_justify="left")
    frame = shown.frame if width >= _ROOMY else shown.frame.drop(columns=[*shown.roomy])
    for heading in frame.columns:
        justify: Any = "left" if heading in shown.left else "right"
        whole = heading in shown.whole
        table.add_column(Text(printable(heading)), justify=justify, no_wrap=whole)
    for number, row in enumerate(frame.itertuples(index=False)):
        if number in shown.sections:
            table.add_section()
        # Text, so that square brackets are no markup.
        cells = (Text(printable(cell)) for cell in row)
        table.add_row(*cells, style=shown.styles.get(number))
    return table


def table_console() -> Console:
    """A console for tables on standard output."""
    from rich.console import Console

    # In the name of a parameter, :O: is oxygen and no emoji; and where the output is no
    # terminal, it is wide enough not to cut names off.
    return Console(emoji=False, width=None if sys.stdout.isatty() else 120)


@contextmanager
def steps(total: int) -> Iterator[Callable[[str], None]]:
    """A bar on stderr that moves by one of `total` steps each time it is told the next."""
    from rich.console import Console

    console = Console(stderr=True)
    # A log wants errors alone; even a disabled progress bar writes a line into it.
    if not console.is_terminal:
        yield lambda _: None
        return
    from rich.markup import escape
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("reading", total=total)
        yield lambda text: progress.update(task, description=escape(printable(text)), advance=1)


def save_figure(figure: Figure, folder: Path, name: str) -> None:
    """Write a figure as PNG and SVG."""
    if layout := figure.get_layout_engine():
        layout.execute(figure)
        figure.set_layout_engine(None)  # either file would lay it out anew
    figure.savefig(folder / f"{name}.svg")
    # To press it harder takes longer than to draw it, for a tenth of its size.
    figure.savefig(folder / f"{name}.png", dpi=150, pil_kwargs={"compress_level": 1})
