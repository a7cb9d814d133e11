"""Child: find a song on YouTube, or fetch one from YouTube, SoundCloud or Bandcamp by its address, with yt-dlp.

Requests, with the fields of ``_fetch_request``::

    {"do": "find", "song": {…}, …}                               → {"ok": true, "candidates": [{url, title, …}]}
    {"do": "fetch", "song": {…}, "url": …, "folder": …, …}       → {"ok": true, "path": …, "duration_s": …, …}

What goes wrong is a result too: ``{"ok": false, "code": …, "cause": …}``, the code one of the studio's closed set. The
stream stays as the site sent it.
"""

from soundforge_runners import _fetch_network, _fetch_request
from soundforge_runners._protocol import serve

if __name__ == "__main__":
    NETWORK = _fetch_network.leave()  # before any thread is started

    from soundforge_runners._fetch_ytdlp import Ytdlp

    serve("fetch_ytdlp", _fetch_request.handler(Ytdlp), facts={"network": NETWORK})
