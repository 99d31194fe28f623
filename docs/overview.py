"""Draw the README's picture from a finished study: ``python docs/overview.py runs/<study>``."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from teachgym.base.files import replacing
from teachgym.core.record import Record
from teachgym.plots.film import film
from teachgym.study.cells.cell import load_cell

TRACKS = ((0.2, 5.0), (0.8, 3.0), (2.0, 1.5))
MOMENT = 250
"""World steps after the start, at most, that the walkers are shown at."""


def main(study: Path) -> None:
    """Three moments of the ALP-GMM student that masters most, above the curricula of all teachers."""
    cells = sorted((study / "cells").glob("alp-gmm-seed-*"))
    _, env = load_cell(max(cells, key=lambda cell: Record.load(cell).evaluations[-1].mastered))
    clips = film(env, TRACKS, seed=0, max_steps=MOMENT)
    walkers = Image.fromarray(np.concatenate([clip.frames[-1] for clip in clips], axis=1))
    curriculum = Image.open(study / "curriculum.png").convert("RGB")
    walkers = walkers.resize((curriculum.width, round(walkers.height * curriculum.width / walkers.width)))
    picture = Image.new("RGB", (curriculum.width, walkers.height + curriculum.height), "white")
    picture.paste(walkers, (0, 0))
    picture.paste(curriculum, (0, walkers.height))
    with replacing(Path(__file__).with_name("overview.png")) as file:
        picture.save(file, format="PNG", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
