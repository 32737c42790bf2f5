"""Where tables are printed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def table_console() -> Console:
    """A console for tables on standard output."""
    from rich.console import Console

    # In the name of a parameter, :O: is oxygen and no emoji; and where the output is no
    # terminal, it is wide enough not to cut names off.
    return Console(emoji=False, width=None if sys.stdout.isatty() else 120)
