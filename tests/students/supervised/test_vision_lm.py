from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from teachgym.base.files import read_state, write_state
from teachgym.data.example import Example
from teachgym.students.supervised import make_supervised_student
from teachgym.students.supervised.hugging_face import NO_LOSS
from teachgym.students.supervised.vision_lm import VisionLM
from teachgym.testing.equality import difference
from tests.students.supervised.tiny_models import Pictures, loss, pictures, tiny_llama, tiny_llava, tiny_paligemma

SHORT: dict[str, Any] = {"max_length": 64, "max_new_tokens": 8, "batch_size": 4, "learning_rate": 1e-2}
MODELS = ["llava", "chatty", "paligemma"]
_NUMPY_2 = (
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"  # of PaliGemma's processor
)


def student(path: str, *, seed: int = 0, **settings: Any) -> VisionLM:
    made = make_supervised_student("vision-lm", Pictures(), seed=seed, **{"path": path, **SHORT, **settings})
    assert isinstance(made, VisionLM)
    return made


@pytest.fixture(scope="module")
def llava(tmp_path_factory: pytest.TempPathFactory) -> str:
    return tiny_llava(tmp_path_factory.mktemp("llava"))


@pytest.fixture(scope="module")
def chatty(tmp_path_factory: pytest.TempPathFactory) -> str:
    return tiny_llava(tmp_path_factory.mktemp("chatty"), chat=True)


@pytest.fixture(scope="module")
def paligemma(tmp_path_factory: pytest.TempPathFactory) -> str:
    return tiny_paligemma(tmp_path_factory.mktemp("paligemma"))


@pytest.mark.filterwarnings(_NUMPY_2)
@pytest.mark.parametrize("model", MODELS)
def test_it_learns_to_name_what_it_sees(model: str, request: pytest.FixtureRequest) -> None:
    taught = student(request.getfixturevalue(model), method="full")
    before = loss(taught, pictures())
    assert Pictures().scores(pictures(), taught.answer(pictures())).mean() == 0
    taught.train(pictures(), updates=60)
    assert loss(taught, pictures()) < before / 10
    assert Pictures().scores(pictures(), taught.answer(pictures())).mean() >= 3 / 4


@pytest.mark.parametrize("model", ["llava", "chatty"])
def test_it_looks_at_the_image(model: str, request: pytest.FixtureRequest) -> None:
    taught = student(request.getfixturevalue(model), method="full")
    taught.train(pictures(), updates=60)
    red, _, _, white = pictures()
    assert taught.answer([Example("colour?", "", image=red.image)]) == ["red"]
    assert taught.answer([Example("which colour?", "", image=white.image)]) == ["white"]
    swapped = taught.answer([Example(white.prompt, "", image=red.image)])
    assert swapped != ["white"]


def test_the_loss_is_the_models_own_where_prompts_are_masked(chatty: str) -> None:
    taught, losses, counts = student(chatty), [], []
    for example in pictures():
        seen = taught.reader(
            text=f"<user><image>{example.prompt}<assistant>", images=example.image, return_tensors="pt"
        )
        target = [*taught.tokenizer(example.target)["input_ids"], taught.tokenizer.eos_token_id]
        ids = torch.cat([seen["input_ids"], torch.tensor([target])], dim=1)
        labels = ids.clone()
        labels[:, : seen["input_ids"].shape[1]] = NO_LOSS
        with torch.no_grad():
            losses.append(float(taught.model(ids, pixel_values=seen["pixel_values"], labels=labels).loss))
        counts.append(len(target))
    assert loss(taught, pictures()) == pytest.approx(np.average(losses, weights=counts), rel=1e-5)


@pytest.mark.filterwarnings(_NUMPY_2)
def test_paligemma_reads_prompts_in_both_directions_and_targets_in_one(paligemma: str) -> None:
    taught, losses, counts = student(paligemma, prompt_template="{image}{prompt}"), [], []
    for example in pictures():
        seen = taught.reader(
            text=f"<image>{example.prompt}", images=example.image, suffix=example.target, return_tensors="pt"
        )
        with torch.no_grad():
            losses.append(float(taught.model(**seen).loss))
        counts.append(int((seen["labels"] != NO_LOSS).sum()))
    assert loss(taught, pictures()) == pytest.approx(np.average(losses, weights=counts), rel=1e-4)


@pytest.mark.filterwarnings(_NUMPY_2)
@pytest.mark.parametrize("model", MODELS)
def test_neighbours_in_a_batch_change_no_answer(model: str, request: pytest.FixtureRequest) -> None:
    taught = student(request.getfixturevalue(model), method="full")
    taught.train(pictures(), updates=8)
    assert taught.answer(pictures()) == [taught.answer([example])[0] for example in pictures()]


def test_lora_learns_in_the_vision_tower_too_and_goes_on_from_a_state_exactly(llava: str, tmp_path: Path) -> None:
    first, second = student(llava), student(llava, seed=1)
    before = loss(first, pictures())
    first.train(pictures(), updates=5)
    assert loss(first, pictures()) < before
    write_state(tmp_path / "state.npz", first.state_dict())
    second.load_state_dict(read_state(tmp_path / "state.npz"))
    for taught in (first, second):
        taught.train(pictures(), updates=3)
    assert difference(first.state_dict(), second.state_dict()) is None
    names = first.state_dict()["learning"]["keys"]
    assert all(".lora_" in name for name in names)
    assert any("vision_tower" in name for name in names)
    assert any("language_model" in name for name in names)


def test_the_image_stands_where_the_template_says(llava: str, chatty: str) -> None:
    example = pictures()[0]
    assert student(llava).text_of(example) == "<image>colour?\n"
    assert student(llava, prompt_template="see: {image} {prompt}").text_of(example) == "see: <image> colour?"
    assert student(chatty).text_of(example) == "<user><image>colour?<assistant>"
    assert student(chatty, system_prompt="look").text_of(example) == "system:look<user><image>colour?<assistant>"
    assert student(chatty, chat="never").text_of(example) == "<image>colour?\n"


def test_a_prompt_cannot_stand_for_a_second_image(llava: str) -> None:
    taught = student(llava)
    false = Example("<image>colour?", "red", image=pictures()[0].image)
    assert taught.answer([false]) == taught.answer([pictures()[0]])


@pytest.mark.parametrize(
    ("model", "settings", "message"),
    [
        ("llava", {"prompt_template": "{prompt}"}, "expected {image} in it"),
        ("chatty", {"prompt_template": "{image}{prompt}"}, "expected no {image}"),
        ("llava", {"prompt_template": "{image}{image}{prompt}"}, "expected {image} once"),
        ("llava", {"chat": "always"}, "no chat template"),
    ],
)
def test_templates_that_do_not_fit_are_refused(
    model: str, settings: dict[str, Any], message: str, request: pytest.FixtureRequest
) -> None:
    with pytest.raises(ValueError, match=message):
        student(request.getfixturevalue(model), **settings)


def test_examples_that_it_cannot_read_are_refused(llava: str) -> None:
    taught = student(llava, max_length=24)
    with pytest.raises(ValueError, match="take 'causal-lm'"):
        taught.answer([Example("colour?", "red")])
    with pytest.raises(ValueError, match="choose a larger max_length"):
        taught.answer([Example("which colour is it?", "red", image=pictures()[0].image)])


def test_a_model_without_eyes_is_refused(tmp_path: Path) -> None:
    path = tiny_llama(tmp_path)
    with pytest.raises(ValueError, match="lacks what prepares images"):
        student(path)
