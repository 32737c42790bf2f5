"""A study of an anode as a Report: the answer first, then the tables behind it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd
from scipy import constants

from lina_calphad.anode.figures import drawings
from lina_calphad.anode.melting import in_kelvin
from lina_calphad.anode.tables import TIMES
from lina_calphad.anode.windows import REGIONS, boundary_name
from lina_calphad.phase.kinetics import time_to_reach
from lina_calphad.report import Line, Report, Shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lina_calphad.anode.diffusion import DepthProfile
    from lina_calphad.anode.summary import Study

_NAMES = {region.key: region.name for region in REGIONS}
_REGION, _CROSSING = "region entered", "by crossing"
_AREAL = "capacity_mAh_per_cm2"
_LAWS = {
    "bulk": "(d0 D t)^1/3",
    "interface": "(d0² D t)^1/4",
    "dilute": "(4/9 d0 x D t)^1/3",
}


def report(study: Study, page: str | None = None) -> Report:
    """What `lina-calphad anode` prints and writes.

    Parameters
    ----------
    study
        What was found.
    page
        HTML, to be written as `anode.html`.

    Examples
    --------
    >>> from lina_calphad.anode import study
    >>> report(study("santos2025", x0=0.03))
    <Report anode: 7 tables, 2 figures, 3 notes>
    """
    return Report(
        "anode", study.to_dict(), [*_shown(study)], study.notes, study.tables(), drawings(study),
        {} if page is None else {"anode.html": page},
        () if page is None else ("Open {folder}/anode.html in a browser.",),
    )  # fmt: skip


def _shown(study: Study) -> Iterator[Shown | Line | str]:
    """The answer first, then the tables behind it."""
    for point, T in enumerate(study.T.tolist()):
        for sentence in _answer(study, point):
            yield Line(sentence, "bold")
        windows = _at(study.windows, T)
        x = {f"{side} x(Na)": windows[f"x_{side}"].map(_number) for side in ("from", "to")}
        title = f"Windows of bcc Li-Na at {T:g} K, {study.description.name}"
        yield Shown(title, pd.DataFrame({"region": windows["name"], **x}), ("region",))
        yield _path(study, point)
        starts = _at(study.starts, T)
        if starts["reason"].any():
            yield f"no composition to start from: {starts['reason'].max()}"
        else:
            pairs = zip(starts["x0"], starts["q"], strict=True)
            some = ", ".join(f"x0 = {x0:.4f} at {100 * q:g} %" for x0, q in pairs)
            yield f"alloys that unmix by themselves once a share of their Li is stripped: {some}"
        if study.profiles:
            yield from profile_lines(study, study.profiles[point])
        yield from _lengths(study, T)
    for each in study.estimates:
        yield f"estimate: {each.quantity} {each.value:.3g} {each.unit}, {each.basis}"


def _answer(study: Study, point: int) -> Iterator[str]:
    """Where the alloy stands and when it unmixes by itself, coherent and not."""
    T, region = float(study.T[point]), REGIONS[study.start.code[point]]
    yield f"x(Na) = {study.x0:g} at {in_kelvin(T)}: {region.name}. {region.meaning}"
    rows = study.path.to_dataframe().query("point == @point").set_index("boundary")

    def charge(boundary: str) -> str:
        if boundary not in rows.index:
            return ""
        row = rows.loc[boundary]
        area = f", {row['capacity_mAh_per_cm2']:.2f} mAh/cm²" if _AREAL in row else ""
        return f"{row['q']:.1%} of the Li ({row['capacity_mAh_per_g']:.0f} mAh/g{area})"

    coherent, chemical = (charge(f"{kind} spinodal alpha") for kind in ("coherent", "chemical"))
    if coherent:
        text = f"Stripped slowly, it unmixes by itself after {coherent}"
        text += f"; after {chemical} if nothing stays coherent" if chemical else ""
    elif region.key == "coherent_spinodal":
        text = "It unmixes by itself before any Li is stripped"
    else:
        text = "Stripped slowly, coherent lattices never unmix by themselves from here on"
        text += f"; incoherent ones after {chemical}" if chemical else ""
    yield text + "."


def _path(study: Study, point: int) -> Shown:
    """Boundaries crossed by slow stripping."""
    T = float(study.T[point])
    rows = study.path.to_dataframe().query("point == @point")
    columns = {
        _REGION: rows["region"].map(_NAMES), _CROSSING: rows["boundary"].map(boundary_name),
        "x(Na)": rows["x"].map(_number), "% of Li\nstripped": rows["q"].map(_percent),
        "mAh/g\nof alloy": rows["capacity_mAh_per_g"].map("{:.0f}".format),
    }  # fmt: skip
    if _AREAL in rows:
        columns["mAh/cm²\nof foil"] = rows[_AREAL].map("{:.2f}".format)
    if study.uncertainty is not None:
        drawn = _at(study.uncertainty, T).set_index("boundary").to_dict("index")
        cells = [_drawn(drawn.get(name), study.x0) for name in rows["boundary"]]
        columns["68 % of\nthe draws"] = pd.Series(cells, rows.index)
    title = f"Slow stripping from x0 = {study.x0:g} at {T:g} K: one composition at each moment"
    return Shown(title, pd.DataFrame(columns), (_REGION, _CROSSING), roomy=(_CROSSING,))


def _drawn(row: Mapping[Any, Any] | None, x0: float) -> str:
    """Between which shares stripped 68 % of the draws cross a boundary; nothing of the start."""
    if row is None:
        return ""
    ends = (row[f"x_{end}_68"] for end in ("low", "high"))
    return "–".join(
        "no gap" if math.isnan(x) else "start" if x <= x0 else _percent(row[f"q_{end}_68"])
        for x, end in zip(ends, ("low", "high"), strict=True)
    )


def profile_lines(study: Study, profile: DepthProfile) -> Iterator[Shown | str]:
    """When both sides of the foil cross which boundary, and how sure that is."""
    current, foil = profile.current_density / 10, profile.thickness * 1e6
    rows = profile.crossings_dataframe().dropna(subset="q_interface").sort_values("q_interface")

    def cell(row: Mapping[str, Any], side: str) -> str:
        if math.isnan(row[f"q_{side}"]):
            return "not reached"
        charge = f"{row[f'capacity_{side}_mAh_per_cm2']:.3g}"
        return f"{_percent(row[f'q_{side}'])}, {charge}, {_duration(row[f't_{side}_s'])}"

    columns = {_REGION: rows["region"].map(_NAMES), _CROSSING: rows["boundary"].map(boundary_name)}
    for side, name in (("interface", "interface"), ("collector", "collector side")):
        columns[f"{name}\n% of Li, mAh/cm², time"] = rows.apply(cell, axis=1, side=side)
    title = f"Depth at {current:g} mA/cm² out of {foil:g} µm, {profile.T:g} K"
    yield Shown(title, pd.DataFrame(columns), (_REGION, _CROSSING), roomy=(_REGION,))
    share, time = f"{profile.q[-1]:.2%} of the Li stripped", _duration(profile.t[-1])
    if profile.exhausted_at is None:
        yield f"the profiles end after {time} with {share}"
    elif profile.exhausted_at > 0.9999:
        yield f"all the Li is stripped after {time}: it diffuses fast enough"
    else:
        yield (
            f"the interface is pure Na after {time} with {share}: this current can flow no "
            f"longer; the collector side is at x(Na) = {profile.x[-1, 0]:.3g}"
        )
    assert study.sensitivity is not None
    for row in _at(study.sensitivity, profile.T).to_dict("records"):
        if row["diffusivity"] != profile.diffusivity:
            text = f"with {row['diffusivity']:.1g} m²/s instead of {profile.diffusivity:.1g}: "
            if not math.isnan(row["q_interface"]):
                text += f"coherent spinodal at the interface after {row['q_interface']:.2%}, "
            yield text + f"pure Na there after {row['q_exhausted']:.1%} of the Li"


def _lengths(study: Study, T: float) -> Iterator[Shown | str]:
    """The fastest waves, and the sizes after some times."""
    for kind in ("chemical", "coherent") if not study.waves.empty else ():
        waves = _at(study.waves, T).query("kind == @kind").sort_values("rate_per_s")
        if waves.empty:
            continue
        fastest = waves.iloc[-1]
        yield (
            f"{kind} spinodal: the fastest-growing wavelength, at x(Na) = {fastest['x']:.2f}, "
            f"is {fastest['wavelength_m'] * 1e9:.1f} nm, with an e-folding time of "
            f"{_duration(1 / fastest['rate_per_s'])}"
        )
    sizes = _at(study.sizes, T) if not study.sizes.empty else study.sizes
    if sizes.empty:
        return
    rows = []
    for through in sizes["through"].unique():
        some = sizes[sizes["through"] == through]
        law, x = some[["law", "solubility"]].iloc[0]
        known = None if math.isnan(x) else x
        long = float(time_to_reach(1e-6, law, known, diffusivity=study.estimates[0].value))
        name = through + (f", x = {x:.2g}" if known else "")
        um = [f"{size * 1e6:.2g}" for size in some["size_m"]]
        rows.append([name, _LAWS[law], *um, _duration(long)])
    columns = ["diffusion through", "law", *TIMES, "1 µm after"]
    table = pd.DataFrame(rows, columns=columns)
    yield Shown(f"Size of the phases in µm at {T:g} K", table, tuple(columns[:2]), roomy=("law",))


def _at(table: pd.DataFrame, T: float) -> pd.DataFrame:
    return table[table["T"] == T]


def _duration(seconds: float) -> str:
    """A time in the unit in which people would say it."""
    for unit, size in (
        ("years", constants.year), ("days", constants.day), ("h", constants.hour),
        ("min", constants.minute), ("s", 1.0), ("ms", constants.milli),
    ):  # fmt: skip
        if seconds >= 1.5 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.2g} µs"


def _percent(share: float) -> str:
    """A share in per cent, with more digits where little is left or gone."""
    return f"{100 * share:.1f}" if 0.1 < share < 0.99 else f"{100 * share:.2f}"


def _number(x: float) -> str:
    """A mole fraction with its digits, however close to 0 or 1."""
    return f"1-{1 - x:.3g}" if 0.99 < x < 1 else f"{x:.3g}"
