"""Run programs that nobody has read: model-written code, in processes of its own that can do next to nothing."""

from teachgym.sandbox.connection import SandboxError
from teachgym.sandbox.kinds import KINDS, choose_kind, in_force, protection
from teachgym.sandbox.limits import Limits, Outcome, Program
from teachgym.sandbox.sandbox import Sandbox

__all__ = [
    "KINDS",
    "Limits",
    "Outcome",
    "Program",
    "Sandbox",
    "SandboxError",
    "choose_kind",
    "in_force",
    "protection",
]
