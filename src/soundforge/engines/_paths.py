"""What a child names as its file must be its file: the check lives with the children."""

from soundforge.children import path_inside

__all__ = ["path_inside"]
