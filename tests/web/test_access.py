"""Who may ask for what: every route, every sort of visitor. A route without a row here fails."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import pytest

from soundforge import accounts, library
from soundforge.db import reading, transaction
from soundforge.web import api, pages
from soundforge.web._app import make_routes
from soundforge.web._render import static_version
from tests.support.house import House, Song

VISITORS = ("anonymous", "ben", "eve", "reading token", "writing token", "admin's token", "ann")


def row(anonymous: int, ben: int, eve: int, *tokens: int, ann: int) -> dict[str, int]:
    reading, writing, admins = tokens
    return dict(zip(VISITORS, (anonymous, ben, eve, reading, writing, admins, ann), strict=True))


def open_to_all(status: int) -> dict[str, int]:
    return dict.fromkeys(VISITORS, status)


def page_of_mine(status: int) -> dict[str, int]:
    """Everybody has their own; a token opens no page."""
    return row(401, status, status, 401, 401, 401, ann=status)


def form_of_mine(status: int) -> dict[str, int]:
    return {**page_of_mine(status), "reading token": 403}


def form_of_ann(status: int) -> dict[str, int]:
    return {**page_of_ann(status), "reading token": 403}


def page_of_ann(status: int) -> dict[str, int]:
    """Only the owner has it: 404 for all others, also for admins."""
    return row(401, 404, 404, 401, 401, 401, ann=status)


def for_admins(status: int) -> dict[str, int]:
    """What concerns the whole instance."""
    return row(401, 403, status, 403, 403, status, ann=403)


def read_mine(status: int = 200) -> dict[str, int]:
    return row(401, status, status, status, status, status, ann=status)


def write_mine(status: int) -> dict[str, int]:
    return row(401, status, status, 403, status, status, ann=status)


def read_ann(status: int = 200) -> dict[str, int]:
    return row(401, 404, 404, status, status, 404, ann=status)


def write_ann(status: int) -> dict[str, int]:
    return row(401, 404, 404, 403, status, 404, ann=status)


MATRIX: Mapping[str, dict[str, int]] = {
    "GET /link/{token}": open_to_all(404),
    "POST /link/{token}": open_to_all(404),
    "GET /login": open_to_all(200),
    "POST /login": open_to_all(403),
    "POST /logout": open_to_all(303),
    "GET /health": open_to_all(503),  # nobody works here
    "GET /metrics": open_to_all(200),  # the test asks from this machine
    "GET /admin": row(401, 403, 200, 403, 403, 200, ann=403),
    "POST /admin/queues/{queue}": for_admins(303),
    "GET /admin/people": for_admins(200),
    "POST /admin/people": for_admins(200),
    "POST /admin/people/{user_id}": for_admins(303),
    "GET /": page_of_mine(200),
    "GET /jobs": page_of_mine(200),
    "GET /jobs/rows": page_of_mine(200),
    "GET /jobs/tabs": page_of_mine(200),
    "GET /jobs/{job_id}": page_of_ann(200),
    "POST /jobs/retry-failed": {**page_of_mine(409), "ann": 200, "reading token": 403},  # of the others nothing failed
    "GET /jobs/dock": page_of_mine(200),
    "GET /library/rows": page_of_mine(200),
    "GET /library/count": page_of_mine(200),
    "POST /library/columns": form_of_mine(303),
    "POST /library/batch": form_of_mine(422),  # nothing is chosen
    "POST /library/undo": form_of_mine(200),
    "GET /artists": page_of_mine(200),
    "GET /artists/rows": page_of_mine(200),
    "GET /albums": page_of_mine(200),
    "GET /albums/rows": page_of_mine(200),
    "GET /trash": page_of_mine(200),
    "POST /trash/empty": form_of_mine(303),
    "POST /trash/{track_id}/restore": form_of_ann(404),  # it is not deleted
    "POST /trash/{track_id}/delete": form_of_ann(404),
    "GET /settings": page_of_mine(200),
    "GET /events/{view}": page_of_mine(200),
    "POST /import/files": form_of_mine(202),
    "GET /import/paste": page_of_mine(200),
    "POST /import/preview": form_of_mine(200),
    "POST /import/text": form_of_mine(200),
    "POST /import/allow": {**row(401, 403, 200, 401, 401, 401, ann=403), "reading token": 403},
    "GET /playlists": page_of_mine(200),
    "GET /playlists/{playlist_id}": page_of_ann(200),
    "GET /playlists/{playlist_id}/rows": page_of_ann(200),
    "POST /playlists/{playlist_id}/delete": form_of_ann(303),
    "POST /playlists": form_of_mine(303),
    "GET /playlists/own": page_of_mine(200),
    "POST /playlists/{playlist_id}/rename": form_of_ann(409),  # it comes from elsewhere
    "GET /settings/spotify": row(401, 403, 200, 403, 403, 200, ann=403),
    "POST /settings/spotify/test": row(401, 403, 200, 403, 403, 200, ann=403),
    "POST /tracks/{track_id}/download": form_of_ann(422),  # it has its audio
    "POST /tracks/{track_id}/source": form_of_ann(200),
    "POST /tracks/{track_id}/confirm": form_of_ann(200),
    "POST /jobs/{job_id}/retry-failed": form_of_ann(409),  # nothing of it failed
    "POST /settings/values/{name}": form_of_mine(303),
    "POST /settings/password": form_of_mine(403),
    "POST /settings/tokens": form_of_mine(200),
    "POST /settings/tokens/{token_id}/revoke": form_of_ann(303),
    "POST /settings/models/{name}": for_admins(303),
    "POST /settings/tools/{name}": for_admins(303),
    "POST /settings/sessions/{session_id}/revoke": form_of_ann(303),
    "GET /tracks/{track_id}": page_of_ann(200),
    "GET /tracks/{track_id}/stage": page_of_ann(200),
    "GET /tracks/{track_id}/analysis.json": page_of_ann(200),
    "GET /tracks/{track_id}/cover": page_of_ann(200),
    "GET /tracks/{track_id}/stems/{file_id}": page_of_ann(200),
    "POST /tracks/{track_id}": form_of_ann(200),
    "POST /tracks/{track_id}/delete": form_of_ann(200),
    "POST /tracks/{track_id}/restore": form_of_ann(404),  # it is not deleted
    "POST /tracks/{track_id}/separate": form_of_ann(200),
    "POST /tracks/{track_id}/analyze": form_of_ann(200),
    "POST /tracks/{track_id}/export": form_of_ann(200),
    "GET /tracks/{track_id}/cues": page_of_ann(200),
    "POST /tracks/{track_id}/corrections/{field}": form_of_ann(200),
    "POST /tracks/{track_id}/corrections/{field}/undo": form_of_ann(404),  # nothing was corrected
    "POST /tracks/{track_id}/corrections/{field}/as-found": form_of_ann(404),
    "GET /shared/{token}": page_of_mine(200),  # whoever has the link, if they are logged in
    "GET /shared/{token}/analysis.json": page_of_mine(200),
    "GET /shared/{token}/audio/{file_id}": page_of_mine(200),
    "GET /shared/{token}/audio/{file_ids}/pcm": page_of_mine(200),
    "GET /shared/{token}/files/{file_id}/peaks": page_of_mine(200),
    "GET /audio/{file_id}": page_of_ann(200),
    "GET /audio/{file_ids}/pcm": page_of_ann(200),
    "GET /files/{file_id}/peaks": page_of_ann(200),
    "GET /jobs/{job_id}/file": page_of_ann(200),
    "POST /jobs/{job_id}/retry": form_of_ann(200),
    "POST /jobs/{job_id}/cancel": form_of_ann(200),
    "GET /api/v1/me": read_mine(),
    "GET /api/v1/models": read_mine(),
    "POST /api/v1/models/{name}/pull": for_admins(409),  # the page has asked for it already
    "DELETE /api/v1/models/{name}": for_admins(409),  # it was not pulled
    "GET /api/v1/tools": read_mine(),
    "GET /api/v1/queues": for_admins(200),
    "GET /api/v1/users": for_admins(200),
    "POST /api/v1/users": for_admins(201),
    "PATCH /api/v1/users/{user_id}": for_admins(200),
    "POST /api/v1/users/{user_id}/link": for_admins(201),
    "PUT /api/v1/queues/{queue}": for_admins(200),
    "POST /api/v1/tools/{name}/install": for_admins(409),  # the page has asked for it already
    "POST /api/v1/tools/{name}/upgrade": for_admins(409),  # the page has asked for it already
    "GET /api/v1/settings": read_mine(),
    "GET /api/v1/tokens": read_mine(),
    "GET /api/v1/tracks": read_mine(),
    "POST /api/v1/tracks/batch": write_mine(422),  # nothing is chosen
    "POST /api/v1/tracks/batch/undo": write_mine(200),
    "GET /api/v1/artists": read_mine(),
    "GET /api/v1/albums": read_mine(),
    "GET /api/v1/trash": read_mine(),
    "DELETE /api/v1/trash": write_mine(202),
    "DELETE /api/v1/trash/{track_id}": row(401, 404, 404, 403, 404, 404, ann=404),
    "GET /api/v1/jobs": read_mine(),
    "PUT /api/v1/settings/{name}": write_mine(200),
    "POST /api/v1/tokens": row(401, 201, 201, 403, 403, 403, ann=201),
    "POST /api/v1/imports": write_mine(202),
    "POST /api/v1/imports/preview": write_mine(200),
    "POST /api/v1/imports/text": write_mine(202),
    "GET /api/v1/uploads": read_mine(),
    "POST /api/v1/uploads": write_mine(201),
    "GET /api/v1/uploads/{upload_id}": read_ann(),
    "PATCH /api/v1/uploads/{upload_id}": write_ann(200),
    "DELETE /api/v1/uploads/{upload_id}": write_ann(204),
    "GET /api/v1/playlists": read_mine(),
    "GET /api/v1/playlists/{playlist_id}": read_ann(),
    "GET /api/v1/playlists/{playlist_id}/entries": read_ann(),
    "DELETE /api/v1/playlists/{playlist_id}": write_ann(204),
    "POST /api/v1/playlists": write_mine(201),
    "PATCH /api/v1/playlists/{playlist_id}": write_ann(409),
    "PUT /api/v1/playlists/{playlist_id}/entries/{entry_id}/place": write_ann(409),
    "DELETE /api/v1/playlists/{playlist_id}/entries/{entry_id}": write_ann(409),
    "POST /api/v1/tracks/{track_id}/downloads": write_ann(202),
    "POST /api/v1/tracks/{track_id}/confirm": write_ann(200),
    "POST /api/v1/jobs/{job_id}/retry-failed": write_ann(409),
    "POST /api/v1/spotify/test": row(401, 403, 409, 403, 403, 409, ann=403),  # the page has asked already
    "DELETE /api/v1/tokens/{token_id}": write_ann(204),
    "GET /api/v1/tracks/{track_id}": read_ann(),
    "GET /api/v1/tracks/{track_id}/analysis": read_ann(),
    "GET /api/v1/tracks/{track_id}/cover": read_ann(),
    "GET /api/v1/tracks/{track_id}/stems/{file_id}": read_ann(),
    "GET /api/v1/tracks/{track_id}/neighbours/like": read_ann(),
    "GET /api/v1/tracks/{track_id}/neighbours/mixes": read_ann(),
    "PATCH /api/v1/tracks/{track_id}": write_ann(200),
    "DELETE /api/v1/tracks/{track_id}": write_ann(204),
    "POST /api/v1/tracks/{track_id}/restore": row(401, 404, 404, 403, 404, 404, ann=404),
    "POST /api/v1/tracks/{track_id}/separations": write_ann(202),
    "POST /api/v1/tracks/{track_id}/analyses": write_ann(202),
    "POST /api/v1/tracks/{track_id}/exports": write_ann(202),
    "PUT /api/v1/tracks/{track_id}/corrections/{field}": write_ann(200),
    "DELETE /api/v1/tracks/{track_id}/corrections/{field}": row(401, 404, 404, 403, 404, 404, ann=404),
    "POST /api/v1/tracks/{track_id}/corrections/{field}/undo": row(401, 404, 404, 403, 404, 404, ann=404),
    "GET /api/v1/tracks/{track_id}/cues": read_ann(),
    "POST /api/v1/tracks/{track_id}/cues": write_ann(201),
    "POST /api/v1/tracks/{track_id}/cues/found": write_ann(200),
    "PATCH /api/v1/cues/{cue_id}": write_ann(200),
    "DELETE /api/v1/cues/{cue_id}": write_ann(204),
    "GET /api/v1/tracks/{track_id}/mixes": read_ann(),
    "PUT /api/v1/tracks/{track_id}/mixes": write_ann(200),
    "POST /api/v1/tracks/{track_id}/renders": write_ann(202),
    "DELETE /api/v1/mixes/{mix_id}": write_ann(204),
    "POST /api/v1/mixes/{mix_id}/link": write_ann(200),
    "DELETE /api/v1/mixes/{mix_id}/link": write_ann(200),
    "GET /api/v1/jobs/{job_id}": read_ann(),
    "GET /api/v1/jobs/{job_id}/file": read_ann(),
    "GET /api/v1/jobs/{job_id}/events": read_ann(),
    "POST /api/v1/jobs/{job_id}/retry": write_ann(202),
    "POST /api/v1/jobs/retry-failed": row(401, 409, 409, 403, 202, 409, ann=202),
    "POST /api/v1/jobs/{job_id}/cancel": write_ann(202),
}

LINK = "https://youtu.be/dQw4w9WgXcQ"
WORDS = {"title": "New", "artist": "", "album": ""}
BODIES: Mapping[str, dict[str, Any]] = {
    "POST /link/{token}": {"data": {"password": "x"}},
    "POST /admin/queues/{queue}": {"data": {"act": "pause"}},
    "POST /admin/people": {"data": {"name": "fay"}},
    "POST /admin/people/{user_id}": {"data": {"act": "disable"}},
    "POST /api/v1/users": {"json": {"name": "gus"}},
    "PATCH /api/v1/users/{user_id}": {"json": {"act": "enable"}},
    "POST /api/v1/uploads": {"json": {"name": "a.wav", "size_bytes": 20_000_000}},
    "PATCH /api/v1/uploads/{upload_id}": {"headers": {"Upload-Offset": "0"}, "content": b"RIFF"},
    "PUT /api/v1/queues/{queue}": {"json": {"limit": 3}},
    "POST /login": {"data": {"name": "nobody", "password": "x"}},
    "POST /import/files": {"params": {"name": "a.wav"}, "content": b"RIFF sound"},
    "POST /api/v1/imports": {"params": {"name": "a.wav"}, "content": b"RIFF sound"},
    "POST /settings/values/{name}": {"data": {"value": "auto"}},
    "PUT /api/v1/settings/{name}": {"json": {"value": "auto"}},
    "POST /library/columns": {"data": {"column": ["bpm"]}},
    "POST /library/batch": {"data": {"action": "delete"}},
    "POST /library/undo": {"params": {"removed_at": "2026-01-01T00:00:00Z"}},
    "POST /api/v1/tracks/batch": {"json": {"action": "delete"}},
    "POST /api/v1/tracks/batch/undo": {"params": {"removed_at": "2026-01-01T00:00:00Z"}},
    "POST /settings/password": {"data": {"old": "wrong", "new": "a long enough password"}},
    "POST /settings/tokens": {"data": {"name": "program"}},
    "POST /api/v1/tokens": {"json": {"name": "program"}},
    "POST /tracks/{track_id}": {"data": WORDS},
    "PATCH /api/v1/tracks/{track_id}": {"json": WORDS},
    "POST /api/v1/tracks/{track_id}/separations": {"json": {}},
    "POST /playlists": {"data": {"title": "Mine"}},
    "POST /playlists/{playlist_id}/rename": {"data": {"title": "Mine"}},
    "POST /api/v1/playlists": {"json": {"title": "Mine"}},
    "PATCH /api/v1/playlists/{playlist_id}": {"json": {"title": "Mine"}},
    "PUT /api/v1/playlists/{playlist_id}/entries/{entry_id}/place": {"json": {}},
    "POST /import/preview": {"data": {"text": "Ann - Sea"}},
    "POST /import/text": {"data": {"text": "Ann - Sea"}},
    "POST /api/v1/imports/preview": {"json": {"text": "Ann - Sea"}},
    "POST /api/v1/imports/text": {"json": {"text": "Ann - Sky"}},
    "POST /tracks/{track_id}/source": {"data": {"link": LINK}},
    "POST /api/v1/tracks/{track_id}/downloads": {"json": {"link": LINK}},
    "POST /tracks/{track_id}/corrections/{field}": {"data": {"bpm": "170"}},
    "PUT /api/v1/tracks/{track_id}/corrections/{field}": {"json": {"bpm": 170}},
    "GET /audio/{file_ids}/pcm": {"params": {"from": 0, "frames": 10}},
    "GET /shared/{token}/audio/{file_ids}/pcm": {"params": {"from": 0, "frames": 10}},
    "POST /api/v1/tracks/{track_id}/cues": {"json": {"t_s": 1}},
    "PATCH /api/v1/cues/{cue_id}": {"json": {"name": "Here"}},
    "PUT /api/v1/tracks/{track_id}/mixes": {"json": {"name": "Mine", "state": {}}},
    "POST /api/v1/tracks/{track_id}/renders": {"json": {"state": {}}},
}


def routes() -> set[str]:
    return {
        f"{method} {route.path}"
        for router in (*pages.routers, *api.routers)
        for route in router.routes
        for method in route.methods - {"HEAD"}
    }


def test_every_route_says_who_may_ask() -> None:
    assert routes() == set(MATRIX)


def test_the_studio_answers_at_no_other_address_but_files_of_its_own_and_what_calls_there_are(house: House) -> None:
    known = [*pages.routers, *api.routers]
    others = [
        one for one in make_routes(house.studio).router.routes if getattr(one, "original_router", None) not in known
    ]
    assert {getattr(one, "path", "") for one in others} == {"/api/v1/openapi.json", f"/static/{static_version()}"}


async def ask(house: House, visitor: str, route: str, song: Song) -> int:
    """Ask as a visitor about a song of Ann's."""
    method, _, pattern = route.partition(" ")
    more = dict(BODIES.get(route, {}))
    if route.endswith("/export"):
        more = {"data": {"stems_job": str(song.stems_job)}}
    elif route.endswith("/exports"):
        more = {"json": {"stems_job": str(song.stems_job)}}
    browser = house.visitors[visitor]
    answer = await browser.request(method, await _path(house, route, pattern, song), **more)
    return answer.status_code


