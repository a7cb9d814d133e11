"""What Spotify's answers look like: JSON as in its reference of 2026, and the page for embedding."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from soundforge.spotify import Cover, Skip, Track
from tests.support.fake_spotify_world import FakeAlbum, FakePlaylist, Row, World, cover

type Json = dict[str, Any]


def artists(names: tuple[str, ...]) -> list[Json]:
    return [{"id": "0" * 22, "name": name, "type": "artist"} for name in names]


def images(picture: Cover | None) -> list[Json]:
    """Give three widths, not in order, and one address that is nobody's."""
    if picture is None:
        return []
    return [
        {"url": "https://i.scdn.co/image/" + "0" * 40, "width": 64, "height": 64},
        {"url": f"https://i.scdn.co/image/{picture.id}", "width": 640, "height": 640},
        {"url": "https://evil.example/image/" + "1" * 40, "width": 9999, "height": 9999},
    ]


def track_json(row: Track) -> Json:
    whole = simple_track_json(row) | {
        "album": {
            "id": row.album_id,
            "name": row.album,
            "release_date": row.release_date,
            "images": images(row.cover),
            "album_type": "album",
        },
        "external_ids": {"isrc": row.isrc},
        "popularity": None,
    }
    return whole if row.playable else whole | {"is_playable": False, "restrictions": {"reason": "market"}}


def simple_track_json(row: Track) -> Json:
    simple: Json = {
        "id": row.id,
        "name": row.title,
        "type": "track",
        "uri": f"spotify:track:{row.id}",
        "duration_ms": row.duration_ms,
        "artists": artists(row.artists),
        "track_number": row.track_number,
        "disc_number": row.disc_number,
        "explicit": row.explicit,
        "is_local": False,
    }
    return simple if row.playable else simple | {"restrictions": {"reason": "market"}}


def entry_json(row: Row, *, episodes: bool) -> Json:
    """Give an entry as live answers have it: under both names; an episode in a track's clothes unless asked for."""
    around: Json = {"added_at": "2020-01-01T00:00:00Z", "is_local": row is Skip.LOCAL}
    if isinstance(row, Track):
        return around | {"item": track_json(row), "track": track_json(row)}
    if row is Skip.REMOVED:
        return around | {"item": None, "track": None}
    if row is Skip.LOCAL:
        title = "A file of mine"
        item: Json = {"id": None, "name": title, "type": "track", "uri": "spotify:local:me::A:1", "artists": []}
        return around | {"item": item}
    episode = {"id": "5" * 22, "name": "Episode 7", "uri": "spotify:episode:" + "5" * 22, "duration_ms": 1}
    return around | {"item": episode | {"type": "episode" if episodes else "track", "artists": artists(("A show",))}}


def slice_json[Thing](rows: Sequence[Thing], write: Callable[[Thing], Json], at: int, limit: int, url: str) -> Json:
    """Give a page; its ``next`` leads elsewhere, so that whoever follows it is found out."""
    more = at + limit < len(rows)
    following = f"http://169.254.169.254/{url}?offset={at + limit}&additional_types=track" if more else None
    return {
        "items": [write(row) for row in rows[at : at + limit]],
        "next": following,
        "total": len(rows),
        "offset": at,
        "limit": limit,
        "href": "http://127.0.0.1:1/",
    }


def album_json(found: FakeAlbum) -> Json:
    return {
        "id": found.id,
        "name": found.title,
        "artists": artists(found.artists),
        "release_date": found.release_date,
        "external_ids": {"upc": found.upc},
        "images": images(found.cover),
        "total_tracks": len(found.rows),
        "tracks": slice_json(found.rows, simple_track_json, 0, 50, "tracks"),
        "genres": [],
    }


def playlist_json(found: FakePlaylist) -> Json:
    head: Json = {
        "id": found.id,
        "name": found.title,
        "owner": {"id": "x", "display_name": found.owner},
        "snapshot_id": found.snapshot_id,
        "images": [{"url": f"https://image-cdn-ak.spotifycdn.com/image/{cover(found.title).id}", "width": None}],
        "description": "<a href=x>",
        "collaborative": False,
    }
    return head | {"items": {"total": len(found.rows)}} if found.tells_total else head


def page_row(row: Row) -> Json:
    if isinstance(row, Track):
        return {
            "uri": f"spotify:track:{row.id}",
            "title": row.title,
            "subtitle": ",\u00a0".join(row.artists),
            "duration": row.duration_ms,
            "isPlayable": row.playable,
            "isExplicit": row.explicit,
            "entityType": "track",
        }
    if row is Skip.EPISODE:
        return {"uri": "spotify:episode:" + "5" * 22, "title": "Episode 7", "entityType": "episode"}
    if row is Skip.LOCAL:
        return {"uri": "spotify:local:me::A:1", "title": "A file of mine", "entityType": "track"}
    return {"uri": "", "title": "", "entityType": "track"}


def embed_page(world: World, kind: str, identity: str) -> str:
    entity = _entity(world, kind, identity)
    props: Json = {"status": 404, "title": "Page not found"}  # as it comes, with status 200
    if entity is not None:
        props = {"state": {"data": {"entity": entity}, "settings": {"session": {"accessToken": "not for us"}}}}
    data = json.dumps({"props": {"pageProps": props}}).replace("</", "<\\/")
    head = "<!doctype html><html><head><script>var x = {}</script></head><body>"
    return f'{head}<script id="__NEXT_DATA__" type="application/json">{data}</script></body></html>'


def _entity(world: World, kind: str, identity: str) -> Json | None:
    if kind == "track" and (row := world.tracks.get(identity)):
        return page_row(row) | {"artists": artists(row.artists), "coverArt": {"sources": images(row.cover)}}
    if kind == "album" and (album := world.albums.get(identity)):
        rows = [page_row(row) for row in album.rows[:100]]
        sources = images(album.cover)
        return {"title": album.title, "subtitle": ",\u00a0".join(album.artists), "trackList": rows} | {
            "coverArt": {"sources": sources}
        }
    if kind == "playlist" and (playlist := world.playlists.get(identity)):
        rows = [page_row(row) for row in playlist.rows[:100]]
        return {"title": playlist.title, "subtitle": playlist.owner, "trackList": rows, "coverArt": {"sources": []}}
    return None
