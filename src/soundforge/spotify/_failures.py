"""How Spotify fails, one sentence each. The closed set that ``SpotifyApi`` names."""

from soundforge.errors import Broken, Conflict, Forbidden, NotFound, Unavailable


def not_set_up() -> Conflict:
    """There are no credentials, and no page may stand in."""
    return Conflict(
        "Spotify is not set up: enter your app's client id and secret in Settings, or upload the files.",
        code="spotify_not_set_up",
    )


def refused_credentials(detail: str) -> Forbidden:
    """The token is refused, or not even given out."""
    return Forbidden(
        "Spotify did not accept the client id and secret; check them in Settings.",
        code="spotify_refused_credentials",
        detail=detail,
    )


def premium_needed(detail: str) -> Forbidden:
    """Since February 2026 an app in development mode works only for an owner with Premium."""
    return Forbidden(
        "Spotify answers this app only while its owner has Premium.", code="spotify_premium_needed", detail=detail
    )


def forbidden(detail: str) -> Forbidden:
    """Any other 403."""
    return Forbidden("Spotify does not allow this app to read that.", code="spotify_forbidden", detail=detail)


def playlist_closed(detail: str) -> Forbidden:
    """Without a user, many apps may not read the entries of playlists."""
    return Forbidden(
        "Spotify does not let this app read playlists: export it as CSV with Exportify and import that, or paste the"
        " links of its tracks.",
        code="spotify_playlist_closed",
        detail=detail,
    )


def track_not_found() -> NotFound:
    """404 for a track."""
    return NotFound("Spotify has no track under this link; copy it again.", code="spotify_track_not_found")


def album_not_found() -> NotFound:
    """404 for an album."""
    return NotFound("Spotify has no album under this link; copy it again.", code="spotify_album_not_found")


def playlist_hidden() -> NotFound:
    """404 for a playlist: private, deleted and editorial ones look the same."""
    return NotFound(
        "Spotify does not give this playlist to apps: it may be private, deleted, or made by Spotify itself.",
        code="spotify_playlist_hidden",
    )


def cover_not_found() -> NotFound:
    """No picture under this name."""
    return NotFound("Spotify no longer has this cover.", code="spotify_cover_not_found")


def busy(retry_after_s: float) -> Unavailable:
    """429 for longer than a worker may wait."""
    return Unavailable(
        "Spotify asks this app to wait; the import goes on by itself.", code="spotify_busy", retry_after_s=retry_after_s
    )


def quota_used(retry_after_s: float) -> Unavailable:
    """429 because the developer account has used up its requests."""
    return Unavailable(
        "The quota of your Spotify developer account is used up; the import goes on by itself later.",
        code="spotify_quota_used",
        retry_after_s=retry_after_s,
    )


def away(detail: str) -> Unavailable:
    """Errors of Spotify's own, also after three more tries."""
    return Unavailable("Spotify has trouble of its own right now.", code="spotify_away", detail=detail)


def unreadable(detail: str) -> Broken:
    """No JSON, or not the JSON that stands in the reference."""
    return Broken("Spotify's answer makes no sense to this version.", code="spotify_unreadable", detail=detail)


def page_changed(detail: str) -> Broken:
    """The page for embedding is no API and has changed its shape before."""
    return Broken(
        "Spotify's page has changed its shape; this version cannot read it.", code="spotify_page_changed", detail=detail
    )
