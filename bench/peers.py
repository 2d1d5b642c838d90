"""Other services of CDS Hooks with a fixed card, where they can be had on this machine.

HealthChain comes from PyPI, into a virtual environment of its own. The demo service of the public
Sandbox (https://github.com/cds-hooks/sandbox-cds-services) is in no registry: a checkout of it, in
which `npm install` was run and the limit of `bodyParser.json` raised, is named with `--node`.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from bench.servers import ROOT, WORKERS, Server

HEALTHCHAIN = "healthchain==0.16.1"
HEALTHCHAIN_APP = """
from healthchain.gateway import CDSHooksService, HealthChainAPI
from healthchain.models import CDSRequest, CDSResponse

service = CDSHooksService()


@service.hook("order-select", id="fixed")
def answer(request: CDSRequest) -> CDSResponse:
    source = {"label": "HealthChain"}
    return CDSResponse(cards=[{"summary": "A card", "indicator": "info", "source": source}])


app = HealthChainAPI()
app.register_service(service, path="/cds")
"""


def peers(healthchain: int, node: int, checkout: Path | None, folder: Path) -> list[Server]:
    """Those that can be had, on these ports; of the others it is said why not."""
    found = [_healthchain(healthchain, folder), _node(node, checkout)]
    return [server for server in found if server]


def _healthchain(port: int, folder: Path) -> Server | None:
    environment = ROOT / ".venv" / "healthchain"
    python = environment / "bin" / "python"
    commands = (
        [sys.executable, "-m", "venv", str(environment)],
        [str(python), "-m", "pip", "install", "--quiet", HEALTHCHAIN],
    )
    for command in commands if not (environment / "bin" / "uvicorn").exists() else ():
        if subprocess.run(command, capture_output=True, check=False).returncode:  # noqa: S603
            print(f"HealthChain is not measured: {' '.join(command)} failed", file=sys.stderr)
            return None
    (folder / "healthchain_app.py").write_text(HEALTHCHAIN_APP)
    command = (str(python), "-m", "uvicorn", "healthchain_app:app", "--port", str(port),
               "--workers", str(WORKERS), "--log-level", "warning", "--no-access-log")  # fmt: skip
    path = "/cds/cds-services/fixed"
    return Server("healthchain", port, command, folder, ready="/docs", path=path)


def _node(port: int, checkout: Path | None) -> Server | None:
    program = shutil.which("node")
    if checkout is None or program is None:
        print("The node demo is not measured: name its checkout with --node", file=sys.stderr)
        return None
    environment, path = {"PORT": str(port)}, "/cds-services/pama-imaging"
    command = (program, "server.js")
    return Server("node", port, command, checkout, environment, "/cds-services", path=path)
