"""Rows of ``accounts``: users, sessions, API tokens, settings."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from soundforge.tables._base import Row


class User(Row):
    """Somebody who may use the studio."""

    __tablename__ = "users"
    __table_args__ = (CheckConstraint("role IN ('owner', 'admin', 'member')", name="role"),)

    name: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str] = mapped_column(default="member")
    password_hash: Mapped[str | None]
    link_hash: Mapped[str | None] = mapped_column(unique=True)  # SHA-256 of the one-time link's token
    link_expires_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]


class Session(Row):
    """One browser that is logged in."""

    __tablename__ = "sessions"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    expires_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    agent: Mapped[str] = mapped_column(default="")


class ApiToken(Row):
    """A key for programs; never accepted as a cookie."""

    __tablename__ = "api_tokens"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    token_hash: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[list[Any]] = mapped_column(default=list)
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]


class Setting(Row):
    """One value that a person chose; ``user_id`` is null for the whole instance."""

    __tablename__ = "settings"
    __table_args__ = (
        Index("uq_settings_user", "user_id", "name", unique=True, postgresql_where=text("user_id IS NOT NULL")),
        Index("uq_settings_instance", "name", unique=True, postgresql_where=text("user_id IS NULL")),
    )

    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str]
    value: Mapped[dict[str, Any]]
    changed_at: Mapped[datetime]
