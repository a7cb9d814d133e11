"""The room's downloader with the real spotdl and yt-dlp, from a local server in the place of the sites."""

from collections.abc import Iterator

import pytest

from soundforge.sources import Downloader
from tests.sources.contract_downloader import DownloaderContract
from tests.support.real_downloader import real_downloader
from tests.support.shelf_server import ShelfServer, shelf_server

pytestmark = [pytest.mark.engines, pytest.mark.needs("downloader"), pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def server() -> Iterator[ShelfServer]:
    with shelf_server() as running:
        yield running


class TestRealDownloader(DownloaderContract):
    @pytest.fixture
    def downloader(self, server: ShelfServer) -> Downloader:
        return real_downloader(server)
