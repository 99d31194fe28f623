"""Answers through vLLM: a stand-in notes what it is given."""

import gc
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from teachgym.data.example import Example
from tests.students.supervised.test_causal_lm import equal, student
from tests.students.supervised.tiny_models import riddles, tiny_llama


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> str:
    return tiny_llama(tmp_path_factory.mktemp("llama"), initializer_range=0.3)


class FakeVLLM(ModuleType):
    """Takes calls as vLLM does, answers each prompt with its last two letters, and notes what it was given."""

    def __init__(self) -> None:
        super().__init__("vllm")
        self.made: list[dict[str, Any]] = []
        self.requests: list[Any] = []
        self.adapters: list[dict[str, Any]] = []
        self.sampling: list[Any] = []
        self.LLM = self._engine
        self.SamplingParams = SimpleNamespace

    def _engine(self, **settings: Any) -> Any:
        self.made.append(settings)
        return SimpleNamespace(generate=self._generate)

    def _generate(self, prompts: Any, sampling: Any, *, lora_request: Any, use_tqdm: bool) -> list[Any]:
        assert not use_tqdm
        self.requests.append(lora_request)
        self.sampling.append(sampling)
        self.adapters.append(load_file(Path(lora_request.lora_path) / "adapter_model.safetensors"))
        torch.manual_seed(7)
        ends = sampling.stop_token_ids
        given = [[*prompt["prompt_token_ids"][-3:-1], ends[0]] for prompt in prompts]
        return [SimpleNamespace(outputs=[SimpleNamespace(token_ids=tuple(tokens))]) for tokens in given]


def lora_request(lora_name: str, lora_int_id: int, lora_path: str) -> Any:
    return SimpleNamespace(lora_name=lora_name, lora_int_id=lora_int_id, lora_path=lora_path)


def test_vllm_is_given_the_base_once_and_the_weights_after_every_training(
    llama: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake, request = FakeVLLM(), ModuleType("vllm.lora.request")
    vars(request)["LoRARequest"] = lora_request
    monkeypatch.setitem(sys.modules, "vllm", fake)
    monkeypatch.setitem(sys.modules, "vllm.lora", ModuleType("vllm.lora"))
    monkeypatch.setitem(sys.modules, "vllm.lora.request", request)
    first = student(llama, generation="vllm", lora_rank=12, vllm_memory_share=0.3, learning_rate=1e-2)
    drawn = torch.get_rng_state()
    assert first.answer([Example("abc", ""), Example("why?", "")]) == ["bc", "y?"]
    assert torch.equal(torch.get_rng_state(), drawn)
    first.answer(riddles())
    first.train(riddles(), updates=2)
    first.answer(riddles())
    second = student(llama, seed=1, generation="vllm", lora_rank=12, vllm_memory_share=0.3)
    second.answer(riddles())
    second.load_state_dict(first.state_dict())
    second.answer(riddles())
    assert second.answer([]) == []
    assert len(fake.made) == 1
    assert fake.made[0] == {
        "model": llama,
        "dtype": "float32",
        "enable_lora": True,
        "max_lora_rank": 16,
        "max_model_len": 64,
        "gpu_memory_utilization": 0.3,
        "trust_remote_code": False,
        "seed": 0,
    }
    assert vars(fake.sampling[0]) == {"temperature": 0.0, "max_tokens": 8, "stop_token_ids": [2]}
    folders = {Path(request.lora_path) for request in fake.requests}
    assert len(folders) == 4
    assert sum(folder.exists() for folder in folders) == 2  # the last of each student
    numbers = [request.lora_int_id for request in fake.requests]
    assert numbers == [numbers[0] + step for step in (0, 0, 1, 2, 3)]
    assert equal(fake.adapters[4], fake.adapters[2])
    assert not equal(fake.adapters[2], fake.adapters[0])
    trained = {name: weight.detach().numpy() for name, weight in first._learning.items()}
    assert len(fake.adapters[2]) == len(trained)
    for name, array in fake.adapters[2].items():
        own = name.removeprefix("base_model.model.").replace(".weight", ".default.weight")
        assert np.array_equal(array, trained[own])
    del first, second
    gc.collect()
    assert not any(folder.exists() for folder in folders)
