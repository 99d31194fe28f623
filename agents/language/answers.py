"""The kinds of action that a language model can answer with: how it is asked, and what becomes of its answer."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from teachgym.base.registry import unknown_name
from teachgym.core.requirements import SpaceType
from teachgym.core.spec import TeachingSpec
from teachgym.data.spaces import Examples, Orders, Shares
from teachgym.data.tree_plan import TreePlans

_MOST_SHARE = 1_000_000
"""Shares may be percentages, or numbers of examples; what is larger is a slip."""
Parsed = Mapping[str, Any]
"""The report, as far as it is one; empty where the observation is some other text."""


def read_report(observation: str) -> Parsed:
    """A report in JSON as an object; empty if it is none."""
    try:
        found = json.loads(observation)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


class Answers(ABC):
    """One kind of action.

    Args:
        spec: The environment's fixed facts.
    """

    acts_on: ClassVar[SpaceType]
    """Type of the action space."""
    instructions: ClassVar[str]
    """What the model is told to do."""

    def __init__(self, spec: TeachingSpec) -> None:
        self.spec = spec
        self.space: Any = spec.action_space

    @abstractmethod
    def schema(self) -> dict[str, Any]:
        """JSON schema of the answer."""

    @abstractmethod
    def complaint(self, answer: Any, report: Parsed) -> str | None:
        """What is wrong with an answer that keeps the schema, if anything is."""

    @abstractmethod
    def action(self, answer: Any, report: Parsed) -> Any:
        """The action that an answer without fault stands for."""

    @abstractmethod
    def default(self, report: Parsed) -> Any:
        """The action where there is no answer that can be used."""

    def names(self, report: Parsed) -> list[str]:
        """What the report calls the skills, in order: those that are discovered have no names before."""
        skills = report.get("skills")
        if isinstance(skills, list) and len(skills) == len(self.spec.skills):
            names = {
                skill["name"] for skill in skills if isinstance(skill, dict) and isinstance(skill.get("name"), str)
            }
            if len(names) == len(skills):
                return [skill["name"] for skill in skills]
        return list(self.spec.skills)

    def unknown_skill(self, given: Sequence[str], report: Parsed) -> str | None:
        """A complaint about names that are no skill's, or come twice."""
        names = self.names(report)
        for name in given:
            if name not in names:
                return str(unknown_name("skill", name, names))
            if given.count(name) > 1:
                return f"skill {name!r} is there more than once"
        return None


class SharesAnswers(Answers):
    """Each skill's share of the next examples. By default all skills get the same."""

    acts_on = Shares
    instructions = (
        "Divide the next examples among the skills: give each that is to have any its share. Shares are from 0 up, and "
        "are scaled to sum to 1; a skill that you leave out gets none."
    )

    def schema(self) -> dict[str, Any]:
        """A list of skills with their shares."""
        return _answer("shares", {"skill": {"type": "string"}, "share": {"type": "number"}})

    def complaint(self, answer: Any, report: Parsed) -> str | None:
        """Unknown skills, and shares that are none."""
        shares = [entry["share"] for entry in answer["shares"]]
        if not all(0 <= share <= _MOST_SHARE for share in shares):
            return f"a share is below 0 or above {_MOST_SHARE:,}; give shares from 0 up"
        if not any(shares):
            return "all shares are 0; give at least one skill more"
        return self.unknown_skill([entry["skill"] for entry in answer["shares"]], report)

    def action(self, answer: Any, report: Parsed) -> Any:
        """``(K,)`` float32."""
        names = self.names(report)
        shares = np.zeros(len(names))
        for entry in answer["shares"]:
            shares[names.index(entry["skill"])] = entry["share"]
        return (shares / shares.sum()).astype(np.float32)

    def default(self, report: Parsed) -> Any:
        """Equal shares."""
        return np.full(self.space.count, 1 / self.space.count, dtype=np.float32)


class TreeAnswers(Answers):
    """For every skill, explore or exploit. By default all standing orders stay as they are."""

    acts_on = TreePlans
    instructions = (
        "Decide for every skill. To explore grows new subskills: say how many, and how many examples of each are to be "
        "made in every step from now on. To exploit changes the standing orders of subskills that there are, by slot: "
        "the change is added to the allocation, and may be negative. Every step makes what all standing orders ask "
        "for. A skill that you leave out stays as it is. Where you explore, give no changes; where you exploit, let "
        "new and each be 0."
    )

    def schema(self) -> dict[str, Any]:
        """A list of skills with their decisions."""
        whole = {"type": "integer"}
        change = {"type": "array", "items": _object({"slot": whole, "change": whole})}
        decision = {"type": "string", "enum": ["explore", "exploit"]}
        entry = {"skill": {"type": "string"}, "decision": decision, "new": whole, "each": whole, "changes": change}
        return _answer("skills", entry)

    def complaint(self, answer: Any, report: Parsed) -> str | None:
        """Unknown skills and slots, and numbers below 0 that can't be."""
        slots = self.space.subskills
        for entry in answer["skills"]:
            if entry["new"] < 0 or entry["each"] < 0:
                return f"new or each of skill {entry['skill']!r} is negative; give numbers from 0 up"
            strange = [change["slot"] for change in entry["changes"] if not 1 <= change["slot"] <= slots]
            if strange:
                return f"skill {entry['skill']!r} has no slot {strange[0]}; slots are 1 to {slots}"
        return self.unknown_skill([entry["skill"] for entry in answer["skills"]], report)

    def action(self, answer: Any, report: Parsed) -> Any:
        """A ``TreePlan``; numbers that are too large are cut to the largest that are allowed."""
        names = self.names(report)
        plan = self.space.empty()
        slots, most = self.space.subskills, self.space.most
        for entry in answer["skills"]:
            k = names.index(entry["skill"])
            if entry["decision"] == "explore":
                plan["explore"][k] = 1
                plan["new"][k], plan["each"][k] = min(entry["new"], slots), min(entry["each"], most)
                continue
            for change in entry["changes"]:
                plan["change"][k, int(change["slot"]) - 1] = min(max(change["change"], -most), most)
        return plan

    def default(self, report: Parsed) -> Any:
        """No change."""
        return self.space.empty()


