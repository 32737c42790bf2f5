"""Damaged files through the commands, each in a process of its own with bounded time and memory.

As a program: python tests/check/fuzzing.py FOLDER SEED FIRST LAST writes a folder for each case
and prints a line of JSON for each.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import random
import re
import resource
import signal
import sys
import time
import traceback
from functools import cache
from importlib.resources import files
from pathlib import Path

from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write

from lina_calphad.data.assessments import tdb_folder

#: Of processor time, and of a process that waits.
SECONDS, WAITING = 30, 240
MEMORY = 2 << 30

SHARES = {"tdb": 60, "csv": 12, "json": 12, "xyz": 8, "xml": 8}  # of a hundred
HOSTILE = [
    "nan", "inf", "-inf", "1e999", "-1", "0", "1E-400", "9**9**9**9", "1.0D-5", "0x10", "1_000",
    "9" * 400, "", " ", "!", "$", ";", ":", ",", "\t", "\0", "\x1b[31m", "\r", "\n\n", "ü", "☃",
    "(" * 80, ")" * 80, "x" * 40_000, "-" * 3_000, "[[[[", "{", "null", "true", "Y", "N", "VA", "*",
    "LN(", "EXP(T**9)", "T**999999", "PARAMETER", "FUNCTION", "ELEMENT", "../../etc/passwd", "%s",
    "{0}", "<!--", "</modeling>", "<v>", "Lattice=", '"', "'", "\\", "#", "Li", "Na", "1000000000",
]  # fmt: skip
SMALL = """\
 ELEMENT VA VACUUM 0 0 0 !
 ELEMENT LI BCC_A2 6.941 4632 29.12 !
 ELEMENT NA BCC_A2 22.99 6460 51.3 !
 FUNCTION GLI 200 -2000+30*T-24*T*LN(T); 453.6 Y -7000+140*T-28*T*LN(T); 3000 N !
 FUNCTION GNA 200 -3000+40*T-28*T*LN(T); 3000 N !
 FUNCTION DLI 200 3000-6.61*T; 3000 N !
 TYPE_DEFINITION % SEQ * !
 PHASE BCC_A2 % 2 1 3 !
 CONSTITUENT BCC_A2 :LI,NA:VA: !
 PARAMETER G(BCC_A2,LI:VA;0) 200 GLI; 3000 N ONE !
 PARAMETER G(BCC_A2,NA:VA;0) 200 GNA; 3000 N ONE !
 PARAMETER G(BCC_A2,LI,NA:VA;0) 200 20109.8; 3000 N ONE !
 PARAMETER G(BCC_A2,LI,NA:VA;1) 200 5772.6-2*T; 3000 N ONE !
 PARAMETER V0(BCC_A2,LI:VA;0) 200 1.2E-5; 3000 N ONE !
 PARAMETER V0(BCC_A2,NA:VA;0) 200 2.2E-5; 3000 N ONE !
 PARAMETER C11(BCC_A2,LI:VA;0) 200 13.5; 3000 N ONE !
 PARAMETER C12(BCC_A2,LI:VA;0) 200 11.4; 3000 N ONE !
 PARAMETER C44(BCC_A2,LI:VA;0) 200 8.8; 3000 N ONE !
 PHASE LIQUID % 1 1 !
 CONSTITUENT LIQUID :LI,NA: !
 PARAMETER G(LIQUID,LI;0) 200 GLI+DLI; 3000 N ONE !
 PARAMETER G(LIQUID,NA;0) 200 GNA+2600-7*T; 3000 N ONE !
 PARAMETER L(LIQUID,LI,NA;0) 200 16000; 3000 N ONE !
 LIST_OF_REFERENCES
 NUMBER SOURCE
 ONE 'MADE UP' !
