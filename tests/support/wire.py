"""How many bytes a browser's page received over its event streams, as the browser's own network stack counts them."""

from dataclasses import dataclass, field
from typing import Any, Self

from playwright.async_api import Page

from tests.support.browser import settled

PING = b"event: ping\n\n"
_READ = """() => {
  const bytes = new TextEncoder();
  return window.heard.reduce((sum, message) => sum + bytes.encode(message).length + 2, 0);
}"""


@dataclass
class Wire:
    """The event streams of one page."""

    page: Page
    received: int = 0
    open: set[str] = field(default_factory=set)  # streams that have not ended
    begun: int = 0

    @classmethod
    async def of(cls, page: Page) -> Self:
        """Listen to a page that is not opened yet."""
        wire = cls(page)
        devtools = await page.context.new_cdp_session(page)
        devtools.on("Network.responseReceived", wire._begin)
        devtools.on("Network.dataReceived", wire._count)
        devtools.on("Network.loadingFinished", wire._end)
        devtools.on("Network.loadingFailed", wire._end)
        await devtools.send("Network.enable")
        return wire

    async def told(self) -> int:
        """Bytes on the wire that were more than signs of life, once the page has read all that came."""

        async def read() -> bool:
            return self.received - await self.pings() * len(PING) == await self.page.evaluate(_READ)

        await settled(read)
        return self.received - await self.pings() * len(PING)

    async def pings(self) -> int:
        """How many signs of life came."""
        count: int = await self.page.evaluate("window.pings")
        return count

    def _begin(self, event: dict[str, Any]) -> None:
        if event["response"]["mimeType"] == "text/event-stream":
            self.open.add(event["requestId"])
            self.begun += 1

    def _count(self, event: dict[str, Any]) -> None:
        if event["requestId"] in self.open:
            self.received += event["dataLength"]

    def _end(self, event: dict[str, Any]) -> None:
        self.open.discard(event["requestId"])
