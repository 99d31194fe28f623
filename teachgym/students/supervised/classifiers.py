"""Small classifiers of images on scikit-learn: softmax regression, and a perceptron with hidden units."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pictures

from teachgym.data.example import Example, Image
from teachgym.data.task import DataTask
from teachgym.seeding import check_seed, generator_from_state, generator_state
from teachgym.setting_checks import check_positive, check_whole
from teachgym.students.supervised.student import State, SupervisedStudent
from teachgym.task_space import FloatArray


@dataclass(frozen=True)
class ClassifierSettings:
    """Settings that the classifiers share.

    Raises:
        ValueError: If a value is not allowed.
    """

    image_size: int = 8
    """Pixels along each side that images are brought to, whatever size they have."""
    colours: bool = False
    """Whether it sees red, green and blue, or shades of grey."""
    learning_rate: float = 0.1
    """Step of stochastic gradient descent."""
    batch_size: int = 32
    """Examples in a minibatch, drawn with replacement."""

    def __post_init__(self) -> None:
        check_whole("image_size", self.image_size, 1, "pixels")
        check_positive("learning_rate", self.learning_rate)
        check_whole("batch_size", self.batch_size, 1, "examples")


@dataclass(frozen=True)
class MLPSettings(ClassifierSettings):
    """Settings of ``MLPStudent``.

    Raises:
        ValueError: If a value is not allowed.
    """

    hidden: int = 48
    """Hidden units."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole("hidden", self.hidden, 1, "hidden units")


class Classifier(SupervisedStudent):
    """Chooses among the task's answers by the image alone; the question it does not read.

    Plain stochastic gradient descent without momentum or penalty, one ``partial_fit`` of scikit-learn's
    ``MLPClassifier`` a minibatch: so weights and the generator of minibatches are all there is to save. Before it has
    learnt anything it gives the first of the answers.

    Args:
        task: One with images and a closed list of answers.
        settings: A ``Settings`` of the class; None takes the defaults.
        seed: Integer from 0 up.

    Raises:
        ValueError: If the task has no closed list of answers; in use, if an example has no image.
    """

    Settings: ClassVar[type[Any]] = ClassifierSettings
    settings: ClassifierSettings
    updates_per_example: ClassVar[float] = 4.0

    def __init__(self, task: DataTask, settings: ClassifierSettings | None = None, *, seed: int) -> None:
        super().__init__(task, settings, seed=seed)
        check_seed(seed)
        if not task.answers or len(task.answers) < 2:
            raise ValueError(
                f"{type(self).__name__} chooses among given answers, and {type(task).__name__} lists "
                f"{'one' if task.answers else 'none'}; choose a student that writes its answers"
            )
        self._answers = task.answers
        self._numbers = {answer: number for number, answer in enumerate(task.answers)}
        self._rng = np.random.default_rng(seed)
        self._model: Any = None  # made when there is something to learn

    @abstractmethod
    def _hidden(self) -> tuple[int, ...]:
        """Numbers of units of the hidden layers."""

    def train(self, examples: Sequence[Example], *, updates: int) -> None:
        """Take so many steps, each on a minibatch drawn from the examples."""
        inputs, labels = self._inputs(examples), self._labels(examples)
        for _ in range(updates):
            chosen = self._rng.integers(len(examples), size=self.settings.batch_size)
            self._step(inputs[chosen], labels[chosen])

    def answer(self, examples: Sequence[Example]) -> list[str]:
        """The likeliest answer to each."""
        if not examples:
            return []
        inputs = self._inputs(examples)
        if self._model is None:
            return [self._answers[0]] * len(examples)
        return [self._answers[number] for number in self._model.predict(inputs).tolist()]

    def state_dict(self) -> State:
        """Weights of each layer, and the generator."""
        layers = [] if self._model is None else [*self._model.coefs_, *self._model.intercepts_]
        return {"rng": generator_state(self._rng), "layers": [layer.copy() for layer in layers]}

    def load_state_dict(self, state: State) -> None:
        """Take over weights and generator."""
        layers = [np.array(layer, dtype=np.float64) for layer in state["layers"]]
        self._model = None
        if layers:
            blank = np.zeros((1, self._features()))
            self._step(blank, np.zeros(1, dtype=np.int64))  # makes the layers, which are then replaced
            weights, biases = layers[: len(layers) // 2], layers[len(layers) // 2 :]
            here, given = (
                [layer.shape for layer in (*both[0], *both[1])]
                for both in ((self._model.coefs_, self._model.intercepts_), (weights, biases))
            )
            if here != given:
                raise ValueError(f"the state has layers of shapes {given}; expected {here}: it is of another student")
            self._model.coefs_, self._model.intercepts_ = weights, biases
        self._rng = generator_from_state(state["rng"])

    def _step(self, inputs: FloatArray, labels: NDArray[np.int64]) -> None:
        if self._model is None:
            from sklearn.neural_network import MLPClassifier  # here, as it takes a second

            self._model = MLPClassifier(
                hidden_layer_sizes=self._hidden(),
                solver="sgd",
                alpha=0.0,
                momentum=0.0,
                learning_rate_init=self.settings.learning_rate,
                shuffle=False,  # or scikit-learn would draw an order within the minibatch, for nothing
                random_state=self.seed % 2**32,
            )
        self._model.partial_fit(inputs, labels, classes=np.arange(len(self._answers)))

    def _features(self) -> int:
        return self.settings.image_size**2 * (3 if self.settings.colours else 1)

    def _labels(self, examples: Sequence[Example]) -> NDArray[np.int64]:
        """``(m,)`` numbers of the right answers."""
        unknown = {example.target for example in examples} - self._numbers.keys()
        if unknown:
            raise ValueError(f"{sorted(unknown)[0]!r} is none of the task's answers, {', '.join(self._answers)}")
        return np.array([self._numbers[example.target] for example in examples], dtype=np.int64)

    def _inputs(self, examples: Sequence[Example]) -> FloatArray:
        """``(m, features)`` pixels from 0 to 1."""
        pixels = np.stack([sized(seen(example, self), self.settings.image_size) for example in examples]) / 255
        if not self.settings.colours:
            pixels = pixels.mean(axis=3)
        return np.asarray(pixels.reshape(len(examples), -1), dtype=np.float64)


def seen(example: Example, student: SupervisedStudent) -> Image:
    """An example's image.

    Raises:
        ValueError: If it has none.
    """
    if example.image is None:
        raise ValueError(
            f"{type(student).__name__} looks at images, and the example {example.prompt[:60]!r} has none; choose a "
            "student that reads"
        )
    return example.image


def sized(image: Image, size: int) -> Image:
    """``(size, size, 3)`` the image, scaled by averages of areas if it has another size."""
    if image.shape[:2] == (size, size):
        return image
    return np.asarray(Pictures.fromarray(image).resize((size, size), Pictures.Resampling.BOX), dtype=np.uint8)


@final
class LogisticRegressionStudent(Classifier):
    """Softmax regression on pixels: too simple for most tasks, and so a test of what a teacher does about that.

    It is scikit-learn's ``MLPClassifier`` without hidden layers, which is the same model as its
    ``LogisticRegression``, but learns from minibatches.
    """

    def _hidden(self) -> tuple[int, ...]:
        return ()


@final
class MLPStudent(Classifier):
    """A perceptron with one hidden layer on pixels: learns handwritten digits in a second."""

    Settings = MLPSettings
    settings: MLPSettings

    def _hidden(self) -> tuple[int, ...]:
        return (self.settings.hidden,)
