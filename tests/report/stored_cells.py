"""Study folders made by hand, as a study would leave them."""

from pathlib import Path
from typing import Any

from teachgym.base.checksums import write_checked
from teachgym.base.files import write_json
from teachgym.study.cells.finished import finish
from teachgym.study.results.measures import Measures
from teachgym.study.results.stored import Run
from tests.study.results.test_comparison import SPACE, run

MEASURES = Measures(SPACE, SPACE, (-150.0, 350.0))
GOOD, BAD = [6, 7, 8, 9, 7], [0, 1, 2, 1, 0]


def write_study(folder: Path, runs: list[Run], *, title: str = "StumpTracks", measures: Measures = MEASURES) -> Path:
    """A study with these runs, finished or not."""
    provenance = {"command": "teachgym compare --env StumpTracks", "versions": {"torch": "2"}, "commit": None}
    entries: dict[str, Any] = {
        "title": title,
        "settings": {"env": "StumpTracks", "seeds": 5},
        "measures": measures.to_json(),
        "cells": [one.cell.to_json() for one in runs],
        "provenance": [provenance],
    }
    write_checked(folder / "study.json", entries)
    for one in runs:
        place = folder / "cells" / one.cell.folder_name
        write_json(place / "cell.json", one.cell.to_json())
        one.record.save(place)
        if one.result is None:
            write_json(place / "failure.json", {"reason": "MemoryError: <b>no room</b>"})
        else:
            finish(place, one.result, ["cell.json"])
    return folder


def two_teachers(first: str = "random", second: str = "alp-gmm") -> list[Run]:
    """Five seeds each; the second is better beyond doubt."""
    return [
        one for seed in range(5) for one in (run(first, seed, [0, 1, BAD[seed]]), run(second, seed, [2, 5, GOOD[seed]]))
    ]
