"""Spotify for workers: with the settings as they are now, and without asking twice for what was told."""

from typing import Any

from pydantic import TypeAdapter, ValidationError

from soundforge import accounts, jobs, library, spotify
from soundforge.db import reading, transaction
from soundforge.pipeline._ports import ports

_TRACK = TypeAdapter(spotify.Track)
_ALBUM = TypeAdapter(spotify.Album)
APP = "app"  # kind of the answer that says what Spotify gives to an app


async def open_api() -> spotify.SpotifyApi:
    """The client of this process, with the settings as they are now."""
    names = ("spotify_client_id", "spotify_client_secret", "spotify_market", "spotify_pages")
    async with reading() as session:
        found = {name: await accounts.get_setting(session, None, name) for name in names}
    client_id, secret = str(found["spotify_client_id"]), str(found["spotify_client_secret"])
    credentials = spotify.Credentials(client_id, secret) if client_id and secret else None
    api = ports().spotify
    api.use(credentials, market=str(found["spotify_market"]), read_pages=bool(found["spotify_pages"]))
    return api


async def read_track(track_id: str) -> spotify.Track:
    """A track, from what was told before or asked for now. Raises what ``SpotifyApi`` does."""
    known = await _find("track", track_id, _TRACK)
    if known is not None:
        return known
    track = await (await open_api()).fetch_track(track_id)
    if track.isrc or track.album:  # what its public page tells has neither, and is asked for again
        await _keep("track", track_id, _TRACK.dump_python(track, mode="json"))
    return track


async def read_album(album_id: str) -> spotify.Album:
    """An album with all its tracks, from what was told before or asked for now. Raises what ``SpotifyApi`` does."""
    known = await _find("album", album_id, _ALBUM)
    if known is not None:
        return known
    album = await (await open_api()).fetch_album(album_id)
    if album.via is spotify.Via.API:
        await _keep("album", album_id, _ALBUM.dump_python(album, mode="json"))
    return album


async def note_playlists(api: spotify.SpotifyApi) -> None:
    """Keep whether this app is given the entries of playlists: the page of settings tells it."""
    async with reading() as session:
        client_id = str(await accounts.get_setting(session, None, "spotify_client_id"))
    if client_id and api.reads_playlists is not None:
        await _keep(APP, client_id, {"reads_playlists": api.reads_playlists})


async def check_spotify(run: jobs.Run) -> None:
    """Body of a maintenance job: try the credentials with one small request, and keep what was found as the result."""
    api = await open_api()
    checked = await api.check()
    result = {"code": checked.code, "sentence": checked.sentence, "retry_after_s": checked.retry_after_s}
    async with run.done(result):
        pass


async def _find[T](kind: str, source_id: str, shape: TypeAdapter[T]) -> T | None:
    async with reading() as session:
        answer = await library.find_answer(session, kind, source_id)
    if answer is None:
        return None
    try:
        return shape.validate_python(answer)
    except ValidationError:  # kept by a version that told less
        return None


async def _keep(kind: str, source_id: str, answer: dict[str, Any]) -> None:
    async with transaction() as session:
        await library.keep_answer(session, kind, source_id, answer)
