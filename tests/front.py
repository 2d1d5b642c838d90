"""nginx with the file that we ship, on a port of this machine."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from socket import create_connection

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DEPLOY = Path(__file__).parent.parent / "deploy"
HOST = "127.0.0.1"
PATIENCE_SECONDS = 20
DAY = timedelta(days=1)
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


@dataclass(frozen=True)
class Front:
    """Where it listens, its certificate, the folder with its logs, and the id of its process."""

    port: int
    certificate: Path
    folder: Path
    process: int

    def take_out(self, service: int) -> None:
        """As an operator does before an upgrade: what comes from now on goes to the others."""
        self._change(f"server {HOST}:{service};", f"server {HOST}:{service} down;")

    def take_back(self, service: int) -> None:
        self._change(f"server {HOST}:{service} down;", f"server {HOST}:{service};")

    def _change(self, before: str, after: str) -> None:
        """Changes the file, and waits until all that came by the old one is answered."""
        file = self.folder / "nginx.conf"
        file.write_text(file.read_text("utf-8").replace(before, after), "utf-8")
        workers = children_of(self.process)
        os.kill(self.process, signal.SIGHUP)
        until = time.monotonic() + PATIENCE_SECONDS
        while workers & children_of(self.process):
            if time.monotonic() > until:
                raise TimeoutError("nginx does not take its file anew")
            time.sleep(0.02)

    @property
    def log(self) -> str:
        """All that it wrote."""
        return "".join(file.read_text("utf-8") for file in sorted(self.folder.glob("*.log")))


@contextmanager
def front(folder: Path, port: int, *services: int) -> Iterator[Front]:
    """nginx on a port of this machine, before the service on others, while the block runs."""
    certificate = certified(folder / "tls")
    shutil.copy(DEPLOY / "ehr-addresses.conf", folder)
    file, text = folder / "nginx.conf", (DEPLOY / "nginx.conf").read_text("utf-8")
    file.write_text(placed(text, folder, port, services), "utf-8")
    command = [NGINX, "-p", str(folder), "-c", str(file), "-g", "daemon off;"]
    with (folder / "start.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603  our own command
    try:
        wait_for(port)
        yield Front(port, certificate, folder, process.pid)
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def placed(text: str, folder: Path, port: int, services: Iterable[int]) -> str:
    """The file as it is, but for its ports and folders."""
    changed = {
        "listen 8443 ": f"listen {HOST}:{port} ",
        "server 127.0.0.1:8000;": "\n".join(f"server {HOST}:{service};" for service in services),
        "/etc/nginx": str(folder),
        "/var/log/nginx": str(folder),
        "/run/nginx.pid": str(folder / "nginx.pid"),
        "/dev/shm/nginx-body": f"/dev/shm/nginx-body-{port}",  # noqa: S108  as in the file
    }
    for shipped, here in changed.items():
        if shipped not in text:
            raise ValueError(f"nginx.conf has no {shipped}")
        text = text.replace(shipped, here)
    return text


def children_of(process: int) -> set[int]:
    """The processes that it started and that are there."""
    text = Path(f"/proc/{process}/task/{process}/children").read_text("utf-8")
    return {int(number) for number in text.split()}


def wait_for(port: int) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        with suppress(OSError):
            create_connection((HOST, port)).close()
            return
        time.sleep(0.02)
    raise TimeoutError(f"nginx does not listen on {port}")


def certified(folder: Path) -> Path:
    """Makes the two files that nginx reads; gives that of the certificate."""
    folder.mkdir(exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    (folder / "tls.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    file = folder / "tls.crt"
    file.write_bytes(signed(key).public_bytes(serialization.Encoding.PEM))
    return file


def signed(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    now = datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - DAY).not_valid_after(now + DAY)
    return builder.add_extension(names, critical=False).sign(key, hashes.SHA256())


def head(path: str, length: int) -> bytes:
    """The headers of a POST, without the empty line that ends them."""
    lines = (
        f"POST {path} HTTP/1.1",
        f"Host: {HOST}",
        "Content-Type: application/json",
        f"Content-Length: {length}",
    )
    return ("\r\n".join(lines) + "\r\n").encode()
