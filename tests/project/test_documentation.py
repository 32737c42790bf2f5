"""The pages in docs/ and the notebooks: complete, runnable, and built without a network."""

from __future__ import annotations

import inspect
import json
import os
import pkgutil
import re
import shlex
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from os.path import normpath
from pathlib import Path

import pytest
from support import ROOT

import lina_calphad
from lina_calphad import errors
from lina_calphad.cli.main import cli, main
from lina_calphad.data.assessments import tdb_folder

DOCS = ROOT / "docs"
ALLOY = DOCS / "howto" / "own_alloy.md"
PAGES = sorted(
    path
    for path in DOCS.rglob("*.md")
    if not {"_build", "notebooks", "api"} & set(path.relative_to(DOCS).parts)
)
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"(?ms)^```{re.escape(language)}\n(.*?)^```$", text)


def test_every_page_is_in_a_toctree():
    listed = set()
    for page in PAGES:
        for block in blocks(page, "{toctree}"):
            entries = [line for line in block.split() if not line.startswith(":")]
            listed |= {normpath(page.parent / entry) for entry in entries if "*" not in entry}
    assert listed == {str(page.with_suffix("")) for page in PAGES} - {str(DOCS / "index")}


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_without_outputs_and_has_asserts(notebook):
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert not any(cell["outputs"] or cell["execution_count"] for cell in code)
    assert any(re.search(r"(?m)^\s*assert |\.assert_", "".join(cell["source"])) for cell in code)
    assert cells[0]["cell_type"] == "markdown"
    assert cells[0]["source"][0].startswith("# ")


def test_there_are_nine_notebooks():
    assert [path.stem[0] for path in NOTEBOOKS] == list("123456789")
    assert (DOCS / "notebooks").resolve() == ROOT / "notebooks"


def command_lines() -> list[str]:
    text = [block for page in PAGES for block in blocks(page, "sh")]
    return re.findall(r"(?m)^(?:exec )?lina-calphad ([^#\n]*[^#\n ])", "\n".join(text))


@pytest.mark.parametrize("line", command_lines())
def test_a_command_line_of_the_pages_is_understood(line):
    name, *arguments = shlex.split(line)
    cli.commands[name].make_context(name, arguments)


def run_programs(page: str) -> None:
    found = blocks(DOCS / "howto" / page, "python")
    assert found
    namespace: dict[str, object] = {}
    for block in found:
        exec(compile(block, page, "exec"), namespace)


def test_the_programs_of_the_page_on_tdbs_run(folder):
    text = (tdb_folder() / "LiNa_Zhang2003.tdb").read_text(encoding="utf-8")
    (folder / "my.tdb").write_text(text, encoding="utf-8")
    run_programs("own_tdb.md")


def test_the_page_on_whole_diagrams_runs(folder):
    run_programs("whole_diagram.md")
    pictures = {path.name for path in Path.cwd().glob("*.png")}
    assert pictures == {"li_na.png", "li_na_with_bands.png", "al_zn.png"}


def test_the_page_on_alloys_runs_from_top_to_bottom(folder):
    run_programs("own_alloy.md")
    # The reader's own table; its energies of substitution are 0.08 and 0.12 eV.
    (folder / "cells.csv").write_text(
        "name,energy_ev,al,zn\nAl32,-120,32,0\nZn32,-40,0,32\n"
        "Zn_in_Al,-117.42,31,1\nAl_in_Zn,-42.38,1,31\n",
        encoding="utf-8",
    )
    for line in re.findall(r"(?m)^lina-calphad (.*)$", "\n".join(blocks(ALLOY, "sh"))):
        # The chain would only repeat the closed form.
        quick = ["--iterations", "0"] if line.startswith("refit") else []
        main([*shlex.split(line), *quick])
    assert (folder / "lina-refit" / "refit.tdb").is_file()


class Resources(HTMLParser):
    """Scripts, styles and pictures that a page loads."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag in ("script", "img", "iframe") and attributes.get("src"):
            self.found.append(attributes["src"])
        if tag == "link" and attributes.get("rel") in ("stylesheet", "preload", "icon"):
            self.found.append(attributes["href"])


@pytest.fixture(scope="module")
def html(tmp_path_factory) -> Path:
    """The pages, built with the command that they name; no proxy lets it out."""
    folder = tmp_path_factory.mktemp("documentation")
    # A copy: the build writes the pages of the modules beside their index.
    ignored = shutil.ignore_patterns("_build", "api", ".ipynb_checkpoints")
    shutil.copytree(DOCS, folder / "docs", ignore=ignored)
    (command,) = re.findall(r"\.venv/bin/(sphinx-build .*)", (DOCS / "index.md").read_text())
    program, *arguments = shlex.split(command)
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:9")
    done = subprocess.run(
        [Path(sys.executable).with_name(program), *arguments],
        cwd=folder,
        env=os.environ | nowhere,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "-W" in arguments
    return folder / arguments[-1]


@pytest.mark.slow
def test_every_public_module_has_a_page(html):
    modules = [m.name for m in pkgutil.walk_packages(lina_calphad.__path__, "lina_calphad.")]
    public = {name for name in modules if "._" not in name} | {"lina_calphad"}
    pages = {page.stem for page in (html / "reference" / "api").glob("*.html")}
    assert pages == public | {"pycalphad_elastic"}


@pytest.mark.slow
def test_every_command_and_option_is_on_a_page(html):
    text = (html / "reference" / "cli.html").read_text(encoding="utf-8")
    for name, command in cli.commands.items():
        options = (p for p in command.params if p.param_type_name == "option")
        for option in (p.opts[-1] for p in options if not getattr(p, "hidden", False)):
            assert f'id="cmdoption-lina-calphad-{name}-{option.lstrip("-")}"' in text


@pytest.mark.slow
def test_every_error_is_on_its_page(html):
    text = (html / "reference" / "errors.html").read_text(encoding="utf-8")
    for name, error in inspect.getmembers(errors, inspect.isclass):
        if issubclass(error, errors.LinaCalphadError):
            assert f">{name}<" in text


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_a_page_with_outputs(html, notebook):
    text = (html / "notebooks" / f"{notebook.stem}.html").read_text(encoding="utf-8")
    assert text.count("cell_output") > 3
    assert 'alt="' in text  # a figure
    assert "Traceback (most recent call last)" not in text


@pytest.mark.slow
def test_a_page_loads_nothing_from_elsewhere(html):
    pages = list(html.rglob("*.html"))
    assert len(pages) > 50
    loaded = {(page, address.split("?")[0]) for page in pages for address in Resources(page).found}
    missing = {a for page, a in loaded if ":" in a or not (page.parent / a).resolve().is_file()}
    assert not {a for a in missing if not a.startswith("data:")}
    assert any(a.endswith("mathjax/tex-chtml.js") for _, a in loaded)
    for style in html.rglob("*.css"):
        assert not re.search(r"@import|url\(['\"]?(?:https?:)?//", style.read_text())
