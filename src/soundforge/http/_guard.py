"""The check on every request that leaves, and on every answer that comes back."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator

import httpx2

from soundforge import logs
from soundforge.http._addresses import Resolve, is_public, look_up
from soundforge.http._failures import away, in_our_words, private_address, too_large, unreadable, wrong_host
from soundforge.http._services import Service

_log = logs.get(__name__)
_HTTPS_PORTS = (None, 443)
_TRIED_ADDRESSES = 3


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Lets through what a service's row allows, and nothing else.

    The name is looked up here, once, and the connection goes to the very address that was checked: a
    name that answers differently the next time gains nothing.
    """

    def __init__(
        self, service: Service, *, inner: httpx2.AsyncBaseTransport | None = None, resolve: Resolve | None = None
    ) -> None:
        """``inner`` takes the network's place; names are then looked up only by a given ``resolve``."""
        self._service = service
        self._resolve = resolve or (None if inner else look_up)
        # One pool a host: a pool tells connections apart by address alone, and two hosts may share one.
        self._pools: defaultdict[str, httpx2.AsyncBaseTransport]
        self._pools = defaultdict(lambda: inner or httpx2.AsyncHTTPTransport())

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Check, send, and bound the answer in size and time."""
        self._check_target(request.url)
        started = time.monotonic()
        deadline = asyncio.get_running_loop().time() + self._service.total_s
        with in_our_words(self._service):
            async with asyncio.timeout_at(deadline):
                response = await self._send(request)
        self._log(request, response, started)
        await self._check_answer(response)
        response.stream = _BoundedStream(response.stream, self._service, deadline)
        return response

    async def aclose(self) -> None:
        """Close every connection."""
        for pool in self._pools.values():
            await pool.aclose()

    async def _send(self, request: httpx2.Request) -> httpx2.Response:
        inner = self._pools[request.url.host]
        if self._resolve is None:
            return await inner.handle_async_request(request)
        *spare, last = await self._addresses(self._resolve, request.url)
        for address in spare:
            try:
                return await inner.handle_async_request(_pinned(request, address))
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                continue  # nothing was sent yet; the next address may answer
        return await inner.handle_async_request(_pinned(request, last))

    async def _addresses(self, resolve: Resolve, url: httpx2.URL) -> list[str]:
        try:
            found = await resolve(url.host, url.port or 443)
        except OSError as error:
            raise away(self._service, f"{url.host}: {error}") from error
        if not found:
            raise away(self._service, f"{url.host} has no address")
        if not self._service.inside and not all(map(is_public, found)):
            raise private_address(self._service, f"{url.host}: {found}")
        return found[:_TRIED_ADDRESSES]

    def _check_target(self, url: httpx2.URL) -> None:
        known = self._service.has_host(url.host) and not url.userinfo
        safe = url.scheme == "https" and url.port in _HTTPS_PORTS
        if not known or not (safe or self._service.inside):
            raise wrong_host(self._service, f"{url.scheme}://{url.host}:{url.port}")

    async def _check_answer(self, response: httpx2.Response) -> None:
        """Refuse what the headers already betray: too large, or packed, so that its size shows too late."""
        packing = response.headers.get("content-encoding", "identity")
        length = response.headers.get("content-length", "0")
        if packing.lower() != "identity":
            await response.aclose()
            raise unreadable(self._service, f"content-encoding {packing!r}")
        if length.isdecimal() and int(length) > self._service.body_bytes:
            await response.aclose()
            raise too_large(self._service)

    def _log(self, request: httpx2.Request, response: httpx2.Response, started: float) -> None:
        """Write one line a request: never the query, the headers or the body, which hold secrets."""
        _log.info(
            "http request",
            service=self._service.name,
            method=request.method,
            host=request.url.host,
            path=request.url.path,
            status=response.status_code,
            took_ms=round((time.monotonic() - started) * 1000),
        )


class _BoundedStream(httpx2.AsyncByteStream):
    """An answer's body that ends in an error where it grows too large or takes too long."""

    def __init__(self, inner: object, service: Service, deadline: float) -> None:
        if not isinstance(inner, httpx2.AsyncByteStream):
            raise TypeError(type(inner))
        self._inner = inner
        self._service = service
        self._deadline = deadline

    async def __aiter__(self) -> AsyncIterator[bytes]:
        seen = 0
        chunks = aiter(self._inner)
        while (chunk := await self._next(chunks)) is not None:
            seen += len(chunk)
            if seen > self._service.body_bytes:
                raise too_large(self._service)
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _next(self, chunks: AsyncIterator[bytes]) -> bytes | None:
        with in_our_words(self._service):
            async with asyncio.timeout_at(self._deadline):
                return await anext(chunks, None)


def _pinned(request: httpx2.Request, address: str) -> httpx2.Request:
    """Aim a request at an address; its Host header and the name on the certificate stay."""
    return httpx2.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": request.url.host},
    )
