"""A model's folder in Hugging Face's format: what must be there, and how it is read without running its code."""

import importlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from teachgym.base.exclusive import exclusive

_TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "spiece.model", "vocab.json", "vocab.txt")
_PROCESSOR_FILES = ("processor_config.json", "preprocessor_config.json")
_PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt")


def library(name: str, extra: str) -> Any:
    """Import a package that not everybody has.

    Raises:
        ImportError: If it is missing; names the command that installs it.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(f"this needs the package {name} ({error}): pip install 'teachgym[{extra}]'") from error


def check_model_folder(path: str, *, allow_download: bool, processor: bool) -> None:
    """Raise ``ValueError`` that names all that is missing, before anything heavy is imported.

    Args:
        path: The folder, or the model's name on a hub if that is allowed.
        allow_download: Whether it may be the latter; then only a folder that is there is looked into.
        processor: Whether images are read, too.
    """
    folder = Path(path)
    if not path or not folder.is_dir():
        if path and allow_download:
            return
        raise ValueError(
            f"path is {path!r}, which is no folder; expected one that holds a model in Hugging Face's format "
            "(config.json, *.safetensors, tokenizer files), or a name on the hub and allow_download=true"
        )
    missing = []
    if not (folder / "config.json").is_file():
        missing.append("config.json")
    missing += _missing_weights(folder)
    if not any((folder / name).is_file() for name in _TOKENIZER_FILES):
        missing.append(f"a tokenizer ({' or '.join(_TOKENIZER_FILES)})")
    if processor and not any((folder / name).is_file() for name in _PROCESSOR_FILES):
        missing.append(f"what prepares images ({' or '.join(_PROCESSOR_FILES)})")
    if missing:
        raise ValueError(f"the model folder {path!r} lacks {'; '.join(missing)}")


def load_reader(kind: str, path: str, *, allow_download: bool) -> Any:
    """Load a tokenizer or a processor.

    Args:
        kind: ``"AutoTokenizer"`` or ``"AutoProcessor"``.
        path: The folder, or a name on the hub.
        allow_download: Whether the hub may be asked.
    """
    auto = getattr(library("transformers", "hf"), kind)
    with naming(path):
        return auto.from_pretrained(path, local_files_only=not allow_download, trust_remote_code=False)


def load_model(kind: str, path: str, *, allow_download: bool, dtype: Any) -> Any:
    """Load a model's weights from safetensors files, on the CPU.

    Args:
        kind: ``"AutoModelForCausalLM"`` or another auto class of ``transformers``.
        path: The folder, or a name on the hub.
        allow_download: Whether the hub may be asked.
        dtype: What the weights are converted to.

    Raises:
        ValueError: If they can't be read, or some are missing.
    """
    auto = getattr(library("transformers", "hf"), kind)
    with naming(path):
        model, found = auto.from_pretrained(
            path,
            local_files_only=not allow_download,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=dtype,
            output_loading_info=True,
        )
    if found["missing_keys"]:
        some = ", ".join(sorted(found["missing_keys"])[:3])
        raise ValueError(
            f"the weights in {path!r} lack {len(found['missing_keys'])} tensors of a {type(model).__name__} ({some}, "
            "...); is it a model of another kind?"
        )
    return model


@contextmanager
def naming(path: str) -> Iterator[None]:
    """Turn what goes wrong in the block into a ``ValueError`` that says which model it was about."""
    damaged = library("safetensors", "hf").SafetensorError
    try:
        yield
    except (OSError, ValueError, KeyError, RuntimeError, damaged) as error:
        raise ValueError(f"the model {path!r} can't be loaded: {error}") from error


@contextmanager
def quiet() -> Iterator[None]:
    """No progress bars, and only errors in the log of ``transformers``; afterwards as before."""
    logging = library("transformers", "hf").utils.logging
    with exclusive():
        verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
        logging.set_verbosity_error()
        logging.disable_progress_bar()
        try:
            yield
        finally:
            logging.set_verbosity(verbosity)
            if bars:
                logging.enable_progress_bar()


def _missing_weights(folder: Path) -> list[str]:
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        try:
            shards = sorted(set(json.loads(index.read_text())["weight_map"].values()))
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            return [f"a readable {index.name} ({error!r})"]
        return [shard for shard in shards if not (folder / shard).is_file()]
    if (folder / "model.safetensors").is_file():
        return []
    pickled = sorted(path.name for pattern in _PICKLED for path in folder.glob(pattern))
    if pickled:
        return [
            f"model.safetensors; {', '.join(pickled)} is refused, since such a file can run code when it is read: "
            "convert it with save_pretrained where you trust it"
        ]
    return ["weights (model.safetensors, or its shards and model.safetensors.index.json)"]
