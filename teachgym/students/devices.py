"""Where the networks of students are computed."""

import torch


def chosen_device(name: str) -> torch.device:
    """The device of this name; ``"auto"`` is the GPU where there is one.

    Raises:
        ValueError: If there is no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"device is {name!r}, which torch can't use here ({error}); try 'cpu' or 'auto'") from error
    return device
