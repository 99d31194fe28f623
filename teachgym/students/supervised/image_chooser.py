"""What students share that look at an image and choose among given answers."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pictures

from teachgym.core.seeding import check_seed
from teachgym.data.example import Example, Image
from teachgym.data.subject import Subject
from teachgym.students.supervised.student import SupervisedStudent


class ImageChooser(SupervisedStudent):
    """Chooses among the subject's answers by the image; the base of classifiers.

    Args:
        subject: One with images and a closed list of answers.
        settings: A ``Settings`` of the class; None takes the defaults.
        seed: Non-negative integer.

    Raises:
        ValueError: If the subject has no closed list of answers; when it is used, if an example has no image.
    """

    def __init__(self, subject: Subject, settings: Any = None, *, seed: int) -> None:
        super().__init__(subject, settings, seed=seed)
        check_seed(seed)
        if not subject.answers or len(subject.answers) < 2:
            raise ValueError(
                f"{type(self).__name__} chooses among given answers, and {type(subject).__name__} lists "
                f"{'one' if subject.answers else 'none'}; choose a student that writes its answers"
            )
        self.choices: tuple[str, ...] = subject.answers
        self._numbers = {answer: number for number, answer in enumerate(subject.answers)}

    def labels(self, examples: Sequence[Example]) -> NDArray[np.int64]:
        """``(m,)`` numbers of the right answers.

        Raises:
            ValueError: If a target is none of the answers.
        """
        for example in examples:
            if example.target not in self._numbers:
                raise ValueError(
                    f"the target of {example.prompt[:60]!r} is {example.target!r}, none of the subject's answers: "
                    f"{', '.join(self.choices)}"
                )
        return np.array([self._numbers[example.target] for example in examples], dtype=np.int64)

    def images(self, examples: Sequence[Example], size: int) -> NDArray[np.uint8]:
        """``(m, size, size, 3)`` the images, those of another size scaled.

        Raises:
            ValueError: If an example has none.
        """
        return np.stack([_sized(self._image(example), size) for example in examples])

    def _image(self, example: Example) -> Image:
        if example.image is None:
            raise ValueError(
                f"{type(self).__name__} looks at images, and the example {example.prompt[:60]!r} has none; choose a "
                "student that reads text alone"
            )
        return example.image


def _sized(image: Image, size: int) -> Image:
    """``(size, size, 3)`` the image, scaled by averages over areas if it has another size."""
    if image.shape[:2] == (size, size):
        return image
    return np.asarray(Pictures.fromarray(image).resize((size, size), Pictures.Resampling.BOX), dtype=np.uint8)
