"""Ranges that many settings share; others are annotated where they stand: ``Annotated[int, Ge(4)]``."""

import math
import re
from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt

from teachgym.base.annotations import Where

PositiveInt = Annotated[int, Ge(1)]
NonNegativeInt = Annotated[int, Ge(0)]
Seed = Annotated[int, Ge(0)]
FiniteFloat = Annotated[float, Gt(-math.inf), Lt(math.inf)]
PositiveFloat = Annotated[float, Gt(0), Lt(math.inf)]
NonNegativeFloat = Annotated[float, Ge(0), Lt(math.inf)]
Share = Annotated[float, Ge(0), Le(1)]
PositiveShare = Annotated[float, Gt(0), Le(1)]
ShareBelowOne = Annotated[float, Ge(0), Lt(1)]


def _names_a_folder(text: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9._=,+-]{0,200}", text) is not None and text not in (".", "..")


FolderName = Annotated[
    str, Where(_names_a_folder, "at most 200 letters, digits and any of . _ = , + -, but not . or ..")
]
"""What can name a folder on any file system, or nothing."""
