"""What both reports are written with: tables for people, records for programs, a TDB's header."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from lina_calphad.report import Shown


def shown(title: str, frame: pd.DataFrame, columns: Mapping[str, str], **more: Any) -> Shown:
    """A table on the terminal: from each heading to its cells, as a format of a row's values.

    A cell with a number that is missing is empty. Columns without a format of numbers are words.
    """

    def cell(form: str, row: Mapping[Any, Any]) -> str:
        text = form.format_map(row)
        return "" if ":" in form and "nan" in text else text

    rows = frame.to_dict("records")
    cells = {heading: [cell(form, row) for row in rows] for heading, form in columns.items()}
    words = tuple(heading for heading, form in columns.items() if ":" not in form)
    return Shown(title, pd.DataFrame(cells), words, **more)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table as JSON takes them; missing numbers are None."""
    found: list[dict[str, Any]] = json.loads(frame.to_json(orient="records", double_precision=15))
    return found


def comments(lines: Iterable[str]) -> str:
    """The header of a TDB: plain ASCII in capitals, at most 78 characters a line."""
    return "\n".join(
        "\n".join(
            textwrap.wrap(
                line.upper().encode("ascii", "replace").decode(), 78,
                initial_indent="$ ", subsequent_indent="$           ",
            )
            or ["$"]
        )
        for line in lines
    )  # fmt: skip
