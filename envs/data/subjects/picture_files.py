"""Pictures in files, for subjects that are read from published data."""

from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image as Pictures
from PIL import UnidentifiedImageError

from teachgym.data.example import Image


class PictureFolder:
    """The pictures of a folder, each read once, and scaled to a square as vision models take it.

    Args:
        folder: Where they are.
        size: Pixels along each side that they are brought to.
    """

    def __init__(self, folder: Path, size: int) -> None:
        self._folder, self._size = folder, size
        self._read = cache(self._open)

    def read(self, names: tuple[str, ...], place: str) -> Image:
        """``(size, size, 3)`` the first that there is of some files.

        Args:
            names: Names within the folder.
            place: Where they are named, for errors: ``"file, line 7"``.

        Raises:
            ValueError: If there is none of them, or it is no picture.
        """
        found = next((self._folder / name for name in names if (self._folder / name).is_file()), None)
        if found is None:
            raise ValueError(f"{place}: there is no image {' or '.join(names)} in {self._folder}")
        try:
            return self._read(found)
        except (OSError, ValueError, UnidentifiedImageError, Pictures.DecompressionBombError) as error:
            raise ValueError(f"{place}: {found} is no image that can be read ({error})") from error

    def _open(self, path: Path) -> Image:
        with Pictures.open(path) as opened:
            scaled = opened.convert("RGB").resize((self._size, self._size), Pictures.Resampling.BICUBIC)
        pixels = np.array(scaled, dtype=np.uint8)
        pixels.flags.writeable = False  # many examples share it
        return pixels
