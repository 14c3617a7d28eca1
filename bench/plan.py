# SPDX-License-Identifier: GPL-2.0
"""What is measured, how often, and what has to be reached; see docs/benchmarks.md."""

from dataclasses import dataclass

SIZES = (8, 1024, 4096, 16384, 65536)
FEW, MANY = 10, 10000
MODES = ("sender", "receiver", "fault")
# What a row has to reach, as a ratio to the better of the in-tree drivers.
# Where nothing was set out, it is enough to be better.
TARGET = 0.75
STORM_TARGET = 1.5
BETTER = 1.0
# A page is a page.
AS_GOOD = 1.01
# By how much a call among many may cost more than one among few.
GROWTH_LIMIT = 1.2


@dataclass(frozen=True)
class Row:
    """One thing to measure: what bench/load does with these words."""

    section: str
    title: str
    words: str
    target: float | None = BETTER
    quick: bool = False
    more_is_better: bool = False
    # A floor concerns no driver; modes are of the module's parameter install.
    of_system: bool = False
    modes: bool = False
    storm: bool = False
    # Not in each round, because the first one changes what the next would see.
    once: bool = False
    # The row to which it may have grown by no more than GROWTH_LIMIT.
    grows_from: str = ""

    @property
    def metric(self) -> str:
        return self.words.split()[0]


def bytes_of(size: int) -> str:
    if size < 1024:
        return f"{size} B"
    return f"{size >> 10} KiB" if size < 1 << 20 else f"{size >> 20} MiB"


def _rows() -> list[Row]:
    rows = []
    for size in SIZES:
        rows.append(
            Row(
                "round trip",
                bytes_of(size),
                f"roundtrip {size}",
                TARGET,
                quick=size in (8, 4096, 65536),
            )
        )
    for clients in (2, 3, 4):
        title = f"4 KiB, {clients} clients"
        words = f"roundtrip 4096 {clients}"
        rows.append(Row("round trip", title, words, TARGET, quick=clients == 4))
    for size in SIZES:
        words = f"oneway {size}"
        rows.append(Row("oneway", bytes_of(size), words, TARGET, quick=size in (8, 65536)))
    for size in (1 << 16, 1 << 20):
        title = f"in calls of {bytes_of(size)}"
        rows.append(Row("a fresh page", title, f"fresh {size}", TARGET, quick=True, modes=True))
    for pages in (16, 256):
        title = f"drop_caches, of {pages}"
        rows.append(Row("reclaim of a page", title, f"reclaim {pages}", TARGET, quick=True))
    for pages in (16, 256):
        title = f"the shrinker alone, of {pages}"
        rows.append(Row("reclaim of a page", title, f"scan {pages}", TARGET, quick=pages == 256))
    rows.append(
        Row("reclaim of a page", "pages taken, 128 asked for", "batch", more_is_better=True)
    )
    rows.append(Row("idle memory", "of a process", "idle", TARGET, quick=True, once=True))
    rows.append(Row("idle memory", "of a page", "idle-page", AS_GOOD, quick=True))
    for kind in ("nodes", "refs", "buffers"):
        for count in (FEW, MANY):
            rows.append(
                Row(
                    "a call among many",
                    f"{count} {'references' if kind == 'refs' else kind}",
                    f"live {kind} {count}",
                    quick=True,
                    grows_from=f"live {kind} {FEW}" if count == MANY else "",
                )
            )
    for servers in (1, 4, 16, 64):
        title = f"{servers} processes in turn" if servers > 1 else "1 process"
        rows.append(
            Row(
                "a call among many",
                title,
                f"processes {servers}",
                quick=servers in (1, 64),
                grows_from="processes 1" if servers == 64 else "",
            )
        )
    for every in (0, 8):
        pages = "fresh pages now and then" if every else "resident pages"
        for threads in (0, 1, 4):
            rows.append(
                Row(
                    "64 KiB calls in a storm of mmap",
                    f"{threads} threads, {pages}",
                    f"storm {threads} 65536 {every}",
                    STORM_TARGET if threads == 4 else BETTER,
                    more_is_better=True,
                    storm=True,
                )
            )
    rows.append(
        Row("floor", "pipe, there and back", "pipe", None, quick=True, of_system=True)
    )
    for size in SIZES:
        words = f"copy {size}"
        rows.append(Row("floor", f"copy of {bytes_of(size)}", words, None, True, of_system=True))
    return rows


ROWS = _rows()


def floor_of(words: str) -> tuple[str, ...]:
    """The rows whose sum a round trip cannot be below."""
    metric, _, rest = words.partition(" ")
    if metric != "roundtrip":
        return ()
    copy = f"copy {rest.split()[0]}"
    return ("pipe", copy, copy)
