"""What the students that are Hugging Face models share: loading, training, answering and state."""

import inspect
import warnings
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from typing import Any, ClassVar

import numpy as np
import torch
from torch.nn.functional import cross_entropy

import teachgym.students.torch_state  # noqa: F401 - by which networks are kept
from teachgym.data.example import Example
from teachgym.data.subject import Subject
from teachgym.students.devices import chosen_device
from teachgym.students.lifetimes.global_state import preserved, seeded
from teachgym.students.supervised.hugging_face_settings import HuggingFaceSettings
from teachgym.students.supervised.model_folder import check_model_folder, library, load_model, load_reader, quiet
from teachgym.students.supervised.student import SupervisedStudent

NO_LOSS = -100
"""Label of a token that is not to be learnt."""
_PER_TOKEN = ("attention_mask", "token_type_ids", "mm_token_type_ids", "cross_attention_mask")


class HuggingFaceStudent(SupervisedStudent):
    """A pretrained model by path, that is trained on and asked in one and the same form.

    A subclass says how the model is loaded and how prompts become tensors.
    """

    Settings = HuggingFaceSettings
    settings: HuggingFaceSettings
    updates_per_example = 3 / 16
    keeps = ("_learning", "_optimiser", "_rng")

    model_kind: ClassVar[str]
    """The auto class of ``transformers`` that loads the model."""
    reader_kind: ClassVar[str]
    """The one that loads what makes tensors of prompts."""

    def __init__(self, subject: Subject, settings: Any = None, *, seed: int) -> None:
        super().__init__(subject, settings, seed=seed)
        chosen = self.settings
        check_model_folder(
            chosen.path, allow_download=chosen.allow_download, processor=self.reader_kind == "AutoProcessor"
        )
        self.device = chosen_device(chosen.device)
        self.halves = _halves(chosen.precision, self.device)
        self._rng = np.random.default_rng(seed)
        with quiet(), seeded(self._draw_seed()):
            self.reader = load_reader(self.reader_kind, chosen.path, allow_download=chosen.allow_download)
            self.tokenizer = getattr(self.reader, "tokenizer", self.reader)
            self._prepare_tokenizer()
            lora = chosen.method == "lora"
            self.model = load_model(
                self.model_kind,
                chosen.path,
                allow_download=chosen.allow_download,
                dtype=torch.bfloat16 if self.halves and lora else torch.float32,
            )
            self._check_length()
            self._prepare_generation()
            self.adapter = self._add_lora() if lora else None
            self.model.to(self.device).eval()
        self._takes = inspect.signature(self.model.forward).parameters
        self._learning = {name: weight for name, weight in self.model.named_parameters() if weight.requires_grad}
        self._optimiser = torch.optim.AdamW(
            self._learning.values(), lr=chosen.learning_rate, weight_decay=chosen.weight_decay
        )

    @abstractmethod
    def encode(self, examples: Sequence[Example]) -> dict[str, torch.Tensor]:
        """The prompts as the model's inputs, on the CPU.

        Returns:
            At least ``input_ids`` and ``attention_mask``, both ``(examples, length)``, padded on the left.

        Raises:
            ValueError: If this student can't read an example.
        """

    @property
    def chats(self) -> bool:
        """Whether prompts go through a chat template."""
        return self.settings.chat == "always" or (self.settings.chat == "auto" and self._has_chat_template())

    def train(self, examples: Sequence[Example], *, updates: int) -> None:
        """Learn on the targets and their ends; the prompts themselves are not learnt."""
        if updates == 0:
            return
        if not examples:
            raise ValueError("there are no examples; expected at least one")
        with quiet(), seeded(self._draw_seed()):  # dropout draws
            batches = _batches(len(examples), self.settings.batch_size, self._rng)
            self.model.train()
            for update in range(updates):
                self._update([examples[index] for index in next(batches)], self.settings.rate(update, updates))
            self.model.eval()

    def answer(self, examples: Sequence[Example]) -> list[str]:
        """The likeliest next token again and again, until the end."""
        given = [""] * len(examples)
        order = sorted(range(len(examples)), key=lambda index: -len(examples[index].prompt))
        with quiet(), preserved(), torch.no_grad():
            for start in range(0, len(order), self.settings.answer_batch_size):
                chosen = order[start : start + self.settings.answer_batch_size]
                for index, words in zip(chosen, self._generate([examples[index] for index in chosen]), strict=True):
                    given[index] = words
        return given

    def target_ids(self, example: Example) -> list[int]:
        """Tokens of the target and its end, cut off after ``max_new_tokens``."""
        ids = self.tokenizer(example.target, add_special_tokens=False)["input_ids"]
        return [*ids, self.tokenizer.eos_token_id][: self.settings.max_new_tokens]

    def words_of(self, tokens: Sequence[int]) -> str:
        """The text of an answer's tokens up to its end, without white space around it."""
        end = next((place for place, token in enumerate(tokens) if token in self.ends), len(tokens))
        return str(self.tokenizer.decode(list(tokens[:end]), skip_special_tokens=True)).strip()

    def _generate(self, examples: Sequence[Example]) -> list[str]:
        inputs = self._to_device(self.encode(examples))
        with self._calculating():
            tokens = self.model.generate(**inputs, generation_config=self._generation)
        width = inputs["input_ids"].shape[1]
        return [self.words_of(row) for row in tokens[:, width:].tolist()]

    def _update(self, examples: Sequence[Example], rate: float) -> None:
        """One step of the optimiser: the mean loss over the targets' tokens of all examples."""
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        self._optimiser.zero_grad(set_to_none=True)
        tokens = sum(len(self.target_ids(example)) for example in examples)
        for start in range(0, len(examples), self.settings.micro_batch_size):
            inputs, labels = self._inputs_and_labels(examples[start : start + self.settings.micro_batch_size])
            (self._summed_loss(inputs, labels) / tokens).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._learning.values(), self.settings.max_gradient_norm)
        self._optimiser.step()
        self._optimiser.zero_grad(set_to_none=True)

    def _inputs_and_labels(self, examples: Sequence[Example]) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        """The model's inputs with the targets at their end, and ``(examples, width)`` labels of these last tokens."""
        inputs, labels = append_targets(
            self.encode(examples),
            [self.target_ids(example) for example in examples],
            padding=self.padding,
            token_type=1 if str(self.model.config.model_type).startswith("paligemma") else None,
        )
        return self._to_device(inputs), labels.to(self.device)

    def _summed_loss(self, inputs: dict[str, torch.Tensor], labels: torch.Tensor) -> torch.Tensor:
        width = labels.shape[1]
        if "logits_to_keep" in self._takes:  # the others are most of the memory where the vocabulary is large
            inputs = {**inputs, "logits_to_keep": width + 1}  # type: ignore[dict-item]
        with self._calculating():
            logits = self.model(**inputs, use_cache=False).logits[:, -width - 1 : -1]
        learnt = labels != NO_LOSS
        return cross_entropy(logits[learnt].float(), labels[learnt], reduction="sum")

    def _calculating(self) -> Any:
        """Weights that all learn are float32; what is calculated with them may be bfloat16."""
        if self.halves and self.settings.method == "full":
            return torch.autocast(self.device.type, dtype=torch.bfloat16)
        return nullcontext()

    def _to_device(self, inputs: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        dtype = self.model.dtype
        return {
            name: value.to(self.device, dtype if value.is_floating_point() else None) for name, value in inputs.items()
        }

    def _draw_seed(self) -> int:
        return int(self._rng.integers(2**32))

    def _has_chat_template(self) -> bool:
        return getattr(self.reader, "chat_template", None) is not None

    def _prepare_tokenizer(self) -> None:
        """Pad on the left, with the end where there is no padding, and see that the settings go with the template."""
        tokenizer, chosen = self.tokenizer, self.settings
        if tokenizer.eos_token_id is None:
            raise ValueError(f"the tokenizer in {chosen.path!r} has no end-of-sequence token; set its eos_token")
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token
        tokenizer.padding_side = "left"
        self.padding = int(tokenizer.pad_token_id)
        if chosen.chat == "always" and not self._has_chat_template():
            raise ValueError(f"chat is 'always', but the model in {chosen.path!r} has no chat template")
        if chosen.system_prompt is not None and not self.chats:
            raise ValueError("system_prompt is for a chat; put it into prompt_template, where there is none")

    def _check_length(self) -> None:
        most = getattr(self.model.config.get_text_config(), "max_position_embeddings", None)
        if most is not None and self.settings.max_length > most:
            raise ValueError(
                f"max_length is {self.settings.max_length}, but the model in {self.settings.path!r} takes at most "
                f"{most} tokens"
            )

    def _prepare_generation(self) -> None:
        """Plain greedy answers, whatever the model's folder recommends: penalties would blur what was learnt."""
        ends = self.model.generation_config.eos_token_id
        self.ends = {self.tokenizer.eos_token_id, *(ends if isinstance(ends, list) else [] if ends is None else [ends])}
        self._generation = library("transformers", "hf").GenerationConfig(
            do_sample=False,
            max_new_tokens=self.settings.max_new_tokens,
            eos_token_id=sorted(self.ends),
            pad_token_id=self.padding,
        )
        self.model.generation_config = self._generation

    def _add_lora(self) -> Any:
        """Put matrices that learn beside the layers of the model, freeze all else, and return peft's handle on it."""
        peft, targets = library("peft", "hf"), self.settings.lora_targets
        transposed = library("transformers", "hf").pytorch_utils.Conv1D
        wanted = peft.LoraConfig(
            r=self.settings.lora_rank,
            lora_alpha=self.settings.lora_alpha,
            lora_dropout=self.settings.lora_dropout,
            target_modules=targets if isinstance(targets, str) else list(targets),
            fan_in_fan_out=any(isinstance(module, transposed) for module in self.model.modules()),
            task_type="CAUSAL_LM",
        )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # peft asks transformers for what has a newer name there
                return peft.get_peft_model(self.model, wanted)
        except ValueError as error:
            raise ValueError(f"lora_targets is {targets!r}: {error}") from error


def append_targets(
    inputs: dict[str, torch.Tensor], targets: Sequence[Sequence[int]], *, padding: int, token_type: int | None = None
) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """Put targets behind prompts.

    Prompt and target are made tokens apart, so that the prompt is the same as when it is answered, even where a
    tokenizer would merge across the boundary.

    Args:
        inputs: Of a model, for prompts padded on the left: ``input_ids`` and ``attention_mask`` ``(n, length)``, ...
        targets: Of each prompt the tokens of its target.
        padding: Token that fills up shorter targets on the right.
        token_type: ``token_type_ids`` of targets, where there are any; None repeats the prompt's last.

    Returns:
        The inputs with the targets, ``(n, length + width)``, and labels ``(n, width)`` of the last ``width`` tokens:
        all prompt tokens are before them, and what is padding has the label ``NO_LOSS``.
    """
    width = max(len(target) for target in targets)
    there = torch.tensor([[place < len(target) for place in range(width)] for target in targets])
    tokens = torch.tensor([[*target, *[padding] * (width - len(target))] for target in targets])
    longer = dict(inputs)
    longer["input_ids"] = torch.cat([inputs["input_ids"], tokens], dim=1)
    for name in _PER_TOKEN:
        if name in inputs:
            value = inputs[name]
            more = value[:, -1:].repeat(1, width, *[1] * (value.dim() - 2))
            if name == "attention_mask":
                more = there.to(value.dtype)
            elif name == "token_type_ids" and token_type is not None:
                more = torch.full_like(more, token_type)
            longer[name] = torch.cat([value, more], dim=1)
    return longer, torch.where(there, tokens, NO_LOSS)


def _batches(count: int, size: int, rng: np.random.Generator) -> Iterator[list[int]]:
    """Indices of minibatches, for ever: all examples in random order, then all again in another."""
    waiting: list[int] = []
    while True:
        while len(waiting) < size:
            waiting += rng.permutation(count).tolist()
        yield waiting[:size]
        waiting = waiting[size:]


def _halves(precision: str, device: torch.device) -> bool:
    """Whether to calculate in bfloat16."""
    if precision == "auto":
        return device.type == "cuda" and torch.cuda.is_bf16_supported()
    return precision == "bfloat16"
