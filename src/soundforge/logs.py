"""Structured logs: one line an event, readable on a terminal, JSON elsewhere."""

import logging
import sys
from typing import Any

import structlog

# Values under these names never reach a log line, whoever passes them.
_SECRET_WORDS = ("password", "secret", "token", "authorization", "cookie", "dsn", "database_url")


def set_up(*, json: bool | None = None, level: int = logging.INFO) -> None:
    """Send structlog and the standard library's logging through one renderer to stderr."""
    as_json = not sys.stderr.isatty() if json is None else json
    renderer: Any = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _hide_secrets,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for chatty in ("alembic", "httpx2", "oban", "uvicorn"):
        logging.getLogger(chatty).setLevel(max(level, logging.WARNING))


def get(room: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of a room, e.g. ``logs.get(__name__)``."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(room)
    return logger


def _hide_secrets(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    return {
        name: "***" if any(word in name.lower() for word in _SECRET_WORDS) else value for name, value in event.items()
    }
