"""What a request does inside the process, phase by phase.

A phase is the time in a few functions of the service, wherever they are called from. One that is
no longer there is left out, and its time is in the rest.
"""

import pkgutil
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr
from functools import wraps
from pathlib import Path
from unittest.mock import patch
from uuid import uuid4

from bench.callers import clients_file, token
from bench.charts import chart, encoded
from bench.servers import PATH
from cds_service import create_app
from cds_service.settings import Settings

SIZES = (5, 50, 500)
TIMES, WARM_UP = 40, 5
BASE = "http://127.0.0.1"
PHASES = {
    "token": ["cds_service.web.callers:Callers.identify"],
    "parse": ["cds_service.web.routes:_body"],
    "envelope": ["cds_service.web.routes:envelope"],
    "read": [
        "cds_service.hook:read_prefetch",
        "cds_service.hook:read_orders",
        "cds_service.hook:read_chart",
        "cds_service.hook:problem_with_order",
    ],
    "decide": ["cds_service.hook:evaluate_order"],
    "render": ["cds_service.hook:respond"],
    "keep": ["cds_service.web.keeping:Keeping.keep"],
    "serialise": ["cds_service.web.routes:jsonify"],
}


def phases() -> dict[str, dict[str, float]]:
    """Microseconds by phase and number of Conditions; what is in no phase is the rest."""
    with tempfile.TemporaryDirectory() as name, (Path(name) / "log").open("w") as log:
        folder = Path(name)
        clients = clients_file(folder)
        data = folder / "data"
        settings = Settings(open=False, store=True, clients=clients, data=data, public_url=BASE)
        with redirect_stderr(log), timed() as spent:
            app = create_app(settings)
            client = app.test_client()
            measured = {f"N = {n}": medians(client, chart(n), spent) for n in SIZES}
            app.extensions["store"].finish()
    return {phase: {n: m.get(phase) for n, m in measured.items()} for phase in (*PHASES, "rest")}


@contextmanager
def timed() -> Iterator[dict[str, float]]:
    """The seconds so far in each phase, while the block runs."""
    spent: dict[str, float] = defaultdict(float)
    with ExitStack() as stack:
        for phase, names in PHASES.items():
            for name in names:
                try:
                    function = pkgutil.resolve_name(name)
                except AttributeError:
                    continue
                place = name.replace(":", ".")
                stack.enter_context(patch(place, counted(function, phase, spent)))
        yield spent


def counted(function: Callable, phase: str, spent: dict[str, float]) -> Callable:
    """The function, which adds its time to a phase."""

    @wraps(function)
    def call(*args: object, **kwargs: object) -> object:
        started = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            spent[phase] += time.perf_counter() - started

    return call


def medians(client: object, body: dict, spent: dict[str, float]) -> dict[str, float]:
    rounds = [one_request(client, body, spent) for _ in range(WARM_UP + TIMES)][WARM_UP:]
    return {phase: statistics.median(r[phase] for r in rounds) * 1e6 for phase in rounds[0]}


def one_request(client: object, body: dict, spent: dict[str, float]) -> dict[str, float]:
    data = encoded({**body, "hookInstance": str(uuid4())})
    headers = {"Authorization": f"Bearer {token(BASE + PATH)}"}
    spent.clear()
    started = time.perf_counter()
    client.post(PATH, data=data, headers=headers, base_url=BASE, content_type="application/json")
    taken = time.perf_counter() - started
    return {**spent, "rest": taken - sum(spent.values())}
