"""``python -m soundforge``."""

from soundforge.cli import main

main()
