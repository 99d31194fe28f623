"""A teacher that reads: a language model is shown a report of the student, and decides what data it gets."""

import json
from dataclasses import replace
from typing import Any, Literal, final

from gymnasium import spaces

from teachgym.agents.language.answers import ANSWERS, read_report
from teachgym.base.ranges import NonNegativeInt
from teachgym.base.settings import checked_dataclass
from teachgym.core.feedback import Transition
from teachgym.core.requirements import Requirements
from teachgym.core.spec import TeachingSpec
from teachgym.core.teacher import Choice, Note, Teacher
from teachgym.language_model import LanguageModelClient, Message, ModelSettings, Question, UnusableReplyError, ask
from teachgym.language_model.client import Send

_ROLE = (
    "You teach a student that learns a task from training data, in steps: in each you decide what data it gets, it "
    "is trained, and it is tested. You are paid for how much better it does on a validation set. In every step you "
    "are shown a report of what it can do now, in JSON. What it does well needs no more data; where it makes errors, "
    "ask yourself why, and what data would help most."
)
_MOST_ORIGIN = 160
"""Letters of what is recorded beside an action."""


@checked_dataclass
class LanguageModelSettings(ModelSettings):
    """Settings of ``LanguageModel``: those of the model, and these.

    Raises:
        ValueError: If a value is not allowed.
    """

    acts: Literal["shares", "tree", "orders", "examples"] = "shares"
    """What it decides: each skill's share of the examples; where to explore and to exploit in trees of skills; orders
    for an engine, in words; or the examples themselves."""
    memory: NonNegativeInt = 3
    """Latest steps that it is reminded of: report, answer and reward."""


@final
class LanguageModel(Teacher):
    """Asks a language model what to teach next, and shows it the results.

    The model reads the report of a data-generation environment with ``observation="text"``, the latest steps and their
    rewards, and answers in JSON, which is checked and, if need be, corrected. After the agents of DataEnvGym (Khan et
    al. 2025, arXiv:2410.06215), whose policies are prompts too. Differs from them: one teacher for all environments,
    any endpoint, limits, and actions that are members of the environment's action space.

    Of all teachers it alone is not pure: it asks an endpoint over the network. With ``cache``, the same run from the
    same seed gets the same replies, and with ``offline`` it plays again without the endpoint, bit for bit. An endpoint
    that is not there, or a limit that is reached, is an error. A model that refuses, or gives no answer that can be
    used however often it is corrected, is not: then all skills get the same share, all standing orders stay as they
    are, the examples of the step are divided evenly among the errors, or no examples are given.

    ``origin`` is ``"model"``, or ``"default"`` with the reason.

    Args:
        spec: The environment's fixed facts.
        settings: A ``LanguageModelSettings``, with a model.
        seed: Non-negative integer.
        send: Sends a request, in place of the endpoint in the settings; for tests.

    Raises:
        ValueError: If no model is named, or the environment does not give what ``acts`` says, and text to read.
    """

    Settings = LanguageModelSettings
    settings: LanguageModelSettings
    acts_on = tuple(kind.acts_on for kind in ANSWERS.values())
    reads = spaces.Text
    keeps = ("_memory", "client")
    _memory: list[dict[str, Any]]
    """Report, answer and, once it is known, reward of the latest steps."""

    def __init__(
        self,
        spec: TeachingSpec,
        settings: LanguageModelSettings | None = None,
        *,
        seed: int,
        send: Send | None = None,
    ) -> None:
        super().__init__(spec, settings, seed=seed)
        self.client = LanguageModelClient(self.settings, send=send)
        self._answers = ANSWERS[self.settings.acts](spec)
        self._memory = []

    @classmethod
    def requirements(cls, settings: LanguageModelSettings) -> Requirements:
        """It acts on what ``acts`` says."""
        return replace(super().requirements(settings), acts_on=(ANSWERS[settings.acts].acts_on,))

    def _act(self, observation: str) -> Choice:
        """Ask the model.

        Raises:
            LanguageModelError: If it can't be asked.
        """
        answers, report = self._answers, read_report(observation)
        serial = int(self.rng.integers(2**63))
        question = Question(
            self._messages(observation),
            answers.schema(),
            (serial,),
            lambda answer: answers.complaint(answer, report),
        )
        try:
            answer = ask(self.client, question)
        except UnusableReplyError as error:
            action, said = answers.default(report), ""
            origin = f"default: {error}"[:_MOST_ORIGIN]
        else:
            action, said = answers.action(answer, report), json.dumps(answer, ensure_ascii=False)
            origin = "model"
        self._memory.append({"report": observation, "answer": said, "reward": None})
        self._memory = self._memory[len(self._memory) - min(len(self._memory), self.settings.memory) :]
        return Choice(action, origin)

    def _update(self, transition: Transition, note: Note | None) -> None:
        """Note what the latest answer was paid."""
        if self._memory:
            self._memory[-1]["reward"] = float(transition.reward)

    def _messages(self, observation: str) -> tuple[Message, ...]:
        told = [_ROLE, self._answers.instructions]
        if self.spec.skills:
            told.append(f"There are {len(self.spec.skills)} skills; call them what the report does.")
        messages = [Message("system", "\n\n".join(told))]
        paid = ""
        for step in self._memory:
            messages.append(Message("user", f"{paid}The report of then:\n{step['report']}"))
            messages.append(Message("assistant", step["answer"] or "(no answer that could be used)"))
            paid = "" if step["reward"] is None else f"The reward for this was {step['reward']:.4g}.\n\n"
        messages.append(Message("user", f"{paid}The report of now:\n{observation}"))
        return tuple(messages)
