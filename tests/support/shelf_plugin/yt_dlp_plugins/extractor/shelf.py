"""Reads the pretended YouTube in place of the real one: same addresses, same extractor names, other pages.

Only the environment of these tests holds it. It asks ``www.youtube.com`` for ``/shelf/…``, through everything that the
shipped program goes through.
"""

from yt_dlp.extractor.bandcamp import BandcampIE
from yt_dlp.extractor.common import InfoExtractor
from yt_dlp.extractor.soundcloud import SoundcloudIE
from yt_dlp.extractor.youtube import YoutubeIE, YoutubeSearchIE
from yt_dlp.utils import ExtractorError

SAYS = {
    "source_gone": "Video unavailable",
    "source_blocked": "Sign in to confirm you’re not a bot. Use --cookies for the authentication.",
    "age_restricted": "Sign in to confirm your age. This video may be inappropriate for some users.",
    "tool_outdated": "n challenge solving failed: Some formats may be missing.",
    "download_failed": "The shelf has fallen down",
}


class _ShelfIE(YoutubeIE, plugin_name="shelf"):
    def _real_extract(self, url):
        video_id = self._match_id(url)
        page = self._download_json(f"https://www.youtube.com/shelf/{video_id}", video_id)
        if page["fate"] in SAYS:
            raise ExtractorError(SAYS[page["fate"]], expected=True)
        if page["fate"] == "geo_blocked":
            self.raise_geo_restricted("The uploader has not made this video available in your country")
        return {
            "id": video_id,
            "title": page["title"],
            "channel": page["channel"],
            "uploader": page["channel"],
            "duration": page["duration_s"],
            "view_count": 1,
            "live_status": "is_upcoming" if page["fate"] == "source_not_finished" else "not_live",
            "formats": [
                {
                    "format_id": one["ext"],
                    "url": one["url"],
                    "ext": one["ext"],
                    "vcodec": "none",
                    "acodec": one["codec"],
                }
                for one in page["formats"]
            ],
        }


class _ShelfSearchIE(YoutubeSearchIE, plugin_name="shelf"):
    def _get_n_results(self, query, n):
        found = self._download_json("https://www.youtube.com/shelf/search", query, query={"q": query})["found"][:n]
        entries = [
            self.url_result(
                f"https://www.youtube.com/watch?v={one['id']}",
                YoutubeIE,
                one["id"],
                one["title"],
                duration=one["duration_s"],
                channel=one["channel"],
                uploader=one["channel"],
                view_count=1,
            )
            for one in found
        ]
        return self.playlist_result(entries, query, query)


def _track(extractor, url):
    """Read a track of another site; the last part of its address is the name of its place on the shelf."""
    video_id = url.rpartition("/")[2]
    page = InfoExtractor._download_json(extractor, f"{url.rpartition('/')[0]}/shelf/{video_id}", video_id)
    return {
        "id": video_id,
        "title": page["title"],
        "uploader": page["channel"],
        "duration": page["duration_s"],
        "formats": [{"format_id": "a", "url": one["url"], "ext": one["ext"]} for one in page["formats"]],
    }


class _ShelfSoundcloudIE(SoundcloudIE, plugin_name="shelf"):
    def _initialize_pre_login(self):
        """Ask for no client id."""

    def _real_extract(self, url):
        return _track(self, url)


class _ShelfBandcampIE(BandcampIE, plugin_name="shelf"):
    def _real_extract(self, url):
        return _track(self, url)


_ShelfSoundcloudIE.IE_NAME, _ShelfBandcampIE.IE_NAME = "soundcloud", "Bandcamp"
_ShelfIE.IE_NAME = "youtube"  # the names that the shipped allow-list knows
_ShelfSearchIE.IE_NAME = "youtube:search"
