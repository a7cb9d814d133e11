"""Where audio comes from. So far: files and folders on this machine, and what their names tell."""

from ._files import EXTENSIONS, check_file, extension_of, list_audio, media_type_of
from ._names import Guess, clean_name

__all__ = ["EXTENSIONS", "Guess", "check_file", "clean_name", "extension_of", "list_audio", "media_type_of"]
