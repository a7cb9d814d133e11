"""Sound Forge Alchemy: songs in; stems, tempo, key and a mixer out."""

__version__ = "0.1.0"
