"""Digits: images are changes of scikit-learn's, parts are disjoint, and labels are right."""

from collections import defaultdict
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter
from sklearn.datasets import load_digits

from teachgym.data.example import Example
from teachgym.envs.data.subjects import make_subject
from teachgym.envs.data.subjects.digits import Digits, DigitSettings

EXACT: dict[tuple[str, ...], Callable[[NDArray[np.int64]], NDArray[np.int64]]] = {
    ("upright",): lambda image: image,
    ("inverted", "fully"): lambda image: 16 - image,
    ("turned", "to the left"): lambda image: image[:, ::-1].T,
    ("turned", "to the right"): lambda image: image.T[:, ::-1],
    ("turned", "left to right"): np.fliplr,
    ("turned", "upside down"): np.flipud,
}
"""Leaves whose change moves or replaces whole pixels."""


def originals() -> tuple[NDArray[np.int64], list[str]]:
    """``(1797, 8, 8)`` with ink from 0 to 16, and their labels."""
    found = load_digits()
    return found.images.astype(np.int64), [str(label) for label in found.target]


def ink(example: Example) -> bytes:
    """The image in the 17 steps of the originals."""
    return np.round(grey(example) * (16 / 255)).astype(np.int64).tobytes()


def grey(example: Example) -> NDArray[np.uint8]:
    assert example.image is not None
    return example.image[:, :, 0]


@pytest.mark.parametrize("leaf", EXACT)
def test_an_image_is_the_change_of_an_original_with_its_label(leaf: tuple[str, ...]) -> None:
    images, labels = originals()
    changed = [np.ascontiguousarray(EXACT[leaf](image)).tobytes() for image in images]
    known = dict(zip(changed, labels, strict=True))
    for example in Digits().make(leaf, 50, np.random.default_rng(0)):
        assert example.path == leaf
        assert known[ink(example)] == example.target


def test_no_original_is_in_two_of_training_validation_and_test() -> None:
    subject = Digits(DigitSettings(validation_per_skill=300, test_per_skill=500))
    images, _ = originals()
    numbers = {image.tobytes(): number for number, image in enumerate(images)}
    parts = (subject.make(("upright",), 6000, np.random.default_rng(0)), subject.validation, subject.test)
    found = [{numbers[ink(one)] for one in part if one.path == ("upright",)} for part in parts]
    assert [len(part) for part in found[1:]] == [300, 500]
    assert set.union(*found) <= set(range(1797))
    assert len(set.union(*found)) == sum(map(len, found))
    assert len(found[0]) > 990  # of 997


def test_held_out_sets_have_every_part_of_a_skill_alike() -> None:
    for examples, wanted in ((Digits().validation, 40), (Digits().test, 100)):
        counts: dict[str, dict[tuple[str, ...], int]] = defaultdict(lambda: defaultdict(int))
        for example in examples:
            counts[example.skill][example.path] += 1
        assert all(sum(parts.values()) == wanted for parts in counts.values())
        assert all(max(parts.values()) == min(parts.values()) for parts in counts.values())


def test_noise_has_the_spread_that_its_part_says() -> None:
    subject, images = Digits(), originals()[0] / 16
    for part, std in (("a little", 0.15), ("a lot", 0.3)):
        off = []
        for example in subject.make(("noisy", part), 100, np.random.default_rng(0)):
            shown = grey(example) / 255
            original = images[np.argmin(((images - shown) ** 2).sum(axis=(1, 2)))]
            off.append((shown - original)[original == 0.5])  # where clipping cuts least off
        assert np.concatenate(off).std() == pytest.approx(std, abs=0.02)


def test_blurred_pixels_are_means_of_the_nine_around_them() -> None:
    images, labels = originals()
    blurred = [uniform_filter(image * (255 / 16), size=3, mode="constant") for image in images]
    for example in Digits().make(("blurred",), 20, np.random.default_rng(0)):
        off = [np.abs(one - grey(example)).max() for one in blurred]
        assert min(off) <= 0.51
        assert labels[int(np.argmin(off))] == example.target


def test_magnified_images_are_the_same_in_larger_pixels() -> None:
    small, large = Digits(), make_subject("digits", magnification=3)
    for one, other in zip(small.validation, large.validation, strict=True):
        np.testing.assert_array_equal(np.kron(grey(one), np.ones((3, 3), dtype=np.uint8)), grey(other))
        assert one.target == other.target


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="validation_per_skill is 301; expected at most 300"):
        make_subject("digits", validation_per_skill=301)
    with pytest.raises(ValueError, match="magnification is 0"):
        make_subject("digits", magnification=0)
