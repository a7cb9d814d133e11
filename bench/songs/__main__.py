"""Render a set of songs; see `bench.songs`."""

import argparse
from pathlib import Path

from bench.songs import Variation, compose, render


def main() -> None:
    """Render as asked."""
    ask = argparse.ArgumentParser(prog="bench.songs", description=__doc__)
    ask.add_argument("out", type=Path)
    ask.add_argument("--seed", type=int, default=7)
    ask.add_argument("--count", type=int, default=36)
    ask.add_argument("--seconds", type=float, default=48)
    asked = ask.parse_args()
    for number in range(asked.count):
        song = compose(asked.seed, number, Variation(asked.seconds))
        render(song, asked.out / song.name)
        print(song.name)


if __name__ == "__main__":
    main()
