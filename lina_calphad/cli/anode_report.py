"""A study of an anode on the terminal: the answer first, then the tables behind it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table
from scipy import constants

from lina_calphad.anode.tables import TIMES
from lina_calphad.anode.windows import REGIONS
from lina_calphad.phase.kinetics import time_to_reach

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from lina_calphad.anode.summary import Study

_NAMES = {region.key: region.name for region in REGIONS}
_SPONTANEOUS = "coherent spinodal alpha"
_LEFT = ("region", "region entered", "boundary", "diffusion through", "law")  # columns of words
_LAWS = {
    "bulk": "(d0 D t)^1/3",
    "interface": "(d0² D t)^1/4",
    "dilute": "(4/9 d0 x D t)^1/3",
}


def print_study(console: Console, study: Study) -> None:
    """Print a study.

    Parameters
    ----------
    console
        Where to.
    study
        What.
    """
    for point, T in enumerate(study.T.tolist()):
        _answer(console, study, point)
        _windows(console, study, T)
        _path(console, study, point)
        _starts(console, study, T)
        if study.profiles:
            _profile(console, study, point)
        _lengths(console, study, T)
    for estimate in study.estimates:
        value = f"{estimate.value:.3g} {estimate.unit}"
        _say(console, f"estimate: {estimate.quantity} {value}, {estimate.basis}")
    for note in study.notes:
        _say(console, f"note: {note}")


def _answer(console: Console, study: Study, point: int) -> None:
    region = REGIONS[study.start.code[point]]
    at = f"x(Na) = {study.x0:g} at {_kelvin(study.T[point])}"
    _say(console, f"{at}: {region.name}. {region.meaning}", style="bold")
    rows = _path_rows(study, point)

    def charge(boundary: str) -> str:
        row = next((row for row in rows if row["boundary"] == boundary), None)
        if row is None:
            return ""
        text = f"{row['q']:.1%} of the Li"
        area = row.get("capacity_mAh_per_cm2")
        return f"{text} ({row['capacity_mAh_per_g']:.0f} mAh/g" + (
            f", {area:.2f} mAh/cm²)" if area is not None else ")"
        )

    coherent, chemical = charge(_SPONTANEOUS), charge("chemical spinodal alpha")
    if coherent:
        text = f"Stripped slowly, it unmixes by itself after {coherent}"
        if chemical:
            text += f"; after {chemical} if nothing stays coherent"
        _say(console, text + ".", style="bold")
    else:
        text = "Stripped slowly, coherent lattices never unmix by themselves from here on"
        if region.key == "coherent_spinodal":
            text = "It unmixes by itself before any Li is stripped"
        elif chemical:
            text += f"; incoherent ones after {chemical}"
        _say(console, text + ".", style="bold")


def _windows(console: Console, study: Study, T: float) -> None:
    title = f"Windows of bcc Li-Na at {T:g} K, {escape(study.description.name)}"
    table = _table(title, "region", "from x(Na)", "to x(Na)")
    for row in _rows(study.windows, T):
        table.add_row(row["name"], _number(row["x_from"]), _number(row["x_to"]))
    console.print(table)


def _path(console: Console, study: Study, point: int) -> None:
    T = float(study.T[point])
    columns = ["region entered", "x(Na)", "Li stripped", "mAh/g"]
    areal = study.path.thickness is not None
    columns += ["mAh/cm²"] * areal + ["68 % of draws"] * (study.uncertainty is not None)
    title = f"Slow stripping from x0 = {study.x0:g} at {T:g} K: one composition at each moment"
    table = _table(title, *columns)
    for row in _path_rows(study, point):
        cells = [_NAMES[row["region"]], _number(row["x"]), _percent(row["q"])]
        cells.append(f"{row['capacity_mAh_per_g']:.0f}")
        if areal:
            cells.append(f"{row['capacity_mAh_per_cm2']:.2f}")
        if study.uncertainty is not None:
            cells.append(_drawn(study, T, row["boundary"]))
        table.add_row(*cells)
    console.print(table)


def _drawn(study: Study, T: float, boundary: str) -> str:
    """Between which shares 68 % of the draws cross a boundary."""
    assert study.uncertainty is not None
    for row in _rows(study.uncertainty, T):
        if row["boundary"] == boundary:
            ends = []
            for level in ("low_68", "high_68"):
                if math.isnan(row[f"x_{level}"]):
                    ends.append("no gap")
                elif row[f"x_{level}"] <= study.x0:
                    ends.append("start")
                else:
                    ends.append(_percent(row[f"q_{level}"]))
            return " to ".join(ends)
    return ""


def _starts(console: Console, study: Study, T: float) -> None:
    rows = _rows(study.starts, T)
    reasons = {row["reason"] for row in rows if row["reason"]}
    if reasons:
        _say(console, f"no composition to start from: {reasons.pop()}")
        return
    some = ", ".join(f"x0 = {row['x0']:.4f} at {100 * row['q']:g} %" for row in rows)
    _say(console, f"alloys that unmix by themselves at a depth of stripping: {some}")


def _profile(console: Console, study: Study, point: int) -> None:
    profile = study.profiles[point]
    title = (
        f"Depth at {profile.current_density / 10:g} mA/cm² out of "
        f"{profile.thickness * 1e6:g} µm, {profile.T:g} K"
    )
    table = _table(title, "boundary", "interface", "collector side")

    def cell(row: dict[str, Any], side: str) -> str:
        if math.isnan(row[f"q_{side}"]):
            return "not reached"
        charge = f"{row[f'capacity_{side}_mAh_per_cm2']:.3g} mAh/cm²"
        return f"{_percent(row[f'q_{side}'])}, {charge}, {_duration(row[f't_{side}_s'])}"

    crossings = profile.crossings_dataframe()
    crossed = crossings[crossings["q_interface"].notna()].sort_values("q_interface")
    for row in _records(crossed):
        name = row["boundary"].replace("alpha", "(Li side)").replace("beta", "(Na side)")
        table.add_row(name, cell(row, "interface"), cell(row, "collector"))
    console.print(table)
    share, time = f"{profile.q[-1]:.2%} of the Li stripped", _duration(profile.t[-1])
    if profile.exhausted_at is None:
        _say(console, f"the profiles end after {time} with {share}")
    elif profile.exhausted_at > 0.9999:
        _say(console, f"all the Li is stripped after {time}: it diffuses fast enough")
    else:
        _say(
            console,
            f"the interface is pure Na after {time} with {share}: this current can flow no "
            f"longer; the collector side is at x(Na) = {profile.x[-1, 0]:.3g}",
        )
    if study.sensitivity is not None:
        for row in _rows(study.sensitivity, profile.T):
            if row["diffusivity"] != profile.diffusivity:
                text = f"with {row['diffusivity']:.1g} m²/s instead of {profile.diffusivity:.1g}: "
                if not math.isnan(row["q_interface"]):
                    text += f"coherent spinodal at the interface after {row['q_interface']:.2%}, "
                _say(console, text + f"pure Na there after {row['q_exhausted']:.1%}")


def _lengths(console: Console, study: Study, T: float) -> None:
    for kind in ("chemical", "coherent"):
        found = [row for row in _rows(study.waves, T) if row["kind"] == kind]
        if found:
            fastest = max(found, key=lambda row: row["rate_per_s"])
            _say(
                console,
                f"{kind} spinodal: the fastest-growing wavelength, at x(Na) = {fastest['x']:.2f}, "
                f"is {fastest['wavelength_m'] * 1e9:.1f} nm, with an e-folding time of "
                f"{_duration(1 / fastest['rate_per_s'])}",
            )
    rows = _rows(study.sizes, T)
    if not rows:
        return
    table = _table(
        f"Size of the phases in µm at {T:g} K", "diffusion through", "law", *TIMES, "1 µm after"
    )
    for through in dict.fromkeys(row["through"] for row in rows):
        some = [row for row in rows if row["through"] == through]
        law, x = some[0]["law"], some[0]["solubility"]
        known = None if math.isnan(x) else x
        D = study.estimates[0].value
        long = float(time_to_reach(1e-6, law, known, diffusivity=D))
        name = through + (f", x = {x:.2g}" if known else "")
        table.add_row(
            name, _LAWS[law], *(f"{row['size_m'] * 1e6:.2g}" for row in some), _duration(long)
        )
    console.print(table)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, justify="left" if column in _LEFT else "right")
    return table


def _say(console: Console, text: str, style: str | None = None) -> None:
    console.print(text, highlight=False, markup=False, style=style)


def _rows(table: pd.DataFrame, T: float) -> list[dict[str, Any]]:
    if table.empty:
        return []
    return [
        {str(k): v for k, v in row.items()} for row in table[table["T"] == T].to_dict("records")
    ]


def _path_rows(study: Study, point: int) -> list[dict[str, Any]]:
    table = study.path.to_dataframe()
    return _records(table[table["point"] == point])


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]


def _kelvin(T: float) -> str:
    return f"{T:g} K ({T - constants.zero_Celsius:.1f} °C)"


def _duration(seconds: float) -> str:
    """A time in the unit in which people would say it."""
    for unit, size in (
        ("years", constants.year), ("days", constants.day), ("h", constants.hour),
        ("min", constants.minute), ("s", 1.0), ("ms", constants.milli),
    ):  # fmt: skip
        if seconds >= 1.5 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / constants.micro:.2g} µs"


def _percent(share: float) -> str:
    """A share in per cent, with more digits where little is left or gone."""
    return f"{share:.1%}" if 0.1 < share < 0.99 else f"{share:.2%}"


def _number(x: float) -> str:
    """A mole fraction with its digits, however close to 0 or 1."""
    return f"1 - {1 - x:.3g}" if 0.99 < x < 1 else f"{x:.3g}"
