"""Where audio comes from: files and folders on this machine, links to single songs, lines and lists that name them."""

from ._files import EXTENSIONS, check_file, extension_of, list_audio, media_type_of
from ._lines import (
    MOST_LINES,
    Listed,
    Pasted,
    Unread,
    Wanted,
    is_exported_list,
    read_exported_list,
    read_line,
    split_paste,
)
from ._links import Link, LinkKind, Site, is_link, parse_link
from ._names import Guess, clean_name

__all__ = [
    "EXTENSIONS",
    "MOST_LINES",
    "Guess",
    "Link",
    "LinkKind",
    "Listed",
    "Pasted",
    "Site",
    "Unread",
    "Wanted",
    "check_file",
    "clean_name",
    "extension_of",
    "is_exported_list",
    "is_link",
    "list_audio",
    "media_type_of",
    "parse_link",
    "read_exported_list",
    "read_line",
    "split_paste",
]
