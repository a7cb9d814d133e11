"""What comes from Spotify. So far: reading its links."""

from soundforge.spotify._links import SENTENCES, Kind, Ref, parse_url

__all__ = ["SENTENCES", "Kind", "Ref", "parse_url"]
