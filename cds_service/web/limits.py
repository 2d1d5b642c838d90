"""Limits on what a client may send: requests a minute, and resources in a request."""

from functools import cached_property
from time import time
from typing import Any

from cds_service.fhir.plain import Json, as_dict, as_list
from cds_service.fhir.prefetch import MOST_RESOURCES, TooManyResources

MOST_ITEMS = 1_000


MEMORY = "memory://"


class TooManyRequests(Exception):
    """A client has used up its requests; `seconds` until it may go on."""

    def __init__(self, seconds: int):
        super().__init__("This client has used up its requests for now.")
        self.seconds = seconds


class TooManyItems(Exception):
    """A request with more items than are read."""


class RateLimits:
    """Counts the requests of each client in a moving minute.

    `store` is an address of the limits library: memory:// counts per worker, redis://… for all.
    """

    def __init__(self, store: str):
        self._store = store
        if store != MEMORY:
            _ = self._limiter  # a wrong address stops the start

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


def check_orders(context: Json) -> None:
    """Raises TooManyResources, as the reading of the prefetch does."""
    if len(as_list(as_dict(context["draftOrders"]).get("entry"))) > MOST_RESOURCES:
        raise TooManyResources


def check_items(items: list) -> None:
    """Raises TooManyItems."""
    if len(items) > MOST_ITEMS:
        raise TooManyItems(f"The request holds more than {MOST_ITEMS} items of feedback.")
