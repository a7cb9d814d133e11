"""What ``/api/v1/openapi.json`` says beside what the signatures do: how one logs in, errors, and bodies of bytes."""

from typing import Any

from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer

_PROBLEM = {
    "title": "Problem",
    "description": "Why something was refused; docs/errors.md lists the codes.",
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": {"type": "string", "description": "Stable, for programs."},
                "message": {"type": "string", "description": "One sentence, for people."},
                "fields": {
                    "type": "object",
                    "additionalProperties": {"type": "string"},
                    "description": "What is wrong with each field, where one can say so.",
                },
            },
        }
    },
}
_BODY = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_REFUSED = {
    400: "The caller must change something",
    401: "Nobody is logged in, or nobody any more",
    403: "Known, but not allowed",
    404: "There is no such thing, or it is somebody else's",
    409: "The present state forbids it",
    413: "The body is too large",
    422: "The input makes no sense",
    429: "Too often, or too many at once",
    503: "Later it may be possible",
}
REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"description": why, "content": _BODY} for status, why in _REFUSED.items()
}

# Only told of: who asks is found out by the routes themselves, which also know a browser's session.
_bearer = HTTPBearer(scheme_name="token", description="A token made in Settings: `sfa_…`", auto_error=False)
TOKEN = Depends(_bearer)

_BYTES = {"schema": {"type": "string", "format": "binary"}}
RAW_BODY: dict[str, Any] = {"requestBody": {"required": True, "content": {"application/octet-stream": _BYTES}}}


def sends(*media_types: str) -> dict[int | str, dict[str, Any]]:
    """The answer of a route whose content is no JSON."""
    return {200: {"content": dict.fromkeys(media_types, _BYTES)}}


class DescribedApp(FastAPI):
    """An application whose description has the shape of its errors."""

    def openapi(self) -> dict[str, Any]:
        """Describe the API."""
        document = super().openapi()
        document.setdefault("components", {}).setdefault("schemas", {})["Problem"] = _PROBLEM
        return document
