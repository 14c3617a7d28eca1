# SPDX-License-Identifier: GPL-2.0
"""Draws a result; bench/plot runs it where there is matplotlib."""

import json
import os
import sys

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator  # noqa: E402

from plan import MODES, SIZES, bytes_of  # noqa: E402
from report import PEERS, TITLES, figure_of, floor_of  # noqa: E402

# Written by matplotlib and then replaced, so that the reader's page decides.
INK, GRID = "#010203", "#040506"
STYLE = """<style>
  svg { --ink: #24292f; --grid: #d0d7de }
  @media (prefers-color-scheme: dark) { svg { --ink: #e6edf3; --grid: #3d444d } }
 </style>"""
LICENSE = "<!-- SPDX-License-Identifier: GPL-2.0 -->"
# Colours that are seen on white and on black, and by the colour-blind.
COLOURS = {"vbinder": "#e8701a", "c": "#3d8bd9", "rust": "#3aa17e"}
MARKERS = {"vbinder": "o", "c": "s", "rust": "^"}
MODE_COLOURS = dict(zip(MODES, ("#f5b07a", "#e8701a", "#a84a05")))
THOUSAND = 1000
SIZE_INCHES = (6.6, 3.6)
SETTINGS = {
    "svg.fonttype": "none",
    "svg.hashsalt": "vbinder",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "legend.frameon": False,
}
COLOURED = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color")
SETTINGS |= {key: INK for key in COLOURED}

# A bar or a line: its name in the legend, its colour, and its values.
Series = tuple[str, str, list[float | None]]


