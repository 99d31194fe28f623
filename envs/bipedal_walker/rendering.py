"""Pictures of a walker, drawn with pygame."""
import math
import numpy as np
class Clouds:
    def __init__(self, rng):
        self.points = []
        for _ in range(10):
            x = rng.uniform(0, 200) * 14 / 30
            self.points.append([(x + 7 * math.sin(3.14 * 2 * a / 5) + rng.uniform(0, 70 / 30), 10 + 7/3*math.cos(3.14 * 2 * a / 5) + rng.uniform(0, 70 / 30)) for a in range(5)])
class Renderer: ...
