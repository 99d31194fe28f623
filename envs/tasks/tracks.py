"""The walker's curricula.

Stump Tracks, Hexagon Tracks and stump sequence are those of Portelas et al. (2019, arXiv:1910.07224), the obstacle
course that of Parker-Holder et al. (2022, arXiv:2203.01302).
"""

from collections.abc import Mapping
from typing import Any

from teachgym.base.settings import checked_arguments
from teachgym.core.spec import EasyTasks
from teachgym.envs.tasks.evaluation_courses import TEST_COURSES, CourseResult, play_test_courses
from teachgym.envs.tasks.evaluation_sets import draw_test_set
from teachgym.envs.tasks.task_teaching_env import TaskTeachingEnv
from teachgym.envs.worlds.bipedal_walker.engines import FASTEST
from teachgym.envs.worlds.bipedal_walker.obstacle_course import ObstacleCourse, Ranges
from teachgym.envs.worlds.bipedal_walker.terrain import WIDEST_SPACING, StumpTracks, Terrain
from teachgym.students import RLStudent
from teachgym.students.lifetimes.global_state import preserved, seed_all

OUTCOME_RANGE = (-150.0, 350.0)
MASTERED_ABOVE = 230.0
TEST_HEIGHT = 3.0
"""Greatest stump height of the test set."""
EASY_COURSES = EasyTasks(mean=(0.3, 0, 0.8, 0, 0.4, 0, 0.4, 1), std=(0.17, 0, 0, 0, 0, 0, 0, 0))
"""Mean and deviation of the authors' easy courses, whose roughness is uniform from 0 to 0.6 and all else pinned."""


class TrackEnv(TaskTeachingEnv):
    """A curriculum of the parametric walker on one terrain; the base of those that are registered."""

    @checked_arguments
    def __init__(
        self,
        terrain: str | Terrain,
        *,
        student: str | RLStudent = "sac",
        budget: int = 20_000_000,
        body: str = "default",
        defects: str | Mapping[str, Any] = "fixed",
        engine: str = FASTEST,
        outcome_range: tuple[float, float] = OUTCOME_RANGE,
        **curriculum: Any,
    ) -> None:
        self._walker = {"body": body, "defects": defects, "engine": engine}
        super().__init__(
            "teachgym/ParametricBipedalWalker-v0",
            world_settings={**self._walker, "terrain": terrain},
            student=student,
            budget=budget,
            outcome_range=outcome_range,
            mastered_above=MASTERED_ABOVE,
            **curriculum,
        )


class StumpTracksEnv(TrackEnv):
    """Choose the height and spacing of the stumps on the next track of a walker.

    ## In Short
    - Decision: height and spacing of the next track's stumps.
    - Student: PPO or SAC on the bipedal walker.
    - Reward: the return of the episode.
    - Truth: none; with ``defects="faithful"`` the world equals the original bit for bit, step by step.
    - Episode: minutes to days: 5 million steps of PPO take some 7 minutes on a core.

    ## Description
    The two-parameter task space of Portelas et al. 2019 over ``teachgym/ParametricBipedalWalker-v0``.
    One step of the environment is one episode of the student; see ``TaskTeachingEnv``, from which everything
    not said here comes.

    ## Action Space
    ``stump_height`` from 0 to ``max_stump_height`` (terrain steps of 14/30 world units) and
    ``stump_spacing`` from ``min_stump_spacing`` to 6 (world units).

    ## Observation Space
    As in ``TaskTeachingEnv``: 9 numbers from 0 to 1.

    ## Rewards
    The student's return; about -100 for a fall at the start, above 230 for a mastered track, at most about 350.

    ## Starting State
    A fresh student.

    ## Episode Termination
    After ``budget`` steps of the student.

    ## Arguments
    ``student="sac"``, ``budget=20_000_000``, ``reward="outcome"`` and the others of
    ``TaskTeachingEnv``; ``body="default"`` (or ``"short"``, ``"quadruped"``), ``defects="fixed"`` and
    ``engine="auto"`` of the world; ``max_stump_height=3.0`` (the paper's variants have 4 and 5) and
    ``min_stump_spacing=0.0``. The test set is the paper's, for heights to 3.0, whatever the training range that
    covers it, so that teachers of all ranges are compared on the same 50 tracks. A smaller range has 50 tracks of
    its own: ``max_stump_height=0.5, min_stump_spacing=2.0`` are easy tracks, which PPO learns in minutes.
    ``max_test_height=None`` and ``min_test_spacing=None`` draw 50 test tracks from another range than the training
    tracks. Easy tasks are those of Romac et al. 2021: no height, the widest spacing, deviations of a tenth of the
    range.

    ## Version History
    - v0: first version.
    """

    @checked_arguments
    def __init__(
        self,
        *,
        max_stump_height: float = 3.0,
        min_stump_spacing: float = 0.0,
        max_test_height: float | None = None,
        min_test_spacing: float | None = None,
        **track: Any,
    ) -> None:
        terrain = StumpTracks(max_height=max_stump_height, min_spacing=min_stump_spacing)
        height = min(max_stump_height, TEST_HEIGHT) if max_test_height is None else max_test_height
        spacing = min_stump_spacing if min_test_spacing is None else min_test_spacing
        if height > max_stump_height or spacing < min_stump_spacing:
            raise ValueError(
                f"test tracks have stumps up to {height} and spacings from {spacing}; expected a range within that of "
                f"training tracks, up to {max_stump_height} and from {min_stump_spacing}"
            )
        space = StumpTracks(max_height=height, min_spacing=spacing).task_space
        width = terrain.task_space.range
        easy = EasyTasks(mean=(0.0, WIDEST_SPACING), std=(0.1 * min(width[0], TEST_HEIGHT), 0.1 * width[1]))
        super().__init__(terrain, **{"test_tasks": draw_test_set(space.low, space.high), "easy_tasks": easy, **track})


