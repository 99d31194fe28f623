"""Write ``docs/environments.md`` from the code: ``python docs/environments.py``."""

import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium

import teachgym  # noqa: F401  # registers the environments

PAGE = Path(__file__).parent / "environments.md"
INTRODUCTION = """\
# The environments

Every environment of teachgym, as its own documentation says. `python docs/environments.py` writes this page from the
code; a test compares it. Names are for `gymnasium.make`; `teachgym compare --env` takes them without `teachgym/` and
`-v0`.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([INTRODUCTION, *_environments()])


def _environments() -> Iterator[str]:
    for spec in sorted(gymnasium.registry.values(), key=lambda spec: spec.id):
        if spec.namespace != "teachgym" or not isinstance(spec.entry_point, str):
            continue
        module, _, name = spec.entry_point.partition(":")
        found: Any = getattr(importlib.import_module(module), name)
        yield f"## `{spec.id}`\n"
        yield _text(found) + "\n"
        settings = _settings(found)
        if settings:
            yield "| keyword | default |\n|---|---|"
            yield "\n".join(f"| `{keyword}` | {default} |" for keyword, default in settings) + "\n"


def _text(found: type[Any]) -> str:
    """The docstring, with its headings one level deeper."""
    text = inspect.getdoc(found) or ""
    text = re.sub(r"^## ", "### ", text, flags=re.MULTILINE)
    text = re.sub(r"^(Args|Raises):$", r"### \1\n", text, flags=re.MULTILINE)
    return text.replace("``", "`")


def _settings(found: type[Any]) -> list[tuple[str, str]]:
    """Keywords of its own with their defaults."""
    parameters = inspect.signature(found.__init__).parameters.values()
    return [
        (one.name, "required" if one.default is one.empty else f"`{one.default!r}`")
        for one in parameters
        if one.name != "self" and one.kind is not one.VAR_KEYWORD
    ]


if __name__ == "__main__":
    PAGE.write_text(page())
