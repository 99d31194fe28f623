"""Box2D, imported so that it also loads where warnings are errors.

The binding's types were built without ``__module__``. Python warns of that while the extension initialises,
and the process crashes if the warning is turned into an exception there.
"""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from Box2D import (
        b2Body,
        b2Contact,
        b2ContactListener,
        b2EdgeShape,
        b2Fixture,
        b2FixtureDef,
        b2PolygonShape,
        b2RayCastCallback,
        b2RevoluteJoint,
        b2RevoluteJointDef,
        b2Shape,
        b2Vec2,
        b2World,
    )

__all__ = [
    "b2Body",
    "b2Contact",
    "b2ContactListener",
    "b2EdgeShape",
    "b2Fixture",
    "b2FixtureDef",
    "b2PolygonShape",
    "b2RayCastCallback",
    "b2RevoluteJoint",
    "b2RevoluteJointDef",
    "b2Shape",
    "b2Vec2",
    "b2World",
]
