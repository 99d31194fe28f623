"""Run programs that nobody has read: model-written code, in processes of its own that can do next to nothing."""

from teachgym.sandbox.connection import SandboxError
from teachgym.sandbox.kinds import SANDBOX_KINDS, choose_kind, protection, sandbox_in_use
from teachgym.sandbox.limits import Limits, Outcome, Program
from teachgym.sandbox.sandbox import Sandbox

__all__ = [
    "SANDBOX_KINDS",
    "Limits",
    "Outcome",
    "Program",
    "Sandbox",
    "SandboxError",
    "choose_kind",
    "protection",
    "sandbox_in_use",
]
