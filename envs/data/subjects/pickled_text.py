"""Read a pickle that holds one string and nothing else, without pickle, which would run what a file says."""

_PROTOCOL, _FRAME, _STOP, _MEMOIZE = 0x80, 0x95, 0x2E, 0x94
_STRING = {0x8C: 1, 0x58: 4, 0x8D: 8}
"""Instructions that push a string -> bytes of its length."""
_SKIPPED = {_PROTOCOL: 1, _FRAME: 8, 0x71: 1, 0x72: 4, _MEMOIZE: 0}
"""Instructions without effect here (version, framing, remembering what was read) -> bytes of their argument."""


def pickled_text(content: bytes) -> str:
    """The string in a pickle of protocol 1 to 5.

    Raises:
        ValueError: If it holds anything else, or is damaged.
    """
    place, found = 0, None
    while place < len(content):
        instruction, place = content[place], place + 1
        if instruction == _STOP:
            if place != len(content):
                raise ValueError(f"something follows the end of the pickle, at byte {place}")
            break
        if instruction in _SKIPPED:
            place += _SKIPPED[instruction]
        elif instruction in _STRING and found is None:
            start = place + _STRING[instruction]
            end = start + int.from_bytes(content[place:start], "little")
            if end > len(content):
                raise ValueError("the pickle is cut off")
            found, place = content[start:end].decode("utf-8", "surrogatepass"), end
        else:
            raise ValueError(
                f"instruction {instruction:#04x} at byte {place - 1}; only one string may be in the pickle"
            )
    else:
        raise ValueError("the pickle is cut off")
    if found is None:
        raise ValueError("the pickle holds no string")
    return found
