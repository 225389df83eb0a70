"""Which machines may be asked: none that only answers who is on this one.

An address in a declaration is a domain team's word; the connection of its host is the operator's.
So loopback and link-local addresses, where a cloud keeps its metadata and keys, are refused
unless a connection names their host.
"""

from __future__ import annotations

import ipaddress
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from dataops_mesh.fetch.faults import Refusal

_METADATA = tuple(
    map(ipaddress.ip_network, ("100.100.100.200/32", "192.0.0.0/24", "fd00:ec2::254/128"))
)


def refused(address: str) -> bool:
    """Tell whether an address is one that only this machine, or its cloud, answers.

    >>> refused("127.0.0.1"), refused("169.254.169.254"), refused("::ffff:127.0.0.1")
    (True, True, True)
    >>> refused("10.2.3.4"), refused("data.example")
    (False, False)
    """
    try:
        found = ipaddress.ip_address(address.strip("[]").partition("%")[0])
    except ValueError:
        return False  # a name: looked at once it is connected
    found = getattr(found, "ipv4_mapped", None) or found
    inside = found.is_loopback or found.is_link_local or found.is_unspecified or found.is_multicast
    return inside or any(found in network for network in _METADATA)


def require_reachable(address: str) -> None:
    """Make sure that an address may be asked.

    Raises:
        Refusal: it may not.
    """
    if refused(address):
        what = "leads to an address of this machine or of its cloud's metadata"
        raise Refusal(what, "if it is meant, name a connection with this host (docs/sources.md)")


class _HTTP(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        require_reachable(_peer(self.sock))


class _HTTPS(HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        require_reachable(_peer(self.sock))


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _HTTP


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _HTTPS


class _Outside(HTTPAdapter):
    """Looks at whom it is connected to before it says anything: a name may lead anywhere."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}


def session(*, anywhere: bool) -> requests.Session:
    """Return a session that takes no password from the machine it runs on.

    Args:
        anywhere: the operator named this host, so it may be any.
    """
    made = requests.Session()
    made.trust_env = False
    if not anywhere:
        for scheme in ("http://", "https://"):
            made.mount(scheme, _Outside())
    return made


def _peer(sock: Any) -> str:
    return str(sock.getpeername()[0]) if sock is not None else ""
