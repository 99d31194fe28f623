"""A vision-language model as a student."""

from collections.abc import Sequence
from typing import Any, final

import torch
from PIL import Image

from teachgym.base.ranges import PositiveFloat, PositiveInt
from teachgym.base.settings import checked_dataclass
from teachgym.data.example import Example
from teachgym.data.subject import Subject
from teachgym.students.supervised.hugging_face import HuggingFaceStudent
from teachgym.students.supervised.hugging_face_settings import HuggingFaceSettings


@checked_dataclass
class VisionLMSettings(HuggingFaceSettings):
    """Settings of ``VisionLM``.

    Raises:
        ValueError: If a value is not allowed.
    """

    learning_rate: PositiveFloat = 2e-5
    """Of AdamW, at its highest."""
    max_new_tokens: PositiveInt = 32
    """Most tokens of an answer, its end included; longer targets are cut off there, and do not teach to end."""
    prompt_template: str | None = None
    """Text around every prompt, for which ``{prompt}`` stands; ``{image}`` stands for the image, and only outside of a
    chat, where None takes ``"{image}{prompt}\\n"``. In a chat the image comes first, and None takes ``"{prompt}"``."""

    def __post_init__(self) -> None:
        super().__post_init__()
        template = self.prompt_template
        if template is not None and template.count("{image}") > 1:
            raise ValueError(f"prompt_template is {template!r}; expected {{image}} once, and in a chat not at all")


@final
class VisionLM(HuggingFaceStudent):
    """A vision-language model of Hugging Face's format by path, fine-tuned with LoRA or in full.

    It looks at the image of every example and answers the question about it; all else is as with ``CausalLM``. The
    defaults are those by which DataEnvGym (Khan et al. 2024, arXiv:2410.06215) trains PaliGemma: LoRA with rank 16,
    alpha 32, dropout 0.05, learning rate 2e-5, batches of 16, ten epochs.

    Differs from theirs: LoRA is on all linear layers, the vision tower's included, where they name 11 kinds of
    module; warm-up and schedule are ``CausalLM``'s. PaliGemma itself wants ``prompt_template="{image}{prompt}"``.

    Args:
        subject: What it is to learn: every example has one image.
        settings: A ``VisionLMSettings``, with at least a ``path``.
        seed: Non-negative integer.

    Raises:
        ImportError: If a package is missing; names the command that installs it.
        ValueError: If the folder lacks something, or the settings do not go with the model.
    """

    Settings = VisionLMSettings
    settings: VisionLMSettings
    updates_per_example = 10 / 16
    model_kind = "AutoModelForImageTextToText"
    reader_kind = "AutoProcessor"

    def __init__(self, subject: Subject, settings: Any = None, *, seed: int) -> None:
        super().__init__(subject, settings, seed=seed)
        placeholder = getattr(self.reader, "image_token", None) or getattr(self.tokenizer, "image_token", None)
        if placeholder is None:
            raise ValueError(f"the processor in {self.settings.path!r} names no image_token")
        self.placeholder = str(placeholder)
        template = self.settings.prompt_template
        if template is not None and ("{image}" in template) == self.chats:
            wanted = "no {image}, since the chat template places it" if self.chats else "{image} in it"
            raise ValueError(f"prompt_template is {template!r}; expected {wanted}")
        self.text_of(Example("a question", ""))  # a template that can't be filled in shows at once

    def text_of(self, example: Example) -> str:
        """All that the model reads before it answers, with a placeholder for the image.

        Raises:
            ValueError: If the chat template can't be filled in.
        """
        chosen = self.settings
        prompt = example.prompt.replace(self.placeholder, "")  # one that is made up would stand for a second image
        template = chosen.prompt_template or ("{prompt}" if self.chats else "{image}{prompt}\n")
        words = template.replace("{image}", self.placeholder).replace("{prompt}", prompt)
        if not self.chats:
            return words
        messages = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": words}]}]
        if chosen.system_prompt is not None:
            system: list[dict[str, str]] = [{"type": "text", "text": chosen.system_prompt}]
            messages.insert(0, {"role": "system", "content": system})
        try:
            return str(self.reader.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))
        except Exception as error:  # whatever the model's own template raises
            raise ValueError(f"the chat template of {chosen.path!r} can't be filled in: {error}") from error

    def encode(self, examples: Sequence[Example]) -> dict[str, torch.Tensor]:
        """Prompts as tokens, padded on the left, and images as the model takes them.

        Raises:
            ValueError: If an example has no image, or is too long.
        """
        images = [[Image.fromarray(example.image)] for example in examples if example.image is not None]
        if len(images) < len(examples):
            raise ValueError("an example has no image, and student 'vision-lm' answers about images; take 'causal-lm'")
        more = {"add_special_tokens": False} if self.chats else {}  # the template has them
        inputs = self.reader(
            text=[self.text_of(example) for example in examples],
            images=images,
            padding=True,
            return_tensors="pt",
            **more,
        )
        room, length = self.settings.max_length - self.settings.max_new_tokens, inputs["input_ids"].shape[1]
        if length > room:
            raise ValueError(
                f"a prompt with its image has {length} tokens; max_length {self.settings.max_length} less "
                f"max_new_tokens {self.settings.max_new_tokens} leaves {room}: choose a larger max_length"
            )
        return {name: value for name, value in inputs.items() if name != "labels"}  # PaliGemma's, of the prompt
