"""Whether a model has the attractor and the spectrum of its data, and not only the next values.

After Hess et al. 2023 (arXiv:2306.04406).
"""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from teachgym.core.task_space import FloatArray

BINS, MARGIN, SMOOTHING = 30, 0.1, 1e-5
SPECTRUM_SMOOTHING = 20.0
"""Standard deviation, in bins of frequency, of spectra of thousands of values; of shorter ones in proportion."""
_FULL_LENGTH = 1000


def state_divergence(found: FloatArray, wanted: FloatArray, *, bins: int = BINS) -> float:
    """Divergence of binned states, ``KL(wanted || found)``, in nats: 0 where they visit all places alike.

    Bins cover the range of the wanted states, widened by a tenth of a standard deviation; states beyond, or not finite,
    count, and lie in no bin (the source leaves them out, so that a model whose states all lie beyond passes for one
    that visits all bins alike). Every bin gets 1e-5 states more, as Laplace's smoothing.

    Args:
        found: ``(n, dimensions)``.
        wanted: ``(m, dimensions)``.
        bins: Along each dimension.
    """
    margin = MARGIN * wanted.std(axis=0)
    ends = list(zip(wanted.min(axis=0) - margin, wanted.max(axis=0) + margin, strict=True))
    other, own = (_shares(states, bins, ends) for states in (found, wanted))
    return float((own * np.log(own / other)).sum())


def _shares(states: FloatArray, bins: int, ends: list[tuple[float, float]]) -> FloatArray:
    """Of each bin."""
    finite = states[np.isfinite(states).all(axis=1)]
    counts = np.histogramdd(finite, bins, range=ends)[0].ravel()
    return np.asarray((counts + SMOOTHING) / (len(states) + SMOOTHING * counts.size))


def spectrum_distance(found: FloatArray, wanted: FloatArray) -> float:
    """Mean Hellinger distance, from 0 to 1, of normalised and smoothed power spectra, over dimensions.

    Args:
        found: ``(..., length, dimensions)`` series; spectra are averaged over the leading axes. Not finite ones are at
            distance 1.
        wanted: As ``found``, of the same length.
    """
    if not np.isfinite(found).all():
        return 1.0
    own, other = _spectrum(found), _spectrum(wanted)
    return float(np.sqrt(np.maximum(1 - np.sqrt(own * other).sum(axis=0), 0)).mean())


def _spectrum(series: FloatArray) -> FloatArray:
    """``(frequencies, dimensions)``, summing to 1."""
    length = series.shape[-2]
    power = np.abs(np.fft.rfft(series - series.mean(axis=-2, keepdims=True), axis=-2)) ** 2
    power = power.reshape(-1, *power.shape[-2:]).mean(axis=0)
    smooth = gaussian_filter1d(power, SPECTRUM_SMOOTHING * min(length / _FULL_LENGTH, 1), axis=0) + 1e-12
    return np.asarray(smooth / smooth.sum(axis=0))


def prediction_error(predicted: FloatArray, wanted: FloatArray) -> float:
    """Mean squared error of predictions ``(n, dimensions)`` some steps ahead."""
    return float(np.mean((predicted - wanted) ** 2))
