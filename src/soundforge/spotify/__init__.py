"""What comes from Spotify: its links, read by one parser, and its metadata, read by one client."""

from soundforge.spotify._api import SpotifyApi
from soundforge.spotify._client import SpotifyClient, open_spotify
from soundforge.spotify._links import SENTENCES, Kind, Ref, names_spotify, parse_url
from soundforge.spotify._model import (
    SKIPS,
    Album,
    Checked,
    Cover,
    Credentials,
    Entry,
    Notice,
    Picture,
    PlaylistHead,
    PlaylistPage,
    Skip,
    Track,
    Via,
)
from soundforge.spotify._pace import Clock
from soundforge.spotify._wire import SPOTIFY, Places, places_on_loopback

__all__ = [
    "SENTENCES",
    "SKIPS",
    "SPOTIFY",
    "Album",
    "Checked",
    "Clock",
    "Cover",
    "Credentials",
    "Entry",
    "Kind",
    "Notice",
    "Picture",
    "Places",
    "PlaylistHead",
    "PlaylistPage",
    "Ref",
    "Skip",
    "SpotifyApi",
    "SpotifyClient",
    "Track",
    "Via",
    "names_spotify",
    "open_spotify",
    "parse_url",
    "places_on_loopback",
]
