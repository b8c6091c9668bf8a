"""Which Kythera this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def kythera_version() -> str:
    """The installed version."""
    try:
        return version("kythera")
    except PackageNotFoundError:
        return "0.1.0+checkout"
