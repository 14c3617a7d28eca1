# SPDX-License-Identifier: GPL-2.0
"""What a result says: figures, noise, ratios, and whether targets are met."""

import statistics
from dataclasses import dataclass

from plan import GROWTH_LIMIT, floor_of

PEERS = ("c", "rust")
TITLES = {"vbinder": "vbinder", "c": "C", "rust": "Rust"}
HEADINGS = ("to the better", "between", "floor", "target")
MANY_SAMPLES = 4


def figure(cell: dict | None) -> float | None:
    if not cell or not cell["rounds"]:
        return None
    return statistics.median(statistics.median(values) for values in cell["rounds"])


def noise(cell: dict) -> float:
    """By which part of itself a figure differs between rounds."""
    samples = [statistics.median(values) for values in cell["rounds"]]
    return Spread.of(samples if len(samples) > 1 else cell["rounds"][0]).noise


@dataclass
class Spread:
    """A figure, and between what it is."""

    middle: float
    low: float
    high: float

    @staticmethod
    def of(samples: list[float]) -> "Spread":
        """Of few samples all of them; of many the half in the middle."""
        low, high = min(samples), max(samples)
        if len(samples) > MANY_SAMPLES:
            low, _, high = statistics.quantiles(samples, n=4, method="inclusive")
        return Spread(statistics.median(samples), low, high)

    @property
    def noise(self) -> float:
        return (self.high - self.low) / self.middle if self.middle else 0.0


def text_of(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    if unit == "instructions":
        return f"{value / 1000:.2f} k"
    if unit == "bytes":
        return f"{value:.0f} B"
    if unit == "1/s":
        return f"{value:.0f} /s"
    return f"{value:.0f}"


class Judged:
    """A row of a result with what can be said of it."""

    def __init__(self, row: dict, result: dict) -> None:
        self.row = row
        self.unit = row["unit"]
        self.columns = row["columns"]
        self.ours = figure(self.columns.get("vbinder"))
        self.ratio = self._ratio()
        self.floor = self._floor(result)
        self.growth = self._growth(result)

    def _ratio(self) -> Spread | None:
        """To the better of the peers."""
        ratios = []
        for peer in PEERS:
            theirs = self.columns.get(peer)
            beside = self.columns.get(f"vbinder beside {peer}")
            ours = beside or self.columns.get("vbinder")
            if not figure(theirs) or not figure(ours):
                continue
            ratios.append(_by_turns(ours, theirs) if beside else _ratio(ours, theirs))
        if not ratios:
            return None
        worst = min if self.row["more_is_better"] else max
        return worst(ratios, key=lambda ratio: ratio.middle)

    def _floor(self, result: dict) -> float | None:
        parts = [figure_of(result, words, "system") for words in floor_of(self.row["words"])]
        return sum(parts) if parts and None not in parts else None

    def _growth(self, result: dict) -> float | None:
        few = figure_of(result, self.row["grows_from"], "vbinder")
        return self.ours / few if few and self.ours else None

    @property
    def verdict(self) -> str:
        """What became of the target; nothing if there is none or no peer."""
        target = self.row["target"]
        if self.growth is not None and self.growth > GROWTH_LIMIT:
            return "MISSED"
        if target is None or self.ratio is None:
            return ""
        if self.ratio.low < target < self.ratio.high:
            return "unclear"
        middle = self.ratio.middle
        is_met = middle >= target if self.row["more_is_better"] else middle <= target
        return "met" if is_met else "MISSED"

    @property
    def target(self) -> str:
        parts = []
        if self.row["target"] is not None:
            sign = ">=" if self.row["more_is_better"] else "<="
            parts.append(f"{sign} {self.row['target']:.2f}")
        if self.growth is not None:
            parts.append(f"grown {self.growth:.2f} <= {GROWTH_LIMIT:.2f}")
        return ", ".join(parts)


def _ratio(ours: dict, theirs: dict) -> Spread:
    ratio = figure(ours) / figure(theirs)
    part = (noise(ours) + noise(theirs)) / 2
    return Spread(ratio, ratio * (1 - part), ratio * (1 + part))


def _by_turns(ours: dict, theirs: dict) -> Spread:
    """Each turn is compared with the one beside it: time was the same for both."""
    pairs = zip(ours["rounds"], theirs["rounds"])
    return Spread.of([statistics.median(our) / statistics.median(their) for our, their in pairs])


def figure_of(result: dict, words: str, column: str) -> float | None:
    for row in result["rows"]:
        if row["words"] == words:
            return figure(row["columns"].get(column))
    return None


def _line(judged: Judged, drivers: list[str]) -> list[str]:
    row = judged.row
    cells = []
    for driver in drivers:
        cell = judged.columns.get(driver) or judged.columns.get(f"vbinder beside {driver}")
        if driver == "vbinder" and not cell:
            besides = [figure(judged.columns.get(f"vbinder beside {peer}")) for peer in PEERS]
            cells.append(" | ".join(text_of(one, judged.unit) for one in besides if one))
            continue
        failed = cell and cell["errors"]
        cells.append("FAILED" if failed else text_of(figure(cell), judged.unit))
    return [
        f"{row['section']}: {row['title']}",
        *cells,
        f"{judged.ratio.middle:.2f}" if judged.ratio else "-",
        f"{judged.ratio.low:.2f} - {judged.ratio.high:.2f}" if judged.ratio else "-",
        text_of(judged.floor, judged.unit) if judged.floor else "",
        judged.target,
        judged.verdict,
    ]


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[number]) for row in rows) for number in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [f"{row[0]:{widths[0]}}"]
        cells += [f"{cell:>{width}}" for cell, width in zip(row[1:-2], widths[1:-2])]
        cells += [f"{cell:{width}}" for cell, width in zip(row[-2:], widths[-2:])]
        lines.append("  ".join(cells).rstrip())
    return lines


def table(result: dict) -> list[str]:
    drivers = [driver for driver in TITLES if driver in result["drivers"]]
    rows = [["", *(TITLES[driver] for driver in drivers), *HEADINGS, ""]]
    floors = []
    for row in result["rows"]:
        if "system" in row["columns"]:
            value = figure(row["columns"]["system"])
            floors.append(f"{row['section']}: {row['title']}  {text_of(value, row['unit'])}")
        else:
            rows.append(_line(Judged(row, result), drivers))
    lines = _aligned(rows) + floors
    modes = _modes(result)
    return lines + ([""] + modes if modes else [])


def _modes(result: dict) -> list[str]:
    rows = []
    for row in result["rows"]:
        modes = {name: cell for name, cell in row["columns"].items() if name.startswith("install=")}
        if modes and not rows:
            rows.append(["vbinder, by mode", *modes, "", ""])
        if modes:
            cells = [text_of(figure(cell), row["unit"]) for cell in modes.values()]
            rows.append([f"{row['section']}: {row['title']}", *cells, "", ""])
    return _aligned(rows) if rows else []


def missed(result: dict) -> list[str]:
    judged = [Judged(row, result) for row in result["rows"]]
    return [
        f"{one.row['section']}: {one.row['title']}" for one in judged if one.verdict == "MISSED"
    ]
