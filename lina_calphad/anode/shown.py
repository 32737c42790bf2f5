"""A study of an anode as a Report: the answer on one screen, and the details behind it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from lina_calphad.anode.charge import FARADAY, molar_volume
from lina_calphad.anode.diffusion import DepthProfile
from lina_calphad.anode.figures import drawings
from lina_calphad.anode.lengths import TIMES
from lina_calphad.anode.results import Study
from lina_calphad.anode.side_by_side import disagreement
from lina_calphad.anode.windows import NAMES, REGIONS, boundary_name
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

Columns = dict[str, tuple[str, Callable[[Any], str]]]

_AREAL = "capacity_mAh_per_cm2"
_CROSSING = "by crossing"
_NOTES = 3  # on the first screen
_TOLD = "itself|never one|dissolves"  # events of a cycle that the answer tells


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


# -- the answer --


def _answer(study: Study) -> Iterator[Shown | Line | str]:
    """What to know first, and the boundaries crossed."""
    for sentence in disagreement(study.verdicts):
        yield Line(sentence, "bold red")
    for point, T in enumerate(study.T.tolist()):
        rows = study.crossed.query("point == @point").set_index("boundary", drop=False)
        region = next(region for region in REGIONS if region.key == rows["region"].iloc[0])
        here = {"x0": f"{study.x0:g}", "wt": weight_percent(study.x0), "T": in_kelvin(T)}
        here |= {"name": region.name, "meaning": region.meaning}
        yield Line(say("here", here | {"assessment": study.description.name}), "bold")
        yield Line(_onset(rows, miscible=_at(study.hysteresis, T).empty), "bold")
        yield _potential(study, rows, T)
        rich = _rich(study)
        if (T, "0 %", "chemical") in rich:
            yield _left(study, point, rich[T, "0 %", "chemical"])
        for row in _at(study.at_depths, T).to_dict("records") if study.asked else ():
            yield _depth(row, rich.get((T, row["depth"], "chemical")))
        if study.profiles:
            yield _current(study, point, rich.get((T, "0 %", "chemical")))
        if study.cycles is not None:
            yield _cycled(study, point, T)
        yield _path(study, rows, T)


def _onset(rows: pd.DataFrame, *, miscible: bool) -> str:
    """When it unmixes by itself, coherent and not."""
    coherent, chemical = (
        _charge(dict(rows.loc[f"{kind} spinodal alpha"]))
        if f"{kind} spinodal alpha" in rows.index
        else ""
        for kind in ("coherent", "chemical")
    )
    if coherent:
        free = say("free", {"chemical": chemical}) if chemical else ""
        return say("onset", {"coherent": coherent, "free": free})
    if rows["region"].iloc[0] == "coherent_spinodal":
        return say("inside", {})
    if miscible:
        return say("miscible", {})
    return say("never", {"loose": say("loose", {"chemical": chemical}) if chemical else ""})


def _charge(row: Mapping[Any, Any]) -> str:
    area = say("area", {"areal": f"{row[_AREAL]:.2f}"}) if _AREAL in row else ""
    gram = f"{row['capacity_mAh_per_g']:.0f}"
    return say("charge", {"q": percent(row["q"]), "capacity": gram, "area": area})


def _potential(study: Study, rows: pd.DataFrame, T: float) -> str:
    said = {"start": rows["E_solution_mV"].iloc[0]}
    ahead = [f"chemical spinodal {side}" in rows.index for side in ("alpha", "beta")]
    if any(ahead):
        gap = _at(study.hysteresis, T).set_index("kind").loc["chemical"]
        said |= {"top": gap["E_strip_mV"], "plateau": gap["E_two_phase_alpha_mV"]}
    key = "potential" if ahead[0] else "falling" if ahead[1] else "alone"
    return say(key, {name: millivolt(E) for name, E in said.items()})


def _rich(study: Study) -> dict[Any, dict[Any, Any]]:
    """The Na-rich phase, where there are two, by temperature, depth and state."""
    rows = study.phases.query("x_phase > x").to_dict("records")
    return {(row["T"], row["depth"], row["state"]): row for row in rows}


def _left(study: Study, point: int, rich: Mapping[Any, Any]) -> str:
    """What is there once all Li is gone."""
    gone = float(study.path.foil.left(1.0)[point])
    foil = study.thickness
    return say("left", {
        "volume": percent(rich["volume_share"]), "x": number(rich["x_phase"]),
        "sodium": f"{percent(gone)} % of the thickness" if foil is None else metres(gone * foil),
        "pores": percent(1 - gone),
    })  # fmt: skip


def _depth(row: Mapping[Any, Any], rich: Mapping[Any, Any] | None) -> str:
    """What is there at a depth."""
    foil = f"of {metres(row['thickness_m'])}" if "thickness_m" in row else (
        f"{percent(1 - row['porosity'])} % as thick")  # fmt: skip
    wanted = say("wanted", {"x0": percent(row["x0_wanted"])})
    if math.isnan(row["x0_wanted"]):
        wanted = say("unwanted", {"reason": row["reason"]})
    return say("depth", {
        "charge": _charge(row), "thickness": foil, "pores": percent(row["porosity"]),
        "x": number(row["x"]), "name": NAMES[row["region"]], "wanted": wanted,
        "E": millivolt(row["E_solution_mV"]), "plateau": millivolt(row["E_chemical_mV"]),
        "volume": "nothing" if rich is None else percent(rich["volume_share"]),
    })  # fmt: skip


def _current(study: Study, point: int, rich: Mapping[Any, Any] | None) -> str:
    """What a current makes of it."""
    profile = study.profiles[point]
    rate = profile.current_density / (10 * float(study.path.foil.per_area[point]))
    text = f"At {profile.current_density / 10:.3g} mA/cm² ({rate:.3g} C) "
    near, far = profile.crossings["coherent spinodal alpha"]
    if not math.isnan(near):
        text += (
            f"the interface enters the coherent spinodal after {percent(near)} % of the Li, the "
            f"collector side {_or('never does', 'after {} %')(far)}; "
        )
    text += f"{_end(profile)}."
    if rich is None:
        return text
    x = rich["x_phase"]
    lithium = (1 - x) / molar_volume(study.description, x, profile.T)
    layer = profile.diffusivity * FARADAY * lithium / profile.current_density
    return (
        f"{text} Of the Na-rich phase this current passes no dense layer above "
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


def _cycled(study: Study, point: int, T: float) -> str:
    """What a slow cycle does, in one sentence."""
    assert study.cycled is not None
    low, high = study.cycled[point]
    parts = []
    for kind, name in (("coherent", "coherent"), ("chemical", "free of strain")):
        rows = _at(study.cycles, T)
        told = rows[(rows["kind"] == kind) & rows["event"].str.contains(_TOLD)]
        words = [event + _or("", " ({} % away)")(q)
                 for event, q in zip(told["event"], told["q"], strict=True)]  # fmt: skip
        parts.append(f"{name}, it {', then '.join(words)}" if words else f"{name}, nothing happens")
    text = f"Cycled slowly between {percent(low)} and {percent(high)} % of the Li away: "
    text += "; ".join(parts) + "."
    for profile in study.cycle_profiles[point : point + 1]:
        if profile.exhausted_at is not None:
            text += f" At this current stripping ends at {percent(profile.exhausted_at)} %."
    return text


def _path(study: Study, rows: pd.DataFrame, T: float) -> Shown:
    """Boundaries crossed by slow stripping."""
    columns: Columns = _ENTERED | {"x(Na)": ("x", number), "% of Li\nstripped": ("q", percent)}
    if _AREAL in rows:
        columns |= {"mAh/cm²\nof foil": (_AREAL, "{:.2f}".format)}
    else:
        columns |= {"mAh/g\nof alloy": ("capacity_mAh_per_g", "{:.0f}".format)}
    columns |= {"mV": ("E_solution_mV", millivolt)}
    if study.uncertainty is not None:
        drawn = _at(study.uncertainty, T).set_index("boundary").to_dict("index")
        rows = rows.assign(drawn=[_drawn(drawn.get(name), study.x0) for name in rows["boundary"]])
        columns |= {"68 % of\nthe draws": ("drawn", "{}".format)}
    title = f"Slow stripping from x0 = {study.x0:g} at {T:g} K: one composition at each moment"
    return _shown(title, rows, columns, roomy=(_CROSSING,))


def _drawn(row: Mapping[Any, Any] | None, x0: float) -> str:
    """Between which shares stripped 68 % of the draws cross a boundary; nothing of the start."""
    if row is None:
        return ""
    ends = [(row[f"x_{end}_68"], row[f"q_{end}_68"]) for end in ("low", "high")]
    return "–".join("start" if x <= x0 else _or("no gap")(q) for x, q in ends)


# -- details --


def _details(study: Study) -> Iterator[Shown | str]:
    """The tables behind the answer."""
    yield _shown("All assessments", study.verdicts, _VERDICTS)
    for point, T in enumerate(study.T.tolist()):
        title = f"Windows of bcc Li-Na at {T:g} K, {study.description.name}"
        yield _shown(title, _at(study.windows, T), _WINDOWS)
        rows, rich = _at(study.at_depths, T), _rich(study)
        for state in ("chemical", "coherent"):
            parts = [rich.get((T, depth, state), {}) for depth in rows["depth"]]
            rows = rows.assign(**{state: [part.get("volume_share", np.nan) for part in parts]})
        yield _shown(f"Depths at {T:g} K", rows, _DEPTHS)
        for row in _at(study.hysteresis, T).to_dict("records"):
            mV = {name: millivolt(E) for name, E in row.items() if str(name).endswith("mV")}
            yield (
                "{kind}: without nuclei stripping goes up to {E_strip_mV} and plating down to "
                "{E_plate_mV} mV, a hysteresis of {hysteresis_mV} mV; two phases are at "
                "{E_two_phase_alpha_mV} mV with little and at {E_two_phase_beta_mV} mV with all of "
                "the Na-rich one"
            ).format(**row | mV)
        if study.cycles is not None:
            yield _shown(f"A slow cycle at {T:g} K", _at(study.cycles, T), _CYCLE)
        if study.profiles:
            yield from profile_lines(study, study.profiles[point])
        yield from _lengths(study, T)
    for each in study.estimates:
        yield f"estimate: {each.quantity} {each.value:.3g} {each.unit}, {each.basis}"


def profile_lines(study: Study, profile: DepthProfile) -> Iterator[Shown | str]:
    """When both sides of the foil cross which boundary, and how sure that is."""
    rows = profile.crossings_dataframe().dropna(subset="q_interface").sort_values("q_interface")
    columns = _ENTERED
    for side, name in (("interface", "interface"), ("collector", "collector side")):
        parts = rows[[f"q_{side}", f"capacity_{side}_mAh_per_cm2", f"t_{side}_s"]].itertuples()
        rows[side] = ["not reached" if math.isnan(q) else f"{percent(q)}, {c:.3g}, {duration(t)}"
                      for _, q, c, t in parts]  # fmt: skip
        columns = columns | {f"{name}\n% of Li, mAh/cm², time": (side, "{}".format)}
    current, foil = profile.current_density / 10, profile.thickness * 1e6
    title = f"Depth at {current:.3g} mA/cm² out of {foil:g} µm, {profile.T:g} K"
    yield _shown(title, rows, columns, roomy=("region entered",))
    yield _end(profile)
    for row in _at(study.sensitivity, profile.T).to_dict("records"):
        if row["diffusivity"] != profile.diffusivity:
            near = _or("", "coherent spinodal at the interface after {} %, ")(row["q_interface"])
            yield (
                f"with {row['diffusivity']:.1g} m²/s instead of {profile.diffusivity:.1g}: {near}"
                f"pure Na there after {percent(row['q_exhausted'])} % of the Li"
            )


def _lengths(study: Study, T: float) -> Iterator[Shown | str]:
    """The fastest waves, and the sizes after some times."""
    for kind, waves in _at(study.waves, T, by="kind"):
        fastest = waves.loc[waves["rate_per_s"].idxmax()]
        yield (
            f"{kind} spinodal: the fastest-growing wavelength, at x(Na) = {fastest['x']:.2f}, "
            f"is {fastest['wavelength_m'] * 1e9:.1f} nm, with an e-folding time of "
            f"{duration(1 / fastest['rate_per_s'])}"
        )
    laws = {"bulk": "(d0 D t)^1/3", "interface": "(d0² D t)^1/4", "dilute": "(4/9 d0 x D t)^1/3"}
    rows = []
    for through, sizes in _at(study.sizes, T, by="through"):
        law, x, long = sizes[["law", "solubility", "micrometre_s"]].iloc[0]
        name = through if math.isnan(x) else f"{through}, x = {x:.2g}"
        um = [f"{size * 1e6:.2g}" for size in sizes["size_m"]]
        rows.append([name, laws[law], *um, duration(long)])
    if rows:
        columns = ["diffusion through", "law", *TIMES, "1 µm after"]
        table = pd.DataFrame(rows, columns=columns)
        yield Shown(
            f"Size of the phases in µm at {T:g} K", table, tuple(columns[:2]), roomy=("law",)
        )


# -- how tables are written --


def _at(table: Any, T: float, by: str = "") -> Any:
    """Rows of a temperature, or groups of them."""
    rows = table[table["T"] == T] if len(table) else table
    if not by:
        return rows
    return rows.groupby(by, sort=False) if len(rows) else ()


def _or(missing: str, written: str = "{}") -> Callable[[float], str]:
    """How a share is written that may be missing."""
    return lambda q: missing if math.isnan(q) else written.format(percent(q))


def _millivolt_or_none(E: float) -> str:
    return "not reached" if math.isnan(E) else millivolt(E)


def _shown(title: str, rows: pd.DataFrame, columns: Columns, **more: Any) -> Shown:
    """A table for the screen: of each heading its column, and how that is written."""
    cells = {heading: [write(value) for value in rows[column]]
             for heading, (column, write) in columns.items()}  # fmt: skip
    words = tuple(heading for heading, (_, write) in columns.items() if write in _WORDS)
    return Shown(title, pd.DataFrame(cells), words, **more)


_WORDS = (str, NAMES.__getitem__, boundary_name)  # what is written so stands to the left
_ENTERED: Columns = {
    "region entered": ("region", NAMES.__getitem__),
    _CROSSING: ("boundary", boundary_name),
}
_VERDICTS: Columns = {
    "assessment": ("assessment", str),
    "T / K": ("T", "{:g}".format),
    "region before stripping": ("region", NAMES.__getitem__),
    "coherent spinodal\n% of Li": ("coherent", _or("never")),
    "chemical spinodal\n% of Li": ("chemical", _or("never")),
    "draws with a\ncoherent gap, %": ("coherent_gap", _or("not known")),
}
_WINDOWS: Columns = {
    "region": ("name", str),
    "from x(Na)": ("x_from", number),
    "to x(Na)": ("x_to", number),
}
_DEPTHS: Columns = {
    "depth": ("depth", str),
    "region": ("region", NAMES.__getitem__),
    "x(Na)": ("x", number),
    "mV of the\nsolution": ("E_solution_mV", millivolt),
    "mV coherent": ("E_coherent_mV", millivolt),
    "vol% Na-rich\nchemical": ("chemical", _or("one phase")),
    "vol% Na-rich\ncoherent": ("coherent", _or("one phase")),
    "pores, %": ("porosity", percent),
    "unmixes there\nfrom at.% Na": ("x0_wanted", _or("none")),
}
_CYCLE: Columns = {
    "phases": ("kind", str),
    "step": ("step", str),
    "event": ("event", str),
    "% of Li\naway": ("q", _or("not reached")),
    "mV": ("E_mV", _millivolt_or_none),
}
