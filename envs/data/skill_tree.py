"""The skill-tree environment: for every skill, explore new parts of it, or exploit those that are known."""

from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, final

import numpy as np
from annotated_types import Ge, Le
from gymnasium import Space, spaces
from numpy.typing import NDArray

from teachgym.base.annotations import read_numbers, shown
from teachgym.base.ranges import NonNegativeInt, PositiveInt
from teachgym.base.setting_checks import check_choice
from teachgym.base.settings import checked_arguments
from teachgym.core.requirements import OnDemand
from teachgym.core.task_space import FloatArray, Parameter, TaskSpace
from teachgym.data.engine import Order
from teachgym.data.observation import TreeField, TreeFields
from teachgym.data.reports import SubjectReport, SubskillReport, TreeReport
from teachgym.data.tree_plan import TreePlan, TreePlans
from teachgym.envs.data.apportion import cut, split
from teachgym.envs.data.data_env import DataEnv, DataView
from teachgym.envs.data.data_lifetime import DataLifetime
from teachgym.envs.data.data_settings import DataSettings
from teachgym.envs.data.grown_tree import GrownTree

MENU = ("keep", "explore", "to-weak", "halve", "stop")
"""What can be chosen for a skill from a menu: leave its orders; grow subskills; move its orders to the subskills that
the student does worst in, with at least a step's part for a skill in all; halve its orders; or set them to 0."""
_MENU_GROWTH = 2
Growth = Literal["in-order", "random"]


class _Decision(NamedTuple):
    """A decoded action."""

    plan: TreePlan
    arm: int | None
    """The action itself, where it is one choice."""


@dataclass
class _History:
    """What has been done with a skill, step by step."""

    actions: list[int] = field(default_factory=list)
    """1 explored, -1 exploited."""
    rewards: list[float] = field(default_factory=list)
    """Gain in its validation accuracy."""


