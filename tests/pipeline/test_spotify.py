"""The test of Spotify's credentials, asked for by a page or a command and made by a worker: its cases, told apart."""

from collections.abc import Callable

import pytest

from soundforge import pipeline
from soundforge.config import Settings
from soundforge.db import Database, transaction
from soundforge.http import Client, Service, client
from soundforge.spotify import open_spotify
from tests.support.fake_spotify_clock import QuickClock
from tests.support.fake_spotify_server import FakeSpotifyWire, Told, as_json, error, transport_to
from tests.support.fake_spotify_world import World
from tests.support.workshop import open_workshop

PREMIUM = Told(403, b"Active premium subscription required for the owner of the app.", {"Content-Type": "text/plain"})
QUOTA = as_json({"error": {"status": 429, "message": "Too many requests", "reason": "QUOTA_EXCEEDED"}}, 429)


def answers(told: Told) -> Callable[[FakeSpotifyWire], None]:
    return lambda wire: wire.fail("/v1/", told, times=99)


def is_busy(wire: FakeSpotifyWire) -> None:
    wire.world.busy_s = 86_400


@pytest.mark.parametrize(
    ("secret", "mood", "code", "word"),
    [
        ("its-secret", lambda _wire: None, "works", "answers"),
        ("", lambda _wire: None, "spotify_not_set_up", "client id"),
        ("another", lambda _wire: None, "spotify_refused_credentials", "client id and secret"),
        ("its-secret", answers(PREMIUM), "spotify_premium_needed", "Premium"),
        ("its-secret", is_busy, "spotify_busy", "wait"),
        ("its-secret", answers(QUOTA), "spotify_quota_used", "quota"),
        ("its-secret", answers(error(503, "Service unavailable")), "spotify_away", "trouble"),
    ],
    ids=["works", "not set up", "refused", "premium", "busy", "quota", "away"],
)
async def test_a_worker_tells_how_spotify_answers(
    database: Database, settings: Settings, secret: str, mood: Callable[[FakeSpotifyWire], None], code: str, word: str
) -> None:
    wire = FakeSpotifyWire(World())
    mood(wire)

    def connect(service: Service) -> Client:
        return client(service, transport=transport_to(wire))

    async with (
        open_spotify(None, clock=QuickClock(), connect=connect) as spotify,
        open_workshop(settings, database, spotify=spotify, downloads=0) as workshop,
    ):
        await workshop.set("spotify_client_id", "an-app")
        if secret:
            await workshop.set("spotify_client_secret", secret)
        async with transaction() as session:
            asked = await pipeline.request_spotify_check(session, workshop.owner_id)
        job = await workshop.ended(asked)
        assert (job.status, job.run, job.result["code"]) == ("completed", 1, code)
        assert word in job.result["sentence"]
        assert (job.result["retry_after_s"] or 0) >= (86_400 if code == "spotify_busy" else 0)
