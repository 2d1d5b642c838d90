"""More hooks than can be answered: some wait a little, the others are refused at once."""

import threading
import time

import pytest

from cds_service import create_app
from cds_service.settings import Settings
from cds_service.web import concurrency, routes
from cds_service.web.concurrency import MOST_WAITING, ConcurrencyLimit, Overloaded
from tests import REAL_PROCESSES
from tests.small_world import FRACTURE, MRI_LUMBAR_W, PAIN, hook_request, order

pytestmark = REAL_PROCESSES

SERVICE = "/cds-services/vcf-appropriateness"
BODY = hook_request(order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)))


def in_threads(number, work):
    threads = [threading.Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    return threads


def until(condition, seconds=5.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


class TestConcurrencyLimit:
    def test_one_works_at_a_time_and_the_others_wait_their_turn(self):
        here, most, ended = ConcurrencyLimit(), [0, 0], []
        lock = threading.Lock()

        def work():
            with here.slot():
                with lock:
                    most[0] += 1
                    most[1] = max(most)
                time.sleep(0.01)
                with lock:
                    most[0] -= 1
            ended.append(1)

        for thread in in_threads(1 + MOST_WAITING, work):
            thread.join()
        assert most[1] == 1
        assert len(ended) == 1 + MOST_WAITING

    def test_one_more_than_may_wait_is_refused_at_once(self):
        here, leave = ConcurrencyLimit(), threading.Event()

        def work():
            with here.slot():
                leave.wait(5)

        threads = in_threads(1 + MOST_WAITING, work)
        until(lambda: here.is_full)
        started = time.monotonic()
        with pytest.raises(Overloaded), here.slot():
            pass
        assert time.monotonic() - started < 0.5
        leave.set()
        for thread in threads:
            thread.join()
        assert not here.is_full
        with here.slot():
            pass

    def test_nobody_waits_for_longer_than_a_while(self, monkeypatch):
        monkeypatch.setattr(concurrency, "LONGEST_WAIT_SECONDS", 0.05)
        here = ConcurrencyLimit()
        with here.slot(), pytest.raises(Overloaded), here.slot():
            pass

    def test_who_waits_for_a_server_makes_room(self):
        here = ConcurrencyLimit()
        with here.slot(), here.slot_given_up(), here.slot():
            pass

    def test_a_fault_gives_the_place_back(self):
        here = ConcurrencyLimit()
        for _ in range(2):
            with pytest.raises(ValueError), here.slot():
                raise ValueError


class TestAnswer:
    @pytest.fixture
    def app(self):
        return create_app(Settings(open=True, store=False))

    def test_says_when_to_come_again(self, app, monkeypatch):
        monkeypatch.setattr(ConcurrencyLimit, "_enter", lambda _: False)
        answer = app.test_client().post(SERVICE, json=BODY)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "1"
        assert answer.json["resourceType"] == "OperationOutcome"
        assert answer.json["issue"][0]["code"] == "throttled"

    def test_pages_and_health_are_answered_all_the_same(self, app, monkeypatch):
        monkeypatch.setattr(ConcurrencyLimit, "_enter", lambda _: False)
        for path in ("/health", "/ready", "/cds-services", "/"):
            assert app.test_client().get(path).status_code == 200

    def test_a_refused_hook_costs_nothing(self, app, monkeypatch):
        """Neither its token nor its body is looked at."""
        monkeypatch.setattr(concurrency, "MOST_WAITING", 0)
        monkeypatch.setattr(routes.Site, "caller", lambda _: pytest.fail("it was checked"))
        monkeypatch.setattr(routes, "_posted", lambda: pytest.fail("it was read"))
        assert app.test_client().post(SERVICE, json=BODY).status_code == 503
