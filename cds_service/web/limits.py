"""Limits on what a client may send, and on the size of an answer."""

from functools import cached_property
from time import time
from typing import Any

from cds_service.configuration import ConfigurationError
from cds_service.fhir.amounts import TooMuch, check
from cds_service.fhir.plain import Json, as_dict, as_list

MOST_ITEMS = 1_000
MEMORY = "memory://"


class TooManyRequests(Exception):
    """A client has used up its requests; `seconds` until it may go on."""

    def __init__(self, seconds: int):
        super().__init__("This client has used up its requests for now.")
        self.seconds = seconds


class RateLimits:
    """Counts the requests of each client in a moving minute.

    `store` is an address of the limits library: memory:// counts per worker, redis://… for all.
    Raises ConfigurationError.
    """

    def __init__(self, store: str):
        self._store = store
        if store != MEMORY:
            self._check()

    def _check(self) -> None:
        """A wrong address stops the start."""
        from limits.errors import ConfigurationError as WrongAddress

        try:
            _ = self._limiter
        except (WrongAddress, ValueError) as error:
            raise ConfigurationError(f"CDS_RATE_STORE: {error}") from error

    @cached_property
    def _limiter(self) -> Any:
        """Made when a client has a limit: the library takes a fifth of the time to start."""
        from limits.storage import storage_from_string
        from limits.strategies import MovingWindowRateLimiter

        return MovingWindowRateLimiter(storage_from_string(self._store))

    def count(self, client: str, per_minute: int) -> None:
        """Raises TooManyRequests. A client without a limit (0) is not counted."""
        if not per_minute:
            return
        from limits import RateLimitItemPerMinute

        limit = RateLimitItemPerMinute(per_minute)
        if not self._limiter.hit(limit, client):
            reset = self._limiter.get_window_stats(limit, client).reset_time
            raise TooManyRequests(max(1, round(reset - time())))


def check_orders(context: Json, most: int) -> None:
    """Raises TooMuch where there are more draft orders."""
    check(len(as_list(as_dict(context["draftOrders"]).get("entry"))), most, "draft orders")


def check_items(items: list) -> None:
    """Raises TooMuch."""
    check(len(items), MOST_ITEMS, "items of feedback")


def check_answer(size: int, most: int) -> None:
    """Raises TooMuch where the answer is larger: buttons repeat the orders that they change."""
    if size > most:
        raise TooMuch(
            f"The answer would be larger than {most} bytes; send fewer or shorter orders."
        )
