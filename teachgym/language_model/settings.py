"""Which language model is asked, how, and for how much at most."""

from typing import Annotated
from urllib.parse import urlsplit

from teachgym.base.annotations import Secret
from teachgym.base.ranges import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from teachgym.base.settings import checked_dataclass


@checked_dataclass
class ModelSettings:
    """Settings of a language model, and the base of the settings of whatever asks one.

    Raises:
        ValueError: If a value is not allowed.
    """

    model: str = ""
    """Name of the model, as the endpoint calls it. There is none that every endpoint has, so it must be given."""
    base_url: Annotated[str, Secret()] = "http://127.0.0.1:8000/v1"
    """Where the endpoint is, with its version, for instance ``https://api.openai.com/v1``. By default on this machine,
    where a local server usually is, so that nothing costs money by accident."""
    api_key_env: Annotated[str, Secret()] = "OPENAI_API_KEY"
    """Name of the environment variable that holds the key: never the key itself. It goes to ``base_url``, whoever that
    is. Local servers need none: leave the variable unset, or this empty."""
    temperature: NonNegativeFloat | None = 1.0
    """How random answers are, from 0; None leaves it to the endpoint."""
    max_tokens: PositiveInt = 4096
    """Longest reply, in tokens. A request is taken to cost that much until its reply is there."""
    stream: bool = False
    """Whether the reply is sent piece by piece, as it is written, so that a dead connection is noticed sooner."""
    timeout_seconds: PositiveFloat = 120.0
    """How long a reply may take, and how long the endpoint may be silent."""
    attempts: PositiveInt = 5
    """How often a request is sent at most, where the endpoint is busy, broken or not there."""
    backoff_seconds: PositiveFloat = 1.0
    """Wait before the second attempt; it doubles with each, less up to half of it at random."""
    longest_wait_seconds: PositiveFloat = 60.0
    """No wait is longer; an endpoint that asks for a longer one is given up."""
    corrections: NonNegativeInt = 2
    """How often the model is told what is wrong with its answer, and asked again, at most."""
    concurrency: PositiveInt = 8
    """Requests on their way at once."""
    price_input: NonNegativeFloat = 0.0
    """US dollars for a million tokens of input; 0 for a model of one's own."""
    price_output: NonNegativeFloat = 0.0
    """US dollars for a million tokens of output."""
    image_tokens: PositiveInt = 2000
    """Most tokens that an image counts for, to keep to limits before the endpoint tells the number."""
    spending_limit: PositiveFloat | None = None
    """US dollars that all requests together may cost; None is no limit. It holds to the cent: a request is not sent if
    its longest possible reply would exceed it."""
    token_limit: PositiveInt | None = None
    """Tokens, of input and output, that all requests together may use; None is no limit."""
    cache: str | None = None
    """Folder for replies, from which the same run gets the same ones again, at no cost; None keeps none."""
    offline: bool = False
    """Whether to send no requests, and take all replies from the cache."""

    def __post_init__(self) -> None:
        self._check_endpoint()
        if self.spending_limit is not None and self.price_input == 0 and self.price_output == 0:
            raise ValueError(
                f"spending_limit is {self.spending_limit}, but price_input and price_output are 0; give the prices "
                "of the model, in US dollars for a million tokens, or a token_limit instead"
            )
        if self.offline and self.cache is None:
            raise ValueError("offline is true, but cache is None; name the folder that the replies are in")

    def _check_endpoint(self) -> None:
        parts = urlsplit(self.base_url)
        if parts.username is not None or parts.password is not None or parts.query:
            raise ValueError("base_url holds a user, a password or a query; keys belong in an environment variable")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            # It is not repeated either: what has no scheme may be a key in the wrong place.
            raise ValueError("base_url is no address; expected http:// or https://, a host and a path")
        if self.api_key_env and not self.api_key_env.isidentifier():
            # It is not repeated: who mistakes this for the key has given it.
            raise ValueError("api_key_env is no name of an environment variable; give the name, never the key itself")

    def price(self, input_tokens: int, output_tokens: int) -> float:
        """US dollars for so many tokens, each at a whole number of trillionths, so that parts sum to the whole."""
        return (input_tokens * round(self.price_input * 1e6) + output_tokens * round(self.price_output * 1e6)) / 1e12
