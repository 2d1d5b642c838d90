"""Silent mode: all is evaluated and kept, and nothing, or less, is shown."""

import json
import time

import pytest

from cds_service import create_app
from cds_service.access.clients import ClientsError, read_clients
from cds_service.hook import answer_hook
from cds_service.settings import Settings
from cds_service.silence import Silence, what_can_be_silenced
from cds_service.store.database import Database
from tests.small_world import (
    CAUDA_EQUINA,
    DISCITIS,
    FRACTURE,
    MRI_LUMBAR_W,
    MRI_LUMBAR_WO,
    PACEMAKER,
    PAIN,
    device,
    hook_call,
    hook_request,
    order,
    topic,
)
from tests.store.rows import kept
from tests.test_access import BASE, ISSUER, call, clients_file, token

POOR = order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN))
GOOD = order(MRI_LUMBAR_WO, reasons=(FRACTURE, PAIN))
IMPLANT = {"devices": [device(PACEMAKER)]}


def answered(draft, silence, **chart):
    return answer_hook(hook_call(hook_request(draft, **chart), silence=silence), topic()).body


def cards(draft, *silent_for, **chart):
    return len(answered(draft, Silence(of=frozenset(silent_for)), **chart)["cards"])


class TestEverything:
    def test_neither_card_nor_rating_goes_out(self):
        assert answered(POOR, Silence(everything=True)) == {"cards": []}
        assert answered(GOOD, Silence(everything=True)) == {"cards": []}

    def test_the_rating_goes_out_if_it_is_wanted(self):
        body = answered(POOR, Silence(everything=True, ratings=True))
        assert body["cards"] == []
        assert len(body["systemActions"]) == 1

    def test_an_old_rating_is_not_touched_either(self):
        rated = answered(POOR, Silence())["systemActions"][0]["resource"]
        no_longer_ours = {**rated, "code": {"text": "something else"}}
        assert answered(no_longer_ours, Silence())["systemActions"]
        assert answered(no_longer_ours, Silence(everything=True)) == {"cards": []}


class TestVariantsAndRules:
    def test_a_variant(self):
        assert cards(POOR) == 1
        assert cards(POOR, "variant-1") == 0
        assert cards(POOR, "variant-2", "gadolinium") == 1

    def test_of_several_variants_all_must_be_silenced(self):
        open_question = {"without": ("procedures",)}
        assert cards(POOR, "variant-1", **open_question) == 1
        assert cards(POOR, "variant-1", "variant-3", **open_question) == 0

    def test_a_rule_that_alone_asks_for_the_card(self):
        assert cards(GOOD, **IMPLANT) == 1
        assert cards(GOOD, "mri-implant", **IMPLANT) == 0
        assert cards(GOOD, "variant-1", **IMPLANT) == 1

    def test_a_rule_and_a_variant_that_both_ask_for_it(self):
        assert cards(POOR, "variant-1", **IMPLANT) == 1
        assert cards(POOR, "mri-implant", **IMPLANT) == 1
        assert cards(POOR, "variant-1", "mri-implant", **IMPLANT) == 0

    def test_what_is_outside_the_scope(self):
        infected = order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN, DISCITIS))
        assert cards(infected, "variant-1") == 1
        assert cards(infected, "infection") == 0

    def test_silencing_every_variant_leaves_the_cord_rule(self):
        variants = [v.id for v in topic().guideline.variants]
        urgent = order(MRI_LUMBAR_WO, reasons=(FRACTURE, PAIN, CAUDA_EQUINA))
        assert cards(urgent, *variants) == cards(urgent)


class TestClientsFile:
    TABLE = f'[a]\niss = ["{ISSUER}"]\njwks = "keys.json"\n'

    def test_a_misspelled_name_is_told(self, tmp_path):
        file = clients_file(tmp_path, self.TABLE + 'silent_for = ["variant-1", "variant-10"]\n')
        with pytest.raises(ClientsError, match=r"line 4: a\.silent_for: variant-10 is no variant"):
            read_clients(file, what_can_be_silenced([topic()]))

    def test_a_silent_client_is_told_nothing_and_all_is_kept(self, tmp_path):
        file = clients_file(tmp_path, self.TABLE + "silent = true\n")
        data = tmp_path / "data"
        settings = Settings(open=False, store=True, clients=file, data=data, public_url=BASE)
        app = create_app(settings)
        answer = call(app.test_client(), token())
        assert json.loads(answer.data) == {"cards": []}
        app.extensions["store"].finish()
        database = Database("", data)
        (row,) = kept(database, "decisions")
        assert (row["shown"], row["hidden"]) == (False, "silent")
        assert (row["category"], row["indicator"]) == ("usually-not-appropriate", "warning")
        assert row["day"] == int(time.time() // 86_400)
        database.close()
