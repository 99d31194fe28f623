"""Which cells there are, for errors about one that is not there."""

from pathlib import Path

_MOST_NAMED = 20


def cells_there(folder: Path) -> str:
    """The cells in a folder's study, in words to end an error with; empty where there are none.

    Args:
        folder: Of a study, of its cells, or what was to be the folder of one of them.
    """
    for place in (folder / "cells", folder, folder.parent, folder.parent / "cells"):
        found = sorted(path.parent.name for path in place.glob("*/cell.json"))
        if found:
            more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
            return f"; the cells in {place} are {', '.join(found[:_MOST_NAMED])}{more}"
    return ""
