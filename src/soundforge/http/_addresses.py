"""Names to addresses, and which addresses are out in the open."""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable

type Resolve = Callable[[str, int], Awaitable[list[str]]]

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# What Python's table takes for global, in some of its versions or in all, and is not: protocol assignments (a cloud's
# metadata among them), relays of 6to4, sites of old, documentation.
_NOT_OPEN = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "fec0::/10", "3fff::/20")))


async def look_up(host: str, port: int) -> list[str]:
    """Ask the system for the addresses of ``host``, best first."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def is_public(text: str) -> bool:
    """Whether an address belongs to the open internet: not this machine, this house, a cloud's metadata."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        if address.teredo or address.sixtofour:  # tunnels that nobody needs and that hide where they lead
            return False
        if inner := _inner_ipv4(address):
            address = inner
    if any(address in network for network in _NOT_OPEN):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _inner_ipv4(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Find the IPv4 address that a mapped or translated IPv6 one really leads to."""
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped
