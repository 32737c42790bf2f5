"""ESPEI datasets: the shipped ones, reading with checks, and writing."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from lina_calphad.data.foreign_files import read_text, shipped
from lina_calphad.data.invariants import FIELD, invariants_of
from lina_calphad.errors import DataLeftOut, DatasetError
from lina_calphad.output import write_text

#: An ESPEI dataset: the contents of its JSON file.
Dataset = dict[str, Any]

#: ESPEI drops thermochemical data below this temperature in K, without a word.
COLDEST = 298.15
#: What a thermochemical dataset of solubilities is called; ESPEI itself leaves it alone.
SOLUBILITY = "SOLUBILITY"
#: What such a dataset says under the key "equilibrium": of phases free of stress, or of a
#: coherent crystal.
EQUILIBRIA = ("chemical", "coherent")
#: ESPEI's standard error of an enthalpy of weight one, in J/mol of atoms.
ESPEI_ERROR = 500.0
#: Occupancies of a sublattice add up to one within this; public datasets print three digits.
_ROUNDING = 1.001e-3
#: Bytes of a dataset.
_LARGEST = 50_000_000


def shipped_folder() -> Path:
    """Folder of the shipped datasets."""
    return shipped("datasets")


def shipped_datasets() -> Mapping[str, Path]:
    """List the shipped datasets.

    Returns
    -------
    Mapping[str, Path]
        From name to JSON file, in alphabetical order. The name is what follows
        system, property and phases in the name of the file.

    Examples
    --------
    >>> shipped_datasets()["santos2025"].name
    'LI-NA-HM_MIX-BCC_A2-santos2025.json'
    """
    found = {path.stem.split("-", 4)[4]: path for path in shipped_folder().rglob("*.json")}
    return MappingProxyType(dict(sorted(found.items())))


def read_datasets(
    names_or_paths: Sequence[str | os.PathLike[str]],
    components: Sequence[str] = ("LI", "NA"),
    phases: Sequence[str] | None = None,
    *,
    include_disabled: bool = False,
) -> list[Dataset]:
    """Read ESPEI datasets, and refuse what ESPEI would drop or misread in silence.

    Parameters
    ----------
    names_or_paths
        Each the name of a shipped dataset (`shipped_datasets`), a JSON file, or a
        folder whose JSON files are taken, those of its subfolders too.
    components
        Elements that the data may hold; vacancies may always be there.
    phases
        Phases that the data may hold; any if not given.
    include_disabled
        Take datasets marked ``"disabled": true``. If not set, those in folders are
        left out, and naming one is an error.

    Returns
    -------
    list of dict
        As ESPEI reads them.

    Raises
    ------
    DatasetError
        If there is no such file or name, nothing was found, or a dataset is there twice, is
        refused by ESPEI, is empty, has other components or phases, no thermochemical data
        from 298.15 K on, energies beyond 10⁶ J/mol, solubilities that do not say of which
        equilibrium, or errors of invariants that `read_invariants` refuses.

    Warns
    -----
    DataLeftOut
        If some thermochemical data are below 298.15 K; the others are taken.

    Examples
    --------
    >>> (data,) = read_datasets(["santos2025"], ["LI", "NA"])
    >>> data["output"], data["values"]
    ('HM_MIX', [[[202.20625, 112.009375]]])
    """
    if isinstance(names_or_paths, str | os.PathLike):
        names_or_paths = [names_or_paths]
    read: dict[Path, Dataset] = {}
    for path, named in (found for given in names_or_paths for found in _files(given)):
        if path in read:
            raise DatasetError(f"{path} is named twice")
        dataset = _load(path)
        if dataset.get("disabled", False) and not include_disabled:
            if named:
                raise DatasetError(f"{path} is disabled ({dataset.get('comment', 'no comment')})")
            continue
        checked = check_dataset(dataset, path, components, phases)
        for other, theirs in read.items():
            if _content(theirs) == _content(checked):
                raise DatasetError(f"{path} and {other} hold the same data: take one of them")
        read[path] = checked
    if not read:
        given = ", ".join(os.fspath(name) for name in names_or_paths) or "nothing named"
        raise DatasetError(
            f"no dataset was found ({given}); shipped are {', '.join(shipped_datasets())}"
        )
    return list(read.values())


def check_dataset(
    dataset: Dataset,
    origin: str | os.PathLike[str] = "the dataset",
    components: Sequence[str] | None = None,
    phases: Sequence[str] | None = None,
) -> Dataset:
    """Check a dataset by ESPEI's rules and ours; see `read_datasets`, which says what is refused.

    `components` and `phases` are what it may hold, anything if not given. Returned is a copy with
    numbers as floats, as ESPEI takes it.
    """
    import espei.datasets

    if not isinstance(dataset, dict) or not dataset.get("values"):
        raise DatasetError(f"{origin} is empty: it has no values")
    try:
        dataset = json.loads(json.dumps(dataset))
        for key in ("components", "phases"):
            if not all(isinstance(name, str) for name in dataset[key]):
                raise TypeError(f"{key} are names; got {dataset[key]}")
        espei.datasets.check_dataset(dataset)
        dataset = espei.datasets.clean_dataset(dataset)
        for fault in _faults(dataset, components, phases):
            raise DatasetError(f"{origin} has {fault}")
        dataset = _warm(dataset, origin)
        if FIELD in dataset:
            list(invariants_of({**dataset, "reference": origin}))
    except DatasetError:
        raise
    except KeyError as error:
        raise DatasetError(f"{origin} is no ESPEI dataset: it has no {error}") from error
    except Exception as error:  # on malformed data ESPEI's checks raise whatever comes up
        raise DatasetError(
            f"{origin} is no valid ESPEI dataset: {' '.join(str(error).split())[:300]}"
        ) from error
    return dataset


def write_dataset(
    dataset: Dataset, path: str | os.PathLike[str], *, overwrite: bool = False
) -> Path:
    """Write an ESPEI dataset as JSON, whole or not at all.

    Parameters
    ----------
    dataset
        As of `energies_dataset` or `solubility_dataset`, or one of your own.
    path
        The file; ``.json``, or ESPEI does not find it.
    overwrite
        Replace an existing file.

    Returns
    -------
    pathlib.Path
        The file written.

    Raises
    ------
    DatasetError
        If the dataset is refused (see `read_datasets`), or the name is not ``*.json``.
    OutputError
        If the file exists and `overwrite` is not set, or cannot be written.
    """
    path = Path(path)
    if path.suffix != ".json":
        raise DatasetError(f"{path} does not end in .json: ESPEI would not find it")
    check_dataset(dataset, path)
    # ASCII: ESPEI reads files in whatever encoding the machine prefers.
    text = json.dumps(dataset, indent=1, allow_nan=False)
    return write_text(path, text + "\n", overwrite=overwrite, mark='"components"')


def _files(given: str | os.PathLike[str]) -> Iterator[tuple[Path, bool]]:
    """The files that a name, a file or a folder stands for, and whether it was named itself."""
    known, path = shipped_datasets(), Path(given)
    key = os.fspath(given)
    if key in known:
        yield known[key].resolve(), True
    elif path.is_dir():
        yield from ((file.resolve(), False) for file in sorted(path.rglob("*.json")))
    elif path.exists():
        yield path.resolve(), True
    else:
        near = get_close_matches(key.lower(), known, n=3, cutoff=0.4)
        hint = f"did you mean {' or '.join(near)}?" if near else f"shipped are {', '.join(known)}"
        raise DatasetError(f"there is no dataset, file or folder {key!r}; {hint}")


def _load(path: Path) -> Dataset:
    try:
        dataset = json.loads(read_text(path, largest=_LARGEST))
    except (OSError, ValueError, RecursionError) as error:  # JSON's errors are ValueErrors
        deep = "its lists lie too deep in each other" if isinstance(error, RecursionError) else ""
        reason = deep or getattr(error, "strerror", "") or error
        raise DatasetError(f"{path} cannot be read as JSON: {reason}") from error
    if not isinstance(dataset, dict):
        raise DatasetError(f"{path} is no ESPEI dataset: its JSON is no object")
    return dataset


def _faults(
    dataset: Dataset, components: Sequence[str] | None, phases: Sequence[str] | None
) -> Iterator[str]:
    """What it has that ESPEI would drop or misread in silence."""
    for kind, there, allowed in (
        ("components", set(dataset["components"]) - {"VA"}, components),
        ("phases", set(dataset["phases"]), phases),
    ):
        if foreign := there - {name.upper() for name in allowed or there}:
            yield f"{kind} {', '.join(sorted(foreign))}; asked for are {', '.join(allowed or ())}"
    output, solver = dataset["output"], dataset.get("solver", {})
    if output != "ZPF":
        yield from _odd_numbers(dataset)
    for names in solver.get("sublattice_configurations", ()):
        if output.endswith("_MIX") and all(isinstance(name, str) for name in names):
            yield f"{output} of {':'.join(names)}, where nothing mixes: leave pure elements out"
    for shares in solver.get("sublattice_occupancies") or []:
        for share in (s for s in shares if isinstance(s, list)):
            if not (min(share) >= 0 and abs(sum(share) - 1) <= _ROUNDING):
                yield f"occupancies {share}: of each sublattice they add up to 1"
    if output == SOLUBILITY:
        yield from _odd_solubilities(dataset)


def _odd_numbers(dataset: Dataset) -> Iterator[str]:
    output, values = dataset["output"], np.asarray(dataset["values"], dtype=float)
    if not np.isfinite(values).all():
        yield "values that are no finite numbers"
    weights = np.asarray(dataset.get("weight", 1.0), dtype=float)
    if weights.shape not in ((), values.shape) or not (weights > 0).all():
        yield (
            f"weights of shape {weights.shape} for values of shape {values.shape}: "
            "give one positive number, or one for each value"
        )
    largest = float(np.abs(values).max())
    if output.startswith("HM") and largest > 1e6:
        yield (
            f"{output} up to {largest:g}, more than the 1e6 J/mol of atoms that make "
            "sense: is it in eV or J/mol, of the cell or of atoms?"
        )
    # Zeros are what an assessor enters of an ideal solution.
    if output == "HM_MIX" and 0 < largest < 0.1:
        yield (
            f"{output} of at most {largest:g} J/mol of atoms, less than any mixture: is it in eV?"
        )


def _odd_solubilities(dataset: Dataset) -> Iterator[str]:
    if dataset.get("equilibrium") not in EQUILIBRIA:
        says = repr(dataset["equilibrium"]) if "equilibrium" in dataset else "nothing"
        yield (
            f'solubilities, and its "equilibrium" is {says}: it is "chemical" for phases without '
            'stress, as in samples that came to equilibrium, or "coherent" for phases in one '
            "crystal"
        )
    values = np.asarray(dataset["values"], dtype=float)
    errors = np.asarray(dataset["ln_x_error"], dtype=float)
    T = np.atleast_1d(dataset["conditions"]["T"])
    if not ((values > 0) & (values < 1)).all():
        yield "solubilities that are no mole fractions between 0 and 1, ends excluded"
    if not (T > 0).all():
        yield "temperatures that are not positive"
    if errors.shape != T.shape or not ((errors > 0) & (errors < np.inf)).all():
        yield "no positive ln_x_error for each temperature"


def _warm(dataset: Dataset, origin: str | os.PathLike[str]) -> Dataset:
    """The dataset without the temperatures that ESPEI drops in silence; an error if all are."""
    output, T = dataset["output"], np.atleast_1d(dataset["conditions"].get("T", COLDEST))
    # Of data with a solver alone: those ESPEI takes as they are, not through an equilibrium.
    if "solver" not in dataset or output in (SOLUBILITY, "ZPF") or (T >= COLDEST).all():
        return dataset
    warm = T >= COLDEST
    if not warm.any():
        raise DatasetError(
            f"{origin} has {output} at {T.min():g} K, and ESPEI drops what is below {COLDEST} K "
            f"without a word: enter 0 K energies at {COLDEST} K"
        )
    cold = f"{(~warm).sum()} of {T.size} temperatures"
    msg = f"{origin}: {output} at {cold} is left out: below {COLDEST} K, ESPEI takes none"
    warnings.warn(msg, DataLeftOut, stacklevel=3)
    arrays = {k: np.asarray(dataset[k], dtype=float) for k in ("values", "weight") if k in dataset}
    kept: Dataset = {key: a[:, warm].tolist() for key, a in arrays.items() if a.ndim}
    return {**dataset, **kept, "conditions": {**dataset["conditions"], "T": T[warm].tolist()}}


def _content(dataset: Dataset) -> str:
    """What makes a dataset the same as another, however it is described."""
    words = ("comment", "reference", "bibtex", "disabled", "tags")
    return json.dumps({k: v for k, v in dataset.items() if k not in words}, sort_keys=True)
