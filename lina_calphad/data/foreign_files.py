"""Files that anyone may have written: their text in any encoding, in bounded time and memory."""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import signal
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

#: Bytes, unpacked; larger files are no description of an alloy and no calculation of a cell.
LARGEST = 200_000_000
#: Bytes of address space that reading one file may add.
MEMORY = 1_500_000_000

#: What opens archives, by the end of their names.
PACKED: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
#: How files begin that are given by mistake, and what they are.
_KINDS = {
    b"\x1f\x8b": "a gzip archive",
    b"PK\x03\x04": "a zip archive or an office document",
    b"%PDF": "a PDF document",
    b"\x89PNG": "a picture",
    b"\x89HDF": "an HDF5 file",
    b"<!doctype html": "a web page; save the file itself",
    b"<html": "a web page; save the file itself",
}
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def check_file(path: Path, largest: int = LARGEST) -> int:
    """Size in bytes, unpacked, of a regular file; OSError or ValueError says why it is none.

    Devices and pipes are refused unopened, since reading them may never end; archives (.gz,
    .bz2, .xz) are unpacked up to the largest size allowed.
    """
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError("it is a folder")
    if not stat.S_ISREG(mode):
        raise OSError("it is no regular file, but a device or a pipe")
    size = path.stat().st_size
    if opener := PACKED.get(path.suffix.lower()):
        size = 0
        try:
            with opener(path) as stream:
                while size <= largest and (piece := stream.read(1 << 20)):
                    size += len(piece)
        except (EOFError, lzma.LZMAError) as error:
            raise ValueError(f"the archive is broken: {error}") from error
    if size > largest:
        raise ValueError(f"it has more than the {largest / 1e6:g} MB that are read")
    return size


def read_text(path: Path, *, strict: bool = True, largest: int = LARGEST) -> str:
    """Text of a file in UTF-8, UTF-16 or UTF-32; OSError or ValueError says why there is none.

    Bytes that are no UTF-8 are refused, or if not `strict` replaced, for comments in old encodings.
    """
    check_file(path, largest)
    raw = path.read_bytes()
    head = raw[:64].lstrip().lower()
    for beginning, what in _KINDS.items():
        if head.startswith(beginning.lower()):
            raise ValueError(f"it is {what}")
    encoding = next((name for mark, name in _MARKS.items() if raw.startswith(mark)), "")
    if not encoding and len(raw) >= 4:
        # In UTF-16 without a mark every second byte of a text in Latin letters is zero.
        zeros = [raw[start::2].count(0) / (len(raw) // 2) for start in (0, 1)]
        if max(zeros) > 0.6 and min(zeros) < 0.1:
            encoding = "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
    try:
        text = raw.decode(encoding or "utf-8", "strict" if strict or encoding else "replace")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"it is no {encoding or 'UTF-8'} text: {error.reason} at byte {error.start}"
        ) from error
    nulls = text.count("\0")
    if nulls > len(text) / 50:
        raise ValueError("it is no text")
    # Some programs pad their references with zero bytes.
    return text.replace("\0", " ").replace("\r\n", "\n")


def shipped(folder: str) -> Path:
    """A folder of the package, in a wheel and in an editable install alike."""
    package = Path(str(files("lina_calphad")))
    # An editable install runs from the checkout, where the folder stands beside the package.
    return package / folder if (package / folder).is_dir() else package.parent / folder


@contextmanager
def bounded(seconds: float, memory: int = MEMORY) -> Iterator[None]:
    """Let what runs in the block take so much time and additional memory, no more.

    TimeoutError or MemoryError if a bound was reached. Time is bounded in the main thread, where no
    other alarm is set, memory where the system has resource limits.
    """

    def stop(*_: Any) -> None:
        raise TimeoutError(f"it takes more than {seconds:.3g} s to read")

    timed = threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer")
    timed = timed and not signal.getitimer(signal.ITIMER_REAL)[0]
    limits = _limit_memory(memory)
    handler: Any = signal.signal(signal.SIGALRM, stop) if timed else None
    try:
        if timed:
            # Again and again: a reader may swallow the first error.
            signal.setitimer(signal.ITIMER_REAL, seconds, 0.5)
        yield
    except MemoryError as error:
        raise MemoryError(f"it takes more than {memory / 1e9:g} GB to read") from error
    finally:
        if timed:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, handler)
        if limits:
            import resource

            resource.setrlimit(resource.RLIMIT_AS, limits)


def _limit_memory(memory: int) -> tuple[int, int] | None:
    """Lower the limit of address space, and return what it was; None where there is none."""
    try:
        import resource

        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except (ImportError, OSError):  # no such limits on this system, or no way to know the use
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    lower = min(x for x in (used + memory, soft, hard) if x != resource.RLIM_INFINITY)
    resource.setrlimit(resource.RLIMIT_AS, (lower, hard))
    return soft, hard