async def _path(house: House, route: str, pattern: str, song: Song) -> str:
    job = {"file": song.export_job, "retry": song.failed_job, "cancel": song.waiting_job, "events": song.export_job}
    last = pattern.rpartition("/")[2]
    values: dict[str, Any] = {
        "track_id": song.track_id,
        "file_id": song.peaks_id if last == "peaks" else song.stem_id,
        "file_ids": f"{song.mix_id},{song.stem_id}",
        "job_id": job.get(last, song.failed_job),
        "view": "library",
        "field": "tempo",
        "playlist_id": song.playlist_id,
        "entry_id": song.track_id,
        "token": "unknown",
        "queue": "exports",
    }
    if "mix_id" in pattern or pattern.startswith("/shared"):
        values["mix_id"], values["token"] = await _mix_of(house, song)
    if "cue_id" in pattern:
        values["cue_id"] = await _cue_of(house, song)
    things = {"models": "htdemucs", "tools": "downloader"}
    values["name"] = next((name for what, name in things.items() if f"/{what}/" in pattern), "default_model")
    if "token_id" in pattern:
        values["token_id"] = await _token_of(house)
    if "user_id" in pattern:
        values["user_id"] = await _member(house)
    if "upload_id" in pattern:
        values["upload_id"] = await _upload_of(house)
    if "session_id" in pattern:
        values["session_id"] = await _session_of(house)
    return pattern.format(**values)


