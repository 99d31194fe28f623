"""A student that answers alone or after an explanation, a teacher that explains, and models of the student's mind."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn.linear_model import LogisticRegression

from teachgym.core.task_space import FloatArray
from teachgym.envs.problems.controlled_student import Fixed
from teachgym.envs.problems.digits import Labels, digits

Explainer = Literal["plain", "personal", "deceptive"]
STUDENT_SIZE, TEACHER_SIZE, TRIALS, ITEMS = 60, 120, 60, 1000
NEIGHBOURS = 8
"""Probes that a mental model asks for an item."""
FLIPS = 4
"""Probes that a personal teacher is conditioned on, as in the source."""
STRENGTH = 1.5
"""By how much an explanation adds the teacher's log-probabilities to the student's."""
_FLIP_WEIGHT = 5.0
_LEAST_LOG = -12.0


class Reader:
    """A softmax regression on pixels.

    Args:
        images: ``(m, 64)`` that it has read.
        labels: ``(m,)``.
        weights: ``(m,)`` how much each counts; None for alike.
    """

    def __init__(self, images: FloatArray, labels: Labels, weights: FloatArray | None = None) -> None:
        self._model = LogisticRegression(max_iter=500).fit(images, labels, sample_weight=weights)

    def log_probabilities(self, images: FloatArray) -> FloatArray:
        """``(m, 10)``, none of them below -12, where a digit that it has never read is."""
        found = np.full((len(images), 10), _LEAST_LOG)
        found[:, self._model.classes_] = self._model.predict_log_proba(images)
        return np.asarray(np.maximum(found, _LEAST_LOG))


class InterventionData(Fixed):
    """Who and what an episode is about: two readers, probes and items, drawn from the digits.

    Args:
        seed: Of the draw.
        explainer: ``"plain"`` adds the teacher's log-probabilities; ``"personal"`` those of a teacher that has also
            read the first probes on which an explanation puts this student right; ``"deceptive"`` argues for the
            teacher's second choice.
    """

    def __init__(self, seed: int, explainer: Explainer) -> None:
        images, labels = digits()
        order = np.random.default_rng(seed).permutation(len(images))
        parts = np.split(order, np.cumsum([STUDENT_SIZE, TEACHER_SIZE, TRIALS, ITEMS]))
        self.read = images[parts[0]], labels[parts[0]]
        self.probes = images[parts[2]], labels[parts[2]]
        self.items = images[parts[3]], labels[parts[3]]
        self._explains_wrongly = explainer == "deceptive"
        self._explain(Reader(images[parts[1]], labels[parts[1]]))
        if explainer == "personal":
            flips = self._flips(Reader(*self.read).log_probabilities(self.probes[0]))
            read = np.concatenate([images[parts[1]], self.probes[0][flips]])
            known = np.concatenate([labels[parts[1]], self.probes[1][flips]])
            self._explain(Reader(read, known, np.repeat([1.0, _FLIP_WEIGHT], [TEACHER_SIZE, len(flips)])))
        apart = cdist(self.items[0], self.probes[0], "sqeuclidean")
        self._nearest = np.argsort(apart, axis=1, kind="stable")[:, :NEIGHBOURS]

    def answers(self, student: FloatArray, *, of_probes: bool, explained: bool) -> NDArray[np.bool_]:
        """Whether the student is right, from its log-probabilities ``(m, 10)`` of the probes or the items."""
        labels, teacher = (self.probes[1], self._of_probes) if of_probes else (self.items[1], self._of_items)
        if explained:
            student = student + STRENGTH * (_swapped(teacher) if self._explains_wrongly else teacher)
        return np.asarray(student.argmax(axis=1) == labels)

    def mental_model(self, right: NDArray[np.bool_]) -> FloatArray:
        """``(items,)`` the share of right answers among the probes nearest to each, from those of probes ``(m,)``."""
        return np.asarray(right[self._nearest].mean(axis=1), dtype=np.float64)

    def _explain(self, teacher: Reader) -> None:
        """Take this teacher's explanations."""
        self._of_probes, self._of_items = (teacher.log_probabilities(one) for one, _ in (self.probes, self.items))
        self.teacher_labels: Labels = self._of_items.argmax(axis=1)
        self.teacher_confidence: FloatArray = np.exp(self._of_items).max(axis=1)

    def _flips(self, student: FloatArray) -> NDArray[np.int64]:
        """The first probes that an explanation puts right."""
        right, explained = (self.answers(student, of_probes=True, explained=told) for told in (False, True))
        return np.flatnonzero(~right & explained)[:FLIPS]


def _swapped(teacher: FloatArray) -> FloatArray:
    """With the log-probabilities of the first and the second choice exchanged."""
    order = np.argsort(-teacher, axis=1, kind="stable")[:, :2]
    swapped, rows = teacher.copy(), np.arange(len(teacher))
    swapped[rows, order[:, 0]], swapped[rows, order[:, 1]] = teacher[rows, order[:, 1]], teacher[rows, order[:, 0]]
    return swapped
