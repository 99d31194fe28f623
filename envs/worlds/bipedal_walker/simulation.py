"""One episode's physics: a Box2D world with a track, a walker and its senses."""

from collections.abc import Sequence
from dataclasses import dataclass

from teachgym.envs.worlds.bipedal_walker.bodies import SCALE, Body, LegPair, Point
from teachgym.envs.worlds.bipedal_walker.box2d import (
    b2Body,
    b2Contact,
    b2ContactListener,
    b2EdgeShape,
    b2FixtureDef,
    b2PolygonShape,
    b2RevoluteJoint,
    b2RevoluteJointDef,
    b2Shape,
    b2World,
)
from teachgym.envs.worlds.bipedal_walker.defects import Defects
from teachgym.envs.worlds.bipedal_walker.lidar import GROUND, Lidar
from teachgym.envs.worlds.bipedal_walker.terrain import GROUND_HEIGHT, START_PAD_STEPS, STEP, Polygon, Track

STEPS_PER_SECOND = 50
_VELOCITY_ITERATIONS, _POSITION_ITERATIONS = 180, 60
_HIP_SPEED, _KNEE_SPEED = 4, 6
_HIP_LIMITS, _KNEE_LIMITS = (-0.8, 1.1), (-1.6, -0.1)
_HIP_Y = -8 / SCALE
_GROUND_FRICTION = 2.5
_GROUND_CATEGORY = 0x0001
_WALKER_FILTER = {"categoryBits": 0x0020, "maskBits": _GROUND_CATEGORY}
_HULL = "hull"

# The observation's velocities are in picture widths and heights, scaled to be about 1 at most.
_SPIN, _SPEED_X, _SPEED_Y = 2.0, 600 / SCALE, 400 / SCALE


@dataclass(frozen=True)
class Part:
    """One piece of the walker, for drawing."""

    body: b2Body
    outline: tuple[Point, ...]
    """Corners around the origin of the piece."""
    side: int
    """0 for the hull, -1 for a leg on the far side, 1 for one on the near side."""


class _Contacts(b2ContactListener):  # type: ignore[misc]  # the binding has no types
    """Whether the hull has touched anything, and which feet stand.

    A foot is said to stand from the beginning of a contact until the end of any: as in Gymnasium, a foot that
    leaves one of two edges counts as lifted.
    """

    def __init__(self, legs: int) -> None:
        super().__init__()
        self.hull_touched = False
        self.standing = [False] * legs

    def BeginContact(self, contact: b2Contact) -> None:  # noqa: N802
        for part in (contact.fixtureA.userData, contact.fixtureB.userData):
            if part == _HULL:
                self.hull_touched = True
            elif isinstance(part, int):
                self.standing[part] = True

    def EndContact(self, contact: b2Contact) -> None:  # noqa: N802
        for part in (contact.fixtureA.userData, contact.fixtureB.userData):
            if isinstance(part, int):
                self.standing[part] = False


