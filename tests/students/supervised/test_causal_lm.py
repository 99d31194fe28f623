import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from teachgym.base.files import read_state, write_state
from teachgym.data.example import Example
from teachgym.students.supervised import make_supervised_student
from teachgym.students.supervised.causal_lm import CausalLM, CausalLMSettings
from teachgym.students.supervised.hugging_face import NO_LOSS, append_targets
from teachgym.students.supervised.model_folder import library, quiet
from teachgym.testing.equality import difference
from teachgym.testing.supervised_student import check_supervised_student
from tests.students.supervised.tiny_models import Riddles, letters_tokenizer, loss, riddles, tiny_gpt2, tiny_llama

SHORT: dict[str, Any] = {"max_length": 64, "max_new_tokens": 8, "batch_size": 8, "micro_batch_size": 8}


def student(path: str, *, seed: int = 0, **settings: Any) -> CausalLM:
    made = make_supervised_student("causal-lm", Riddles(), seed=seed, **{"path": path, **SHORT, **settings})
    assert isinstance(made, CausalLM)
    return made


def equal(left: Any, right: Any) -> bool:
    return difference(left, right) is None


def right(taught: CausalLM, examples: list[Example]) -> float:
    return float(np.mean(Riddles().scores(examples, taught.answer(examples))))


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> str:
    return tiny_llama(tmp_path_factory.mktemp("llama"), initializer_range=0.3)


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory: pytest.TempPathFactory) -> str:
    return tiny_gpt2(tmp_path_factory.mktemp("gpt2"))


