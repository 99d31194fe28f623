"""The walker's curricula: Stump Tracks, Hexagon Tracks and stump sequence (Portelas et al. 2019, arXiv:1910.07224)."""

from collections.abc import Mapping
from typing import Any

from teachgym.envs.bipedal_walker.engines import AUTO
from teachgym.envs.bipedal_walker.terrain import StumpTracks, Terrain
from teachgym.envs.curriculum import CurriculumEnv
from teachgym.envs.test_sets import draw_test_set
from teachgym.students import Student

OUTCOME_RANGE = (-150.0, 350.0)
MASTERED_ABOVE = 230.0
TEST_HEIGHT = 3.0
"""Greatest stump height of the test set."""


class TrackEnv(CurriculumEnv):
    """A curriculum of the parametric walker on one terrain; the base of the three that are registered."""

    def __init__(
        self,
        terrain: str | Terrain,
        *,
        student: str | Student = "sac",
        student_steps: int = 20_000_000,
        body: str = "default",
        defects: str | Mapping[str, str | int] = "fixed",
        engine: str = AUTO,
        **curriculum: Any,
    ) -> None:
        super().__init__(
            "teachgym/ParametricBipedalWalker-v0",
            world_settings={"terrain": terrain, "body": body, "defects": defects, "engine": engine},
            student=student,
            student_steps=student_steps,
            outcome_range=OUTCOME_RANGE,
            mastered_above=MASTERED_ABOVE,
            **curriculum,
        )


class StumpTracksEnv(TrackEnv):
    """Choose the height and spacing of the stumps on the next track of a walker.

    ## Description
    The two-parameter task space of Portelas et al. 2019 over ``teachgym/ParametricBipedalWalker-v0``.
    One step of the environment is one episode of the student; see ``CurriculumEnv``, from which everything
    not said here comes.

    ## Action Space
    ``stump_height`` from 0 to ``max_stump_height`` (terrain steps of 14/30 world units) and
    ``stump_spacing`` from ``min_stump_spacing`` to 6 (world units).

    ## Observation Space
    As in ``CurriculumEnv``: 9 numbers from 0 to 1.

    ## Rewards
    The student's return; about -100 for a fall at the start, above 230 for a mastered track, at most about 350.

    ## Starting State
    A fresh student.

    ## Episode Termination
    After ``student_steps`` steps of the student.

    ## Arguments
    ``student="sac"``, ``student_steps=20_000_000``, ``reward="outcome"`` and the others of
    ``CurriculumEnv``; ``body="default"`` (or ``"short"``, ``"quadruped"``), ``defects="fixed"`` and
    ``engine="auto"`` of the world; ``max_stump_height=3.0`` (the paper's variants have 4 and 5) and
    ``min_stump_spacing=0.0``. The test set is the paper's, for heights to 3.0, whatever the training range that
    covers it, so that teachers of all ranges are compared on the same 50 tracks. A smaller range has 50 tracks of
    its own: ``max_stump_height=0.5, min_stump_spacing=2.0`` are easy tracks, which PPO learns in minutes.

    ## Version History
    - v0: first version.
    """

    def __init__(self, *, max_stump_height: float = 3.0, min_stump_spacing: float = 0.0, **track: Any) -> None:
        terrain = StumpTracks(max_height=max_stump_height, min_spacing=min_stump_spacing)
        covers_paper = max_stump_height >= TEST_HEIGHT and min_stump_spacing <= 0.0
        space = StumpTracks(max_height=TEST_HEIGHT).task_space if covers_paper else terrain.task_space
        super().__init__(terrain, **{"test_tasks": draw_test_set(space.low, space.high), **track})


class HexagonTracksEnv(TrackEnv):
    """Choose the twelve offsets that shape the hexagons on the next track of a walker.

    ## Description
    The twelve-parameter task space of Portelas et al. 2019 over ``teachgym/ParametricBipedalWalker-v0``;
    two of its dimensions do not matter. Everything not said here is as in ``CurriculumEnv``.

    ## Action Space
    ``offset_0`` to ``offset_11``, each from 0 to 4 (terrain steps).

    ## Observation Space
    As in ``CurriculumEnv``: 19 numbers from 0 to 1.

    ## Rewards
    The student's return.

    ## Starting State
    A fresh student.

    ## Episode Termination
    After ``student_steps`` steps of the student.

    ## Arguments
    As in ``StumpTracksEnv``, but for the stump height; ``student_steps=80_000_000``.

    ## Version History
    - v0: first version.
    """

    def __init__(self, *, student_steps: int = 80_000_000, **track: Any) -> None:
        super().__init__("hexagon-tracks", student_steps=student_steps, **track)


class StumpSequenceEnv(TrackEnv):
    """Choose the height and width of each of five stumps on the next track of a walker.

    ## Description
    The ten-parameter task space of the paper's code (there labelled untested) over
    ``teachgym/ParametricBipedalWalker-v0``. Everything not said here is as in ``CurriculumEnv``.

    ## Action Space
    Five pairs of height and width, each from 0 to 6 (terrain steps).

    ## Observation Space
    As in ``CurriculumEnv``: 17 numbers from 0 to 1.

    ## Rewards
    The student's return.

    ## Starting State
    A fresh student.

    ## Episode Termination
    After ``student_steps`` steps of the student.

    ## Arguments
    As in ``HexagonTracksEnv``; ``student_steps=20_000_000``.

    ## Version History
    - v0: first version.
    """

    def __init__(self, **track: Any) -> None:
        super().__init__("stump-sequence", **track)
