"""How CURROT's particles look around: predicted outcomes, and points to try."""

import numpy as np
from numpy.typing import NDArray

from teachgym.core.task_space import FloatArray

CHUNK = 2_000_000
"""Most kernel weights at a time, so that memory stays small."""


def kernel_regression(points: FloatArray, tasks: FloatArray, outcomes: FloatArray, bandwidth: float) -> FloatArray:
    """Predict outcomes by the Nadaraya-Watson estimator: averages weighted by a Gaussian kernel.

    Weights are relative to the nearest task's, so that far from all tasks the nearest decides.

    Args:
        points: ``(m, n)`` where to predict.
        tasks: ``(k, n)`` tasks that have been played, k at least 1.
        outcomes: ``(k,)`` their outcomes.
        bandwidth: Standard deviation of the kernel, in the tasks' unit.

    Returns:
        ``(m,)`` predictions, between the least and the greatest outcome.
    """
    centre = np.mean(tasks, axis=0)
    points, tasks = (points - centre) / bandwidth, (tasks - centre) / bandwidth
    halves = 0.5 * np.sum(tasks**2, axis=1)
    # Sums of single-precision weights: in units of the outcomes' own spread, they lose nothing that matters.
    lowest = float(np.min(outcomes))
    spread = float(np.max(outcomes)) - lowest
    if spread == 0.0:
        return np.full(len(points), lowest)
    columns = np.stack([np.ones(len(tasks)), (outcomes - lowest) / spread], axis=1).astype(np.float32)
    predictions = np.empty(len(points))
    rows = max(CHUNK // len(tasks), 1)
    for start in range(0, len(points), rows):
        closeness = points[start : start + rows] @ tasks.T - halves  # minus half the squared distance, up to |point|^2
        closeness -= np.max(closeness, axis=1, keepdims=True)
        sums = np.exp(closeness.astype(np.float32)) @ columns
        predictions[start : start + rows] = sums[:, 1] / sums[:, 0]
    return lowest + spread * np.clip(predictions, 0.0, 1.0)


def ball_candidates(
    particles: FloatArray,
    directions: FloatArray,
    reach: FloatArray,
    halved: NDArray[np.bool_],
    rng: np.random.Generator,
    *,
    count: int,
    on_line: int,
) -> FloatArray:
    """Points to try around each particle: uniform in a ball, or in the half of it that faces a direction.

    Args:
        particles: ``(m, n)`` centres.
        directions: ``(m, n)`` where each should go, of any length.
        reach: ``(m,)`` radii.
        halved: ``(m,)`` whether only the half that faces the direction is wanted.
        rng: Draws the points; they are the same for all particles, up to radius and side.
        count: Points in the ball.
        on_line: Points at equal distances on the way, in the direction, up to the radius.

    Returns:
        ``(m, count + on_line, n)`` points, not clipped to any bounds.
    """
    dimensions = particles.shape[1]
    ball = rng.standard_normal((count, dimensions))
    ball *= rng.uniform(size=(count, 1)) ** (1 / dimensions) / np.linalg.norm(ball, axis=1, keepdims=True)
    lengths = np.linalg.norm(directions, axis=1, keepdims=True)
    units = np.divide(directions, lengths, out=np.zeros_like(directions), where=lengths > 0)
    behind = np.minimum(units @ ball.T, 0.0) * halved[:, None]  # what is mirrored to the side that faces the way
    around = ball - 2 * behind[..., None] * units[:, None, :]
    ahead = np.linspace(0.0, 1.0, on_line + 1)[1:, None] * units[:, None, :]
    return np.asarray(particles[:, None, :] + reach[:, None, None] * np.concatenate([around, ahead], axis=1))
