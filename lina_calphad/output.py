"""Where results go: files whole or not at all, and folders that belong to one run each."""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any

from lina_calphad.errors import OutputError

__version__ = version("lina-calphad")

#: In a folder of results: which run made it, and which files with which content are its own.
RECORD = "lina-run.json"
#: The same of a run that was stopped while old and new files were exchanged; gone in the end.
INCOMPLETE = "lina-incomplete.json"

_OWN = ".lina-"  # temporary folders and the lock; nobody's results
_LOCK = f"{_OWN}lock"
_PATIENCE = 20.0  # s to wait for another run that writes into the same folder
_NOTE = (
    "A run was stopped while it put its files here: old and new ones are mixed. Run it again, "
    "or trust only files whose sha256 is that below."
)


class ResultsFolder:
    """A folder that belongs to one run: its files replace those of the run before, and no other.

    With `overwrite` whatever that was; with `refresh` where the same command made them and nobody
    changed them since. After `check`, `replaces` says whether results of an earlier run are there;
    `kept` are files of it that were changed since, and that this run does not write.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> place = ResultsFolder(Path(mkdtemp()) / "out", "example")
    >>> with place.writing() as files:
    ...     _ = (files / "a.csv").write_text("x")
    >>> sorted(p.name for p in place.path.iterdir())
    ['a.csv', 'lina-run.json']
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        command: str,
        arguments: Sequence[str] = (),
        *,
        overwrite: bool = False,
        refresh: bool = False,
    ) -> None:
        self.path, self.command, self.arguments = Path(path), command, list(arguments)
        self.overwrite, self.refresh = overwrite, refresh
        self.replaces = False
        self.kept: list[str] = []

    def check(self) -> None:
        """OutputError if something is there and may not be replaced, or it cannot be written."""
        with _said(self.path):
            there = _contents(self.path)
            records = [_read(self.path / name) for name in (RECORD, INCOMPLETE)]
        ours = any(record.get("command") == self.command for record in records)
        self.replaces = any(records)
        if not there or self.overwrite:
            return
        if not (ours and (self.refresh or records[1])):  # or what was stopped half-way
            raise OutputError(f"{self.path} exists already: choose another place, or --overwrite")
        if changed := [n for n in _known(records) if not _unchanged(self.path, n, records)]:
            raise OutputError(
                f"{self.path / changed[0]} was changed since it was written: choose another "
                "place, or --overwrite"
            )

    @contextmanager
    def writing(self) -> Iterator[Path]:
        """A temporary folder, whose files come into this one when the block ends without error.

        OutputError as of `check`, and if a file would replace a folder, or a file that no run made.
        Then all is as it was.
        """
        self.check()
        with _temporary(self.path) as temporary:
            yield temporary
            self._exchange(temporary)

    def _exchange(self, temporary: Path) -> None:
        """Put the new files into place and remove those of the old run; marked on the way."""
        names, records = _files(temporary), [_read(self.path / n) for n in (RECORD, INCOMPLETE)]
        known = _known(records)
        for name in (*names, RECORD, INCOMPLETE):
            _refuse_folder(self.path / name)
        for name in names:
            if not _is_ours_to_make((self.path / name).parent, self.path):
                raise OutputError(
                    f"{(self.path / name).parent} is a file, and no folder replaces it: move it"
                )
            if os.path.lexists(self.path / name) and name not in known:
                raise OutputError(
                    f"{self.path / name} was not made by a run that {RECORD} tells of, and is "
                    "not replaced: move it, or choose another place"
                )
        stale = [n for n in known if n not in names and os.path.lexists(self.path / n)]
        self.kept = [n for n in stale if not _unchanged(self.path, n, records)]
        record = {
            "made_by": f"lina-calphad {__version__}",
            "command": self.command,
            "arguments": self.arguments,
            "files": {name: _hash(temporary / name) for name in names},
        }
        (temporary / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        # What an exchange that was stopped before may have left is ours as well.
        mixed = {name: sorted(hashes) for name, hashes in known.items()}
        mark = {"note": _NOTE, **record, "before": mixed}
        (temporary / INCOMPLETE).write_text(json.dumps(mark, indent=1) + "\n", encoding="utf-8")
        (temporary / INCOMPLETE).replace(self.path / INCOMPLETE)
        _move(temporary, names, self.path)
        for name in stale:
            if name not in self.kept:
                (self.path / name).unlink()
                _remove_empty((self.path / name).parent, self.path)
        (temporary / RECORD).replace(self.path / RECORD)
        (self.path / INCOMPLETE).unlink()


@contextmanager
def results_folder(
    folder: str | os.PathLike[str], names: Sequence[str], *, overwrite: bool = False
) -> Iterator[Path]:
    """A temporary folder whose files move to `folder` when the block ends without error.

    `names` are the files that will be written (and folders, with a slash); `folder` may hold
    others. OutputError, before the block runs, if one is there already and `overwrite` is not set,
    or `folder` cannot be written.
    """
    folder = Path(folder)
    with _said(folder):
        there = _contents(folder)
    for name in names:
        if name.rstrip("/") in there and not overwrite:
            raise OutputError(
                f"{folder / name} exists already: choose another place, or --overwrite"
            )
        if not name.endswith("/"):
            _refuse_folder(folder / name)
    with _temporary(folder) as temporary:
        yield temporary
        written = _files(temporary)
        for name in written:
            _refuse_folder(folder / name)
        _move(temporary, written, folder)


def write_text(
    path: str | os.PathLike[str], text: str, *, overwrite: bool = False, mark: str = ""
) -> Path:
    """Write a text file whole or not at all.

    OutputError if it exists and `overwrite` is not set, or it does not hold `mark` and so is not
    ours; if it is a folder, or cannot be written.
    """
    path = Path(path)
    if overwrite and mark and path.is_file():
        with _said(path):
            ours = mark in path.read_text(encoding="utf-8", errors="replace")
        if not ours:
            raise OutputError(
                f"{path} was not written by this program, and is not replaced: move it away"
            )
    with results_folder(path.parent, [path.name], overwrite=overwrite) as folder:
        (folder / path.name).write_text(text, encoding="utf-8")
    return path


@contextmanager
def _said(place: Path) -> Iterator[None]:
    """Errors of the system as an OutputError in one line."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"cannot write to {place}: {error.strerror or error}") from error


def _contents(folder: Path) -> set[str]:
    """Names in a folder that can be written, or made; what killed runs left does not count."""
    nearest = next(place for place in (folder, *folder.parents) if os.path.lexists(place))
    if not nearest.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    there = folder.iterdir() if nearest == folder else ()
    return {place.name for place in there if not place.name.startswith(_OWN)}


@contextmanager
def _temporary(folder: Path) -> Iterator[Path]:
    """A folder inside of this one, which is made if need be and locked until the block ends."""
    from filelock import FileLock, Timeout

    with _said(folder):
        made = [parent for parent in (folder, *folder.parents) if not parent.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / _LOCK, timeout=_PATIENCE)
        try:
            lock.acquire()
        except Timeout:
            raise OutputError(f"another run is writing to {folder}: choose another place") from None
        try:
            for left in folder.glob(f"{_OWN}*/"):  # by runs that were killed: we have the lock
                shutil.rmtree(left, ignore_errors=True)
            temporary = Path(tempfile.mkdtemp(prefix=_OWN, dir=folder))
            try:
                yield temporary
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
        finally:
            (folder / _LOCK).unlink(missing_ok=True)
            lock.release()
            for parent in made:
                if parent.is_dir() and not any(parent.iterdir()):
                    parent.rmdir()


def _files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def _move(temporary: Path, names: Sequence[str], folder: Path) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (temporary / name).replace(folder / name)


def _refuse_folder(path: Path) -> None:
    if path.is_dir():
        raise OutputError(f"{path} is a folder, and no file replaces it: choose another name")


def _is_ours_to_make(folder: Path, top: Path) -> bool:
    """Whether a folder inside of another is there, or nothing is in its way."""
    while folder != top and not os.path.lexists(folder):
        folder = folder.parent
    return folder.is_dir()


def _remove_empty(folder: Path, top: Path) -> None:
    while folder != top and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _hash(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()


def _read(record: Path) -> dict[str, Any]:
    """What a record says; nothing if it is not one of ours."""
    try:
        found = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    well = isinstance(found, dict) and isinstance(found.get("files"), dict)
    return found if well and str(found.get("made_by")).startswith("lina-calphad ") else {}


def _known(records: Sequence[dict[str, Any]]) -> dict[str, set[str]]:
    """Files that are ours, inside of the folder, each with the contents that it may have."""
    known: dict[str, set[str]] = {}
    for record in records:
        before = record.get("before", {})
        for name, hashes in (*record.get("files", {}).items(), *dict(before).items()):
            parts = PurePosixPath(name).parts
            if parts and ".." not in parts and not PurePosixPath(name).is_absolute():
                known.setdefault(name, set()).update(
                    [hashes] if isinstance(hashes, str) else hashes
                )
    return known


def _unchanged(folder: Path, name: str, records: Sequence[dict[str, Any]]) -> bool:
    """Whether a file of ours is as it was written, or no longer there."""
    file = folder / name
    return not os.path.lexists(file) or (file.is_file() and _hash(file) in _known(records)[name])
