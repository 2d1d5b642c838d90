"""Codes in no map are asked of a real HTTP terminology server, and no hook waits for it."""

import time

import pytest

from cds_service import create_app
from cds_service.expansion import lookup
from cds_service.expansion.lookup import TerminologyLookup, is_concept
from cds_service.expansion.server import TerminologyServer
from cds_service.mappings.hierarchies import hierarchies_of
from cds_service.settings import Settings
from tests import REAL_PROCESSES
from tests.small_world import (
    FRACTURE,
    MRI_LUMBAR_W,
    PAIN,
    PATIENT,
    ROOT,
    SCT,
    TODAY,
    condition,
    hook_request,
    order,
)
from tests.terminology_stub import (
    BASAL_CELL_OF_NOSE,
    CHORDOMA,
    HYPERTENSION,
    IN_SITU_OF_CERVIX,
    LOOK_ALIKE,
    MELANOMA_OF_BREAST,
    SARCOMA,
)

pytestmark = REAL_PROCESSES

SERVICE = "/cds-services/vcf-appropriateness"
SITE_CODES = (ROOT / "fixtures" / "local-codes").resolve()


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(lookup, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(lookup, "LONGEST_PAUSE_SECONDS", 0.05)


def until(true, seconds=5):
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.01)
    assert true()


class Service:
    """A worker of the service with a terminology server."""

    def __init__(self, address, **more):
        self.app = create_app(Settings(tx=address, **more), today=lambda: TODAY)
        self.client = self.app.test_client()

    def begin(self):
        self.app.extensions["in_worker"]()
        return self

    def detail(self, *codes):
        """What the card says of a patient with these on the problem list."""
        known = [condition((SCT, code), identifier=f"c-{i}") for i, code in enumerate(codes)]
        draft = order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN))
        answer = self.client.post(SERVICE, json=hook_request(draft, conditions=known))
        (card,) = answer.get_json()["cards"]
        return card["detail"]


def asked_of(stub):
    return [body["parameter"][1]["valueCode"] for _, body, _ in stub.seen]


class TestAtRunTime:
    def test_the_first_hook_does_not_know_and_a_later_one_does(self, stub):
        service = Service(stub.address).begin()
        assert CHORDOMA not in service.detail(CHORDOMA)
        until(lambda: CHORDOMA in service.detail(CHORDOMA))

    def test_a_site_with_codes_of_its_own_learns_too(self, stub):
        service = Service(stub.address, codes=SITE_CODES).begin()
        service.detail(CHORDOMA)
        until(lambda: CHORDOMA in service.detail(CHORDOMA))

    def test_the_code_alone_goes_out(self, stub):
        service = Service(stub.address, tx_token="top-secret").begin()  # noqa: S106
        service.detail(CHORDOMA)
        until(lambda: len(stub.seen) >= 5)
        for path, body, headers in stub.seen:
            assert path == "/fhir/CodeSystem/$subsumes"
            values = [v for p in body["parameter"] for n, v in p.items() if n != "name"]
            assert values[1:] == [CHORDOMA, SCT]
            assert headers["Authorization"] == "Bearer top-secret"
            assert PATIENT not in str(body) + str(headers)

    def test_what_is_no_concept_does_not_go_out(self, stub):
        service = Service(stub.address).begin()
        service.detail("Maria Muster", "5551234567", "447730005", CHORDOMA)
        until(lambda: CHORDOMA in service.detail(CHORDOMA))
        assert set(asked_of(stub)) == {CHORDOMA}

    def test_nothing_is_asked_of_codes_in_a_map(self, stub):
        service = Service(stub.address).begin()
        service.detail(LOOK_ALIKE, "254837009", CHORDOMA)
        until(lambda: CHORDOMA in service.detail(CHORDOMA))
        assert set(asked_of(stub)) == {CHORDOMA}

    def test_no_code_is_looked_for_where_no_server_is_set(self, monkeypatch):
        taken = []
        monkeypatch.setattr(TerminologyLookup, "take", lambda _, codes: taken.append(codes))
        Service("").begin().detail(CHORDOMA)
        assert taken == []

    @pytest.mark.parametrize("fault", ["down", "nobody"])
    def test_a_dead_server_delays_no_answer(self, stub, fault):
        stub.faults = {"down"}
        service = Service("http://127.0.0.1:9" if fault == "nobody" else stub.address).begin()
        service.detail(CHORDOMA)
        best = min(timed(lambda: service.detail(CHORDOMA, SARCOMA)) for _ in range(5))
        plain = Service("")
        assert best < 3 * min(timed(lambda: plain.detail(CHORDOMA, SARCOMA)) for _ in range(5))

    def test_a_server_that_hangs_delays_no_answer(self, stub, monkeypatch):
        monkeypatch.setattr(TerminologyServer, "subsumes", lambda *_: time.sleep(5))
        service = Service(stub.address).begin()
        assert timed(lambda: service.detail(CHORDOMA)) < 2


