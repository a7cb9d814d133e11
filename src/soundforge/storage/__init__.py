"""Finished files under keys that are never re-used. Nothing else in the application knows paths."""

from soundforge.storage._check import StorageCheck
from soundforge.storage._contract import Storage, Stored, check_key, check_prefix
from soundforge.storage._disk import DiskStorage

__all__ = ["DiskStorage", "Storage", "StorageCheck", "Stored", "check_key", "check_prefix"]
