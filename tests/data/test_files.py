"""Examples survive a file, and a bad line is named."""

import base64
import zlib
from pathlib import Path

import numpy as np
import pytest

from teachgym.data.example import Example
from teachgym.data.files import read_examples, read_lines
from tests.data.toy import write_examples


def test_an_example_with_an_image_survives_a_file_pixel_by_pixel(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(256, size=(9, 7, 3), dtype=np.uint8)
    examples = [
        Example("How many?", "3", ("count", "few"), image, {"objects": [1, 2]}),
        Example("Wie heißt es? 你好\u2028\tx\r\n", "ü"),
    ]
    write_examples(tmp_path / "some.jsonl", examples)
    first, second = read_examples(tmp_path / "some.jsonl")
    assert first.image is not None
    assert np.array_equal(first.image, image)
    assert (first.prompt, first.target, first.path, first.facts) == (
        "How many?",
        "3",
        ("count", "few"),
        {"objects": [1, 2]},
    )
    assert (second.prompt, second.target, second.path, second.image) == (
        "Wie heißt es? 你好\u2028\tx\r\n",
        "ü",
        (),
        None,
    )
    assert [one.key for one in (first, second)] == [one.key for one in examples]


def enormous_picture() -> str:
    """The beginning of a PNG of 60,000 times 60,000 pixels."""
    header = b"IHDR" + (60_000).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0"
    chunk = (len(header) - 4).to_bytes(4, "big") + header + zlib.crc32(header).to_bytes(4, "big")
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + chunk).decode()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"prompt": "a", "target"', "no JSON"),
        ("[" * 100_000, "no JSON"),
        ('{"prompt": ' + "9" * 5000 + "}", "no JSON"),
        (f'{{"prompt": "a", "target": "b", "image": "{enormous_picture()}"}}', "no PNG in base64"),
        (r'{"prompt": "a", "target": "\frac{3}{2}"}', r"the target holds the control character U\+000C in"),
        (r'{"prompt": "\u0000a", "target": "b"}', r"the prompt holds the control character U\+0000 in"),
        ("[1]", "is no JSON object"),
        ('{"prompt": "a"}', "expected two strings"),
        ('{"prompt": " ", "target": "b"}', "expected some text"),
        ('{"prompt": "a", "target": "b", "skil": "c"}', "unknown fields"),
        ('{"prompt": "a", "target": "b", "path": "c"}', "expected a list of names"),
        ('{"prompt": "a", "target": "b", "image": "c"}', "no PNG in base64"),
        ('{"prompt": "ONE  ", "target": "b"}', "the same prompt as .*line 1"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text('{"prompt": "one", "target": "1"}\n\n' + line + "\n")
    with pytest.raises(ValueError, match=rf"bad\.jsonl, line 3: .*{message}"):
        read_examples(path)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "bytes.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"bytes\.jsonl can't be read as text"):
        list(read_lines(tmp_path / "bytes.jsonl"))
    with pytest.raises(ValueError, match=r"none\.jsonl can't be read"):
        list(read_lines(tmp_path / "none.jsonl"))


def test_the_same_prompt_about_another_image_is_another_example() -> None:
    dark, bright = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 9, np.uint8)
    assert Example("a?", "b", image=dark).key != Example("a?", "b", image=bright).key
    assert Example("a?", "b", image=dark).key == Example(" A?  ", "c", image=dark.copy()).key
    with pytest.raises(ValueError, match="expected \\(height, width, 3\\)"):
        Example("a?", "b", image=np.zeros((2, 2), np.uint8))
