"""Finished cells that somebody has changed on purpose."""

from pathlib import Path

from teachgym.base.checksums import MANIFEST, read_checked, write_manifest


def forge_manifest(cell: Path) -> None:
    """Make the manifest agree with the files as they are now."""
    write_manifest(cell, read_checked(cell / MANIFEST)["sha256"])
