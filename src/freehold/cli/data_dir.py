"""Where `freehold serve` keeps its data when nobody says."""

from __future__ import annotations

import os
from pathlib import Path


def default_data_dir() -> Path:
    """$FREEHOLD_DATA_DIR, else the place for an application's data of the XDG base directories."""
    named = os.environ.get("FREEHOLD_DATA_DIR")
    if named:
        return Path(named)
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "freehold"
