"""What a language model is asked, and what it replies."""

import base64
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from teachgym.language_model.settings import ModelSettings

_REQUEST_TOKENS = 64
"""Room for what an endpoint's own template adds to a request."""
_MESSAGE_TOKENS = 16
"""Room for what it adds to a message: roles and marks."""


@dataclass(frozen=True, eq=False)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    text: str
    images: tuple[NDArray[np.uint8], ...] = ()
    """``(height, width, 3)`` RGB, for models that see."""


@dataclass(frozen=True, eq=False)
class Request:
    """A conversation that a model is to go on with."""

    messages: tuple[Message, ...]
    serial: tuple[int, ...] = ()
    """Tells requests apart that are alike, so that each gets an answer of its own; from the run's seed."""
    schema: Mapping[str, Any] | None = None
    """JSON schema that the reply is to keep, if it is to be JSON."""

    def key(self, settings: ModelSettings) -> str:
        """What the answer depends on, as a hash: conversation, serial, schema, model and how it is sampled."""
        return hashlib.sha256(json.dumps(self.described(settings), sort_keys=True).encode()).hexdigest()

    def described(self, settings: ModelSettings) -> dict[str, Any]:
        """The same as plain values, images as hashes."""
        return {
            "model": settings.model,
            "temperature": settings.temperature,
            "max_tokens": settings.max_tokens,
            "serial": list(self.serial),
            "schema": self.schema,
            "messages": [
                {"role": message.role, "text": message.text, "images": [_hash(image) for image in message.images]}
                for message in self.messages
            ],
        }

    def most_input_tokens(self, settings: ModelSettings) -> int:
        """A number of tokens that the input doesn't exceed, whatever the tokenizer: one for every byte."""
        tokens = _REQUEST_TOKENS + (len(json.dumps(self.schema)) if self.schema is not None else 0)
        for message in self.messages:
            tokens += _MESSAGE_TOKENS + len(message.text.encode("utf-8", "replace"))
            tokens += settings.image_tokens * len(message.images)
        return tokens

    def seed(self, settings: ModelSettings) -> int:
        """31 bits from the key, for the endpoint's sampling and the waits between attempts."""
        return int(self.key(settings)[:8], 16) >> 1


@dataclass(frozen=True)
class Reply:
    """What a model replied."""

    text: str
    """Empty where it said nothing."""
    input_tokens: int | None = None
    """Tokens that are charged; None where the endpoint does not tell."""
    output_tokens: int | None = None
    refusal: str = ""
    """Why it won't answer, where it refuses."""
    cut_off: bool = False
    """Whether it was cut off at ``max_tokens``."""


def message_entry(message: Message) -> dict[str, Any]:
    """A message as endpoints take it, images inside as PNG."""
    if not message.images:
        return {"role": message.role, "content": message.text}
    parts: list[dict[str, Any]] = [{"type": "text", "text": message.text}]
    for image in message.images:
        written = io.BytesIO()
        Image.fromarray(image).save(written, "PNG")
        url = f"data:image/png;base64,{base64.b64encode(written.getvalue()).decode()}"
        parts.append({"type": "image_url", "image_url": {"url": url}})
    return {"role": message.role, "content": parts}


def _hash(image: NDArray[np.uint8]) -> str:
    found = hashlib.sha256(repr(image.shape).encode())
    found.update(np.ascontiguousarray(image).tobytes())
    return found.hexdigest()
