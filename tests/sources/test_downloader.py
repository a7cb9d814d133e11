"""The contract of a downloader, on the fake that the tests of other rooms use."""

import pytest

from soundforge.sources import Downloader
from tests.sources.contract_downloader import DownloaderContract
from tests.support.fakes_downloader import FakeDownloader


class TestFakeDownloader(DownloaderContract):
    @pytest.fixture
    def downloader(self) -> Downloader:
        return FakeDownloader()
