"""Downloads a key set."""

import json
from time import monotonic
from typing import Any

import requests
from urllib3.exceptions import HTTPError

from cds_service.access.keys import FETCH_SECONDS

MOST_BYTES, PIECE = 200_000, 65_536


def download(url: str) -> Any:
    """The JSON at an address, within FETCH_SECONDS; no redirect is followed. Raises ValueError or
    OSError (as which requests fail, too).
    """
    try:
        return json.loads(_body(url, monotonic() + FETCH_SECONDS))
    except HTTPError:
        raise ValueError("the key set did not come in full") from None
    except RecursionError:
        raise ValueError("the key set is nested too deeply") from None


def _body(url: str, deadline: float) -> bytes:
    with requests.get(url, timeout=FETCH_SECONDS, allow_redirects=False, stream=True) as answer:
        if answer.status_code != requests.codes.ok:
            raise ValueError(f"status {answer.status_code}")
        body = b""
        while piece := answer.raw.read1(PIECE, decode_content=True):
            body += piece
            if len(body) > MOST_BYTES:
                raise ValueError("the key set is too large")
            if monotonic() > deadline:
                raise ValueError("the key set did not come in time")
    return body
