"""Keep what a report needs of a study's finished cells.

``python -m tests.benchmarks.keep_cells runs/NAME docs/studies/NAME/run`` leaves teachers and students out, which are
most of it. What is kept is a study of its own: ``teachgym report`` draws it, and ``teachgym compare --resume`` goes on
with a copy of it under ``runs/``: it runs the cells that are missing.
"""

import shutil
import sys
from pathlib import Path

from teachgym.base.checksums import write_manifest
from teachgym.core.record import EPISODES, EVALUATIONS, SAMPLING
from teachgym.study.cells.cell import PROVENANCE, SETTINGS
from teachgym.study.cells.finished import RESULT, is_finished, load_finished

KEPT = (SETTINGS, PROVENANCE, RESULT, EPISODES, EVALUATIONS, SAMPLING)


def keep(study: Path, place: Path) -> list[str]:
    """Copy the finished cells of a study that are not there yet, without teachers and students.

    Args:
        study: Its folder.
        place: Where to; made if it is not there.

    Returns:
        The names of the cells that were copied.

    Raises:
        OSError: If a file can't be read or written.
        ValueError: If a cell is damaged; the message names the file.
    """
    place.mkdir(parents=True, exist_ok=True)
    for name in ("study.json", "study.toml"):
        shutil.copyfile(study / name, place / name)
    copied = []
    for cell in sorted(path for path in (study / "cells").iterdir() if is_finished(path)):
        kept = place / "cells" / cell.name
        if is_finished(kept):
            continue
        load_finished(cell)  # refuses a damaged one
        kept.mkdir(parents=True, exist_ok=True)
        for name in KEPT:
            shutil.copyfile(cell / name, kept / name)
        write_manifest(kept, KEPT)
        copied.append(cell.name)
    return copied


if __name__ == "__main__":
    sys.stdout.writelines(f"{name}\n" for name in keep(Path(sys.argv[1]), Path(sys.argv[2])))