async def _mix_of(house: House, song: Song) -> tuple[UUID, str | None]:
    async with transaction() as session:
        owner_id = house.users["ann"]
        mix = await library.save_mix(session, owner_id, song.track_id, "Shared", library.MixState())
        return mix.id, (await library.share_mix(session, owner_id, mix.id)).share_token


async def _cue_of(house: House, song: Song) -> UUID:
    async with transaction() as session:
        return (await library.add_cue(session, house.users["ann"], song.track_id, library.NewCue(0.5))).id


async def _token_of(house: House) -> UUID:
    async with transaction() as session:
        return (await accounts.add_token(session, house.users["ann"], "spare", ["read"]))[0].id


async def _member(house: House) -> UUID:
    async with transaction() as session:
        return (await accounts.add_user(session, f"member-{uuid4().hex[:8]}")).id


async def _upload_of(house: House) -> UUID:
    async with transaction() as session:
        return (await library.add_upload(session, house.users["ann"], "a.wav", 20_000_000, "")).id


async def _session_of(house: House) -> UUID:
    async with transaction() as session:
        await accounts.start_session(session, house.users["ann"])
    async with reading() as session:
        return (await accounts.list_sessions(session, house.users["ann"]))[-1].id


@pytest.mark.parametrize("visitor", VISITORS)
async def test_each_visitor_gets_what_is_theirs_and_nothing_else(house: House, visitor: str) -> None:
    house.studio.stopping.set()  # so that feeds end at once
    song, answers = await house.add_song(), {}
    for route in sorted(MATRIX, key="POST /logout".__eq__):
        if visitor in ("ann", "writing token") and not route.startswith("GET") and "_id}" in route:
            song = await house.add_song()  # what she may do changes it
        answers[route] = await ask(house, visitor, route, song)
    assert answers == {route: statuses[visitor] for route, statuses in MATRIX.items()}