class OrdersAnswers(Answers):
    """A plan in words. By default the examples of the step are divided evenly among the errors that are shown."""

    acts_on = Orders
    instructions = (
        "Order examples from an engine that writes them, for the errors that you are shown: like which error (its "
        "number), how many, and what the engine should know: what the student has not understood, and what examples "
        "would help. Errors with the same cause need one order only. All counts together should be the examples of "
        "this step."
    )

    def schema(self) -> dict[str, Any]:
        """A list of orders."""
        whole = {"type": "integer"}
        return _answer("orders", {"like": whole, "count": whole, "note": {"type": "string"}})

    def complaint(self, answer: Any, report: Parsed) -> str | None:
        """Errors that are not there, and counts below 0."""
        numbers = self._numbers(report)
        for entry in answer["orders"]:
            if entry["like"] not in numbers:
                return f"there is no error {entry['like']}; there are {', '.join(map(str, numbers))}"
            if entry["count"] < 0:
                return f"the count {entry['count']} is negative; give counts from 0 up"
        return None

    def action(self, answer: Any, report: Parsed) -> Any:
        """Orders; counts and notes that are too large are cut."""
        return tuple(self._order(entry["like"], entry["count"], entry["note"]) for entry in answer["orders"])

    def default(self, report: Parsed) -> Any:
        """An order for every error."""
        numbers, total = self._numbers(report), report.get("examples_now")
        count = total if isinstance(total, int) and total > 0 else len(numbers)
        base, more = divmod(count, len(numbers))
        return tuple(self._order(number, base + (place < more), "") for place, number in enumerate(numbers))

    def _numbers(self, report: Parsed) -> list[int]:
        """Of the errors that are shown; where the report does not say, of all that there can be."""
        allowed = range(self.space.errors)
        errors = report.get("errors")
        shown = errors if isinstance(errors, list) else []
        numbers = [one["number"] for one in shown if isinstance(one, dict) and one.get("number") in allowed]
        return numbers or list(allowed)

    def _order(self, like: int, count: int, note: str) -> dict[str, Any]:
        count = min(count, self.space.most)
        return {"like": np.int64(like), "count": np.int64(count), "note": note[: self.space.longest]}


class ExamplesAnswers(Answers):
    """The training examples themselves. By default there are none."""

    acts_on = Examples
    instructions = (
        "Write the training examples of this step yourself: a prompt as the student will be given it, in the form of "
        "those that you are shown, and its target, the one right answer and nothing else. All prompts differ from each "
        "other and from those that you are shown."
    )

    def schema(self) -> dict[str, Any]:
        """A list of examples."""
        return _answer("examples", {"prompt": {"type": "string"}, "target": {"type": "string"}})

    def complaint(self, answer: Any, report: Parsed) -> str | None:
        """None at all."""
        return None if self.action(answer, report) else "there is no example with a prompt and a target in it"

    def action(self, answer: Any, report: Parsed) -> Any:
        """Examples, without those that are blank or too long, or repeat a prompt."""
        space = self.space.feature_space
        kept: dict[str, dict[str, str]] = {}
        for entry in answer["examples"]:
            example = {name: str(entry[name]) for name in ("prompt", "target")}
            if all(text.strip() and text in space[name] for name, text in example.items()):
                kept.setdefault(" ".join(example["prompt"].lower().split()), example)
        return tuple(kept.values())

    def default(self, report: Parsed) -> Any:
        """Nothing."""
        return ()


ANSWERS: Mapping[str, type[Answers]] = {
    "shares": SharesAnswers,
    "tree": TreeAnswers,
    "orders": OrdersAnswers,
    "examples": ExamplesAnswers,
}
"""By the name that the settings use."""


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _answer(name: str, entry: dict[str, Any]) -> dict[str, Any]:
    """A reason, and then a list of entries: who thinks before it decides, decides better."""
    return _object({"reasoning": {"type": "string"}, name: {"type": "array", "items": _object(entry)}})
