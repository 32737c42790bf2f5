"""How Sphinx builds these pages; docs/index.md has the command."""

from __future__ import annotations

import re
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

project = "lina-calphad"
author = "The lina-calphad developers"
copyright = "The lina-calphad developers, CC-BY-4.0"  # noqa: A001 - Sphinx's own name
release = version = metadata.version("lina-calphad")

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "myst_nb",
    "sphinx_click",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "**.ipynb_checkpoints"]

# Notebooks and the code of pages run afresh; an error, such as a failing assert, ends the build.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_execution_in_temp = True
nb_merge_streams = True
myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_format = "short"
default_role = "py:obj"
suppress_warnings = ["ref.python"]  # a name that two rooms have, such as Region, links to the first
napoleon_google_docstring = False

# MathJax and its fonts come from a package, not from a server: as static files, since its
# extension does not say that pages may be built in parallel.
_mathjax = find_spec("sphinx-mathjax-offline")
assert _mathjax is not None
assert _mathjax.origin is not None
html_static_path = ["_static", str(Path(_mathjax.origin).parent / "static")]
mathjax_path = "mathjax/tex-chtml.js"

html_theme = "furo"
html_css_files = ["style.css"]
html_title = f"lina-calphad {release}"


def _examples(app: Any, context: Any, lines: list[str]) -> None:
    """Show the examples of a command as a block of code; its other words stay words."""
    commands = [c.strip() for line in lines for c in re.findall(r"lina-calphad [^;]*", line)]
    rest = [line.strip("\b") for line in lines if "lina-calphad " not in line]
    words = [line for line in rest if "Example" not in line]
    _options(app, context, words)
    if commands:
        lines[:] = ["**Examples**", "", ".. code-block:: sh", "", *(f"   {c}" for c in commands)]
        lines += ["", *words, ""]


def _options(app: Any, context: Any, lines: list[str]) -> None:
    """Set options in the words of a command as code, where two hyphens are no dash."""

    def code(match: re.Match[str]) -> str:
        directive = match[0].startswith("..")
        return match[0] if directive else f"``{match[0].strip('`')}``"

    # Without a default there is nothing to say, and no literal of nothing.
    told = [line for line in lines if line.strip(" `") != ":default:"]
    text = re.sub(r"(?m)^\.\. .*$|`+[^`]+`+|--\w[\w-]*", code, "\n".join(told))
    lines[:] = text.split("\n")


def _stars(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """A star in a docstring, as in f(*args), is a star and no emphasis."""
    lines[:] = [re.sub(r"(?<![\w*`])\*(?=\w)", r"\*", line) for line in lines]


def _by_short_name(app: Any, env: Any, node: Any, content: Any) -> Any:
    """Link `BinarySolution` from everywhere: a name that only one of our modules has."""
    if node.get("refdomain") != "py":
        return None
    domain = env.get_domain("py")
    name = node["reftarget"].removeprefix("lina_calphad.")
    kinds = {"class", "exception", "function", "data"}
    found = [
        full
        for full, entry in domain.objects.items()
        if full.endswith(f".{name}") and entry.objtype in kinds
    ]
    if len(found) != 1:
        return None
    at = node["refdoc"]
    return domain.resolve_xref(env, at, app.builder, "obj", found[0], node, content)


def setup(app: Any) -> None:
    """Connect what is ours."""
    app.connect("sphinx-click-process-epilog", _examples)
    app.connect("sphinx-click-process-description", _options)
    app.connect("sphinx-click-process-options", _options)
    # Before napoleon, which adds emphasis of its own.
    app.connect("autodoc-process-docstring", _stars, priority=400)
    app.connect("missing-reference", _by_short_name)
