"""What a downloader does with a fetched file: out of its wrapping without a new encoding, proved to play, with tags.

The ffmpeg is the tool's own (``imageio_ffmpeg``). A codec has one kind of file: AAC an .m4a, Opus an .opus, MP3 an
.mp3, Vorbis an .ogg, FLAC a .flac.
"""

import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from soundforge_runners._fetch_failure import Failed

KINDS = {"aac": ".m4a", "alac": ".m4a", "opus": ".opus", "mp3": ".mp3", "vorbis": ".ogg", "flac": ".flac"}
_AUDIO = re.compile(r"Stream #\d+:\d+.*?: Audio: (\w+)")
_VIDEO = re.compile(r"Stream #\d+:\d+.*?: Video: (?!mjpeg|png)(\w+)")
_TIME = re.compile(r"time=(\d+):(\d\d):(\d\d(?:\.\d+)?)")
_WORDS = 300
_BEAT_S = 2.0


def ffmpeg_path() -> str:
    """Where the tool's own ffmpeg lies."""
    import imageio_ffmpeg

    path: str = imageio_ffmpeg.get_ffmpeg_exe()
    return path


def unwrap(path: Path) -> Path:
    """Bring the audio into the file that its codec belongs in, bit for bit; gives the file's path, the old one is gone.

    Raises Failed ``source_not_audio``.
    """
    _, said = _ffmpeg(["-i", str(path)])
    codec = _AUDIO.search(said)
    extension = KINDS.get(codec[1]) if codec else None
    if extension is None:
        raise Failed("source_not_audio", f"a file of {codec[1] if codec else 'no'} audio: {said[-_WORDS:]}")
    if path.suffix == extension and not _VIDEO.search(said):
        return path
    target = path.with_name(f"{path.stem}.own{extension}")
    code, said = _ffmpeg(["-i", str(path), "-map", "0:a:0", "-vn", "-c", "copy", "-map_metadata", "-1", str(target)])
    if code:
        raise Failed("source_not_audio", said[-_WORDS:])
    path.unlink()
    return target.replace(path.with_suffix(extension))


def play_through(path: Path, alive: Callable[[], None]) -> float:
    """Decode a whole file to nowhere; gives its length in seconds. Raises Failed ``source_not_audio``.

    ``alive`` is called again and again meanwhile: three hours take their time on a busy machine.
    """
    code, said = _ffmpeg(["-xerror", "-i", str(path), "-map", "0:a:0", "-f", "null", "-"], alive)
    times = _TIME.findall(said)
    if code or not times:
        raise Failed("source_not_audio", said[-_WORDS:])
    hours, minutes, seconds = times[-1]
    length_s = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    if not length_s:
        raise Failed("source_not_audio", "the file holds no sound")
    return length_s


def hash_sound(path: Path) -> str:
    """SHA-256 of the encoded sound alone, in hex, whatever is around it; raises Failed ``source_not_audio``."""
    target = path.with_suffix(".sha256")
    arguments = ["-i", str(path), "-map", "0:a:0", "-c", "copy", "-f", "hash", "-hash", "sha256", str(target)]
    code, said = _ffmpeg(arguments)
    if code:
        raise Failed("source_not_audio", said[-_WORDS:])
    told = target.read_text().strip()
    target.unlink()
    return told.rpartition("=")[2].lower()


def write_tags(path: Path, song: dict[str, Any]) -> None:
    """Write what the studio knows of the song, and its cover; what the site wrote there is gone."""
    from mutagen.flac import FLAC
    from mutagen.mp3 import MP3
    from mutagen.mp4 import MP4
    from mutagen.oggopus import OggOpus
    from mutagen.oggvorbis import OggVorbis

    cover = Path(song["cover"]).read_bytes() if song.get("cover") else b""
    fields = {name: str(song.get(name) or "") for name in ("title", "album", "isrc", "year", "track_number")}
    fields["artist"] = ", ".join(song.get("artists") or [])
    if path.suffix == ".m4a":
        _tag_mp4(MP4(path), fields, cover)
    elif path.suffix == ".mp3":
        _tag_mp3(MP3(path), fields, cover)
    else:
        kinds = {".opus": OggOpus, ".ogg": OggVorbis, ".flac": FLAC}
        _tag_vorbis(kinds[path.suffix](path), fields, cover)


def _tag_mp4(file: Any, fields: dict[str, str], cover: bytes) -> None:
    from mutagen.mp4 import MP4Cover, MP4FreeForm

    names = {"\xa9nam": "title", "\xa9ART": "artist", "\xa9alb": "album", "\xa9day": "year"}
    file.tags = None
    file.add_tags()
    file.tags.update({atom: [fields[name]] for atom, name in names.items() if fields[name]})
    if fields["track_number"]:
        file.tags["trkn"] = [(int(fields["track_number"]), 0)]
    if fields["isrc"]:
        file.tags["----:com.apple.iTunes:ISRC"] = [MP4FreeForm(fields["isrc"].encode())]
    if cover:
        kind = MP4Cover.FORMAT_PNG if _is_png(cover) else MP4Cover.FORMAT_JPEG
        file.tags["covr"] = [MP4Cover(cover, imageformat=kind)]
    file.save()


def _tag_mp3(file: Any, fields: dict[str, str], cover: bytes) -> None:
    from mutagen import id3

    frames = {
        "title": "TIT2",
        "artist": "TPE1",
        "album": "TALB",
        "isrc": "TSRC",
        "year": "TDRC",
        "track_number": "TRCK",
    }
    file.tags = id3.ID3()
    for name, frame in frames.items():
        if fields[name]:
            file.tags.add(getattr(id3, frame)(encoding=3, text=[fields[name]]))
    if cover:
        file.tags.add(id3.APIC(encoding=3, mime=_mime(cover), type=3, desc="", data=cover))
    file.save()


def _tag_vorbis(file: Any, fields: dict[str, str], cover: bytes) -> None:
    import base64

    from mutagen.flac import Picture

    names = {"title": "title", "artist": "artist", "album": "album", "isrc": "isrc", "date": "year"}
    names["tracknumber"] = "track_number"
    if file.tags is None:
        file.add_tags()
    file.tags.clear()
    file.tags.update({tag: [fields[name]] for tag, name in names.items() if fields[name]})
    if cover:
        picture = Picture()
        picture.data, picture.type, picture.mime = cover, 3, _mime(cover)
        file.tags["metadata_block_picture"] = [base64.b64encode(picture.write()).decode()]
    file.save()


def _is_png(cover: bytes) -> bool:
    return cover.startswith(b"\x89PNG")


def _mime(cover: bytes) -> str:
    return "image/png" if _is_png(cover) else "image/jpeg"


def _ffmpeg(arguments: Sequence[str], alive: Callable[[], None] = lambda: None) -> tuple[int, str]:
    """Run ffmpeg on files alone (no protocol but ``file``); gives its status and what it said."""
    argv = [ffmpeg_path(), "-nostdin", "-hide_banner", "-y", "-protocol_whitelist", "file,pipe", *arguments]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        while True:
            try:
                _, said = process.communicate(timeout=_BEAT_S)
            except subprocess.TimeoutExpired:
                alive()
                continue
            return process.returncode, said.decode("utf-8", "replace")
