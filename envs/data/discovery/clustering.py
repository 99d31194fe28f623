"""Skills found without any model of language: clusters of what the student is asked and answers."""

from collections.abc import Sequence
from typing import Annotated, Any, final

import numpy as np
from annotated_types import Ge
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from teachgym.base.exclusive import one_core
from teachgym.base.ranges import PositiveFloat
from teachgym.base.setting_checks import check_whole
from teachgym.base.settings import checked_dataclass
from teachgym.core.task_space import FloatArray
from teachgym.data.discovery import DiscoveredSkills, SkillDiscovery
from teachgym.data.example import Answer

_DIGITS = str.maketrans("0123456789", "0" * 10)


@checked_dataclass
class ClusteringSettings:
    """Settings of ``Clustering``.

    Raises:
        ValueError: If a value is not allowed.
    """

    dimensions: Annotated[int, Ge(2)] = 24
    """Dimensions of the embedding of prompts, answers and errors, at least 2."""
    error_weight: PositiveFloat = 0.5
    """How much the student's answer counts beside the prompt, whose weight is 1."""


@final
class Clustering(SkillDiscovery):
    """Groups examples by k-means on embeddings of prompts and of the student's answers.

    An embedding is the character n-grams (1 to 3, all digits the same, weighted by TF-IDF) of a prompt, reduced by a
    singular value decomposition and normalised, beside that of the student's answer and whether it was right. Skills
    are named after the n-grams that tell them apart best. It needs no network and takes well under a second.
    """

    Settings = ClusteringSettings
    settings: ClusteringSettings

    def discover(self, answers: Sequence[Answer], count: int, rng: np.random.Generator) -> DiscoveredSkills:
        """Cluster."""
        check_whole("count", count, 1)
        prompts = [answer.example.prompt.translate(_DIGITS) for answer in answers]
        given = [answer.given.translate(_DIGITS) or " " for answer in answers]
        seed = int(rng.integers(2**31))
        with one_core():
            counts, vocabulary = _ngrams(prompts)
            parts = [_reduced(counts, self.settings.dimensions, seed)]
            weight = self.settings.error_weight
            parts.append(weight * _reduced(_ngrams(given)[0], self.settings.dimensions, seed))
            parts.append(weight * np.array([[float(not answer.correct)] for answer in answers]))
            places = np.hstack(parts)
            clusters = min(count, len(np.unique(places, axis=0)))
            found = KMeans(clusters, n_init=10, random_state=seed).fit_predict(places)
        order = list(dict.fromkeys(found.tolist()))  # clusters by where they first appear
        labels = [order.index(label) for label in found.tolist()]
        return DiscoveredSkills(_names(counts, vocabulary, np.array(labels), len(order)), labels)


def _ngrams(texts: Sequence[str]) -> tuple[Any, list[str]]:
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), max_features=4000, sublinear_tf=True)
    counts = vectorizer.fit_transform(texts)
    return counts, list(vectorizer.get_feature_names_out())


def _reduced(counts: Any, dimensions: int, seed: int) -> FloatArray:
    dimensions = min(dimensions, min(counts.shape) - 1)
    if dimensions < 1:
        return np.zeros((counts.shape[0], 1))
    reduced = TruncatedSVD(dimensions, random_state=seed).fit_transform(counts)
    return np.asarray(normalize(reduced), dtype=np.float64)


def _names(counts: Any, vocabulary: Sequence[str], labels: Any, skills: int) -> list[str]:
    """A name for every skill: the n-grams whose mean weight in it most exceeds that elsewhere."""
    overall = np.asarray(counts.mean(axis=0)).ravel()
    names = []
    for skill in range(skills):
        excess = np.asarray(counts[labels == skill].mean(axis=0)).ravel() - overall
        best = [vocabulary[place].strip() for place in np.argsort(-excess, kind="stable")[:6]]
        words = list(dict.fromkeys(word for word in best if word))[:3]
        names.append(f"{skill}: {' '.join(words)}".rstrip(": "))
    return names