def timed(call):
    start = time.monotonic()
    call()
    return time.monotonic() - start


class TestLearning:
    @pytest.fixture
    def ends(self):
        return []

    @pytest.fixture
    def lookup(self, stub, ends):
        server = TerminologyServer(stub.address, "", 2)
        return TerminologyLookup(server, hierarchies_of(ROOT / "mappings"), ends.append)

    ENDS = {
        MELANOMA_OF_BREAST: "member",
        BASAL_CELL_OF_NOSE: "no-member",
        IN_SITU_OF_CERVIX: "no-member",
        LOOK_ALIKE: "no-member",
        HYPERTENSION: "no-member",
        "73211009": "not-known",
    }

    @pytest.mark.parametrize(("code", "end"), ENDS.items())
    def test_each_code_ends_once(self, lookup, ends, code, end):
        lookup.start()
        for _ in range(3):
            lookup.take([code])
        until(lambda: ends)
        lookup.take([code])
        time.sleep(0.05)
        assert ends == [end]
        assert (bool(lookup.meanings), lookup.meanings.keys() <= {(SCT, code)}) == (
            end == "member",
            True,
        )

    def test_a_code_belongs_to_every_set_that_defines_it(self, lookup, stub):
        stub.parents[SARCOMA] = "94602001"
        lookup.start()
        lookup.take([SARCOMA])
        until(lambda: lookup.meanings)
        sets = {"malignancy", "bone-metastasis", "vertebral-metastasis"}
        assert lookup.meanings[SCT, SARCOMA].sets == sets

    def test_a_fault_is_tried_again(self, lookup, ends, stub):
        stub.faults = {"down"}
        lookup.start()
        lookup.take([CHORDOMA, SARCOMA])
        until(lambda: ends.count("failed") > 3)
        assert not lookup.meanings
        stub.faults = set()
        until(lambda: len(lookup.meanings) == 2)

    def test_the_pauses_grow(self, lookup, ends, stub, monkeypatch):
        pauses = []
        monkeypatch.setattr("cds_service.expansion.lookup.sleep", pauses.append)
        stub.faults = {"down"}
        lookup.start()
        lookup.take([CHORDOMA])
        until(lambda: len(pauses) > 4)
        stub.faults = set()
        until(lambda: "member" in ends)
        assert pauses[:4] == [0.01, 0.02, 0.04, 0.05]

    def test_the_queue_is_bounded(self, stub, ends, monkeypatch):
        monkeypatch.setattr(lookup, "MOST_WAITING", 2)
        server = TerminologyServer(stub.address, "", 2)
        waiting = TerminologyLookup(server, hierarchies_of(ROOT / "mappings"), ends.append)
        waiting.take([CHORDOMA, SARCOMA, HYPERTENSION])
        assert ends == ["full"]
        waiting.start()
        until(lambda: len(ends) == 3)
        waiting.take([HYPERTENSION])
        until(lambda: len(ends) == 4)

    def test_the_memory_is_bounded(self, lookup, ends, monkeypatch):
        monkeypatch.setattr("cds_service.expansion.lookup.MOST_REMEMBERED", 2)
        lookup.start()
        for number, code in enumerate([CHORDOMA, SARCOMA, MELANOMA_OF_BREAST], 1):
            lookup.take([code])
            until(lambda n=number: len(ends) == n)
        assert set(lookup.meanings) == {(SCT, SARCOMA), (SCT, MELANOMA_OF_BREAST)}


@pytest.mark.parametrize("code", [CHORDOMA, "690141000119103"])
def test_a_concept(code):
    assert is_concept(code)


@pytest.mark.parametrize(
    "code", ["", "447730005", "5551234567", "Maria", "4477 30004", "٤٤٧٧٣٠٠٠٤", "0447730004"]
)
def test_no_concept(code):
    assert not is_concept(code)
