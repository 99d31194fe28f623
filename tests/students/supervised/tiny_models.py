"""Models of a few thousand weights, with tokenizers, made on the fly and saved as Hugging Face saves them."""

import string
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

from teachgym.data.example import Example
from teachgym.data.skills import Skill
from teachgym.data.subject import Subject
from teachgym.students.lifetimes.global_state import preserved
from teachgym.students.supervised.hugging_face import NO_LOSS, HuggingFaceStudent
from teachgym.students.supervised.model_folder import library, quiet

transformers = library("transformers", "hf")

LETTERS = string.ascii_lowercase + string.digits + " ?+=\n:<>|"
SPECIAL = ("<pad>", "<s>", "</s>", "<user>", "<assistant>", "<image>")
CHAT = (
    "{% for message in messages %}{% if message['role'] == 'user' %}<user>{% else %}{{ message['role'] }}:{% endif %}"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
WIDTH = 32


@contextmanager
def making() -> Iterator[None]:
    """Quietly, from one seed, and without a trace in global generators."""
    with quiet(), preserved():
        torch.manual_seed(0)
        yield


def letters_tokenizer(*, chat: bool = False, merges: tuple[tuple[str, str], ...] = ()) -> Any:
    """Every letter is a token, and so is every pair that is merged."""
    words = [*SPECIAL, *LETTERS, *(first + second for first, second in merges)]
    vocabulary = {word: number for number, word in enumerate(words)}
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=list(merges)))
    made.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]*"), "isolated")
    made.decoder = decoders.Fuse()
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        extra_special_tokens={"image_token": "<image>", "user": "<user>", "assistant": "<assistant>"},
    )
    if chat:
        tokenizer.chat_template = CHAT
    return tokenizer


def tiny_llama(folder: Path, *, tokenizer: Any = None, positions: int = 96, **more: Any) -> str:
    """A Llama of two layers."""
    with making():
        tokenizer = tokenizer or letters_tokenizer()
        config = transformers.LlamaConfig(**_sizes(tokenizer), max_position_embeddings=positions, **more)
        transformers.LlamaForCausalLM(config).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return str(folder)


def tiny_gpt2(folder: Path) -> str:
    """A GPT-2 of two layers: positions that are learnt, layers with transposed weights, dropout."""
    with making():
        tokenizer = letters_tokenizer()
        config = transformers.GPT2Config(
            vocab_size=len(tokenizer),
            n_positions=96,
            n_embd=WIDTH,
            n_layer=2,
            n_head=2,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
        transformers.GPT2LMHeadModel(config).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return str(folder)


def tiny_llava(folder: Path, *, chat: bool = False) -> str:
    """A LLaVA that cuts images of 16 x 16 pixels into four patches."""
    with making():
        tokenizer = letters_tokenizer(chat=chat)
        config = transformers.LlavaConfig(
            vision_config=transformers.CLIPVisionConfig(**_eyes()),
            text_config=transformers.LlamaConfig(**_sizes(tokenizer), max_position_embeddings=96),
            image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
            image_seq_length=4,
            vision_feature_layer=-1,
        )
        transformers.LlavaForConditionalGeneration(config).save_pretrained(folder)
        sizes = {"size": {"shortest_edge": 16}, "crop_size": {"height": 16, "width": 16}}
        transformers.LlavaProcessor(
            transformers.models.clip.image_processing_pil_clip.CLIPImageProcessorPil(**sizes),
            tokenizer,
            patch_size=8,
            vision_feature_select_strategy="default",
            num_additional_image_tokens=1,
            chat_template=CHAT if chat else None,
        ).save_pretrained(folder)
    return str(folder)


def tiny_paligemma(folder: Path) -> str:
    """A PaliGemma, whose prompts are read in both directions."""
    with making():
        tokenizer = letters_tokenizer()
        tokenizer.add_tokens([f"<loc{number:04}>" for number in range(1024)])
        tokenizer.add_tokens([f"<seg{number:03}>" for number in range(128)])
        eyes = transformers.SiglipVisionConfig(**_eyes(), vision_use_head=False)
        words = transformers.GemmaConfig(**_sizes(tokenizer), head_dim=16, max_position_embeddings=96)
        config = transformers.PaliGemmaConfig(
            vision_config=eyes,
            text_config=words,
            image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
            projection_dim=WIDTH,
            hidden_size=WIDTH,
        )
        transformers.PaliGemmaForConditionalGeneration(config).save_pretrained(folder)
        pictures = transformers.models.siglip.image_processing_pil_siglip.SiglipImageProcessorPil(
            size={"height": 16, "width": 16}
        )
        pictures.image_seq_length = 4
        transformers.PaliGemmaProcessor(pictures, tokenizer).save_pretrained(folder)
    return str(folder)


class Riddles(Subject):
    """Riddles to be learnt by heart."""

    skills = (Skill("riddles"),)

    def make(self, path: Any, count: int, rng: np.random.Generator) -> list[Example]:
        return riddles(count)


class Pictures(Subject):
    """Images whose colour is to be named."""

    skills = (Skill("pictures"),)

    def make(self, path: Any, count: int, rng: np.random.Generator) -> list[Example]:
        return pictures()


def riddles(count: int = 8) -> list[Example]:
    """Prompts of several lengths, each with an answer that there is nothing to derive from: to be learnt by heart."""
    answers = ("a", "bb", "c", "dd", "e", "ff", "g", "hh")
    return [Example(f"{'what is '[: number % 4 * 3]}{number}?", answers[number % 8]) for number in range(count)]


def pictures() -> list[Example]:
    """Images of one colour each, and the question which it is."""
    colours = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "white": (255, 255, 255)}
    examples = []
    for name, colour in colours.items():
        image = np.empty((20, 20, 3), dtype=np.uint8)
        image[:] = colour
        examples.append(Example("colour?" if len(name) < 5 else "which colour?", name, image=image))
    return examples


def _sizes(tokenizer: Any) -> dict[str, Any]:
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
    }


def _eyes() -> dict[str, Any]:
    return {
        "hidden_size": WIDTH,
        "intermediate_size": WIDTH,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": 16,
        "patch_size": 8,
        "projection_dim": WIDTH,
    }


def loss(student: HuggingFaceStudent, examples: Sequence[Example]) -> float:
    """Mean loss per token of the targets, ends included, in nats, as the student is now."""
    with quiet(), preserved(), torch.no_grad():
        inputs, labels = student._inputs_and_labels(examples)
        return float(student._summed_loss(inputs, labels)) / int((labels != NO_LOSS).sum())
