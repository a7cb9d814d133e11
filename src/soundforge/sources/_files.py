"""What a file must satisfy before an import job is worth starting.

The decoder alone decides what a file is, by its content, in a child of its own; here only what is plain at a glance is
refused, so that the user hears at once and not from a job: nothing there, too much, or unmistakably something else.
"""

from pathlib import Path

from soundforge.errors import Invalid, NotFound

_MEDIA_TYPES = {
    "wav": "audio/wav",
    "aiff": "audio/aiff",
    "flac": "audio/flac",
    "mp3": "audio/mpeg",
    "aac": "audio/aac",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "m4a": "audio/mp4",
}

EXTENSIONS = frozenset(
    f".{name}"
    for name in ("wav", "wave", "aif", "aiff", "aifc", "flac", "mp3", "aac", "ogg", "oga", "opus", "m4a", "m4b", "mp4")
)  # of files that are taken from a folder, and offered in the page's file dialog

_OTHERS = {
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a zip archive or an office document",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"\x7fELF": "a program",
    b"MZ": "a program",
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"\x1f\x8b": "a compressed file",
    b"<!DO": "a web page",
    b"<htm": "a web page",
    b"#EXT": "a playlist",
}


def check_file(path: Path, *, max_mb: int) -> None:
    """Refuse what cannot become a track: ``no_such_file``, ``empty_file``, ``too_large``, ``not_audio``."""
    if not path.is_file():
        raise NotFound(f"There is no file “{path.name or path}”.", code="no_such_file")
    size = path.stat().st_size
    if not size:
        raise Invalid("The file is empty.", code="empty_file")
    if size > max_mb << 20:
        raise Invalid(f"The file is larger than {max_mb} MB.", code="too_large")
    with path.open("rb") as file:
        head = file.read(8)
    other = next((what for magic, what in _OTHERS.items() if head.startswith(magic)), None)
    if other:
        raise Invalid(f"This is {other}, not an audio file.", code="not_audio")


def list_audio(path: Path) -> list[Path]:
    """Return the audio files at ``path``: the file itself, or those below a folder by extension, in order of name.

    Hidden files and folders and links to folders are left out. Raises NotFound ``no_such_file``, and Invalid
    ``no_audio_here`` for a folder that holds none.
    """
    if not path.is_dir():
        if not path.is_file():
            raise NotFound(f"There is no file “{path.name or path}”.", code="no_such_file")
        return [path]
    found = []
    for parent, folders, files in path.walk():
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        names = (name for name in sorted(files) if not name.startswith(".") and Path(name).suffix.lower() in EXTENSIONS)
        found += [parent / name for name in names]
    if not found:
        raise Invalid(f"There is no audio file in “{path.name or path}”.", code="no_audio_here")
    return found


def extension_of(audio_format: str) -> str:
    """Return the extension, with its dot, that a file of the decoder's ``format`` is stored under."""
    return f".{audio_format}"


def media_type_of(audio_format: str) -> str:
    """Return the media type of the decoder's ``format``, e.g. ``audio/mpeg``."""
    return _MEDIA_TYPES[audio_format]
