"""An engine that has examples written by a language model."""

from collections.abc import Sequence
from typing import Any, final

import numpy as np

from teachgym.base.ranges import NonNegativeInt, PositiveInt
from teachgym.base.settings import checked_dataclass
from teachgym.data.engine import Batch, DataEngine, EngineError, Order
from teachgym.data.example import Answer, Example
from teachgym.data.subject import Subject
from teachgym.language_model import (
    LanguageModelClient,
    LanguageModelError,
    Message,
    ModelSettings,
    NotInCacheError,
    Question,
    UnusableReplyError,
    ask_many,
)
from teachgym.language_model.client import Send

_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "examples": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"prompt": {"type": "string"}, "target": {"type": "string"}},
                "required": ["prompt", "target"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["examples"],
    "additionalProperties": False,
}
_ROLE = (
    "You write training examples for a student who is learning a subject. Each is a prompt, as the student will be "
    "given it, and a target: the one right answer, and nothing else. Prompts are complete in themselves, all "
    "different, and in the same form as those that you are shown. Work every answer out with care: a wrong target "
    "teaches a mistake."
)
_MOST_KNOWN = 40
"""Prompts at most that a request repeats of what has been made, so that they are not made again."""
_MOST_ANSWERS = 100
"""Answers at most that a request lists, where a subject has only so many."""


@checked_dataclass
class LanguageModelEngineSettings(ModelSettings):
    """Settings of ``LanguageModelEngine``: those of the model, and these.

    Raises:
        ValueError: If a value is not allowed.
    """

    include_mistakes: bool = True
    """Whether the model is shown what the student answered wrongly; without, it makes data blindly."""
    shown: NonNegativeInt = 3
    """Most examples that a request shows, and most mistakes: those of the order; or, where it names no examples, some
    of the subject's own, so that the model sees their form."""
    per_request: PositiveInt = 20
    """Most examples that are asked for at once."""
    refills: NonNegativeInt = 2
    """How often what is missing of an order is asked for again, at most; non-negative."""


