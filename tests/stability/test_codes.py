"""Exports for microstructure codes: each is compiled or evaluated and held against the model."""

from __future__ import annotations

import ctypes
import math
import re
import shutil
import subprocess

import numpy as np
import pytest
from pycalphad import Database, Model
from support import PAIRS, R, regular, regular_text, run

import lina_calphad as lc
from lina_calphad.errors import OutputError, UnsupportedPhase
from lina_calphad.stability.codes import export_phase

needs_cc = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
LANGUAGES = ["python", pytest.param("c", marks=needs_cc), "moose"]


AUSTENITE = """
 ELEMENT VA VACUUM 0 0 0 !
 ELEMENT C GRAPHITE 12 0 0 !
 ELEMENT FE BCC_A2 56 0 0 !
 TYPE_DEFINITION % SEQ * !
 PHASE FCC % 2 1 1 !
 CONSTITUENT FCC :FE:C,VA: !
 PARAMETER G(FCC,FE:C;0) 1 77207-15.877*T; 6000 N !
 PARAMETER L(FCC,FE:C,VA;0) 1 -34671; 500 Y -35000+T; 6000 N !
"""


@pytest.fixture(scope="module")
def phases(example_tdb):
    """Database, components, phase, model, and free fractions of some phases."""
    return {
        "binary": (lc.load("santos2025"), ("LI", "NA"), "BCC_A2", Model, [0.3]),
        "coherent": (lc.load("santos2025"), ("LI", "NA"), "BCC_A2", lc.CoherentModel, [0.3]),
        "magnetic": (example_tdb("alcrni.tdb"), ("NI", "AL", "CR"), "FCC_A1", Model, [0.1, 0.2]),
        "interstitial": (
            Database.from_string(AUSTENITE, fmt="tdb"), ("FE", "C"), "FCC", Model, [0.1],
        ),
        "four": (
            regular({**PAIRS, ("C", "D"): [3000.0, 500.0]}, "ABCD"), tuple("ABCD"), "ALLOY",
            Model, [0.2, 0.3, 0.1],
        ),
    }  # fmt: skip


def expected(dbf, components, phase, model, x, T):
    """G, its slopes and its curvatures in the free fractions, from the compiled model."""
    energy = lc.Solution(dbf, components, phase, model).energy
    species = [y.species.name for y in energy.variables]
    dependent = "VA" if "VA" in species else components[0]
    free = [name for name in components if name in species and name != dependent]
    share = dict(zip(free, x, strict=True)) | {dependent: 1 - sum(x)}
    y = np.array([share[name] for name in species])
    G, slope = energy.gradient(np.array(T), y)
    scaled, scale = energy.scaled_hessian(np.array(T), y)
    bend = R * T * scaled / np.outer(scale, scale)
    d, k = species.index(dependent), [species.index(name) for name in free]
    hessian = bend[np.ix_(k, k)] - bend[k, d][:, None] - bend[d, k] + bend[d, d]
    return float(G), slope[k] - slope[d], hessian


def by_python(path, name, n, arguments):
    names = {}
    exec(compile(path.read_text(), str(path), "exec"), names)
    functions = ("gibbs_energy", "potentials", "hessian")
    return [np.squeeze(names[function](*arguments)) for function in functions]


def by_c(path, name, n, arguments):
    library = path.with_suffix(".so")
    command = ["cc", "-std=c99", "-Wall", "-Werror", "-O1", "-shared", "-fPIC", str(path), "-lm"]
    subprocess.run([*command, "-o", str(library)], check=True)
    code = ctypes.CDLL(str(library))
    values = [ctypes.c_double(a) for a in arguments]
    energy = code[f"{name}_gibbs_energy"]
    energy.restype = ctypes.c_double
    potentials, hessian = (ctypes.c_double * n)(), (ctypes.c_double * n**2)()
    code[f"{name}_potentials"](*values, potentials)
    code[f"{name}_hessian"](*values, hessian)
    return [energy(*values), np.array(potentials), np.array(hessian)]


