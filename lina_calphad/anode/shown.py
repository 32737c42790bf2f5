"""A study of an anode as a Report: the answer on one screen, and the details behind it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from lina_calphad.anode.charge import FARADAY, molar_volume
from lina_calphad.anode.diffusion import DepthProfile
from lina_calphad.anode.figures import drawings
from lina_calphad.anode.side_by_side import disagreement
from lina_calphad.anode.summary import Study
from lina_calphad.anode.tables import TIMES
from lina_calphad.anode.windows import REGIONS, boundary_name
from lina_calphad.anode.words import (
    duration,
    in_kelvin,
    metres,
    millivolt,
    number,
    percent,
    say,
    weight_percent,
)
from lina_calphad.report import Line, Report, Shown

_NAMES = {region.key: region.name for region in REGIONS}
_REGION, _CROSSING = "region entered", "by crossing"
_AREAL = "capacity_mAh_per_cm2"
_NOTES = 3  # on the first screen
_LAWS = {
    "bulk": "(d0 D t)^1/3",
    "interface": "(d0² D t)^1/4",
    "dilute": "(4/9 d0 x D t)^1/3",
}


def report(study: Study, page: str | None = None, *, details: bool = False) -> Report:
    """What `lina-calphad anode` prints and writes.

    Parameters
    ----------
    study
        What was found.
    page
        HTML, to be written as `anode.html`.
    details
        Whether to print what lies behind the answer, too.

    Examples
    --------
    >>> from lina_calphad.anode import study
    >>> report(study("santos2025", x0=0.03))
    <Report anode: 11 tables, 3 figures, 3 notes>
    """
    hints = () if page is None else ("Open {folder}/anode.html in a browser.",)
    more = () if details else ("Windows, depths, potentials, lengths and times: --details.",)
    return Report(
        "anode", study.to_dict(), [*_answer(study), *(_details(study) if details else ())],
        study.notes if details else study.notes[:_NOTES], study.tables(), drawings(study),
        {} if page is None else {"anode.html": page}, (*hints, *more),
    )  # fmt: skip


def _answer(study: Study) -> Iterator[Shown | Line | str]:
    """What to know first, and the boundaries crossed."""
    for sentence in disagreement(study.verdicts):
        yield Line(sentence, "bold red")
    for point, T in enumerate(study.T.tolist()):
        for sentence in _verdict(study, point):
            yield Line(sentence, "bold")
        yield from _around(study, point, T)
        yield _path(study, point)


def _verdict(study: Study, point: int) -> Iterator[str]:
    """Where the alloy stands and when it unmixes by itself, coherent and not."""
    T, region = float(study.T[point]), REGIONS[study.start.code[point]]
    yield say("here", {
        "x0": f"{study.x0:g}", "wt": weight_percent(study.x0), "T": in_kelvin(T),
        "assessment": study.description.name, "name": region.name, "meaning": region.meaning,
    })  # fmt: skip
    rows = study.crossed.query("point == @point").set_index("boundary")

    def after(kind: str) -> str:
        name = f"{kind} spinodal alpha"
        return _charge(dict(rows.loc[name])) if name in rows.index else ""

    coherent, chemical = after("coherent"), after("chemical")
    if coherent:
        free = say("free", {"chemical": chemical}) if chemical else ""
        yield say("onset", {"coherent": coherent, "free": free})
    elif region.key == "coherent_spinodal":
        yield say("inside", {})
    elif math.isnan(study.start.boundaries["chemical binodal alpha"][point]):
        yield say("miscible", {})
    else:
        loose = say("loose", {"chemical": chemical}) if chemical else ""
        yield say("never", {"loose": loose})


def _charge(row: Mapping[Any, Any]) -> str:
    area = say("area", {"areal": f"{row[_AREAL]:.2f}"}) if _AREAL in row else ""
    return say("charge", {"q": percent(row["q"]), "area": area,
                          "capacity": f"{row['capacity_mAh_per_g']:.0f}"})  # fmt: skip


def _around(study: Study, point: int, T: float) -> Iterator[str]:
    """Potential, phases, depths, current and cycle, in one sentence each."""
    start = study.crossed.query("point == @point").iloc[0]
    gap = _at(study.hysteresis, T, "kind == 'chemical'")
    at = study.start.boundaries
    onset, end = (float(at[f"chemical spinodal {side}"][point]) for side in ("alpha", "beta"))
    key = "potential" if study.x0 < onset else "falling" if study.x0 < end else "alone"
    said = {"start": start["E_solution_mV"]}
    if key != "alone":
        said["top"], said["plateau"] = gap[["E_strip_mV", "E_two_phase_alpha_mV"]].iloc[0]
    yield say(key, {name: millivolt(E) for name, E in said.items()})
    rich = _rich(study, T, "0 %")
    if rich is not None:
        gone = float(study.path.foil.left(np.ones_like(study.T))[point])
        sodium = f"{percent(gone)} % of the thickness" if study.thickness is None else metres(
            gone * study.thickness)  # fmt: skip
        yield say("left", {
            "volume": percent(rich["volume_share"]), "x": number(rich["x_phase"]),
            "sodium": sodium, "pores": percent(1 - gone),
        })  # fmt: skip
    for row in _at(study.at_depths, T).to_dict("records") if study.asked else ():
        yield _depth(study, row)
    if study.profiles:
        yield _current(study, point)
    if study.cycles is not None:
        yield _cycled(study, point)


def _rich(study: Study, T: float, depth: str, state: str = "chemical") -> pd.Series | None:
    """The Na-rich phase of a state at a depth; None where there is one phase."""
    both = _at(study.phases, T, "depth == @depth and state == @state", depth=depth, state=state)
    return both.iloc[1] if len(both) > 1 else None


def _depth(study: Study, row: Mapping[Any, Any]) -> str:
    rich = _rich(study, row["T"], row["depth"])
    foil = f"{percent(1 - row['porosity'])} % as thick"
    if "thickness_m" in row:
        foil = f"of {metres(row['thickness_m'])}"
    wanted = say("wanted", {"x0": percent(row["x0_wanted"])})
    if math.isnan(row["x0_wanted"]):
        wanted = say("unwanted", {"reason": row["reason"] or "no alloy holds that much Li"})
    return say("depth", {
        "charge": _charge(row), "thickness": foil, "pores": percent(row["porosity"]),
        "x": number(row["x"]), "name": _NAMES[row["region"]], "wanted": wanted,
        "E": millivolt(row["E_solution_mV"]), "plateau": millivolt(row["E_chemical_mV"]),
        "volume": "nothing" if rich is None else percent(rich["volume_share"]),
    })  # fmt: skip


def _current(study: Study, point: int) -> str:
    """What a current makes of it."""
    profile = study.profiles[point]
    rate = profile.current_density / (10 * float(study.path.foil.per_area[point]))
    text = f"At {profile.current_density / 10:.3g} mA/cm² ({rate:.3g} C) "
    near, far = profile.crossings["coherent spinodal alpha"]
    if not math.isnan(near):
        other = "never does" if math.isnan(far) else f"after {percent(far)} %"
        text += (
            f"the interface enters the coherent spinodal after {percent(near)} % of the Li, the "
            f"collector side {other}; "
        )
    text += _end(profile)
    rich = _rich(study, profile.T, "0 %")
    if rich is None:
        return f"{text}."
    x = np.array(rich["x_phase"])
    lithium = (1 - x) / molar_volume(study.description, x, np.array(profile.T))
    layer = profile.diffusivity * FARADAY * lithium / profile.current_density
    return (
        f"{text}. Of the Na-rich phase this current passes no dense layer above "
        f"{metres(float(layer))}."
    )


def _end(profile: DepthProfile) -> str:
    """Where a profile ends."""
    share, time = f"{percent(profile.q[-1])} % of the Li stripped", duration(profile.t[-1])
    if profile.exhausted_at is None:
        return f"the profiles end after {time} with {share}"
    if profile.exhausted_at > 0.9999:
        return f"all the Li is stripped after {time}: it diffuses fast enough"
    return (
        f"the interface is pure Na after {time} with {share}: this current can flow no "
        f"longer, with x(Na) = {number(profile.x[-1, 0])} on the collector side"
    )


def _cycled(study: Study, point: int) -> str:
    """What a slow cycle does, in one sentence."""
    assert study.cycled is not None
    low, high = study.cycled[point]
    parts = []
    for kind, name in (("coherent", "coherent"), ("chemical", "free of strain")):
        rows = _at(study.cycles, float(study.T[point]), "kind == @kind", kind=kind)
        told = rows[rows["event"].str.contains("itself|never one|dissolves")]
        words = [row["event"] + ("" if math.isnan(row["q"]) else f" ({percent(row['q'])} % away)")
                 for row in told.to_dict("records")]  # fmt: skip
        parts.append(f"{name}, it {', then '.join(words)}" if words else f"{name}, nothing happens")
    text = f"Cycled slowly between {percent(low)} and {percent(high)} % of the Li away: "
    text += "; ".join(parts) + "."
    for profile in study.cycle_profiles[point : point + 1]:
        if profile.exhausted_at is not None:
            text += f" At this current stripping ends at {percent(profile.exhausted_at)} %."
    return text


def _path(study: Study, point: int) -> Shown:
    """Boundaries crossed by slow stripping."""
    T = float(study.T[point])
    rows = study.crossed.query("point == @point")
    columns = {
        _REGION: rows["region"].map(_NAMES), _CROSSING: rows["boundary"].map(boundary_name),
        "x(Na)": rows["x"].map(number), "% of Li\nstripped": rows["q"].map(percent),
    }  # fmt: skip
    if _AREAL in rows:
        columns["mAh/cm²\nof foil"] = rows[_AREAL].map("{:.2f}".format)
    else:
        columns["mAh/g\nof alloy"] = rows["capacity_mAh_per_g"].map("{:.0f}".format)
    columns["mV"] = rows["E_solution_mV"].map(millivolt)
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
        "no gap" if math.isnan(x) else "start" if x <= x0 else percent(row[f"q_{end}_68"])
        for x, end in zip(ends, ("low", "high"), strict=True)
    )


# -- details --


def _details(study: Study) -> Iterator[Shown | str]:
    """The tables behind the answer."""
    table = study.verdicts
    shown = {
        "assessment": table["assessment"], "T / K": table["T"].map("{:g}".format),
        "region before stripping": table["region"].map(_NAMES),
        "coherent spinodal\n% of Li": [_never(q) for q in table["coherent"]],
        "chemical spinodal\n% of Li": [_never(q) for q in table["chemical"]],
        "draws with a\ncoherent gap, %": [
            "not known" if math.isnan(p) else percent(p) for p in table["coherent_gap"]],
    }  # fmt: skip
    yield Shown("All assessments", pd.DataFrame(shown), ("assessment", "region before stripping"))
    for point, T in enumerate(study.T.tolist()):
        windows = _at(study.windows, T)
        x = {f"{side} x(Na)": windows[f"x_{side}"].map(number) for side in ("from", "to")}
        title = f"Windows of bcc Li-Na at {T:g} K, {study.description.name}"
        yield Shown(title, pd.DataFrame({"region": windows["name"], **x}), ("region",))
        yield _depth_table(study, T)
        for row in _at(study.hysteresis, T).to_dict("records"):
            yield (
                f"{row['kind']}: without nuclei stripping goes up to "
                f"{millivolt(row['E_strip_mV'])} and plating down to "
                f"{millivolt(row['E_plate_mV'])} mV, a hysteresis of "
                f"{millivolt(row['hysteresis_mV'])} mV; two phases are at "
                f"{millivolt(row['E_two_phase_alpha_mV'])} mV with little and at "
                f"{millivolt(row['E_two_phase_beta_mV'])} mV with all of the Na-rich one"
            )
        if study.cycles is not None:
            yield _cycle_table(study, T)
        if study.profiles:
            yield from profile_lines(study, study.profiles[point])
        yield from _lengths(study, T)
    for each in study.estimates:
        yield f"estimate: {each.quantity} {each.value:.3g} {each.unit}, {each.basis}"


def _never(q: float) -> str:
    return "never" if math.isnan(q) else percent(q)


def _depth_table(study: Study, T: float) -> Shown:
    """Depths with what is there, and what to start from."""
    rows = _at(study.at_depths, T)
    rich = {s: [_rich(study, T, d, s) for d in rows["depth"]] for s in ("chemical", "coherent")}
    columns = {
        "depth": rows["depth"], "region": rows["region"].map(_NAMES),
        "x(Na)": rows["x"].map(number),
        "mV of the\nsolution": rows["E_solution_mV"].map(millivolt),
        "mV coherent": rows["E_coherent_mV"].map(millivolt),
    }  # fmt: skip
    for state, found in rich.items():
        cells = ["one phase" if r is None else percent(r["volume_share"]) for r in found]
        columns[f"vol% Na-rich\n{state}"] = pd.Series(cells, rows.index)
    columns["pores, %"] = rows["porosity"].map(percent)
    wanted = ["none" if math.isnan(x) else percent(x) for x in rows["x0_wanted"]]
    columns["unmixes there\nfrom at.% Na"] = pd.Series(wanted, rows.index)
    return Shown(f"Depths at {T:g} K", pd.DataFrame(columns), ("depth", "region"))


def _cycle_table(study: Study, T: float) -> Shown:
    rows = _at(study.cycles, T)
    columns = {
        "phases": rows["kind"], "step": rows["step"], "event": rows["event"],
        "% of Li\naway": [_dash(q, percent) for q in rows["q"]],
        "mV": [_dash(E, millivolt) for E in rows["E_mV"]],
    }  # fmt: skip
    return Shown(f"A slow cycle at {T:g} K", pd.DataFrame(columns), ("phases", "step", "event"))


def _dash(value: float, written: Any) -> str:
    return "not reached" if math.isnan(value) else str(written(value))


def profile_lines(study: Study, profile: DepthProfile) -> Iterator[Shown | str]:
    """When both sides of the foil cross which boundary, and how sure that is."""
    current, foil = profile.current_density / 10, profile.thickness * 1e6
    rows = profile.crossings_dataframe().dropna(subset="q_interface").sort_values("q_interface")

    def cell(row: Mapping[str, Any], side: str) -> str:
        if math.isnan(row[f"q_{side}"]):
            return "not reached"
        charge = f"{row[f'capacity_{side}_mAh_per_cm2']:.3g}"
        return f"{percent(row[f'q_{side}'])}, {charge}, {duration(row[f't_{side}_s'])}"

    columns = {_REGION: rows["region"].map(_NAMES), _CROSSING: rows["boundary"].map(boundary_name)}
    for side, name in (("interface", "interface"), ("collector", "collector side")):
        columns[f"{name}\n% of Li, mAh/cm², time"] = rows.apply(cell, axis=1, side=side)
    title = f"Depth at {current:.3g} mA/cm² out of {foil:g} µm, {profile.T:g} K"
    yield Shown(title, pd.DataFrame(columns), (_REGION, _CROSSING), roomy=(_REGION,))
    yield _end(profile)
    assert study.sensitivity is not None
    for row in _at(study.sensitivity, profile.T).to_dict("records"):
        if row["diffusivity"] != profile.diffusivity:
            text = f"with {row['diffusivity']:.1g} m²/s instead of {profile.diffusivity:.1g}: "
            if not math.isnan(row["q_interface"]):
                text += (
                    f"coherent spinodal at the interface after {percent(row['q_interface'])} %, "
                )
            yield text + f"pure Na there after {percent(row['q_exhausted'])} % of the Li"


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
            f"{duration(1 / fastest['rate_per_s'])}"
        )
    sizes = _at(study.sizes, T) if not study.sizes.empty else study.sizes
    if sizes.empty:
        return
    rows = []
    for through in sizes["through"].unique():
        some = sizes[sizes["through"] == through]
        law, x, long = some[["law", "solubility", "micrometre_s"]].iloc[0]
        name = through + ("" if math.isnan(x) else f", x = {x:.2g}")
        um = [f"{size * 1e6:.2g}" for size in some["size_m"]]
        rows.append([name, _LAWS[law], *um, duration(long)])
    columns = ["diffusion through", "law", *TIMES, "1 µm after"]
    table = pd.DataFrame(rows, columns=columns)
    yield Shown(f"Size of the phases in µm at {T:g} K", table, tuple(columns[:2]), roomy=("law",))


def _at(table: Any, T: float, query: str = "", **local: Any) -> pd.DataFrame:
    """Rows of a temperature, and of a query."""
    rows: pd.DataFrame = table[table["T"] == T] if len(table) else table
    return rows.query(query, local_dict=local) if query and len(rows) else rows
