"""Child: find a song on YouTube Music and YouTube by spotdl's rules, or fetch a YouTube video, with spotdl.

Requests and results are those of ``fetch_ytdlp``. spotdl is given a song of ours, complete, so that it asks Spotify for
nothing; and it takes only streams that it need not encode anew. Whatever it cannot do, ``fetch_ytdlp`` may.
"""

from soundforge_runners import _fetch_network, _fetch_request
from soundforge_runners._protocol import serve

if __name__ == "__main__":
    NETWORK = _fetch_network.leave()  # before any thread is started

    from soundforge_runners._fetch_spotdl import Spotdl

    serve("fetch_spotdl", _fetch_request.handler(Spotdl), facts={"network": NETWORK})
