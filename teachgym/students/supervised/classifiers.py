"""Small classifiers of images on scikit-learn: softmax regression, and a perceptron with hidden units."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from teachgym.base.ranges import PositiveFloat, PositiveInt
from teachgym.base.settings import checked_dataclass
from teachgym.core.task_space import FloatArray
from teachgym.data.example import Example
from teachgym.data.subject import Subject
from teachgym.students.supervised.image_chooser import ImageChooser


@checked_dataclass
class ClassifierSettings:
    """Settings that the classifiers share.

    Raises:
        ValueError: If a value is not allowed.
    """

    image_size: PositiveInt = 8
    """Pixels along each side that images are brought to, whatever size they have."""
    colours: bool = False
    """Whether it sees red, green and blue, or shades of grey."""
    learning_rate: PositiveFloat = 0.3
    """Step of stochastic gradient descent."""
    batch_size: PositiveInt = 32
    """Examples in a minibatch, drawn with replacement."""


@checked_dataclass
class MLPSettings(ClassifierSettings):
    """Settings of ``MLPStudent``.

    Raises:
        ValueError: If a value is not allowed.
    """

    hidden: PositiveInt = 48
    """Hidden units."""


class Classifier(ImageChooser):
    """Chooses among the subject's answers by the image alone; the question it does not read.

    Plain stochastic gradient descent without momentum or penalty, one ``partial_fit`` of scikit-learn's
    ``MLPClassifier`` a minibatch: so weights and the generator of minibatches are all there is to save. Before it has
    learnt anything it gives the first of the answers.

    Args:
        subject: One with images and a closed list of answers.
        settings: A ``Settings`` of the class; None takes the defaults.
        seed: Non-negative integer.

    Raises:
        ValueError: If the subject has no closed list of answers; when it is used, if an example has no image.
    """

    Settings: ClassVar[type[Any]] = ClassifierSettings
    settings: ClassifierSettings
    updates_per_example = 2.0
    keeps = ("_rng", "_layers")

    def __init__(self, subject: Subject, settings: ClassifierSettings | None = None, *, seed: int) -> None:
        super().__init__(subject, settings, seed=seed)
        self._rng = np.random.default_rng([seed, 1])
        self._model: Any = None  # made when there is something to learn
        self._layers: list[FloatArray] = []  # the model's weights and then its biases

    @abstractmethod
    def _hidden(self) -> tuple[int, ...]:
        """Numbers of units of the hidden layers."""

    def train(self, examples: Sequence[Example], *, updates: int) -> None:
        """Take so many steps, each on a minibatch drawn from the examples."""
        inputs, labels = self._inputs(examples), self.labels(examples)
        for _ in range(updates):
            chosen = self._rng.integers(len(examples), size=self.settings.batch_size)
            self._step(inputs[chosen], labels[chosen])

    def answer(self, examples: Sequence[Example]) -> list[str]:
        """The likeliest answer to each."""
        if not examples:
            return []
        inputs = self._inputs(examples)
        if self._model is None:
            return [self.choices[0]] * len(examples)
        return [self.choices[number] for number in self._model.predict(inputs).tolist()]

    def _forget_derived(self) -> None:
        """Make a model of the layers."""
        self._model, layers = None, self._layers
        if layers:
            blank = np.zeros((1, self._features()))
            self._step(blank, np.zeros(1, dtype=np.int64))  # makes layers, which are then replaced
            here, given = ([layer.shape for layer in one] for one in (self._layers, layers))
            if here != given:
                raise ValueError(f"the state has layers of shapes {given}; expected {here}: it is of another student")
            half = len(layers) // 2
            self._model.coefs_, self._model.intercepts_, self._layers = layers[:half], layers[half:], layers

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
        self._model.partial_fit(inputs, labels, classes=np.arange(len(self.choices)))
        self._layers = [*self._model.coefs_, *self._model.intercepts_]

    def _features(self) -> int:
        return self.settings.image_size**2 * (3 if self.settings.colours else 1)

    def _inputs(self, examples: Sequence[Example]) -> FloatArray:
        """``(m, features)`` pixels from 0 to 1."""
        pixels = self.images(examples, self.settings.image_size) / 255
        if not self.settings.colours:
            pixels = pixels.mean(axis=3)
        return np.asarray(pixels.reshape(len(examples), -1), dtype=np.float64)


@final
class LogisticRegressionStudent(Classifier):
    """Softmax regression on pixels: too simple for most subjects, and so a test of what a teacher does about that.

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
