"""Answers through vLLM: the base is loaded once in a process, the LoRA weights are handed over when they change."""

import shutil
import weakref
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import count
from tempfile import mkdtemp
from typing import Any

from teachgym.students.lifetimes.global_state import preserved
from teachgym.students.supervised.model_folder import library

_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""What vLLM accepts as the highest rank of an adapter."""
_ADAPTERS = count(1)
"""vLLM tells adapters apart by a number and keeps the last; a number must never come back in a process."""


def check_vllm() -> None:
    """Raise ``ImportError`` that names the command, if vLLM is not installed."""
    library("vllm", "vllm")


class VLLMGeneration:
    """Greedy generation by vLLM, with the LoRA weights of one student.

    The engine holds the base model, which no student changes, so all students of a process share it; it stays until
    the process ends. After training, the adapter is saved to a temporary folder as safetensors and named in the next
    request. Answers may differ in a word from those of ``transformers``, whose sums are rounded in another order.

    Args:
        adapter: peft's handle on the model.
        path: The base model.
        dtype: What is calculated in.
        rank: Of the LoRA weights.
        max_length: Most tokens of prompt and answer together.
        max_new_tokens: Most tokens of an answer.
        ends: Tokens that end an answer.
        memory_share: Share of the GPU's memory for the engine.
    """

    def __init__(
        self,
        adapter: Any,
        path: str,
        *,
        dtype: str,
        rank: int,
        max_length: int,
        max_new_tokens: int,
        ends: Sequence[int],
        memory_share: float,
    ) -> None:
        self._adapter, self._path = adapter, path
        self._engine_settings = (path, dtype, rank, max_length, memory_share)
        self._max_new_tokens, self._ends = max_new_tokens, list(ends)
        self._drop_folder: Callable[[], Any] = lambda: None
        self._request: Any = None

    def weights_changed(self) -> None:
        """The adapter is saved anew before the next answers."""
        self._request = None

    def generate(self, prompts: Sequence[Sequence[int]]) -> list[list[int]]:
        """Tokens of the answers to prompts, given as tokens, in order."""
        vllm = library("vllm", "vllm")
        with preserved():
            engine = _engine(*self._engine_settings)
            if self._request is None:
                self._request = self._save()
            answers = engine.generate(
                [{"prompt_token_ids": list(prompt)} for prompt in prompts],
                vllm.SamplingParams(temperature=0.0, max_tokens=self._max_new_tokens, stop_token_ids=self._ends),
                lora_request=self._request,
                use_tqdm=False,
            )
        return [list(answer.outputs[0].token_ids) for answer in answers]

    def _save(self) -> Any:
        self._drop_folder()
        folder = mkdtemp(prefix="teachgym-adapter-")
        # vLLM reads it at the first request, and again where it has let it go
        self._drop_folder = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self._adapter.save_pretrained(folder, safe_serialization=True, save_embedding_layers=False)
        number = next(_ADAPTERS)
        return library("vllm.lora.request", "vllm").LoRARequest(f"student-{number}", number, folder)


@lru_cache(maxsize=1)
def _engine(path: str, dtype: str, rank: int, max_length: int, memory_share: float) -> Any:
    if rank > _RANKS[-1]:
        raise ValueError(f"lora_rank is {rank}; vLLM takes at most {_RANKS[-1]}")
    return library("vllm", "vllm").LLM(
        model=path,
        dtype=dtype,
        enable_lora=True,
        max_lora_rank=next(allowed for allowed in _RANKS if allowed >= rank),
        max_model_len=max_length,
        gpu_memory_utilization=memory_share,
        trust_remote_code=False,
        seed=0,
    )
