"""Where audio comes from: files on this machine, links to single songs, lines and lists, and the downloader."""

from ._downloader import (
    LIKELY_SCORE,
    MOST_CANDIDATES,
    SURE_SCORE,
    Candidate,
    Downloaded,
    Downloader,
    OnProgress,
    Song,
)
from ._failures import FAILURES, SourceRefused, failure
from ._files import EXTENSIONS, check_file, extension_of, list_audio, media_type_of
from ._lengths import is_right_length
from ._lines import (
    MOST_LETTERS,
    MOST_LINES,
    Listed,
    Pasted,
    Unread,
    Wanted,
    is_exported_list,
    is_list,
    read_exported_list,
    read_line,
    split_paste,
)
from ._links import Link, LinkKind, Site, is_link, parse_link
from ._names import Guess, clean_name, one_line
from ._tool_downloader import DOWNLOADER, ToolDownloader

__all__ = [
    "DOWNLOADER",
    "EXTENSIONS",
    "FAILURES",
    "LIKELY_SCORE",
    "MOST_CANDIDATES",
    "MOST_LETTERS",
    "MOST_LINES",
    "SURE_SCORE",
    "Candidate",
    "Downloaded",
    "Downloader",
    "Guess",
    "Link",
    "LinkKind",
    "Listed",
    "OnProgress",
    "Pasted",
    "Site",
    "Song",
    "SourceRefused",
    "ToolDownloader",
    "Unread",
    "Wanted",
    "check_file",
    "clean_name",
    "extension_of",
    "failure",
    "is_exported_list",
    "is_link",
    "is_list",
    "is_right_length",
    "list_audio",
    "media_type_of",
    "one_line",
    "parse_link",
    "read_exported_list",
    "read_line",
    "split_paste",
]
