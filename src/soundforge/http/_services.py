"""Whom this application talks to, and what it takes from them. Declared here and nowhere else."""

from dataclasses import dataclass
from typing import Final

_JSON_BYTES = 5 * 1024 * 1024
_IMAGE_BYTES = 10 * 1024 * 1024
_MODEL_BYTES = 2 * 1024**3


@dataclass(frozen=True)
class Service:
    """One service out there: a closed list of hosts, and limits for each answer of theirs."""

    name: str
    hosts: frozenset[str]
    title: str = ""  # as people call it within a sentence; empty: like its name
    domains: frozenset[str] = frozenset()  # and every host below these names, where a service will not say which
    body_bytes: int = _JSON_BYTES
    connect_s: float = 5.0
    read_s: float = 15.0
    total_s: float = 30.0  # one request and its whole answer
    redirects: int = 3  # followed at most, and only where a caller asks for it
    inside: bool = False  # a server in the house or in a test: http, any port, private addresses

    @property
    def called(self) -> str:
        """Return what people call it."""
        return self.title or self.name

    def has_host(self, host: str) -> bool:
        """Whether a host is one of this service's."""
        return host in self.hosts or any(host.endswith(f".{domain}") for domain in self.domains)


HTTP_SERVICES: Final[dict[str, Service]] = {
    service.name: service
    for service in (
        Service("spotify", frozenset({"api.spotify.com", "accounts.spotify.com"}), "Spotify"),
        Service("spotify_pages", frozenset({"open.spotify.com"}), "Spotify’s public page"),
        Service(
            "spotify_images",
            frozenset({"i.scdn.co", "mosaic.scdn.co"}),
            "Spotify’s store of pictures",
            body_bytes=_IMAGE_BYTES,
        ),
        Service(
            "model_hub",
            frozenset({"huggingface.co", "cdn-lfs.huggingface.co"}),
            "the model hub",
            domains=frozenset({"hf.co"}),  # files lie in stores below it, one for each region
            body_bytes=_MODEL_BYTES,
            read_s=30.0,
            total_s=7200.0,
        ),
    )
}
