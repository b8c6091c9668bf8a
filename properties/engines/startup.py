"""Whether the compiled engine starts at once, or has to be compiled first, which takes many seconds.

Numba keeps what it compiled beside the source or in a folder of its own; what is older than the source is of no use.
"""

from __future__ import annotations

import os
from functools import cache
from importlib.util import find_spec
from pathlib import Path


@cache
def starts_at_once() -> bool:
    """Whether what Numba needs was kept from an earlier run, as far as files tell."""
    spec = find_spec("kythera.properties.engines.compiled")
    if spec is None or spec.origin is None:
        return False
    folder = Path(spec.origin).resolve().parent
    given = os.environ.get("NUMBA_CACHE_DIR")
    places = [Path(given)] if given else [folder / "__pycache__", Path.home() / ".cache" / "numba"]
    kept = [file.stat().st_mtime for place in places if place.is_dir() for file in place.rglob("kernel*.nbi")]
    return bool(kept) and max(kept) > max(file.stat().st_mtime for file in folder.glob("*.py"))
