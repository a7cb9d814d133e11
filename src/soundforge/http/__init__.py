"""The one HTTP client, and the gate that other programs go through: what leaves goes to a closed list of hosts."""

import httpx2
from httpx2 import AsyncClient as Client

from soundforge.http._addresses import Resolve, is_public
from soundforge.http._client import client
from soundforge.http._gate import Connect, Gate, open_gate
from soundforge.http._guard import GuardedTransport
from soundforge.http._services import HTTP_SERVICES, Service

type Response = httpx2.Response
type Transport = httpx2.AsyncBaseTransport

__all__ = [
    "HTTP_SERVICES",
    "Client",
    "Connect",
    "Gate",
    "GuardedTransport",
    "Resolve",
    "Response",
    "Service",
    "Transport",
    "client",
    "is_public",
    "open_gate",
]
