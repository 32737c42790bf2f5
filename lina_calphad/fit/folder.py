"""The folder of a run: one refit at a time, its settings, and a chain that can go on exactly."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from lina_calphad.checks import Array
from lina_calphad.errors import OutputError, ParameterError
from lina_calphad.fit.settings import RefitSettings
from lina_calphad.report import Report, results_folder
from lina_calphad.text import one_line

SETTINGS, TRACE, LNPROB, STATE = "settings.json", "trace.npy", "lnprob.npy", "random_state.npz"
_LOCK = ".lina-refit.lock"


@dataclass(frozen=True, eq=False)
class Chain:
    """What was sampled so far."""

    trace: Array  # shape (walkers, iterations, parameters)
    lnprob: Array  # shape (walkers, iterations)
    state: tuple[Any, ...]  # of the random numbers after it, as NumPy's RandomState has it

    def sums(self, settings: str) -> dict[str, str]:
        """Check sums of the settings and of what is in each file."""
        state = np.array([*self.state[1], *self.state[2:]], dtype=float)
        parts = {SETTINGS: settings.encode(), TRACE: self.trace, LNPROB: self.lnprob, STATE: state}
        return {name: hashlib.sha256(bytes(part)).hexdigest() for name, part in parts.items()}


class RunFolder:
    """The folder of a refit, locked while it is open; it goes again if nothing came of it.

    OutputError when it is opened: if it cannot be written, or another refit is at work in it.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def __enter__(self) -> RunFolder:
        try:
            self._made = [p for p in (self.path, *self.path.parents) if not p.exists()]
            self.path.mkdir(parents=True, exist_ok=True)
            self._place = self.path.stat()
            # One lock of this process, however often it opens the folder.
            self._lock = FileLock(self.path / _LOCK, timeout=0, is_singleton=True)
            self._lock.acquire()
        except Timeout:
            raise OutputError(
                f"another refit is at work in {self.path}: choose another place (--out)"
            ) from None
        except OSError as error:
            raise OutputError(f"cannot write to {self.path}: {error.strerror or error}") from error
        return self

    def __exit__(self, *_: object) -> None:
        ours = self._is_ours()
        if ours and self._lock.lock_counter == 1:
            (self.path / _LOCK).unlink(missing_ok=True)
        self._lock.release()
        if ours:
            with suppress(OSError):  # there is something in it
                for parent in self._made:
                    parent.rmdir()

    def _is_ours(self) -> bool:
        return self.path.exists() and os.path.samestat(self.path.stat(), self._place)

    def check(self) -> None:
        """Raise an OutputError if the folder is no longer the one that was opened."""
        if not self._is_ours():
            raise OutputError(
                f"{self.path} was removed, renamed or replaced while the refit was at work in it: "
                "what was saved is where it is now"
            )

    def check_new(self) -> None:
        """Raise an OutputError if there is anything in it."""
        if {p.name for p in self.path.iterdir()} - {_LOCK}:
            on = ", or go on with --resume" if (self.path / SETTINGS).exists() else ""
            raise OutputError(f"{self.path} exists already: choose another place (--out){on}")

    def begin(
        self, settings: RefitSettings, inputs: Mapping[str, str], *, resume: bool = False
    ) -> Chain | None:
        """Say of which settings and inputs all is that is saved; they are written with the first.

        Returned is the chain to `resume`, checked in every respect, or None if there is none yet.
        ParameterError if it is of other settings or inputs, or is not what the run has saved.
        """
        self._record, self._begun = {**settings.to_dict(), "inputs": dict(inputs)}, False
        self._lasting = _lasting(settings) + json.dumps(dict(inputs), sort_keys=True)
        if not resume:
            return None
        known, before = _read(self.path)
        if _lasting(known) != _lasting(settings):
            raise ParameterError(
                f"the run in {self.path} has other settings: resume with those, or start a new one"
            )
        changed = [n for n in {**before, **inputs} if before.get(n) != inputs.get(n)]
        if changed:
            raise ParameterError(
                f"the run in {self.path} cannot go on: since it began, {', '.join(changed)} "
                "changed. Bring back what there was, or start a new run (--out)"
            )
        there = [name for name in (STATE, TRACE, LNPROB) if (self.path / name).exists()]
        return self._chain() if there else None

    def _chain(self) -> Chain:
        try:
            state, trace, lnprob = (self._array(name) for name in (STATE, TRACE, LNPROB))
            n, keys, rest, sums = (state[name] for name in ("iterations", "keys", "rest", "sums"))
            pos, has_gauss = int(rest[0]), int(rest[1])
            # A run that was killed between two files may have more of one than of the other.
            chain = Chain(
                trace[:, : int(n)], lnprob[:, : int(n)],
                ("MT19937", keys, pos, has_gauss, float(rest[2])),
            )  # fmt: skip
            pairs = zip(chain.sums(self._lasting).items(), sums.tolist(), strict=True)
            wrong = [name for (name, found), saved in pairs if found != saved]
        except Exception as error:  # NumPy and zipfile raise whatever they stumble over
            reason = one_line(error)[:200] or type(error).__name__
            raise ParameterError(
                f"the run in {self.path} cannot go on: its files cannot be read ({reason})"
            ) from error
        # Other numbers than these would crash the generator.
        if wrong or keys.shape != (624,) or not 0 <= pos <= 624:
            raise ParameterError(
                f"the run in {self.path} cannot go on: {', '.join(wrong) or STATE} is not as it "
                "was saved. Bring that back, or start a new run (--out)"
            )
        return chain

    def _array(self, name: str) -> Any:
        # A pipe or a device would be read for ever.
        if not (self.path / name).is_file():
            raise ValueError(f"{name} is missing")
        return np.load(io.BytesIO((self.path / name).read_bytes()))

    def save(self, chain: Chain) -> None:
        """Write the chain, each file whole or not at all; after an error what was there is."""
        state = {
            "iterations": chain.trace.shape[1],
            "keys": chain.state[1],
            "rest": np.array(chain.state[2:], dtype=float),
            "sums": [*chain.sums(self._lasting).values()],
        }
        if not self._begun:
            text = json.dumps(self._record, indent=2)
            self._replace(SETTINGS, lambda file: file.write(text.encode()))
            self._begun = True
        self._replace(TRACE, lambda file: np.save(file, chain.trace))
        self._replace(LNPROB, lambda file: np.save(file, chain.lnprob))
        # The state last: it says how many iterations belong to it.
        self._replace(STATE, lambda file: np.savez(file, **state))

    def write(self, report: Report) -> list[Path]:
        """Write a report into the folder, and return its files."""
        self.check()
        with results_folder(self.path, [], overwrite=True) as files:
            report.write(files)
            names = sorted(file.name for file in files.iterdir())
            self.check()
        return [self.path / name for name in names]

    def _replace(self, name: str, write: Callable[[Any], object]) -> None:
        self.check()
        path, temporary = self.path / name, self.path / f".{name}"
        # NumPy does not notice a full disk when it writes an array into a file by itself.
        buffer = io.BytesIO()
        write(buffer)
        try:
            temporary.write_bytes(buffer.getvalue())
            temporary.replace(path)
        except OSError as error:
            self.check()
            raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
        finally:
            temporary.unlink(missing_ok=True)


