"""Put results on disk without losing any: a temporary name, then a rename."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lina_calphad.errors import OutputError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from matplotlib.figure import Figure


def write_text(path: str | os.PathLike[str], text: str, *, overwrite: bool = False) -> Path:
    """Write a text file whole or not at all.

    Raises
    ------
    OutputError
        If the file exists and `overwrite` is not set, or cannot be written.
    """
    path = Path(path)
    with results_folder(path.parent, [path.name], overwrite=overwrite) as folder:
        (folder / path.name).write_text(text, encoding="utf-8")
    return path


def save_figure(figure: Figure, folder: Path, name: str) -> None:
    """Write a figure as PNG and SVG."""
    figure.savefig(folder / f"{name}.png", dpi=200)
    figure.savefig(folder / f"{name}.svg")


@contextmanager
def results_folder(
    folder: str | os.PathLike[str], names: list[str] | None = None, *, overwrite: bool = False
) -> Iterator[Path]:
    """A temporary folder whose files move to `folder` when the block ends without error.

    Parameters
    ----------
    folder
        Where the files go; made if need be.
    names
        Files that will be written, where `folder` may hold others already. If not
        given, `folder` must not exist or be empty.
    overwrite
        Replace files of the same name; others are left alone.

    Raises
    ------
    OutputError
        If something is there already and `overwrite` is not set, or `folder` cannot
        be written. Found before the block runs, so that no work is lost.
    """
    folder = Path(folder)
    try:
        there = sorted(p.name for p in folder.iterdir()) if folder.exists() else []
        clash = [name for name in there if names is None or name in names]
        if clash and not overwrite:
            what = folder if names is None else folder / clash[0]
            msg = f"{what} exists already: choose another place, or --overwrite"
            raise OutputError(msg)
        made = [parent for parent in (folder, *folder.parents) if not parent.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".lina-", dir=folder))
    except OSError as error:
        raise OutputError(_cannot_write(folder, error)) from error
    try:
        yield temporary
        for file in sorted(temporary.iterdir()):
            target = folder / file.name
            if target.is_dir() and overwrite:
                shutil.rmtree(target)  # no file of an earlier run may stay among the new
            file.replace(target)
    except OSError as error:
        raise OutputError(_cannot_write(folder, error)) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        for parent in made:
            if not any(parent.iterdir()):
                parent.rmdir()


def _cannot_write(folder: Path, error: OSError) -> str:
    return f"cannot write to {folder}: {error.strerror or error}"