class Simulation:
    """A walker on a track.

    ``parts``, ``edges``, ``obstacles`` (convex hulls) and ``rays`` (the last lidar scan) are what there is to see.

    Args:
        body: The walker.
        track: The ground and obstacles.
        push: Force that pushes the hull to the right during the first step.
        defects: What of the authors' simulator to keep.
    """

    def __init__(self, body: Body, track: Track, *, push: float, defects: Defects) -> None:
        self.body = body
        self.parts: list[Part] = []
        self.edges = tuple(track.edges(original_end=defects.ground_end, seam=defects.ground_seam))
        self.obstacles: list[Polygon] = []
        self.rays: list[float] = []
        self._contacts = _Contacts(body.legs)
        self._observed_legs = 2 if defects.leg_contacts else body.legs
        self._world = b2World()
        self._world.contactListener = self._contacts
        self._lidar = Lidar(self._world, first_reported=defects.lidar)
        self._joints: list[b2RevoluteJoint] = []
        self._build_track(track)
        self.hull = self._build_hull(push)
        for pair in body.leg_pairs:
            self._build_leg(pair, tilt=-1)
            self._build_leg(pair, tilt=1)
        self._motors = list(zip(self._joints, [_HIP_SPEED, _KNEE_SPEED] * body.legs, strict=True))
        self._senses = list(zip(self._joints[0::2], self._joints[1::2], range(body.legs), strict=True))

    def drive(self, action: Sequence[float]) -> None:
        """Simulate 1/50 s: the sign of an action turns its motor, the size (at most 1) is its share of the torque."""
        torque = self.body.torque
        for (joint, speed), value in zip(self._motors, action, strict=True):
            joint.motorSpeed = speed * ((value > 0.0) - (value < 0.0))
            joint.maxMotorTorque = torque * min(abs(value), 1.0)
        self._world.Step(1.0 / STEPS_PER_SECOND, _VELOCITY_ITERATIONS, _POSITION_ITERATIONS)

    def observe(self) -> list[float]:
        """The observation, in the order that the environment documents."""
        hull, standing = self.hull, self._contacts.standing
        velocity = hull.linearVelocity
        state = [
            hull.angle,
            _SPIN * hull.angularVelocity / STEPS_PER_SECOND,
            0.3 * velocity.x * _SPEED_X / STEPS_PER_SECOND,
            0.3 * velocity.y * _SPEED_Y / STEPS_PER_SECOND,
        ]
        for hip, knee, leg in self._senses:
            state += (
                hip.angle,
                hip.speed / _HIP_SPEED,
                knee.angle + 1.0,
                knee.speed / _KNEE_SPEED,
                1.0 if standing[leg] and leg < self._observed_legs else 0.0,
            )
        position = hull.position
        self.rays = self._lidar.scan(position.x, position.y)
        state += self.rays
        return state

    @property
    def hull_x(self) -> float:
        """How far the hull's origin is to the right, in world units."""
        x: float = self.hull.position.x
        return x

    @property
    def hull_touched(self) -> bool:
        """Whether the hull has touched the track."""
        return self._contacts.hull_touched

    def _build_track(self, track: Track) -> None:
        polygon, edge = b2PolygonShape(), b2EdgeShape()
        ground = {"friction": _GROUND_FRICTION, "categoryBits": _GROUND_CATEGORY, "userData": GROUND}
        block, slope = _fixture(polygon, **ground), _fixture(edge, **ground)
        for corners in track.obstacles:
            polygon.vertices = corners
            self._world.CreateStaticBody(fixtures=block)
            self.obstacles.append(tuple(polygon.vertices))
        for ends in self.edges:
            edge.vertices = ends
            self._world.CreateStaticBody(fixtures=slope)

    @property
    def _start(self) -> Point:
        return STEP * START_PAD_STEPS / 2, GROUND_HEIGHT + 2 * self.body.leg_length

    def _build_hull(self, push: float) -> b2Body:
        shape = b2PolygonShape(vertices=self.body.hull)
        fixture = _fixture(shape, density=5.0, friction=0.1, userData=_HULL, **_WALKER_FILTER)
        hull = self._world.CreateDynamicBody(position=self._start, fixtures=fixture)
        hull.ApplyForceToCenter((push, 0), True)
        self.parts.append(Part(hull, self.body.hull, side=0))
        return hull

    def _build_leg(self, pair: LegPair, *, tilt: int) -> None:
        length, width, leg = self.body.leg_length, self.body.leg_width, len(self._joints) // 2
        x, y = self._start
        x, hips = x + pair.start_x, (pair.hip_x, _HIP_Y)
        thigh = self._build_limb((x, y - length / 2 - _HIP_Y), width, tilt, part=None)
        self._join(self.hull, hips, thigh, limits=_HIP_LIMITS, speed=tilt)
        shin = self._build_limb((x, y - length * 3 / 2 - _HIP_Y), 0.8 * width, tilt, part=leg)
        self._join(thigh, (0, -length / 2), shin, limits=_KNEE_LIMITS, speed=1)

    def _build_limb(self, centre: Point, width: float, tilt: int, *, part: int | None) -> b2Body:
        right, up = width / 2, self.body.leg_length / 2
        outline = ((-right, -up), (right, -up), (right, up), (-right, up))
        shape = b2PolygonShape(box=(right, up))
        fixture = _fixture(shape, density=1.0, friction=0.2, userData=part, **_WALKER_FILTER)
        limb = self._world.CreateDynamicBody(position=centre, angle=tilt * 0.05, fixtures=fixture)
        self.parts.append(Part(limb, outline, side=tilt))
        return limb

    def _join(self, upper: b2Body, anchor: Point, lower: b2Body, *, limits: tuple[float, float], speed: int) -> None:
        definition = b2RevoluteJointDef(
            bodyA=upper,
            bodyB=lower,
            localAnchorA=anchor,
            localAnchorB=(0, self.body.leg_length / 2),
            enableMotor=True,
            enableLimit=True,
            maxMotorTorque=self.body.torque,
            motorSpeed=speed,
            lowerAngle=limits[0],
            upperAngle=limits[1],
        )
        self._joints.append(self._world.CreateJoint(definition))


def _fixture(shape: b2Shape, **settings: object) -> b2FixtureDef:
    definition = b2FixtureDef(shape=shape, **settings)
    shape.thisown = True  # the definition takes the shape over but would never free it
    return definition
