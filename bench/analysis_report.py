"""Tables of the accuracy benchmark: means with intervals, by style and by treatment, calibration."""

from collections import defaultdict
from typing import Any

import numpy as np

from bench.scores import METRICS, calibration_error, interval

type Rows = list[dict[str, Any]]

_COLUMNS = (
    "tempo_acc1",
    "tempo_acc2",
    "beat_f",
    "downbeat_f",
    "key_weighted",
    "chord_majmin",
    "chord_tetrads",
    "boundary_f_3s",
)


def print_report(ours: Rows, naive: Rows, worst: int) -> None:
    """Print all of it; either of the two may be empty."""
    if not (ours and naive):
        print_means(ours or naive)
    else:
        print_pairs(ours, naive)
    print_cost(ours, naive)
    if ours:
        print_calibration(ours)
    print_groups(ours or naive, "style")
    print_groups(ours or naive, "way")
    print_worst(ours or naive, worst)


def print_means(rows: Rows) -> None:
    """Print the mean of every metric with its interval."""
    print(f"\n{len(rows)} songs\n\n| metric | mean (95 %) |\n|---|---|")
    for metric in METRICS:
        print(f"| {metric} | {_with_interval([row[metric] for row in rows])} |")


def print_pairs(ours: Rows, naive: Rows) -> None:
    """Print ours beside the naive script's, and the gain from song to song."""
    print(f"\n{len(ours)} songs\n\n| metric | ours (95 %) | naive (95 %) | paired gain (95 %) |\n|---|---|---|---|")
    for metric in METRICS:
        sides = [[row[metric] for row in rows] for rows in (ours, naive)]
        gains = [a - b for a, b in zip(*sides, strict=True)]
        print(f"| {metric} | " + " | ".join(_with_interval(values) for values in (*sides, gains)) + " |")


def print_cost(ours: Rows, naive: Rows) -> None:
    """Print CPU seconds per minute of sound, decoding included."""
    for name, rows in (("ours", ours), ("naive", naive)):
        if rows:
            cost = sum(row["cpu_s"] for row in rows) / sum(row["minutes"] for row in rows)
            print(f"\n{name}: {cost:.2f} CPU s per minute, decoding included")


def print_calibration(rows: Rows) -> None:
    """Print how far what the document says of tempo and key lies from how often it is right."""
    print("\n| confidence | mean | right | calibration error |\n|---|---|---|---|")
    for name, metric in (("tempo", "tempo_acc1"), ("key", "key_exact")):
        said = np.array([row[f"{name}_confidence"] or 0.0 for row in rows])
        right = np.array([row[metric] for row in rows])
        print(f"| {name} | {said.mean():.3f} | {right.mean():.3f} | {calibration_error(said, right):.3f} |")


def print_groups(rows: Rows, name: str) -> None:
    """Print the mean of the main metrics per style or way."""
    groups = defaultdict(list)
    for row in rows:
        groups[row[name]].append(row)
    print(f"\n| {name} | songs | " + " | ".join(_COLUMNS) + " |\n" + "|---" * (len(_COLUMNS) + 2) + "|")
    for group, members in groups.items():
        means = (_mean([row[column] for row in members]) for column in _COLUMNS)
        print(f"| {group} | {len(members)} | " + " | ".join(f"{mean:.2f}" for mean in means) + " |")


def print_worst(rows: Rows, count: int) -> None:
    """Print the songs that went worst."""
    for row in sorted(rows, key=lambda row: sum(row[metric] for metric in METRICS))[:count]:
        print(row["id"], row["way"], {metric: round(row[metric], 2) for metric in METRICS})


def _with_interval(values: list[float]) -> str:
    low, high = interval(values)
    return f"{_mean(values):.3f} ({low:.2f} to {high:.2f})"


def _mean(values: list[float]) -> float:
    return sum(values) / max(len(values), 1)
