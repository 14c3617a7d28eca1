# SPDX-License-Identifier: GPL-2.0
"""What a result says: figures, noise, ratios, and whether targets are met."""

import statistics

from plan import GROWTH_LIMIT, floor_of

PEERS = ("c", "rust")
TITLES = {"vbinder": "vbinder", "c": "C", "rust": "Rust"}
HEADINGS = ("to the better", "noise", "floor", "target")
MANY_SAMPLES = 4


def figure(cell: dict | None) -> float | None:
    if not cell or not cell["rounds"]:
        return None
    return statistics.median(statistics.median(values) for values in cell["rounds"])


def noise(cell: dict) -> float:
    """By which part of itself a figure differs between rounds."""
    samples = [statistics.median(values) for values in cell["rounds"]]
    return spread(samples if len(samples) > 1 else cell["rounds"][0])


def spread(samples: list[float]) -> float:
    """Of few samples that of all; of many that of the half in the middle."""
    middle = statistics.median(samples)
    if not middle or len(samples) < 2:
        return 0.0
    low, high = min(samples), max(samples)
    if len(samples) > MANY_SAMPLES:
        low, _, high = statistics.quantiles(samples, n=4, method="inclusive")
    return (high - low) / middle


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
        self.ratio, self.noise = self._ratio()
        self.floor = self._floor(result)
        self.growth = self._growth(result)

    def _ratio(self) -> tuple[float | None, float]:
        """To the better of the peers, and its noise."""
        ratios = []
        for peer in PEERS:
            theirs = self.columns.get(peer)
            beside = self.columns.get(f"vbinder beside {peer}")
            ours = beside or self.columns.get("vbinder")
            if not figure(theirs) or not figure(ours):
                continue
            if beside:
                ratios.append(_ratio_by_turns(ours, theirs))
            else:
                ratios.append((figure(ours) / figure(theirs), noise(ours) + noise(theirs)))
        if not ratios:
            return None, 0.0
        return min(ratios) if self.row["more_is_better"] else max(ratios)

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
        if abs(self.ratio - target) < self.ratio * self.noise:
            return "unclear"
        is_met = self.ratio >= target if self.row["more_is_better"] else self.ratio <= target
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


def _ratio_by_turns(ours: dict, theirs: dict) -> tuple[float, float]:
    """Each turn is compared with the one beside it: time was the same for both."""
    pairs = zip(ours["rounds"], theirs["rounds"])
    ratios = [statistics.median(our) / statistics.median(their) for our, their in pairs]
    return statistics.median(ratios), spread(ratios)


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
        f"{judged.ratio:.2f}" if judged.ratio is not None else "-",
        f"{judged.noise:.1%}" if judged.ratio is not None else "-",
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