@final
class LanguageModelEngine(DataEngine):
    """Has examples written by a language model, behind any OpenAI-compatible endpoint.

    Every order becomes one request for each 20 examples: the subject, the skill, what the teacher says, some examples
    to make more of and some of the student's mistakes. All orders are asked for at once; what is too much, blank or a
    repetition is left out, and what is missing asked for again. Nobody checks whether targets are right: that is for
    the environment's quality checks. As the engines of DataEnvGym (Khan et al. 2025, arXiv:2410.06215). Differs from
    them: one prompt for all subjects; counts that are kept; failures that are told; a price, and limits to it; and no
    pictures are drawn: where a subject has images, new questions are asked about those that are shown.

    Costs are in US dollars, by the prices in the settings; a model without a price costs nothing. With ``cache``, the
    same plan from the same generator gives the same examples again, without the endpoint.

    Args:
        subject: What the examples are for. It may have a ``description``; or else the first line of its class's
            docstring is what the model is told.
        settings: A ``LanguageModelEngineSettings``, with a model.
        send: Sends a request, in place of the endpoint in the settings; for tests.

    Raises:
        ValueError: If no model is named.
    """

    Settings = LanguageModelEngineSettings
    settings: LanguageModelEngineSettings
    unit = "USD"
    checks = ("parses", "verified", "not-duplicate")

    def __init__(
        self, subject: Subject, settings: LanguageModelEngineSettings | None = None, *, send: Send | None = None
    ) -> None:
        super().__init__(subject, settings)
        self.client = LanguageModelClient(self.settings, send=send)

    def make(self, orders: Sequence[Order], rng: np.random.Generator, *, allowance: float = np.inf) -> Batch:
        """Have a plan written.

        Raises:
            EngineError: If nothing could be made, though something was ordered, and it is not that the model refused
                or answered badly; or if it is offline, and a reply is not in the cache.
        """
        serial = int(rng.integers(2**63))
        drafts = [_Draft(order, self._shown(order, rng)) for order in orders]
        client = self.client.limited("the allowance of this step", allowance)
        known: set[str] = set()
        failures: list[str] = []
        for turn in range(self.settings.refills + 1):
            parts = [
                (place, count)
                for place, draft in enumerate(drafts)
                for count in draft.parts(self.settings.per_request)
                if not draft.given_up
            ]
            if not parts:
                break
            questions = [
                Question(
                    self._messages(drafts[place], count, part),
                    _SCHEMA,
                    (serial, place, part, turn),
                )
                for part, (place, count) in enumerate(parts)
            ]
            for part, ((place, _), answer) in enumerate(zip(parts, ask_many(client, questions), strict=True)):
                draft = drafts[place]
                if isinstance(answer, NotInCacheError):
                    raise EngineError(str(answer), cost=client.usage.cost)
                if isinstance(answer, LanguageModelError):
                    draft.fails(answer)
                else:
                    draft.take(answer["examples"], known, draft.picture(part))
        for place, draft in enumerate(drafts):
            if len(draft.made) < draft.order.count:
                name = " / ".join(draft.order.path)
                failures.append(
                    f"order {place}{f' ({name})' * bool(name)}: {len(draft.made)} of {draft.order.count} examples were "
                    f"made; {draft.error or 'the model gave too few that were new'}"
                )
        ordered, made = sum(order.count for order in orders), sum(len(draft.made) for draft in drafts)
        broken = next((draft.error for draft in drafts if draft.given_up), None)
        if ordered and not made and broken is not None:
            raise EngineError(str(broken), cost=client.usage.cost)
        return Batch([draft.made for draft in drafts], client.usage.cost, failures)

    def _shown(self, order: Order, rng: np.random.Generator) -> list[Example]:
        """Examples to show: some of the order's, or else of the subject's."""
        most = self.settings.shown
        source: Sequence[Example] = order.like or self.subject.pool()
        if source:
            return [source[place] for place in rng.permutation(len(source))[:most].tolist()]
        path = order.path or (self.subject.skill_names[int(rng.integers(len(self.subject.skills)))],)
        try:
            return self.subject.make(path, most, rng)
        except (NotImplementedError, ValueError):
            return []  # such a subject, or a skill that it does not know, is told of in words alone

    def _messages(self, draft: "_Draft", count: int, part: int) -> tuple[Message, ...]:
        order, picture = draft.order, draft.picture(part)
        words = [f"The subject: {_description(self.subject)}"]
        if order.path:
            words.append(f"The skill to practise: {' / '.join(order.path)}")
        if self.subject.answers is not None:
            words.append(f"A target is one of: {', '.join(self.subject.answers[:_MOST_ANSWERS])}")
        if order.note:
            words.append(f"What the teacher says: {order.note}")
        if draft.shown:
            words.append("Examples of the kind that is wanted:\n" + "\n".join(map(_written, draft.shown)))
        mistakes = order.mistakes[: self.settings.shown] if self.settings.include_mistakes else ()
        if mistakes:
            words.append(
                "What the student got wrong, so that you see what it has not understood:\n"
                + "\n".join(map(_wrong, mistakes))
            )
        if draft.made:
            done = "\n".join(f"- {example.prompt}" for example in draft.made[-_MOST_KNOWN:])
            words.append(f"These have been made; make others:\n{done}")
        about = " All are questions about the image." if picture is not None else ""
        words.append(f"Write {count} new example{'s' * (count > 1)}.{about}")
        images = () if picture is None else (picture,)
        return Message("system", _ROLE), Message("user", "\n\n".join(words), images)


class _Draft:
    """What has been made of an order so far."""

    def __init__(self, order: Order, shown: list[Example]) -> None:
        self.order, self.shown = order, shown
        self.made: list[Example] = []
        self.error: LanguageModelError | None = None
        self.given_up = False
        self._pictures = [example.image for example in shown if example.image is not None]
        self._shown_keys = {example.key for example in (*shown, *order.like)}

    def parts(self, most: int) -> list[int]:
        """How what is missing is divided among requests."""
        missing = self.order.count - len(self.made)
        return [min(most, missing - start) for start in range(0, missing, most)]

    def picture(self, part: int) -> Any:
        """The image that a request is about, if the subject has any: each shown one in its turn."""
        return self._pictures[part % len(self._pictures)] if self._pictures else None

    def take(self, entries: Sequence[dict[str, str]], known: set[str], picture: Any) -> None:
        """Take what is new, up to what was ordered."""
        for entry in entries:
            if len(self.made) >= self.order.count:
                return
            if not entry["prompt"].strip() or not entry["target"].strip():
                continue
            example = Example(entry["prompt"], entry["target"], self.order.path, picture)
            if example.key not in known and example.key not in self._shown_keys:
                known.add(example.key)
                self.made.append(example)

    def fails(self, error: LanguageModelError) -> None:
        """Note why a request gave nothing; where not the model is to blame, don't ask again."""
        self.error = error
        self.given_up |= not isinstance(error, UnusableReplyError)


def _description(subject: Subject) -> str:
    words = (
        getattr(subject, "description", None)
        or (type(subject).__doc__ or type(subject).__name__).strip().partition("\n")[0]
    )
    return str(words)


def _written(example: Example) -> str:
    return f"prompt: {example.prompt}\ntarget: {example.target}\n"


def _wrong(answer: Answer) -> str:
    example = answer.example
    return f"prompt: {example.prompt}\nright answer: {example.target}\nthe student's answer: {answer.given}\n"