"""


@cache
def seeds() -> dict[str, list[bytes]]:
    """Sound files of each kind."""
    data = Path(str(tdb_folder())).parent / "datasets"
    if not data.is_dir():
        data = Path(__file__).parents[2] / "datasets"
    data /= "LI-NA"
    examples = files("pycalphad") / "tests" / "databases"
    tdb = [SMALL.encode()] * 5
    tdb += [path.read_bytes() for path in sorted(Path(str(tdb_folder())).glob("*.tdb"))]
    tdb += [(examples / name).read_bytes() for name in ("alzn_mey.tdb", "crfe_bcc_magnetic.tdb")]
    table = (data / "dft-gpaw2026" / "cells.csv").read_bytes()
    short = (
        b"name,energy_ev,li,na\nli,-30.4,16,0\nna,-21.1,0,16\nna_li,-29.6,15,1\nli_na,-21.5,1,15\n"
    )
    sets = [p.read_bytes() for p in sorted((data / "input-data").rglob("*.json"))]
    return {"tdb": tdb, "csv": [short, short, table], "json": sets, "xyz": [b""], "xml": [b""]}


def cells(folder: Path) -> dict[str, Path]:
    """Calculations of four cells as extended XYZ and as vasprun.xml."""
    found = {}
    for name, symbol, solute, energy in (
        ("li", "Li", "", -30.4), ("na", "Na", "", -21.1), ("na_li", "Li", "Na", -29.6),
        ("li_na", "Na", "Li", -21.5),
    ):  # fmt: skip
        atoms = bulk(symbol, "bcc", a=3.5 if symbol == "Li" else 4.2, cubic=True) * (2, 2, 2)
        if solute:
            atoms.symbols[0] = solute
        atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=0 * atoms.positions)
        found[name] = folder / f"{name}.extxyz"
        write(found[name], atoms)
        (folder / name).mkdir()
        found[f"{name}.xml"] = folder / name / "vasprun.xml"
        found[f"{name}.xml"].write_text(vasprun(atoms, energy))
    return found


def vasprun(atoms, energy: float) -> str:
    """A small vasprun.xml of one step."""

    def rows(values) -> str:
        return "".join(f"<v>{' '.join(f'{x:.8f}' for x in row)}</v>\n" for row in values)

    structure = (
        f'<structure name="NAME"><crystal><varray name="basis">\n{rows(atoms.cell)}</varray>'
        f'</crystal><varray name="positions">\n{rows(atoms.get_scaled_positions())}</varray>'
        "</structure>\n"
    )
    kinds = "".join(f"<rc><c>{s}</c><c>1</c></rc>\n" for s in atoms.symbols)
    given = f'<energy><i name="e_fr_energy">{energy}</i><i name="e_0_energy">{energy}</i></energy>'
    return (
        '<?xml version="1.0" encoding="ISO-8859-1"?>\n<modeling>\n<kpoints>'
        '<varray name="kpointlist"><v>0 0 0</v></varray><varray name="weights"><v>1</v></varray>'
        f'</kpoints>\n<atominfo><array name="atoms"><set>\n{kinds}</set></array></atominfo>\n'
        f"{structure.replace('NAME', 'initialpos')}<calculation>\n<scstep>{given}</scstep>\n"
        f"{structure.replace('NAME', 'step')}"
        f'<varray name="forces">\n{rows(0 * atoms.positions)}</varray>\n'
        f'<varray name="stress">\n{rows(0 * atoms.cell.array)}</varray>\n{given}</calculation>\n'
        f"{structure.replace('NAME', 'finalpos')}</modeling>\n"
    )


def damaged(raw: bytes, rng: random.Random) -> bytes:
    """The bytes after up to three changes of letters, words, numbers, lines or the whole."""
    text = raw.decode("utf-8", "replace")
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        text = rng.choice(_CHANGES)(text, rng) or "x"
    out = text.encode("utf-8", "replace")
    kind = rng.random()
    if kind < 0.03:
        return text.encode("utf-16")
    if kind < 0.12:
        at = rng.randrange(len(out))
        return out[:at] + bytes([rng.randrange(256)]) + out[at + 1 :]
    return out


def _span(text: str, rng: random.Random) -> tuple[int, int]:
    start = rng.randrange(len(text))
    return start, min(len(text), start + rng.randint(1, 40))


def _cut(text: str, rng: random.Random) -> str:
    start, end = _span(text, rng)
    return text[:start] + text[end:]


def _double(text: str, rng: random.Random) -> str:
    start, end = _span(text, rng)
    return text[:end] + text[start:end] * rng.choice([1, 1, 2, 300]) + text[end:]


def _insert(text: str, rng: random.Random) -> str:
    at = rng.randrange(len(text))
    return text[:at] + rng.choice(HOSTILE) + text[at:]


def _replace(pattern: str, text: str, rng: random.Random, words: list[str]) -> str:
    found = list(re.finditer(pattern, text))
    if not found:
        return text
    one = rng.choice(found)
    return text[: one.start()] + rng.choice(words) + text[one.end() :]


def _number(text: str, rng: random.Random) -> str:
    return _replace(r"[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?", text, rng, HOSTILE)


def _scaled(text: str, rng: random.Random) -> str:
    """Another value, which only the arithmetic notices."""
    found = list(re.finditer(r"[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?", text))
    if not found:
        return text
    one = rng.choice(found)
    value = float(one[0]) * rng.choice([-1, 0, 0.1, 0.5, 1.01, 2, 3, 10, 1e3, 1e6, 1e-3])
    return f"{text[: one.start()]}{value:+.10g}{text[one.end() :]}"


def _word(text: str, rng: random.Random) -> str:
    return _replace(r"\w+", text, rng, [*re.findall(r"\w+", text), *HOSTILE])


def _lines(text: str, rng: random.Random) -> str:
    lines = text.split("\n")
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    how = rng.randrange(4)
    if how == 0:
        lines[i], lines[j] = lines[j], lines[i]
    elif how == 1:
        del lines[i]
    elif how == 2:
        lines.insert(i, lines[j])
    else:
        lines[i] = lines[i] + lines[j]
    return "\n".join(lines)


def _end(text: str, rng: random.Random) -> str:
    return text[: rng.randrange(len(text))] if rng.random() < 0.5 else text


_CHANGES = (
    _cut, _double, _insert, _insert, _number, _number, _word, _word, _lines, _lines, _end,
    *[_scaled] * 6,
)  # fmt: skip


def case(folder: Path, seed: str, number: int) -> list[str]:
    """Write the damaged file of a case, and say with which arguments the command is called."""
    rng = random.Random(f"{seed}-{number}")
    kind = rng.choices(list(SHARES), list(SHARES.values()))[0]
    raw = rng.choice(seeds()[kind])
    if kind == "tdb":
        check = ["check", "my.tdb"]
        (folder / "my.tdb").write_bytes(damaged(raw, rng))
        draws = b"L0\n" + b"".join(b"%d\n" % (20000 + i) for i in range(30))
        if rng.random() < 0.1:
            (folder / "my_draws.csv").write_bytes(damaged(draws, rng))
            return ["compare", "my.tdb", "--bands", "--json"]
        if b"ELEMENT LI" not in raw:
            return check
        return rng.choice([
            *[check] * 3, ["check", "my.tdb", "--components", "LI,NA", "--json"],
            *[["compare", "my.tdb", "--json"]] * 2, *[["export", "my.tdb", "plain.tdb"]] * 2,
            ["refit", "--start", "my.tdb", "--iterations", "0", "--out", "run"],
            ["refit", "--start", "my.tdb", "--write-inputs", "inputs"],
            ["anode", "my.tdb", "--x0", "0.03", "--json"],
        ])  # fmt: skip
    if kind == "csv":
        (folder / "cells.csv").write_bytes(damaged(raw, rng))
        return ["dataset", "cells.csv", "--out", "my.json"]
    if kind == "json":
        (folder / "my.json").write_bytes(damaged(raw, rng))
        model = [] if b"HM_MIX" in raw else ["--model", "chemical"]
        rest = rng.choice([["--iterations", "0", "--out", "run"], ["--write-inputs", "inputs"]])
        return ["refit", "--data", "my.json", *model, *rest]
    there = {n: p for n, p in cells(folder).items() if n.endswith(".xml") == (kind == "xml")}
    victim = rng.choice(list(there.values()))
    victim.write_bytes(damaged(victim.read_bytes(), rng))
    return ["dataset", *(str(p.relative_to(folder)) for p in there.values()), "--out", "my.json"]


def run(folder: Path, arguments: list[str]) -> dict[str, object]:
    """What becomes of a command in a child process: status, memory and what it says."""
    there = {*folder.iterdir(), folder / "out", folder / "err"}
    started = time.monotonic()
    child = os.fork()
    if not child:
        _child(folder, arguments)
    status, usage = None, None
    while status is None:
        pid, status_, usage = os.wait4(child, os.WNOHANG)
        if pid:
            status = status_
        elif time.monotonic() - started > WAITING:
            os.kill(child, signal.SIGKILL)
        else:
            time.sleep(0.02)
    return {
        "arguments": arguments,
        "status": os.waitstatus_to_exitcode(status),
        "seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "megabytes": usage.ru_maxrss // 1024,
        "left": sorted(
            {p.name for p in folder.iterdir()} - {p.name for p in there} - {"out", "err"}
        ),
        "out": (folder / "out").read_text(errors="replace")[-2000:],
        "err": (folder / "err").read_text(errors="replace")[-4000:],
    }


def _child(folder: Path, arguments: list[str]) -> None:
    """The command as installed, with limits; it never returns."""
    os.chdir(folder)
    os.setsid()
    for name, stream in (("out", 1), ("err", 2)):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT), stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 5))
    code: object = 0
    try:
        from lina_calphad.cli.main import main

        main(arguments)
    except SystemExit as stop:
        code = stop.code
    except BaseException:  # what the interpreter would print
        traceback.print_exc()
        code = 70
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 0 if code is None else 1)


def main(folder: Path, seed: str, first: int, last: int) -> None:
    """Run cases and print what becomes of each."""
    import matplotlib

    import lina_calphad

    # What every child would import again.
    for module in pkgutil.walk_packages(lina_calphad.__path__, "lina_calphad."):
        if "old_paths" not in str(module.module_finder) and "old_paths" not in module.name:
            importlib.import_module(module.name)
    matplotlib.use("agg")
    seeds()
    for number in range(first, last):
        place = folder / str(number)
        place.mkdir(parents=True)
        print(json.dumps({"case": number, **run(place, case(place, seed, number))}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
