"""Settings of one process: the environment and an optional ``.env`` file, read once at the edge.

What a person changes while the studio runs (default model, retention, …) lives in the ``settings``
table instead; see ``accounts``.
"""

import contextlib
import hashlib
import ipaddress
import os
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

QUEUES = ("imports", "download", "processing", "analysis", "exports", "maintenance")
CHECKOUT = Path(__file__).resolve().parents[2]


def _default_data() -> Path:
    """``data/`` in the checkout; for root a folder that the database's own account can reach."""
    if os.geteuid() != 0:
        return CHECKOUT / "data"
    checkout = hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:12]
    return Path("/var/lib/soundforge") / checkout


class Settings(BaseSettings):
    """What the process needs to know before it can start. Frozen; passed on from ``app``."""

    model_config = SettingsConfigDict(env_prefix="SOUNDFORGE_", env_file=".env", frozen=True, extra="ignore")

    data: Path = Field(default_factory=_default_data, description="Folder for database, storage and work files.")
    database_url: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("SOUNDFORGE_DATABASE_URL", "DATABASE_URL"),
        description="Your own PostgreSQL (14 or newer); unset: the embedded one.",
    )
    host: str = Field(default="127.0.0.1", description="Address the studio listens on.")
    port: int = Field(default=8723, ge=0, le=65535, description="Port the studio listens on; 0 picks a free one.")
    hosts: str = Field(default="", description="Extra Host names the studio answers to, comma separated; '*' for any.")
    queues: str = Field(
        default="imports:2,download:3,processing:2,analysis:2,exports:1,maintenance:1",
        description="Queues this process works and how many jobs of each at once; 'none' for no work.",
    )
    time_scale: float = Field(default=1.0, gt=0, le=1, description="Shortens heartbeats and back-offs; for tests.")
    max_upload_mb: int = Field(default=2048, ge=1, description="Largest file that may be imported, in MB.")
    max_duration_s: int = Field(default=3 * 3600, ge=1, description="Longest audio that may be imported, in seconds.")
    default_model: str = Field(default="auto", description="Model that separates unless another is chosen.")
    undo_days: int = Field(default=7, ge=0, le=90, description="How many days a deleted track can be brought back.")
    model_hub: str = Field(
        default="https://huggingface.co", description="Where models are pulled from; https, or http on this machine."
    )
    offline_models: Path | None = Field(
        default=None, description="A folder of your own with model files, used in place; nothing is written to it."
    )
    spotify_client_id: str = Field(
        default="",
        validation_alias=AliasChoices("SOUNDFORGE_SPOTIFY_CLIENT_ID", "SPOTIFY_CLIENT_ID"),
        description="Client id of your own Spotify app.",
    )
    spotify_client_secret: SecretStr = Field(
        default=SecretStr(""),
        validation_alias=AliasChoices("SOUNDFORGE_SPOTIFY_CLIENT_SECRET", "SPOTIFY_CLIENT_SECRET"),
        description="Client secret of your own Spotify app.",
    )
    spotify_market: str = Field(default="", description="Country (two letters) whose catalogue Spotify shows.")
    spotify_pages: bool = Field(default=False, description="Read Spotify's public pages where its API refuses.")
    allow_audio_download: bool = Field(
        default=False,
        validation_alias=AliasChoices("SOUNDFORGE_ALLOW_AUDIO_DOWNLOAD", "ALLOW_AUDIO_DOWNLOAD"),
        description="Whether audio may be fetched from YouTube, SoundCloud and Bandcamp.",
    )
    log_json: bool | None = Field(default=None, description="JSON log lines; unset: only when stderr is no terminal.")

    @property
    def storage_folder(self) -> Path:
        """Where finished files lie."""
        return self.data / "storage"

    @property
    def incoming_folder(self) -> Path:
        """Where received bytes wait for their import job."""
        return self.data / "incoming"

    @property
    def work_folder(self) -> Path:
        """Where runs work, outside storage."""
        return self.data / "work"

    @property
    def models_folder(self) -> Path:
        """Where pulled models lie."""
        return self.data / "models"

    @field_validator("model_hub")
    @classmethod
    def _read_model_hub(cls, hub: str) -> str:
        parts = urlsplit(hub)
        is_here = parts.hostname in ("127.0.0.1", "::1", "localhost")
        if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and is_here)):
            raise ValueError("a hub has an https address, or http on this machine")
        return hub.rstrip("/")

    @property
    def tools_folder(self) -> Path:
        """Where the environments of programs beside ours lie."""
        return self.data / "tools"

    @field_validator("queues")
    @classmethod
    def _read_queues(cls, queues: str) -> str:
        parse_queues(queues)
        return queues

    def queue_limits(self) -> dict[str, int]:
        """Parse ``queues``: ``"processing:2,analysis:1"`` gives ``{"processing": 2, "analysis": 1}``."""
        return parse_queues(self.queues)


def make_folder(folder: Path) -> None:
    """Make ``folder`` and its missing parents, none of which others may read, whatever the umask is.

    As root they may be passed through: PostgreSQL runs under another account then. What exists keeps its mode.
    """
    mode = 0o711 if os.geteuid() == 0 else 0o700
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o700)
            path.chmod(mode)


def make_private(folder: Path) -> None:
    """Make ``folder``, for what is received or worked on, which this account alone may enter, also where it exists."""
    make_folder(folder)
    with contextlib.suppress(PermissionError):  # another account made it, and says who may enter
        folder.chmod(0o700)


def address_of(host: str, port: int) -> str:
    """Where a browser on this machine finds what listens on ``host``: ``"http://127.0.0.1:8723/"`` for any address."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return f"http://{host or '127.0.0.1'}:{port}/"
    if address.is_unspecified:
        address = ipaddress.ip_address("127.0.0.1" if address.version == 4 else "::1")  # noqa: PLR2004 - IPv4
    return f"http://[{address}]:{port}/" if address.version == 6 else f"http://{address}:{port}/"  # noqa: PLR2004 - IPv6


def parse_queues(text: str) -> dict[str, int]:
    """Read queues and their limits; raises ValueError with one sentence."""
    if text.strip() in ("", "none"):
        return {}
    limits: dict[str, int] = {}
    for part in text.split(","):
        name, _, limit = part.strip().partition(":")
        if name not in QUEUES:
            raise ValueError(f"there is no queue “{name}”; there are {', '.join(QUEUES)}")
        if not limit.isdecimal() or int(limit) < 1:
            raise ValueError(f"the queue {name} needs a number of jobs at once, like {name}:2")
        limits[name] = int(limit)
    return limits
