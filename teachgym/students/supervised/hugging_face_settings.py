"""Settings of the students that are Hugging Face models."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from teachgym.base.ranges import NonNegativeFloat, PositiveFloat, PositiveInt, Share, ShareBelowOne
from teachgym.base.setting_checks import check_whole
from teachgym.base.settings import checked_dataclass


@checked_dataclass
class HuggingFaceSettings:
    """Settings of every student that is a Hugging Face model.

    Raises:
        ValueError: If a value is not allowed.
    """

    path: str = ""
    """The folder of the model, in Hugging Face's format; or its name on the hub, where ``allow_download`` is set."""
    allow_download: bool = False
    """Whether a model that is no folder may be fetched from the hub. If not, nothing is ever asked of the network."""
    method: Literal["lora", "full"] = "lora"
    """Whether small matrices beside the linear layers learn (Hu et al. 2021, arXiv:2106.09685), or all weights."""
    lora_rank: PositiveInt = 16
    """``"lora"``: rank of these matrices."""
    lora_alpha: PositiveFloat = 32.0
    """``"lora"``: they count this over the rank."""
    lora_dropout: ShareBelowOne = 0.05
    """``"lora"``: share of their inputs that is dropped while learning."""
    lora_targets: str | Sequence[str] = "all-linear"
    """``"lora"``: which layers have them: ``"all-linear"`` (all but the output layer), or how their names end."""
    learning_rate: PositiveFloat = 1e-4
    """Of AdamW, at its highest."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """How the learning rate goes on after the warm-up, within each call of ``train``: down to 0, or on as it is."""
    warmup: Share = 0.1
    """Share of the updates of each call of ``train`` in which the learning rate rises from 0."""
    weight_decay: NonNegativeFloat = 0.0
    """Of AdamW."""
    max_gradient_norm: PositiveFloat = 1.0
    """Longer gradients are shortened to this."""
    batch_size: PositiveInt = 16
    """Examples of one update."""
    micro_batch_size: PositiveInt = 4
    """Examples that are held in memory at once for it: fewer need less memory and give the same, but for rounding."""
    answer_batch_size: PositiveInt = 32
    """Prompts that are answered at once."""
    max_length: int = 1024
    """Most tokens of prompt and answer together. The prompt has what ``max_new_tokens`` leaves of it."""
    max_new_tokens: PositiveInt = 256
    """Most tokens of an answer, its end included; longer targets are cut off there, and do not teach to end."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """What is calculated in: ``"auto"`` takes bfloat16 on a GPU that has it, and float32 elsewhere. Weights that learn
    are float32 always, since the steps they take are too small for bfloat16."""
    device: str = "auto"
    """A device of torch; ``"auto"`` takes the GPU where there is one."""
    chat: Literal["auto", "always", "never"] = "auto"
    """Whether prompts are put as a user's message by the model's chat template: ``"auto"`` where it has one."""
    system_prompt: str | None = None
    """Chat only: the system's message before it; None leaves that to the template."""
    prompt_template: str | None = None
    """Text around every prompt, for which ``{prompt}`` stands, the same in training and in answering; None takes
    ``"{prompt}"`` in a chat, and else what the class says."""

    def __post_init__(self) -> None:
        check_whole("max_length", self.max_length, self.max_new_tokens + 1)
        if self.prompt_template is not None and "{prompt}" not in self.prompt_template:
            raise ValueError(f"prompt_template is {self.prompt_template!r}; expected {{prompt}} somewhere in it")

    def rate(self, update: int, updates: int) -> float:
        """Learning rate of one of so many updates; the first is number 0."""
        rising = int(np.ceil(self.warmup * updates))
        if update < rising:
            return self.learning_rate * (update + 1) / rising
        if self.schedule == "constant":
            return self.learning_rate
        return float(self.learning_rate * (1 + np.cos(np.pi * (update - rising) / (updates - rising))) / 2)
