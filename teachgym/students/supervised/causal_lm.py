"""A causal language model as a student."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Literal, final

import torch

from teachgym.base.ranges import PositiveShare
from teachgym.base.settings import checked_dataclass
from teachgym.data.example import Example
from teachgym.data.subject import Subject
from teachgym.students.supervised.hugging_face import HuggingFaceStudent
from teachgym.students.supervised.hugging_face_settings import HuggingFaceSettings
from teachgym.students.supervised.vllm_generation import VLLMGeneration, check_vllm


@checked_dataclass
class CausalLMSettings(HuggingFaceSettings):
    """Settings of ``CausalLM``.

    Raises:
        ValueError: If a value is not allowed.
    """

    generation: Literal["transformers", "vllm"] = "transformers"
    """What writes the answers: the model as it is trained, or vLLM, which is faster for many or long answers, needs a
    GPU and ``method="lora"``, and is an extra: ``pip install 'teachgym[vllm]'``."""
    vllm_memory_share: PositiveShare = 0.4
    """``"vllm"``: share of the GPU's memory that it takes for itself; training needs the rest."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.generation == "vllm" and self.method != "lora":
            raise ValueError(
                f"generation is 'vllm' and method is {self.method!r}; expected method 'lora', whose weights can be "
                "handed over after each training"
            )


@final
class CausalLM(HuggingFaceStudent):
    """A causal language model of Hugging Face's format by path, fine-tuned with LoRA or in full.

    It reads every prompt through the model's chat template, or through a plain one, and answers greedily; the form is
    the same in training and in answering, before the first update and after the last. What is learnt are the tokens
    of the target and the end of the sequence, by AdamW. The defaults are those by which DataEnvGym (Khan et al. 2024,
    arXiv:2410.06215) trains its students: LoRA on all linear layers, rank 16, alpha 32, dropout 0.05, learning rate
    1e-4 with a tenth of warm-up and a cosine down to 0, batches of 16, three epochs.

    Differs from theirs: bfloat16 in place of float16; no part of the training data is set aside; the untrained
    student is asked without worked examples, as the trained one is, so that the two can be compared. A student that
    is retrained from its base is a fresh one: it reads the base's weights from disk again, where the operating system
    keeps them in memory, and shares nothing with the last.

    A chat template that can think aloud is told not to (``enable_thinking=False``). The target's end is the
    tokenizer's end-of-sequence token; an answer ends there, or where else the model's generation settings say.

    On CPU it is the same bit for bit each time; on a GPU sums come out in varying order.

    Args:
        subject: What it is to learn: prompts without images.
        settings: A ``CausalLMSettings``, with at least a ``path``.
        seed: Non-negative integer.

    Raises:
        ImportError: If a package is missing; names the command that installs it.
        ValueError: If the folder lacks something, or the settings do not go with the model.
    """

    Settings = CausalLMSettings
    settings: CausalLMSettings
    model_kind = "AutoModelForCausalLM"
    reader_kind = "AutoTokenizer"

    def __init__(self, subject: Subject, settings: Any = None, *, seed: int) -> None:
        if isinstance(settings, CausalLMSettings) and settings.generation == "vllm":
            check_vllm()
        super().__init__(subject, settings, seed=seed)
        self.text_of(Example("a question", ""))  # a template that can't be filled in shows at once

    def text_of(self, example: Example) -> str:
        """All that the model reads before it answers.

        Raises:
            ValueError: If the example has an image, or the chat template takes no system prompt.
        """
        if example.image is not None:
            raise ValueError("the example has an image, which student 'causal-lm' can't see; take 'vision-lm'")
        chosen = self.settings
        template = chosen.prompt_template or ("{prompt}" if self.chats else "{prompt}\n")
        words = template.replace("{prompt}", example.prompt)
        if not self.chats:
            return words
        messages = [{"role": "user", "content": words}]
        if chosen.system_prompt is not None:
            messages.insert(0, {"role": "system", "content": chosen.system_prompt})
        try:
            filled = self.tokenizer.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=True, enable_thinking=False
            )
        except Exception as error:  # whatever the model's own template raises
            raise ValueError(f"the chat template of {chosen.path!r} can't be filled in: {error}") from error
        return str(filled)

    def prompt_ids(self, example: Example) -> list[int]:
        """Tokens of a prompt; one that is too long loses its beginning."""
        tokenizer, room = self.tokenizer, self.settings.max_length - self.settings.max_new_tokens
        ids: list[int] = tokenizer(self.text_of(example), add_special_tokens=not self.chats)["input_ids"]
        if ids[-1:] == [tokenizer.eos_token_id] and not self.chats:  # some tokenizers end every text
            ids = ids[:-1]
        if len(ids) <= room:
            return ids
        begin = ids[:1] if ids[0] == tokenizer.bos_token_id and room > 1 else []
        return begin + ids[len(ids) - room + len(begin) :]

    def encode(self, examples: Sequence[Example]) -> dict[str, torch.Tensor]:
        """Prompts as tokens, padded on the left."""
        prompts = [self.prompt_ids(example) for example in examples]
        length = max(len(prompt) for prompt in prompts)
        gaps = [length - len(prompt) for prompt in prompts]
        return {
            "input_ids": torch.tensor([[self.padding] * gap + ids for gap, ids in zip(gaps, prompts, strict=True)]),
            "attention_mask": torch.tensor([[0] * gap + [1] * (length - gap) for gap in gaps]),
        }

    def train(self, examples: Sequence[Example], *, updates: int) -> None:
        """Learn on the targets and their ends; the prompts themselves are not learnt."""
        super().train(examples, updates=updates)
        self._vllm.weights_changed()

    def _forget_derived(self) -> None:
        self._vllm.weights_changed()

    def _inputs_and_labels(self, examples: Sequence[Example]) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        inputs, labels = super()._inputs_and_labels(examples)
        if "position_ids" in self._takes:  # as in answering, where padding on the left has no place
            inputs["position_ids"] = (inputs["attention_mask"].cumsum(-1) - 1).clamp(min=0)
        return inputs, labels

    def answer(self, examples: Sequence[Example]) -> list[str]:
        """The likeliest next token again and again, until the end."""
        if self.settings.generation == "transformers" or not examples:
            return super().answer(examples)
        prompts = [self.prompt_ids(example) for example in examples]
        return [self.words_of(tokens) for tokens in self._vllm.generate(prompts)]

    @cached_property
    def _vllm(self) -> VLLMGeneration:
        return VLLMGeneration(
            self.adapter,
            self.settings.path,
            dtype="bfloat16" if self.halves else "float32",
            rank=self.settings.lora_rank,
            max_length=self.settings.max_length,
            max_new_tokens=self.settings.max_new_tokens,
            ends=sorted(self.ends),
            memory_share=self.settings.vllm_memory_share,
        )
