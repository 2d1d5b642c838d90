"""To which FHIR servers the service may connect, checked by name and again by address.

The caller of a hook chooses `fhirServer`, so it is not trusted: only servers that the operator
names are called, and a name is resolved once, by the code that connects to the result.
"""

import socket
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
COMPATIBLE = IPv6Network("::/96")
NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))


@dataclass(frozen=True)
class AllowedServers:
    """`servers` are base addresses; `loopback` allows any server on this machine (for trying
    things out); `private` says that the named servers may be in the private network.
    """

    servers: frozenset[str] = frozenset()
    loopback: bool = False
    private: bool = False

    def permits(self, base: str) -> bool:
        """Whether a base address may be called at all."""
        try:
            parts = urlsplit(base)
            host = parts.hostname or ""
            known_port = parts.port is None or parts.port > 0
        except ValueError:
            return False
        if parts.query or parts.fragment or "@" in parts.netloc or not known_port:
            return False
        if self.loopback and host in LOOPBACK_NAMES:
            return parts.scheme in ("http", "https")
        return parts.scheme == "https" and base.rstrip("/") in self.servers

    def permits_address(self, address: str) -> bool:
        """Whether a name may lead to this address."""
        ip = _plain(ip_address(address))
        if ip.is_loopback:
            return self.loopback
        if ip.is_link_local or ip.is_multicast or ip.is_unspecified or _is_old(ip):
            return False
        return ip.is_global or (self.private and ip.is_private)


def addresses_of(host: str, port: int) -> list[str]:
    """All addresses that a name leads to. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [entry[4][0] for entry in found]


@dataclass(frozen=True)
class FhirServer:
    """The server of a hook call and the token for it, which is sent to this origin only."""

    base: str
    token: str = field(default="", repr=False)

    @property
    def origin(self) -> str:
        parts = urlsplit(self.base)
        return f"{parts.scheme}://{parts.netloc}"

    def address(self, path: str) -> str:
        return f"{self.base.rstrip('/')}/{path}"


def _plain(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """An IPv4 address written as IPv6 counts as what it is: mapped, compatible, of 6to4 (RFC 3056)
    or of NAT64 (RFC 6052, with the prefix of RFC 8215, too).
    """
    if isinstance(ip, IPv4Address):
        return ip
    if ip in COMPATIBLE and int(ip) > 1 or any(ip in network for network in NAT64):
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or ip


def _is_old(ip: IPv4Address | IPv6Address) -> bool:
    """Site-local (RFC 3879) and Teredo (RFC 4380) addresses lead nobody knows where."""
    return isinstance(ip, IPv6Address) and (ip.is_site_local or ip.teredo is not None)
