"""What can go wrong with a language model. No message holds a key, and none holds on to an object that does."""


class LanguageModelError(RuntimeError):
    """A language model gave no answer that can be used; the message says why, and what to do.

    Args:
        message: What the user reads.
        hopeless: Whether other requests, sent now, would fare the same.
    """

    def __init__(self, message: str, *, hopeless: bool = False) -> None:
        super().__init__(message)
        self.hopeless = hopeless


class EndpointError(LanguageModelError):
    """The endpoint is not there, or gave no whole reply, however often it was asked."""


class RejectedRequestError(LanguageModelError):
    """The endpoint won't answer such a request, so that asking again is of no use: key, model or request is wrong."""


class UnusableReplyError(LanguageModelError):
    """The model refused, or its replies were not what was asked for, however often it was corrected."""


class SpendingLimitError(LanguageModelError):
    """The request might have cost more than is left, and has not been sent."""


class NotInCacheError(LanguageModelError):
    """Offline, and the answer is not in the cache."""


class AttemptError(Exception):
    """One attempt came to nothing; another may not. For whoever sends requests, in place of a reply.

    Args:
        message: What happened.
        wait: Seconds that the endpoint asks to be left alone, if it does.
        billed: Whether the endpoint may have worked on it and charge for it.
        unreachable: Whether there was nobody to ask.
        adapted: Whether the next attempt will be another request, one that the endpoint may like better.
    """

    def __init__(
        self,
        message: str,
        *,
        wait: float | None = None,
        billed: bool = False,
        unreachable: bool = False,
        adapted: bool = False,
    ) -> None:
        super().__init__(message)
        self.wait, self.billed, self.unreachable, self.adapted = wait, billed, unreachable, adapted
