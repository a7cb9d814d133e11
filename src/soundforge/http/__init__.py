"""The one HTTP client: every request that leaves this process goes through ``http.client``."""

import httpx2
from httpx2 import AsyncClient as Client

from soundforge.http._addresses import Resolve, is_public
from soundforge.http._client import client
from soundforge.http._guard import GuardedTransport
from soundforge.http._services import HTTP_SERVICES, Service

type Response = httpx2.Response
type Transport = httpx2.AsyncBaseTransport

__all__ = [
    "HTTP_SERVICES",
    "Client",
    "GuardedTransport",
    "Resolve",
    "Response",
    "Service",
    "Transport",
    "client",
    "is_public",
]