class SkillTreeLifetime(DataLifetime[_Decision]):
    """A student whose skills are trees with standing orders.

    Args:
        settings: What is learnt, by whom, from what.
        subskills: Most that a skill can have.
        depth: Levels below a skill that can be grown; None for all.
        growth: In which order.
        asked: Most examples of each subskill that the student is asked about after training.
        more: As in ``DataLifetime``.
    """

    keeps = ("trees", "history")
    history: list[_History]

    def __init__(
        self, settings: DataSettings, *, subskills: int, depth: int | None, growth: Growth, asked: int, **more: Any
    ) -> None:
        self.subskills, self._depth, self._growth, self._asked = int(subskills), depth, growth, int(asked)
        super().__init__(settings, **more)

    def _decisions(self, action: str) -> tuple[Space[Any], TaskSpace]:
        check_choice("action", action, ("discrete", "menu", "plan"))
        if self.discovery is not None:
            raise ValueError("discovery is set, but the trees are the subject's own; leave it 'given'")
        skills, budget = self.subject.skills, self.budget
        tasks = TaskSpace([Parameter(skill.name, 0.0, float(budget), unit="examples") for skill in skills])
        if action == "plan":
            return TreePlans(len(skills), self.subskills, budget), tasks
        if action == "menu":
            return spaces.MultiDiscrete([len(MENU)] * len(skills)), tasks
        arms = TaskSpace([Parameter("move", 0.0, len(MENU) * len(skills) - 1.0)])
        return spaces.Discrete(len(MENU) * len(skills)), arms

    def read(self, action: Any) -> _Decision:
        """The action as a plan."""
        if self.action == "plan":
            return _Decision(_checked(action, self.decision_space), None)
        skills, kind, most = len(self.subject.skills), self.action, len(MENU) - 1
        choices = np.zeros(skills, dtype=np.int64)
        if kind == "menu":
            numbers = read_numbers("the action", action)
            if numbers.shape != (skills,) or not all(choice in range(len(MENU)) for choice in numbers):
                raise ValueError(f"the action is {shown(action)}; expected {skills} numbers from 0 to {most}")
            choices[:] = numbers
        else:
            number = read_numbers("the action", action)
            if number.ndim != 0 or number not in range(len(MENU) * skills):
                raise ValueError(f"the action is {shown(action)}; expected a number from 0 to {len(MENU) * skills - 1}")
            choices[int(number) // len(MENU)] = int(number) % len(MENU)
        return _Decision(self._from_menu(choices), None if kind == "menu" else int(action))

    def _from_menu(self, choices: NDArray[np.int64]) -> TreePlan:
        """The plan that choices ``(K,)`` from the menu stand for."""
        plan = TreePlans(len(choices), self.subskills, self.budget).empty()
        part = max(self.size // len(choices), _MENU_GROWTH)
        for k, choice in enumerate(choices):
            tree, name = self.trees[k], MENU[choice]
            orders = np.array(tree.orders, dtype=np.int64)
            if name == "explore":
                plan["explore"][k], plan["new"][k], plan["each"][k] = 1, _MENU_GROWTH, part // _MENU_GROWTH
            elif name == "to-weak" and len(orders):
                known = np.array([0.0 if value is None else value for value in tree.trained])
                wrong = 1 - known if self.sees else np.ones(len(orders))
                total = max(int(orders.sum()), part)
                plan["change"][k, : len(orders)] = np.array(split(total, wrong + 1e-3)) - orders
            elif name in ("halve", "stop"):
                plan["change"][k, : len(orders)] = (orders // 2 if name == "halve" else 0) - orders
        return plan

    def _fresh(self) -> None:
        skills = self.subject.skills
        self.trees = [
            GrownTree(
                skill,
                most=self.subskills,
                most_ordered=self.budget,
                depth=self._depth,
                shuffled_by=[self.seeds.world, k] if self._growth == "random" else None,
            )
            for k, skill in enumerate(skills)
        ]
        self.history = [_History() for _ in skills]

    def _carry_out(self, decision: _Decision) -> tuple[FloatArray, int | None]:
        plan, arm = decision
        for k, (tree, history) in enumerate(zip(self.trees, self.history, strict=True)):
            if plan["explore"][k]:
                tree.explore(int(plan["new"][k]), int(plan["each"][k]))
            else:
                tree.exploit(plan["change"][k].tolist())
            history.actions.append(1 if plan["explore"][k] else -1)
        places = [(k, slot) for k, tree in enumerate(self.trees) for slot in range(len(tree.paths))]
        counts = cut([self.trees[k].orders[slot] for k, slot in places], self.left)
        before = self.skill_accuracy
        made = self.teach_orders([self._order(k, slot, count) for (k, slot), count in zip(places, counts, strict=True)])
        self._ask_back(places, made.given)
        for history, gain in zip(self.history, self.skill_accuracy - before, strict=True):
            history.rewards.append(float(gain))
        if arm is not None:
            return np.array([float(arm)]), arm // len(MENU)
        return np.array([float(sum(tree.orders)) for tree in self.trees]), None

    def _order(self, k: int, slot: int, count: int) -> Order:
        path = self.trees[k].paths[slot]
        answers = [answer for answer in self.answers if answer.example.path[: len(path)] == path]
        mistakes = tuple(answer for answer in answers if not answer.correct) if self.sees else ()
        return Order(count, path, tuple(answer.example for answer in answers[:6]), mistakes[:6])

    def _ask_back(self, places: list[tuple[int, int]], given: list[list[Any]]) -> None:
        """Ask the student about what it has just been trained on; a subskill that got nothing keeps what was known."""
        asked = [examples[: self._asked] for examples in given]
        answers = iter(self.ask([example for examples in asked for example in examples]))
        for (k, slot), examples, all_made in zip(places, asked, given, strict=True):
            self.trees[k].made[slot] += len(all_made)
            right = [next(answers).correct for _ in examples]
            if right:
                self.trees[k].trained[slot] = float(np.mean(right))

    def accuracy_in(self, path: tuple[str, ...]) -> float | None:
        """Share of the validation examples below this part that the student answers correctly; None without such."""
        right = [answer.correct for answer in self.answers if answer.example.path[: len(path)] == path]
        return float(np.mean(right)) if right else None


class SkillTreeView(DataView):
    """The fields of ``teachgym.data.observation.TreeField``, or a report by skill and part."""

    def _number_space(self, lifetime: SkillTreeLifetime) -> Space[Any]:
        return TreeFields(len(lifetime.subject.skills), lifetime.subskills)

    def _numbers(self, lifetime: SkillTreeLifetime) -> Any:
        fields = np.zeros(self.space.shape or (), dtype=np.float32)
        for k, (tree, history) in enumerate(zip(lifetime.trees, lifetime.history, strict=True)):
            whole = fields[k, 0]
            whole[TreeField.ACTIVE] = 1
            whole[TreeField.ALLOCATION], whole[TreeField.MADE] = sum(tree.orders), sum(tree.made)
            whole[TreeField.EXPLORED] = history.actions.count(1)
            whole[TreeField.EXPLOITED] = history.actions.count(-1)
            whole[TreeField.LAST] = history.actions[-1] if history.actions else 0
            whole[TreeField.COMPLETE] = tree.is_complete
            if lifetime.sees:
                whole[TreeField.ACCURACY] = lifetime.skill_accuracy[k]
                whole[TreeField.REWARD] = history.rewards[-1] if history.rewards else 0
            for slot, path in enumerate(tree.paths):
                part, trained = fields[k, 1 + slot], tree.trained[slot]
                part[TreeField.ACTIVE], part[TreeField.PARENT] = 1, tree.parent(slot)
                part[TreeField.ALLOCATION], part[TreeField.MADE] = tree.orders[slot], tree.made[slot]
                if lifetime.sees and trained is not None:
                    part[TreeField.TESTED], part[TreeField.TRAINED_ACCURACY] = 1, trained
                if lifetime.sees:
                    part[TreeField.ACCURACY] = lifetime.accuracy_in(path) or 0
        return fields

    def _describe(self, lifetime: SkillTreeLifetime, report: SubjectReport) -> None:
        skills: list[TreeReport] = []
        for k, (tree, history) in enumerate(zip(lifetime.trees, lifetime.history, strict=True)):
            skill: TreeReport = {
                "name": lifetime.skill_names[k],
                "allocation": sum(tree.orders),
                "examples_so_far": sum(tree.made),
                "complete": tree.is_complete,
                "subskills": [self._subskill(lifetime, tree, slot) for slot in range(len(tree.paths))],
                "history": [{"action": "explore" if action == 1 else "exploit"} for action in history.actions],
            }
            if lifetime.sees:
                skill["accuracy"] = round(float(lifetime.skill_accuracy[k]), 4)
                skill["reward"] = round(history.rewards[-1], 4) if history.rewards else 0.0
                for entry, reward in zip(skill["history"], history.rewards, strict=True):
                    entry["reward"] = round(reward, 4)
            skills.append(skill)
        report["skills"] = skills

    def _subskill(self, lifetime: SkillTreeLifetime, tree: GrownTree, slot: int) -> SubskillReport:
        found: SubskillReport = {
            "slot": slot + 1,
            "name": " / ".join(tree.paths[slot][1:]) or tree.paths[slot][0],
            "allocation": tree.orders[slot],
            "examples_so_far": tree.made[slot],
        }
        if lifetime.sees:
            found["accuracy_on_generated"] = tree.trained[slot]
            found["accuracy"] = lifetime.accuracy_in(tree.paths[slot])
        return found


@final
class SkillTreeEnv(DataEnv):
    """For every skill, grow new subskills or change how much data is made for those that are there.

    ## In Short
    - Decision: which skill's tree to explore, and which parts to make data of.
    - Student: a classifier or a language model.
    - Reward: the gain in accuracy on validation questions, less a price.
    - Truth: none; a test set that no teacher sees.
    - Episode: milliseconds (simulated student) to half a minute (transformer), or as long as your model takes.

    ## Description
    Every skill of the subject is a tree; one without parts is its own only subskill. The teacher grows its parts, one
    level after the other, and gives each a standing order: so many fresh examples in every step, until it is changed.
    The student trains on what is made, and is tested on the validation set and asked about what it was trained on.
    After the skill-tree environment of DataEnvGym (Khan et al. 2025, arXiv:2410.06215). Differs from it: parts come
    from the subject's own tree, of any depth, in its order or at random; orders are never negative; the budget holds to
    the example, orders beyond it being cut in proportion; an accuracy that is not known is marked so; and no step must
    be an explore.

    ## Action Space
    By ``action``: ``"plan"``, ``TreePlans``: a ``teachgym.data.tree_plan.TreePlan`` for all K skills; ``"menu"``,
    ``MultiDiscrete([5] * K)``, for each skill one of ``MENU``; or ``"discrete"``, ``Discrete(5 K)``: skill
    ``a // 5`` gets ``MENU[a % 5]``, and the others keep their orders. Exploring from a menu grows up to 2 subskills,
    each with half of a step's part for a skill.

    ## Observation Space
    ``TreeFields(K, subskills)``, ``(K, 1 + subskills, 12)`` in the fields of ``teachgym.data.observation.TreeField``;
    or, with ``observation="text"``, a report in JSON.

    ## Rewards
    The gain in accuracy on the validation set, less ``price`` for each example. ``info["skill_gain"]`` has the gain
    by skill.

    ## Starting State
    A fresh student, fixed by the seed; no subskills, no orders and no data.

    ## Episode Termination
    When the budget is spent, or after ``rounds`` steps; never truncated.

    ## Arguments
    ``subskills``, most that a skill can have (10); ``depth``, how many levels below a skill can be grown, None for
    all; ``growth``, in which order, ``"in-order"`` or ``"random"``; ``asked``, most examples of each subskill
    that the student is asked about after training (20); and those of ``DataEnv`` and of ``DataSettings``. A
    step's feedback has each skill's standing orders for its task, or the one choice.

    ## Version History
    * v0: Initial version.
    """

    on_demand: ClassVar[tuple[OnDemand, ...]] = (
        *DataEnv.on_demand,
        OnDemand({"action": "plan"}, action_space=TreePlans),
    )
    lifetime: SkillTreeLifetime

    @checked_arguments
    def __init__(
        self,
        *,
        subskills: Annotated[int, Ge(1), Le(1000)] = 10,
        depth: PositiveInt | None = None,
        growth: Growth = "in-order",
        asked: NonNegativeInt = 20,
        **settings: Any,
    ) -> None:
        make = partial(SkillTreeLifetime, subskills=subskills, depth=depth, growth=growth, asked=asked)
        super().__init__(make, SkillTreeView, **settings)


def _checked(action: Any, space: Any) -> TreePlan:
    """The plan in an action.

    Raises:
        ValueError: If it is none; the message says what is.
    """
    if not isinstance(action, dict) or set(action) != set(space):
        raise ValueError(f"the action is {shown(action)}; expected a dict of {', '.join(sorted(space))}")
    plan: Any = {}
    for name in space:
        wanted = space[name].shape
        values = read_numbers(repr(name), action[name])
        if values.shape != wanted or not np.isfinite(values).all() or (values % 1 != 0).any():
            raise ValueError(f"{name!r} is {shown(action[name])}; expected whole numbers of shape {wanted}")
        low, high = (0, 1) if name == "explore" else (space[name].low.min(), space[name].high.max())
        if (values < low).any() or (values > high).any():
            raise ValueError(f"{name!r} is {shown(action[name])}; expected numbers from {low} to {high}")
        plan[name] = values.astype(space[name].dtype)
    found: TreePlan = plan
    return found