class HexagonTracksEnv(TrackEnv):
    """Choose the twelve offsets that shape the hexagons on the next track of a walker.

    ## In Short
    - Decision: the shape of the next track's obstacles, 12 numbers.
    - Student: PPO or SAC on the bipedal walker.
    - Reward: the return of the episode.
    - Truth: none; with ``defects="faithful"`` the world is that of the source.
    - Episode: minutes to days: 5 million steps of PPO take some 7 minutes on a core.

    ## Description
    The twelve-parameter task space of Portelas et al. 2019 over ``teachgym/ParametricBipedalWalker-v0``;
    two of its dimensions do not matter. Everything not said here is as in ``TaskTeachingEnv``.

    ## Action Space
    ``offset_0`` to ``offset_11``, each from 0 to 4 (terrain steps).

    ## Observation Space
    As in ``TaskTeachingEnv``: 19 numbers from 0 to 1.

    ## Rewards
    The student's return.

    ## Starting State
    A fresh student.

    ## Episode Termination
    After ``budget`` steps of the student.

    ## Arguments
    As in ``StumpTracksEnv``, but for the stump height; ``budget=80_000_000``.

    ## Version History
    - v0: first version.
    """

    @checked_arguments
    def __init__(self, *, budget: int = 80_000_000, **track: Any) -> None:
        super().__init__("hexagon-tracks", budget=budget, **track)


class StumpSequenceEnv(TrackEnv):
    """Choose the height and width of each of five stumps on the next track of a walker.

    ## In Short
    - Decision: heights and widths of the next track's five stumps.
    - Student: PPO or SAC on the bipedal walker.
    - Reward: the return of the episode.
    - Truth: none; with ``defects="faithful"`` the world is that of the source.
    - Episode: minutes to days: 5 million steps of PPO take some 7 minutes on a core.

    ## Description
    The ten-parameter task space of the paper's code (there labelled untested) over
    ``teachgym/ParametricBipedalWalker-v0``. Everything not said here is as in ``TaskTeachingEnv``.

    ## Action Space
    Five pairs of height and width, each from 0 to 6 (terrain steps).

    ## Observation Space
    As in ``TaskTeachingEnv``: 17 numbers from 0 to 1.

    ## Rewards
    The student's return.

    ## Starting State
    A fresh student.

    ## Episode Termination
    After ``budget`` steps of the student.

    ## Arguments
    As in ``HexagonTracksEnv``; ``budget=20_000_000``.

    ## Version History
    - v0: first version.
    """

    def __init__(self, **track: Any) -> None:
        super().__init__("stump-sequence", **track)


class ObstacleCourseEnv(TrackEnv):
    """Choose how rough the next course of a walker is, and the sizes of its stumps, stairs and pits.

    ## In Short
    - Decision: eight numbers of the next obstacle course.
    - Student: PPO or SAC on the bipedal walker.
    - Reward: the return of the episode.
    - Truth: none; at roughness 1 without obstacles a course is that of Gymnasium's BipedalWalker-v3.
    - Episode: minutes to days: 5 million steps of PPO take some 7 minutes on a core.

    ## Description
    The eight-parameter task space of Parker-Holder et al. 2022 (ACCEL) over
    ``teachgym/ParametricBipedalWalker-v0``. Everything not said here is as in ``TaskTeachingEnv``.

    ## Action Space
    | parameter | full range | easy range |
    |---|---|---|
    | ``ground_roughness`` (times that of ``BipedalWalker-v3``) | 0 to 10 | 0 to 0.6 |
    | ``pit_gap_low``, ``pit_gap_high`` (terrain steps) | 0 to 10 | 0 to 0.8 |
    | ``stump_height_low``, ``stump_height_high`` (terrain steps) | 0 to 5 | 0 to 0.4 |
    | ``stair_height_low``, ``stair_height_high`` (terrain steps) | 0 to 5 | 0 to 0.4 |
    | ``stair_steps`` (rounded; a staircase has from 0 to one less) | 1 to 9 | 1 to 1.4 |

    A low above its high is swapped with it. Pits with a high below 0.8 and stumps and stairs with a high below 0.2
    are left out. The authors' easy ranges pin every low to 0, every high to the bound, and the steps to 1.

    ## Observation Space
    As in ``TaskTeachingEnv``: 15 numbers from 0 to 1.

    ## Rewards
    The student's return.

    ## Starting State
    A fresh student.

    ## Episode Termination
    After ``budget`` steps of the student.

    ## Arguments
    ``ranges="full"`` (or ``"easy"``); ``student="ppo"``, of which the authors' has the settings ``slots=16``,
    ``rollout_steps=2048``, ``batch_size=1024``, ``epochs=5``, ``learning_rate=3e-4``, ``desired_kl=None``,
    ``discount=0.99``, ``gae_lambda=0.9``, ``entropy_coefficient=1e-3``, ``log_std_final=None``,
    ``discount_final=None`` and ``averaging=0``; ``budget=20_000_000`` (they give it up to two billion);
    ``outcome_range=(-200, 350)``, theirs; ``easy_tasks=EASY_COURSES``, where their ACCEL begins. Others as in
    ``StumpTracksEnv``, but for stumps. The test set is ``TEST_COURSES``, one episode on each; in the easy range,
    which does not hold them, 50 tasks of its own.
    ``test_courses`` plays the published protocol.

    ## Version History
    - v0: first version.
    """

    @checked_arguments
    def __init__(self, *, ranges: Ranges = "full", student: str | RLStudent = "ppo", **track: Any) -> None:
        test_tasks = list(TEST_COURSES.values()) if ranges == "full" else None
        defaults = {"outcome_range": (-200.0, 350.0), "test_tasks": test_tasks, "easy_tasks": EASY_COURSES}
        super().__init__(ObstacleCourse(ranges), student=student, **{**defaults, **track})

    def test_courses(self, episodes: int = 100, *, deterministic: bool = False) -> Mapping[str, CourseResult]:
        """Test the student as it is now on the six published courses; neither student nor budget notices.

        Beside ``TEST_COURSES``, whatever the range, it plays Gymnasium's hardcore course, which is not a task here.

        Args:
            episodes: How many on each course.
            deterministic: Play the student's best actions, as ``evaluate`` does, in place of sampled ones, which the
                authors' test plays unless told otherwise.

        Returns:
            The result of each course, by name; ``teachgym.envs.tasks.evaluation_courses`` has the published ones.

        Raises:
            ValueError: If there are no episodes.
            RuntimeError: Before the first step of the student.
        """
        if not hasattr(self, "seeds"):
            raise RuntimeError("no student exists yet; call reset() before test_courses()")
        with preserved():
            seed_all(self.seeds.evaluation)
            return play_test_courses(
                self.lifetime.student.act if deterministic else self.lifetime.student.explore,
                seed=self.seeds.evaluation,
                episodes=episodes,
                solved_above=self.teaching_spec.mastered_above,
                walker=self._walker,
            )