def read_settings(folder: str | os.PathLike[str], model: str | None = None) -> RefitSettings:
    """The settings of the run in a folder; ParameterError if there is none, or they cannot be read.

    A file does not decide what code is imported: a Model of the user's own has to be named again.
    """
    settings, _ = _read(Path(folder))
    if settings.model not in ("coherent", "chemical") and model is None:
        own = one_line(settings.model)[:100]
        raise ParameterError(
            f"the run in {folder} has a model of its own: name it again, as --model {own}"
        )
    if model not in (None, settings.model):
        raise ParameterError(f"the run in {folder} has another model than {model}")
    return settings


def _read(folder: Path) -> tuple[RefitSettings, dict[str, str]]:
    """The settings and inputs that settings.json holds."""
    path = folder / SETTINGS
    try:
        if path.exists() and not path.is_file():
            raise ValueError("it is no file")
        record = json.loads(path.read_text(encoding="utf-8"))
        inputs = dict(record.pop("inputs"))
        if not all(isinstance(text, str) for text in [*inputs, *inputs.values()]):
            raise ValueError("its inputs are no hashes")
        return RefitSettings(**record), inputs
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ParameterError(
            f"there is no run to resume in {folder}: {path.name} cannot be read ({error})"
        ) from error


def _lasting(settings: RefitSettings) -> str:
    """What of the settings stays the same when a run goes on."""
    lasting = {name: v for name, v in settings.to_dict().items() if name != "iterations"}
    return json.dumps(lasting, sort_keys=True)