class Plots:
    """All that can be drawn of a result."""

    def __init__(self, result: dict, directory: str) -> None:
        self._result = result
        self._directory = directory
        self._drivers = [driver for driver in TITLES if driver in result["drivers"]]

    def _values(self, words: list[str], column: str, scale: float) -> list[float | None]:
        values = [figure_of(self._result, one, column) for one in words]
        return [None if value is None else value / scale for value in values]

    def _by_driver(self, words: list[str], scale: float = THOUSAND) -> list[Series]:
        return [
            (TITLES[driver], COLOURS[driver], self._values(words, driver, scale))
            for driver in self._drivers
        ]

    def _save(self, figure: plt.Figure, name: str) -> None:
        path = f"{self._directory}/{name}.svg"
        figure.tight_layout()
        metadata = {"Date": None, "Creator": None}
        figure.savefig(path, format="svg", transparent=True, metadata=metadata)
        plt.close(figure)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        head, mark, rest = text.partition("<svg")
        opening, close, rest = rest.partition(">")
        text = f"{head}{LICENSE}\n{mark}{opening}{close}\n {STYLE}{rest}"
        text = text.replace(INK, "var(--ink)").replace(GRID, "var(--grid)")
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(line.rstrip() for line in text.splitlines()) + "\n")
        print(f"  {os.path.basename(path)}")

    def _lines(self, axes: plt.Axes, at: list[float], words: list[str]) -> None:
        highest = 0.0
        for driver, (title, colour, values) in zip(self._drivers, self._by_driver(words)):
            axes.plot(at, values, color=colour, marker=MARKERS[driver], label=title)
            highest = max([highest, *(value for value in values if value)])
        axes.set_ylim(0, highest * 1.1 or None)
        axes.set_ylabel("thousand instructions")

    def round_trip(self) -> None:
        words = [f"roundtrip {size}" for size in SIZES]
        figure, axes = plt.subplots(figsize=SIZE_INCHES)
        self._lines(axes, list(SIZES), words)
        floors = [
            [figure_of(self._result, part, "system") for part in floor_of(one)] for one in words
        ]
        low = [None if None in parts else sum(parts) / THOUSAND for parts in floors]
        axes.plot(SIZES, low, color=INK, linestyle=":", label="pipe and two copies")
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_locator(FixedLocator(SIZES))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _: bytes_of(int(size))))
        axes.set_xlabel("payload, each way")
        axes.set_title("A synchronous round trip")
        axes.legend()
        self._save(figure, "roundtrip")

    def clients(self) -> None:
        numbers = [1, 2, 3, 4]
        words = ["roundtrip 4096", *(f"roundtrip 4096 {number}" for number in numbers[1:])]
        figure, axes = plt.subplots(figsize=SIZE_INCHES)
        self._lines(axes, numbers, words)
        axes.xaxis.set_major_locator(FixedLocator(numbers))
        axes.set_xlabel("clients of one server")
        axes.set_title("A round trip of 4 KiB")
        axes.legend()
        self._save(figure, "clients")

    def _bars(self, axes: plt.Axes, groups: list[str], series: list[Series]) -> None:
        width = 0.8 / len(series)
        for number, (title, colour, values) in enumerate(series):
            at = [group + (number - (len(series) - 1) / 2) * width for group in range(len(groups))]
            heights = [value or 0 for value in values]
            bars = axes.bar(at, heights, width * 0.92, color=colour, label=title)
            labels = ["" if value is None else _short(value) for value in values]
            axes.bar_label(bars, labels, fontsize=7, color=INK, padding=1)
        axes.set_xticks(range(len(groups)), groups)
        axes.tick_params(axis="x", length=0)

    def fresh(self) -> None:
        sizes = (1 << 16, 1 << 20)
        words = [f"fresh {size}" for size in sizes]
        series = [one for one in self._by_driver(words) if one[0] != TITLES["vbinder"]]
        for mode in MODES:
            column = f"install={mode}"
            values = self._values(words, column, THOUSAND)
            series.append((f"vbinder, {column}", MODE_COLOURS[mode], values))
        figure, axes = plt.subplots(figsize=SIZE_INCHES)
        self._bars(axes, [f"calls of {bytes_of(size)}" for size in sizes], series)
        axes.set_ylabel("thousand instructions")
        axes.set_title("A page that was not there")
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
        self._save(figure, "fresh")

    def reclaim(self) -> None:
        words = ["reclaim 16", "reclaim 256", "scan 16", "scan 256"]
        groups = ["drop_caches,\n16 pages", "drop_caches,\n256 pages"]
        groups += ["the shrinker,\n16 pages", "the shrinker,\n256 pages"]
        figure, axes = plt.subplots(figsize=SIZE_INCHES)
        self._bars(axes, groups, self._by_driver(words))
        axes.set_ylabel("thousand instructions")
        axes.set_title("Reclaim of an idle page")
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
        self._save(figure, "reclaim")

    def storm(self) -> None:
        threads = (0, 1, 4)
        peers = [peer for peer in PEERS if peer in self._drivers]
        figure, panels = plt.subplots(
            1, 2 * len(peers), figsize=(8.6, SIZE_INCHES[1]), sharey=True, squeeze=False
        )
        pairs = [(peer, every) for peer in peers for every in (0, 8)]
        for axes, (peer, every) in zip(panels[0], pairs):
            words = [f"storm {number} 65536 {every}" for number in threads]
            beside = f"vbinder beside {peer}"
            series: list[Series] = [
                ("vbinder", COLOURS["vbinder"], self._values(words, beside, 1)),
                (TITLES[peer], COLOURS[peer], self._values(words, peer, 1)),
            ]
            self._bars(axes, [str(number) for number in threads], series)
            pages = "some fresh" if every else "resident"
            axes.set_title(f"beside {TITLES[peer]}, {pages}", fontsize=9)
            axes.set_xlabel("threads")
            axes.legend(fontsize=8, loc="upper right")
        # The panels have one scale. There is room for the legends above the bars.
        panels[0][0].set_ylim(top=panels[0][0].get_ylim()[1] * 1.25)
        panels[0][0].set_ylabel("calls of 64 KiB per second")
        title = "Calls while threads of the receiver map and unmap"
        figure.suptitle(title, x=0.01, ha="left", fontsize=11)
        self._save(figure, "storm")


def _short(value: float) -> str:
    return f"{value:.2f}" if value < 20 else f"{value:.0f}"


def has(result: dict, metric: str) -> bool:
    return any(
        row["words"].split()[0] == metric
        and any(cell["rounds"] for cell in row["columns"].values())
        for row in result["rows"]
    )


def main() -> int:
    path, directory = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        result = json.load(file)
    plots = Plots(result, directory)
    drawings = (
        ("roundtrip", plots.round_trip),
        ("roundtrip", plots.clients),
        ("fresh", plots.fresh),
        ("reclaim", plots.reclaim),
        ("storm", plots.storm),
    )
    with matplotlib.rc_context(SETTINGS):
        for metric, draw in drawings:
            if has(result, metric):
                draw()
            else:
                print(f"  no {metric} in this result, so nothing is drawn of it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
