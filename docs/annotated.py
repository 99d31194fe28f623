"""What a setting takes, from its annotation: for the tables of the generated pages."""

import re
from typing import Any

from teachgym.base.annotations import expected


def takes(kind: Any) -> str:
    """The type and the range that an annotation allows, as a cell of a Markdown table."""
    text = expected(kind)
    if "an instance of _" in text:  # NumPy's ArrayLike
        return "array" + (", or None" if text.endswith(", or None") else "")
    text = text.replace("items, each values by name", "mappings").replace("values by name", "mapping")
    text = re.sub(r"^(an instance of|an?) ", "", text).replace("or an instance of ", "or ")
    return re.sub(r"'([^']*)'", r'`"\1"`', text).replace("|", "\\|")
