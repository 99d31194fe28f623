"""Language models behind any OpenAI-compatible endpoint: asked in parallel, within a limit, and replayed offline.

Needs the extra ``llm``, once something is asked: ``pip install 'teachgym[llm]'``.
"""

from teachgym.language_model.accounting import Usage
from teachgym.language_model.client import LanguageModelClient
from teachgym.language_model.errors import (
    AttemptError,
    EndpointError,
    LanguageModelError,
    NotInCacheError,
    RejectedRequestError,
    SpendingLimitError,
    UnusableReplyError,
)
from teachgym.language_model.request import Message, Reply, Request
from teachgym.language_model.settings import ModelSettings
from teachgym.language_model.structured import Question, ask, ask_many

__all__ = [
    "AttemptError",
    "EndpointError",
    "LanguageModelClient",
    "LanguageModelError",
    "Message",
    "ModelSettings",
    "NotInCacheError",
    "Question",
    "RejectedRequestError",
    "Reply",
    "Request",
    "SpendingLimitError",
    "UnusableReplyError",
    "Usage",
    "ask",
    "ask_many",
]
