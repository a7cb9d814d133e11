"""Every error of ours, by who must act.

SoundForgeError
├── Rejected        the caller must change something
│   ├── Invalid      the input does not make sense
│   ├── NotFound     no such thing, or not yours
│   ├── Conflict     the present state forbids it
│   └── Forbidden    known, but not allowed
├── Unavailable     nobody: try again later
└── Broken          a person: trying again is useless

Each error has a stable ``code`` (for programs: JSON, job rows, templates) and one sentence (for
people). The edges map families, never single codes: HTTP status in ``web``, exit code in ``cli``,
retry or give up in ``jobs``.
"""

from collections.abc import Mapping


class SoundForgeError(Exception):
    """Something this application knows how to explain."""

    code: str = "error"

    def __init__(
        self,
        sentence: str,
        *,
        code: str | None = None,
        detail: str = "",
        retry_after_s: float | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> None:
        """Explain in one ``sentence``; ``detail`` is for the log alone and never shown."""
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code or type(self).code
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.fields = dict(fields or {})


class Rejected(SoundForgeError):
    """The caller must change something."""

    code = "rejected"


class Invalid(Rejected):
    """The input does not make sense."""

    code = "invalid"


class NotFound(Rejected):
    """There is no such thing, or it is not yours."""

    code = "not_found"


class Conflict(Rejected):
    """The present state forbids it."""

    code = "conflict"


class Forbidden(Rejected):
    """The caller is known, but may not do this."""

    code = "forbidden"


class Unavailable(SoundForgeError):
    """Nobody did wrong: trying again later may help."""

    code = "unavailable"


class Broken(SoundForgeError):
    """A person must look: trying again is useless."""

    code = "broken"