def by_moose(path, name, n, arguments):
    """The little of MOOSE's expressions that is used: ^, if(), &, log, exp."""
    found = {}
    for block in re.findall(r"(?s)  \[(\w+)\](.*?)  \[\]", path.read_text()):
        expression = re.search(r"expression = '(.*)'", block[1])
        if expression:
            names = re.search(r"coupled_variables = '(.*)'", block[1])[1].split()
            text = expression[1].replace("^", "**").replace("&", "and")
            text = text.replace("if(", "choose(")
            functions = {"log": math.log, "exp": math.exp, "sqrt": math.sqrt}
            functions["choose"] = lambda where, one, other: one if where else other
            found[block[0]] = eval(text, functions | dict(zip(names, arguments, strict=True)))
    values = list(found.values())
    assert len(values) == 1 + n + n * n
    return [values[0], np.array(values[1 : n + 1]), np.array(values[n + 1 :])]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("fixed", [True, False])
@pytest.mark.parametrize("case", ["binary", "coherent", "magnetic", "interstitial", "four"])
def test_an_export_has_the_numbers_of_the_model(phases, tmp_path, case, fixed, language):
    dbf, components, phase, model, x = phases[case]
    T = 650.0
    path = export_phase(
        dbf, tmp_path / f"phase.{language}", language, phase=phase, components=components,
        model=model, T=T if fixed else None,
    )  # fmt: skip
    if language == "c":
        path = path.rename(path.with_suffix(".c"))
    read = {"python": by_python, "c": by_c, "moose": by_moose}[language]
    found = read(path, phase.lower(), len(x), [*x] if fixed else [*x, T])
    for got, wanted in zip(found, expected(dbf, components, phase, model, x, T), strict=True):
        scale = max(1.0, np.abs(wanted).max())
        assert np.ravel(got) == pytest.approx(np.ravel(wanted), rel=1e-12, abs=1e-12 * scale)


def test_the_python_functions_take_arrays(phases, tmp_path):
    dbf, components, phase, *_ = phases["four"]
    path = export_phase(
        dbf, tmp_path / "four.py", "python", phase=phase, components=components, T=900.0
    )
    names = {}
    exec(path.read_text(), names)
    x = np.full((3, 5), 0.2)
    assert names["gibbs_energy"](x, x, x).shape == (3, 5)
    assert names["potentials"](x, x, x).shape == (3, 3, 5)
    assert names["hessian"](x, x, x).shape == (3, 3, 3, 5)


def test_elastic_constants_and_misfits_come_with_it(tmp_path):
    path = export_phase(lc.load("santos2025"), tmp_path / "bcc.py", "python")
    names = {}
    exec(path.read_text(), names)
    model = lc.CoherentModel(lc.load("santos2025"), ["LI", "NA", "VA"], "BCC_A2")
    assert [names[k] for k in ("C11", "C12", "C44")] == [float(c) for c in model.constants.values()]
    assert names["misfit_NA"] == pytest.approx(4.19 / 3.42 - 1)
    assert names["V0"] == float(model.volume)


def test_what_cannot_be_exported(tmp_path, example_tdb):
    path = tmp_path / "phase.c"
    with pytest.raises(UnsupportedPhase, match="B2_BCC mixes on 2 sublattices; one is exported"):
        export_phase(
            example_tdb("alfe.tdb"), path, "c", phase="B2_BCC", components=("FE", "AL")
        )  # fmt: skip
    path.write_text("mine")
    for overwrite, message in ((False, "exists already"), (True, "not written by this program")):
        with pytest.raises(OutputError, match=message):
            export_phase(lc.load("santos2025"), path, "c", overwrite=overwrite)
    assert path.read_text() == "mine"


def test_the_command(capsys, folder):
    (folder / 'a*" alloy.tdb').write_text(regular_text(PAIRS))
    status, out, err = run(
        capsys, "export", 'a*" alloy.tdb', "alloy.py", "--format", "python", "--components",
        "A,B,C", "--phase", "alloy", "-T", "600K",
    )  # fmt: skip
    assert (status, out, err) == (0, "wrote alloy.py\n", "")
    names = {}
    exec((folder / "alloy.py").read_text(), names)
    alloy = lc.Solution(regular(PAIRS), ("A", "B", "C"), "ALLOY")
    unstable = np.linalg.eigvalsh(names["hessian"](0.3, 0.2)[..., :, :])[0] < 0
    assert unstable == (alloy.stability(600.0, [0.3, 0.2]) < 0)
    assert run(capsys, "export", "zhang2003", "x.tdb", "-T", "300")[2].startswith(
        "lina-calphad: error: a TDB is for all temperatures"
    )
