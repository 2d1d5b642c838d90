"""Every file of `deploy/` is run, or checked by the tool that reads it; else it is skipped."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import pytest
import requests
import yaml
from prometheus_client import REGISTRY

from cds_service import create_app
from cds_service.about import VERSION
from cds_service.secret_files import SECRETS
from cds_service.settings import Settings
from cds_service.web import metrics
from tests.small_world import ROOT
from tests.test_docs import CONFIGURATION
from tests.test_gunicorn import free_port

DEPLOY = ROOT / "deploy"
CONTAINERFILE = (DEPLOY / "Containerfile").read_text("utf-8")
UNIT = DEPLOY / "systemd" / "cds-service.service"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
PROMETHEUS = DEPLOY / "prometheus"
DASHBOARD = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text("utf-8"))
# The oldest that lets a pod wait without a shell (lifecycle.preStop.sleep), to the newest.
KUBERNETES = ("1.30", "1.33", "1.37")
IMAGE_BASE = os.environ.get("TEST_IMAGE_BASE", "")
MOST_EXPOSED = "20"  # of 100, as systemd counts
START_SECONDS = 120
BIN = Path(sys.executable).parent


def ran(*command, **more):
    """What a command said. Skips where there is no such command, fails where it fails."""
    found = shutil.which(str(command[0]), path=f"{BIN}:{os.environ['PATH']}")
    if not found:
        pytest.skip(f"{command[0]} is not installed: this was not tried")
    done = subprocess.run(  # noqa: S603  our own commands
        [found, *map(str, command[1:])], capture_output=True, text=True, check=False, **more
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


class TestContainer:
    def test_its_instructions_are_sound(self):
        ran("hadolint", DEPLOY / "Containerfile")

    def test_no_instruction_at_run_time_needs_a_shell(self):
        last = CONTAINERFILE.rpartition("\nFROM ")[2]
        assert not re.search(r"^RUN", last, re.MULTILINE)
        for started in re.findall(r"^(?:ENTRYPOINT|CMD|    CMD) (.*)", last, re.MULTILINE):
            assert isinstance(json.loads(started), list)

    def test_it_runs_as_nobody_in_particular(self):
        assert "\nUSER 10001:10001\n" in CONTAINERFILE

    def test_what_is_installed_is_pinned_with_hashes(self):
        for command in re.findall(r"pip [^&]*?install [^&]*", CONTAINERFILE):
            assert "--require-hashes" in command or "--no-deps /wheel/" in command

    def test_the_bill_of_materials_names_each_library_of_the_lock_file(self):
        command = ["requirements", "--pyproject", "pyproject.toml", "requirements.txt"]
        said = ran("cyclonedx-py", *command, cwd=ROOT)
        made = json.loads(said[said.index("{") : said.rindex("}") + 1])
        pinned = re.findall(r"^([\w.-]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
        assert sorted(part["name"] for part in made["components"]) == sorted(pinned)

    @pytest.mark.slow
    def test_it_is_built_and_answers_on_a_read_only_root(self):
        if not IMAGE_BASE:
            pytest.skip("no image was built: TEST_IMAGE_BASE names no image with Python 3.11")
        name = f"cds-service-{uuid4().hex[:8]}"
        build = ("build", "--quiet", "--format", "docker", "--build-arg", f"BASE={IMAGE_BASE}")
        ran("podman", *build, "--file", DEPLOY / "Containerfile", "--tag", name, ROOT)
        try:
            with container(name) as base:
                assert requests.get(f"{base}/ready", timeout=30).json()["status"] == "ready"
            assert VERSION in ran("podman", "run", "--rm", name, "--version")
        finally:
            ran("podman", "rmi", "--force", name)


@contextmanager
def container(image):
    """A container of the image in open mode, with as little as it needs; gives its address."""
    port = free_port()
    least = ("--read-only", "--tmpfs", "/tmp", "--network", "host", "--cap-drop", "all")  # noqa: S108
    settings = ("--env", "CDS_AUTH=open", "--env", f"PORT={port}")
    ran("podman", "run", "--detach", "--name", image, *least, *settings, image)
    base, until = f"http://127.0.0.1:{port}", time.monotonic() + START_SECONDS
    try:
        while time.monotonic() < until:
            with suppress(requests.ConnectionError):
                requests.get(f"{base}/health", timeout=5)
                break
            time.sleep(0.5)
        yield base
    finally:
        ran("podman", "rm", "--force", image)


class TestCompose:
    COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))

    def test_it_is_as_the_schema_says(self):
        schema = "vendor.compose-spec"
        ran("check-jsonschema", "--builtin-schema", schema, DEPLOY / "compose.yaml")

    def test_every_secret_is_a_file_that_the_service_reads(self):
        service = self.COMPOSE["services"]["service"]
        given = {key: value for key, value in service["environment"].items() if "_FILE" in key}
        assert {name.removesuffix("_FILE") for name in given} <= set(SECRETS)
        assert {value.removeprefix("/run/secrets/") for value in given.values()} == set(
            service["secrets"]
        )
        assert all("file" in secret for secret in self.COMPOSE["secrets"].values())
        assert not set(SECRETS) & set(service["environment"])

    def test_only_nginx_can_be_reached_and_nothing_writes_to_a_root(self):
        services = self.COMPOSE["services"]
        assert services["nginx"]["network_mode"] == "service:service"
        assert "--bind 127.0.0.1:" in services["service"]["environment"]["GUNICORN_CMD_ARGS"]
        assert all(service["read_only"] for service in services.values())
        assert [name for name, service in services.items() if "ports" in service] == ["service"]

    def test_every_image_is_pinned_but_our_own(self):
        for service in self.COMPOSE["services"].values():
            assert service["image"] == "cds-service" or re.search(r":\d+\.\d+", service["image"])


class TestKubernetes:
    PARTS = [part for file in MANIFESTS for part in yaml.safe_load_all(file.read_text("utf-8"))]

    @pytest.mark.parametrize("version", KUBERNETES)
    def test_the_manifests_are_as_kubernetes_has_them(self, version):
        ran("kubernetes-validate", "-k", version, "--strict", *MANIFESTS)

    def test_everything_is_there(self):
        assert {part["kind"] for part in self.PARTS} == {
            "ConfigMap", "Deployment", "HorizontalPodAutoscaler", "Job", "NetworkPolicy",
            "PodDisruptionBudget", "Secret", "Service",
        }  # fmt: skip

    def test_every_container_is_bounded_and_may_do_the_least(self):
        pods = [
            p["spec"]["template"]["spec"] for p in self.PARTS if p["kind"] in ("Deployment", "Job")
        ]
        for container in (each for pod in pods for each in pod["containers"]):
            assert container["resources"]["limits"]["memory"]
            allowed = container["securityContext"]
            assert allowed["readOnlyRootFilesystem"]
            assert not allowed["allowPrivilegeEscalation"]
            assert allowed["capabilities"] == {"drop": ["ALL"]}

    def test_what_is_named_is_there(self):
        """But for the two that are made of files: nginx.conf and the certificate."""
        made = {(p["kind"], p["metadata"]["name"]) for p in self.PARTS}
        text = "\n".join(file.read_text("utf-8") for file in MANIFESTS)
        for kind, name in re.findall(
            r"(configMap|secret)(?:Ref)?: \{(?:secretN|n)ame: ([\w-]+)", text
        ):
            there = (f"{kind[0].upper()}{kind[1:]}", name) in made
            assert there or name in ("cds-nginx", "cds-tls")

    def test_the_images_of_the_service_have_the_version_of_the_package(self):
        text = "\n".join(file.read_text("utf-8") for file in MANIFESTS)
        assert set(re.findall(r"/cds-service:(\S+)", text)) == {VERSION}

    def test_settings_and_secrets_have_names_of_ours(self):
        for part in self.PARTS:
            for name in part.get("stringData", {}) | part.get("data", {}):
                assert name == "clients.toml" or f"| `{name}` |" in CONFIGURATION


class TestNginx:
    """The one nginx.conf, as it is mounted by the others."""

    CONF = (DEPLOY / "nginx.conf").read_text("utf-8")
    POD = next(p for p in TestKubernetes.PARTS if p["kind"] == "Deployment")["spec"]["template"]
    LISTENS = int(re.search(r"listen (\d+) ssl", CONF)[1])
    ASKS = int(re.search(r"server 127\.0\.0\.1:(\d+);", CONF)[1])
    READS = {f"/etc/nginx/{file}" for file in ("nginx.conf", "ehr-addresses.conf", "tls")}

    def test_compose_has_its_ports_and_files(self):
        services = TestCompose.COMPOSE["services"]
        front, service = services["nginx"], services["service"]
        assert service["ports"] == [f"443:{self.LISTENS}"]
        assert service["environment"]["GUNICORN_CMD_ARGS"].endswith(f":{self.ASKS}")
        mounted = {volume.split(":")[1] for volume in front["volumes"]}
        mounted |= {secret["target"].rpartition("/")[0] for secret in front["secrets"]}
        assert mounted == self.READS
        assert {s["target"] for s in front["secrets"]} == set(
            re.findall(r"/\S+/tls\.\w+", self.CONF)
        )

    def test_kubernetes_has_its_ports_and_files(self):
        service, front = self.POD["spec"]["containers"]
        assert [port["containerPort"] for port in front["ports"]] == [self.LISTENS]
        assert [port["containerPort"] for port in service["ports"]] == [self.ASKS]
        mounted = {mount["mountPath"] for mount in front["volumeMounts"]}
        assert mounted >= self.READS | {"/dev/shm"}  # noqa: S108  where bodies wait
        (policy,) = (p for p in TestKubernetes.PARTS if p["kind"] == "NetworkPolicy")
        open_ports = [p["ports"][0]["port"] for p in policy["spec"]["ingress"]]
        assert open_ports == [self.LISTENS, self.ASKS]

    def test_the_image_listens_where_it_asks(self):
        assert f"PORT={self.ASKS}\n" in CONTAINERFILE


class TestSystemd:
    def test_the_unit_is_sound(self, tmp_path):
        ran("systemd-analyze", "verify", self.tried(tmp_path))

    def test_little_of_the_machine_is_open_to_it(self, tmp_path):
        command = ["security", "--offline=true", f"--threshold={MOST_EXPOSED}"]
        ran("systemd-analyze", *command, self.tried(tmp_path))

    def tried(self, folder):
        """The unit with a command that is on this machine."""
        unit = folder / UNIT.name
        command = "/opt/cds-service/bin/cds-service serve"
        assert f"ExecStart={command}\n" in UNIT.read_text("utf-8")
        unit.write_text(UNIT.read_text("utf-8").replace(command, "/bin/true"))
        return unit


def metric_names():
    """The names under which Prometheus sees what `metrics` counts."""
    assert metrics.REQUESTS
    for family in REGISTRY.collect():
        if family.type == "counter":
            yield f"{family.name}_total"
        elif family.type == "histogram":
            yield from (f"{family.name}_{part}" for part in ("bucket", "sum", "count"))
        else:
            yield family.name


class TestPrometheus:
    RULES = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text("utf-8"))["groups"][0]["rules"]

    def test_the_rules_are_sound_and_fire_when_they_should(self):
        ran("promtool", "check", "rules", "alerts.yml", cwd=PROMETHEUS)
        ran("promtool", "test", "rules", "alerts-test.yml", cwd=PROMETHEUS)

    def test_the_example_is_sound(self):
        ran("promtool", "check", "config", "--syntax-only", "prometheus.yml", cwd=PROMETHEUS)

    def test_each_alert_is_tried(self):
        tried = (PROMETHEUS / "alerts-test.yml").read_text("utf-8")
        for rule in self.RULES:
            assert f'alertname="{rule["alert"]}"' in tried

    def test_alerts_and_dashboard_are_of_metrics_that_there_are(self):
        expressions = [rule["expr"] for rule in self.RULES] + dashboard_expressions()
        known = set(metric_names())
        for name in re.findall(r"\bcds_\w+", "\n".join(expressions)):
            assert name in known

    def test_routes_and_jobs_are_named_as_they_are(self):
        text = "\n".join([rule["expr"] for rule in self.RULES] + dashboard_expressions())
        rules = create_app(Settings()).url_map.iter_rules()
        assert set(re.findall(r'route="([^"]+)"', text)) <= {rule.rule for rule in rules}
        jobs = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text("utf-8"))["scrape_configs"]
        assert set(re.findall(r'job="([^"]+)"', text)) == {job["job_name"] for job in jobs}


class TestGrafana:
    def test_each_expression_is_one_of_prometheus(self, tmp_path):
        rules = [
            {"record": f"r{number}", "expr": expr.replace("$__rate_interval", "5m")}
            for number, expr in enumerate(dashboard_expressions())
        ]
        file = tmp_path / "rules.yml"
        file.write_text(json.dumps({"groups": [{"name": "all", "rules": rules}]}))
        ran("promtool", "check", "rules", file)

    def test_panels_have_numbers_of_their_own_and_do_not_overlap(self):
        panels = DASHBOARD["panels"]
        assert len({panel["id"] for panel in panels}) == len(panels)
        assert len({(p["gridPos"]["x"], p["gridPos"]["y"]) for p in panels}) == len(panels)


def dashboard_expressions():
    return [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


def test_every_file_is_checked_by_a_test_here():
    checked = {
        "Containerfile", "compose.yaml", "nginx.conf", "nginx-memory.conf", "ehr-addresses.conf",
        "cds-service.service", "dashboard.json",
        "prometheus.yml", "alerts.yml", "alerts-test.yml", "README.md",
        *(file.name for file in MANIFESTS),
    }  # fmt: skip
    assert {file.name for file in DEPLOY.rglob("*") if file.is_file()} <= checked
