"""The pretended YouTube Music's answer to a search, as far as ``ytmusicapi`` reads it."""

from typing import Any

from tests.support.sound_shelf import ALBUM, Place


def music_answer(places: tuple[Place, ...]) -> dict[str, Any]:
    """Compose one shelf of songs, or the answer that there are none."""
    if not places:
        return {}
    shelf = {"musicShelfRenderer": {"contents": [_row(place) for place in places]}}
    content = {"sectionListRenderer": {"contents": [shelf]}}
    return {"contents": {"tabbedSearchResultsRenderer": {"tabs": [{"tabRenderer": {"content": content}}]}}}


def _row(place: Place) -> dict[str, Any]:
    one = place.candidate
    minutes, seconds = divmod(round(one.duration_s or 0), 60)
    dot = {"text": " • "}
    artist = {"text": one.channel, "navigationEndpoint": {"browseEndpoint": {"browseId": "UCshelf"}}}
    album = {"text": ALBUM, "navigationEndpoint": {"browseEndpoint": {"browseId": "MPREshelf"}}}
    about = [artist, dot, album, dot, {"text": f"{minutes}:{seconds:02}"}]
    play = {"watchEndpoint": {"videoId": place.id}}
    button = {"musicPlayButtonRenderer": {"playNavigationEndpoint": play}}
    row = {
        "flexColumns": [_column([{"text": one.title}]), _column(about)],
        "overlay": {"musicItemThumbnailOverlayRenderer": {"content": button}},
        "menu": {"menuRenderer": {"items": []}},
    }
    return {"musicResponsiveListItemRenderer": row}


def _column(runs: list[dict[str, Any]]) -> dict[str, Any]:
    return {"musicResponsiveListItemFlexColumnRenderer": {"text": {"runs": runs}}}