@pytest.fixture(scope="module")
def chatty(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("chatty")
    return tiny_llama(folder, tokenizer=letters_tokenizer(chat=True), initializer_range=0.3)


def test_it_keeps_the_contract_with_adapters_in_half_precision(chatty: str) -> None:
    make = partial(student, chatty, method="lora", precision="bfloat16", learning_rate=1e-2)
    check_supervised_student(lambda subject, seed: make(seed=seed), Riddles(), examples=riddles(), learns_within=60)


@pytest.mark.parametrize(
    ("model", "method", "precision"),
    [
        ("llama", "lora", "float32"),
        ("llama", "full", "float32"),
        ("gpt2", "full", "float32"),
        ("chatty", "lora", "float32"),
        ("llama", "lora", "bfloat16"),
        ("llama", "full", "bfloat16"),
    ],
)
def test_it_learns_answers_by_heart(model: str, method: str, precision: str, request: pytest.FixtureRequest) -> None:
    taught = student(request.getfixturevalue(model), method=method, precision=precision, learning_rate=1e-2)
    before = loss(taught, riddles())
    assert right(taught, riddles()) == 0
    taught.train(riddles(), updates=60)
    assert loss(taught, riddles()) < before / 10
    assert right(taught, riddles()) >= 7 / 8


def test_lora_on_transposed_layers_learns(gpt2: str) -> None:
    taught = student(gpt2, learning_rate=1e-2)
    before = loss(taught, riddles())
    taught.train(riddles(), updates=20)
    assert loss(taught, riddles()) < before - 0.1


def test_only_targets_and_their_ends_have_labels() -> None:
    prompts = {
        "input_ids": torch.tensor([[9, 11, 12], [13, 14, 15]]),
        "attention_mask": torch.tensor([[0, 1, 1], [1, 1, 1]]),
        "token_type_ids": torch.tensor([[0, 0, 0], [0, 0, 0]]),
        "mm_token_type_ids": torch.tensor([[0, 0, 0], [0, 1, 1]]),
        "pixel_values": torch.zeros(2, 3, 4, 4),
    }
    inputs, labels = append_targets(prompts, [[21, 2], [31, 32, 2]], padding=9, token_type=1)
    assert inputs["input_ids"].tolist() == [[9, 11, 12, 21, 2, 9], [13, 14, 15, 31, 32, 2]]
    assert inputs["attention_mask"].tolist() == [[0, 1, 1, 1, 1, 0], [1, 1, 1, 1, 1, 1]]
    assert inputs["token_type_ids"].tolist() == [[0, 0, 0, 1, 1, 1]] * 2
    assert inputs["mm_token_type_ids"].tolist() == [[0, 0, 0, 0, 0, 0], [0, 1, 1, 1, 1, 1]]
    assert inputs["pixel_values"].shape == (2, 3, 4, 4)
    assert labels.tolist() == [[21, 2, NO_LOSS], [31, 32, 2]]
    assert prompts["input_ids"].shape == (2, 3)


@pytest.mark.parametrize("model", ["llama", "gpt2", "chatty"])
def test_the_loss_is_the_models_own_where_prompts_are_masked(model: str, request: pytest.FixtureRequest) -> None:
    taught, losses, counts = student(request.getfixturevalue(model)), [], []
    for example in riddles():
        put = f"<user>{example.prompt}<assistant>" if model == "chatty" else f"{example.prompt}\n"
        prompt = taught.tokenizer(put)["input_ids"]
        target = [*taught.tokenizer(example.target)["input_ids"], taught.tokenizer.eos_token_id]
        labels = torch.tensor([[NO_LOSS] * len(prompt) + target])
        with torch.no_grad():
            losses.append(float(taught.model(torch.tensor([prompt + target]), labels=labels).loss))
        counts.append(len(target))
    assert loss(taught, riddles()) == pytest.approx(np.average(losses, weights=counts), rel=1e-5)


@pytest.mark.parametrize("model", ["llama", "gpt2"])
def test_neighbours_in_a_batch_change_no_answer(model: str, request: pytest.FixtureRequest) -> None:
    taught = student(request.getfixturevalue(model), method="full", learning_rate=1e-2)
    taught.train(riddles(), updates=8)  # half-learnt, so that little decides
    assert len({len(example.prompt) for example in riddles()}) > 2
    assert taught.answer(riddles()) == [taught.answer([example])[0] for example in riddles()]
    assert taught.answer([]) == []


def test_answers_are_the_likeliest_token_by_token(llama: str) -> None:
    taught = student(llama, method="full", learning_rate=1e-2)
    taught.train(riddles(), updates=10)
    for example in riddles(3):
        ids = taught.prompt_ids(example)
        prompt = len(ids)
        while len(ids) < prompt + 8 and ids[-1] != taught.tokenizer.eos_token_id:
            with torch.no_grad():
                ids = [*ids, int(taught.model(torch.tensor([ids])).logits[0, -1].argmax())]
        assert taught.answer([example]) == [taught.words_of(ids[prompt:])]


def test_small_micro_batches_give_the_same(llama: str) -> None:
    losses = []
    for size in (1, 3, 8):
        taught = student(llama, method="full", learning_rate=1e-3, micro_batch_size=size)
        taught.train(riddles(), updates=3)
        losses.append(loss(taught, riddles()))
    assert losses == pytest.approx([losses[0]] * 3, rel=1e-4)
    assert losses[0] < loss(student(llama), riddles()) - 0.01


def test_an_epoch_shows_every_example_once(llama: str, monkeypatch: pytest.MonkeyPatch) -> None:
    taught, seen = student(llama, batch_size=4), list[Example]()
    encode = taught.encode

    def noting(examples: Sequence[Example]) -> dict[str, torch.Tensor]:
        seen.extend(examples)
        return encode(examples)

    monkeypatch.setattr(taught, "encode", noting)
    taught.train(riddles(), updates=6)
    for epoch in (seen[:8], seen[8:16], seen[16:]):
        assert sorted(example.prompt for example in epoch) == sorted(example.prompt for example in riddles())
    assert [example.prompt for example in seen[:8]] != [example.prompt for example in seen[8:16]]


def test_a_tokenizer_that_merges_across_the_boundary_is_not_given_the_chance(tmp_path: Path) -> None:
    tokenizer = letters_tokenizer(merges=(("a", "b"),))
    assert len(tokenizer("ab")["input_ids"]) == 1
    taught = student(tiny_llama(tmp_path, tokenizer=tokenizer), prompt_template="{prompt}")
    example = Example("a", "b")
    ids = [*taught.prompt_ids(example), *taught.target_ids(example)]
    assert taught.tokenizer.convert_ids_to_tokens(ids) == ["a", "b", "</s>"]


def test_long_targets_teach_no_end_and_long_prompts_lose_their_beginning(llama: str) -> None:
    taught = student(llama, max_length=20)
    assert taught.tokenizer.decode(taught.target_ids(Example("?", "abcdefghij"))) == "abcdefgh"
    assert taught.tokenizer.decode(taught.target_ids(Example("?", "abcdefg"))) == "abcdefg</s>"
    assert taught.tokenizer.decode(taught.prompt_ids(Example("0123456789 what is it?", "a"))) == "what is it?\n"


def test_lora_leaves_the_base_as_it_was_and_stores_nothing_of_it(llama: str) -> None:
    taught = student(llama, learning_rate=1e-2)
    taught.train(riddles(), updates=5)
    stored, weights = load_file(Path(llama) / "model.safetensors"), dict(taught.model.named_parameters())
    for name, array in stored.items():
        held = weights.get(name, weights.get(name.replace(".weight", ".base_layer.weight")))
        assert held is not None
        assert np.array_equal(held.detach().numpy(), array)
    names = taught.state_dict()["learning"]["keys"]
    assert names
    assert all(".lora_" in name for name in names)
    assert not any("lm_head" in name for name in names)


@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_fresh_student_knows_nothing_of_the_last(llama: str, method: str) -> None:
    first = student(llama, method=method, learning_rate=1e-2)
    before, begun = first.answer(riddles()), loss(first, riddles())
    first.train(riddles(), updates=10)
    assert first.answer(riddles()) != before
    second = student(llama, method=method, seed=1)
    assert second.answer(riddles()) == before
    assert loss(second, riddles()) == begun


@pytest.mark.parametrize(
    ("model", "method", "precision"),
    [("llama", "lora", "float32"), ("gpt2", "full", "float32"), ("llama", "lora", "bfloat16")],
)
def test_going_on_from_a_state_is_exact(
    model: str, method: str, precision: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    path = request.getfixturevalue(model)
    first = student(path, method=method, precision=precision, lora_dropout=0.3)
    first.train(riddles(), updates=3)
    write_state(tmp_path / "state.npz", first.state_dict())
    second = student(path, seed=9, method=method, precision=precision, lora_dropout=0.3)
    second.load_state_dict(read_state(tmp_path / "state.npz"))
    assert equal(second.state_dict(), first.state_dict())
    assert second.answer(riddles()) == first.answer(riddles())
    for taught in (first, second):
        taught.train(riddles(), updates=3)
        torch.rand(5)
    assert equal(second.state_dict(), first.state_dict())


def test_a_fresh_state_can_be_loaded_and_another_models_cannot(llama: str, gpt2: str) -> None:
    first, second = student(llama), student(llama, seed=1)
    assert not equal(first.state_dict(), second.state_dict())
    second.load_state_dict(first.state_dict())
    assert equal(first.state_dict(), second.state_dict())
    for other in (student(gpt2), student(llama, lora_rank=2), student(llama, method="full")):
        with pytest.raises(ValueError, match="do not fit"):
            other.load_state_dict(first.state_dict())


def test_the_seed_alone_decides_and_global_generators_stay(llama: str) -> None:
    states = []
    for noise in (1, 2):
        torch.manual_seed(noise)
        np.random.seed(noise)  # noqa: NPY002
        before = torch.get_rng_state(), np.random.get_state()  # noqa: NPY002
        taught = student(llama, lora_dropout=0.5)
        taught.train(riddles(), updates=3)
        taught.answer(riddles())
        assert torch.equal(torch.get_rng_state(), before[0])
        assert equal(np.random.get_state()[1], before[1][1])  # type: ignore[index]  # noqa: NPY002
        states.append(taught.state_dict())
    assert equal(states[0], states[1])
    other = student(llama, lora_dropout=0.5, seed=1)
    assert not equal(other.state_dict()["learning"], student(llama).state_dict()["learning"])


def test_answering_and_training_of_no_update_change_nothing(gpt2: str) -> None:
    taught = student(gpt2, method="full")
    taught.train(riddles(), updates=2)
    before = taught.state_dict()
    taught.answer(riddles())
    taught.train(riddles(), updates=0)
    assert equal(taught.state_dict(), before)
    with pytest.raises(ValueError, match="no examples"):
        taught.train([], updates=1)


def test_a_chat_puts_prompts_as_the_model_is_used_to(chatty: str) -> None:
    example = Example("why?", "")
    assert student(chatty).text_of(example) == "<user>why?<assistant>"
    assert student(chatty, chat="never").text_of(example) == "why?\n"
    polite = student(chatty, chat="always", system_prompt="be kind", prompt_template="say: {prompt}")
    assert polite.text_of(example) == "system:be kind<user>say: why?<assistant>"
    assert polite.text_of(Example("{prompt} {x}", "")).endswith("say: {prompt} {x}<assistant>")


def test_the_learning_rate_rises_and_falls_along_half_a_cosine() -> None:
    chosen = CausalLMSettings(learning_rate=2.0, warmup=0.2)
    rates = [chosen.rate(update, 10) for update in range(10)]
    assert rates[:3] == [1.0, 2.0, 2.0]
    assert rates[6] == pytest.approx(1.0)
    assert rates[2:] == sorted(rates[2:], reverse=True)
    assert 0 < rates[-1] < 0.1
    assert chosen.rate(0, 1) == 2.0
    assert CausalLMSettings(learning_rate=2.0, schedule="constant", warmup=0.0).rate(9, 10) == 2.0


def without(folder: Path, name: str) -> None:
    (folder / name).unlink()


def as_pickle(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def in_shards(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    index = {"weight_map": {"a": "model-1-of-2.safetensors", "b": "model-2-of-2.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "model-1-of-2.safetensors").touch()


def without_head(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    del tensors["lm_head.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: without(folder, "config.json"), r"lacks config\.json$"),
        (lambda folder: without(folder, "model.safetensors"), r"lacks weights \(model\.safetensors"),
        (lambda folder: without(folder, "tokenizer.json"), "lacks a tokenizer"),
        (as_pickle, r"pytorch_model\.bin is refused"),
        (in_shards, r"lacks model-2-of-2\.safetensors"),
        (without_head, r"lack 1 tensors of a LlamaForCausalLM \(lm_head\.weight"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"damaged"), "can't be loaded"),
    ],
)
def test_a_folder_that_lacks_something_is_refused_and_says_what(
    damage: Callable[[Path], Any], message: str, tmp_path: Path
) -> None:
    path = tiny_llama(tmp_path / "model")
    damage(tmp_path / "model")
    with pytest.raises(ValueError, match=message):
        student(path)


@pytest.mark.parametrize("path", ["", "no/such/folder", "Qwen/Qwen2.5-0.5B-Instruct"])
def test_what_is_no_folder_is_refused_without_asking_the_network(path: str) -> None:
    with pytest.raises(ValueError, match=r"no folder; expected .* allow_download=true"):
        student(path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "prompt"}, "method is 'prompt'"),
        ({"lora_rank": 0}, "lora_rank is 0"),
        ({"lora_dropout": 1}, "lora_dropout is 1"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0"),
        ({"max_length": 8, "max_new_tokens": 8}, "max_length is 8"),
        ({"prompt_template": "no place"}, "expected {prompt}"),
        ({"precision": "float16"}, "precision is 'float16'"),
        ({"weight_decay": -1.0}, "weight_decay is -1.0"),
        ({"generation": "vllm", "method": "full"}, "expected method 'lora'"),
        ({"max_lenght": 3}, "did you mean 'max_length'"),
        ({"device": "cuda:99"}, "device is 'cuda:99'"),
        ({"chat": "always"}, "no chat template"),
        ({"system_prompt": "be kind"}, "system_prompt is for a chat"),
        ({"max_length": 97}, "takes at most 96 tokens"),
        ({"lora_targets": "q_prjo"}, "lora_targets is 'q_prjo'"),
    ],
)
def test_settings_that_are_not_allowed_or_do_not_fit_are_refused(
    llama: str, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        student(llama, **settings)


def test_a_template_that_cannot_be_filled_in_is_refused_at_once(tmp_path: Path) -> None:
    tokenizer = letters_tokenizer(chat=True)
    tokenizer.chat_template = (
        "{% for m in messages %}{% if m['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
        "{{ m['content'] }}{% endfor %}"
    )
    path = tiny_llama(tmp_path, tokenizer=tokenizer)
    assert student(path).text_of(Example("a?", "")) == "a?"
    with pytest.raises(ValueError, match="no system role"):
        student(path, system_prompt="be kind")


def test_a_tokenizer_without_an_end_and_an_example_with_an_image_are_refused(tmp_path: Path, llama: str) -> None:
    tokenizer = letters_tokenizer()
    path = tiny_llama(tmp_path, tokenizer=tokenizer)
    tokenizer.eos_token = None
    tokenizer.save_pretrained(path)
    with pytest.raises(ValueError, match="no end-of-sequence token"):
        student(path)
    seen = Example("what?", "a", image=np.zeros((4, 4, 3), dtype=np.uint8))
    with pytest.raises(ValueError, match="take 'vision-lm'"):
        student(llama).answer([seen])


def test_a_missing_package_names_the_command(llama: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ImportError, match=r"pip install 'teachgym\[hf\]'"):
        student(llama)
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(ImportError, match=r"pip install 'teachgym\[vllm\]'"):
        student(llama, generation="vllm")


def test_the_log_of_transformers_is_as_before() -> None:
    logging = library("transformers", "hf").utils.logging
    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_info()
    logging.enable_progress_bar()
    try:
        with quiet():
            assert not logging.is_progress_bar_enabled()
            assert logging.get_verbosity() == logging.ERROR
        assert logging.is_progress_bar_enabled()
        assert logging.get_verbosity() == logging.INFO
    finally:
        logging.set_verbosity(before[0])
        if not before[1]:
            logging.disable_progress_bar()
