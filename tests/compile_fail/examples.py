# SPDX-License-Identifier: GPL-2.0
"""The examples in the documentation of the crate vmarea, and the types that must have one."""

import glob
import os
import re
from dataclasses import dataclass

CRATE = "rust/vmarea.rs"
DOC = re.compile(r"^\s*//[/!] ?(.*)$")
FENCE = re.compile(r"^ *(`{3,})(.*)$")
# What rustdoc takes for Rust; the rest is another language, or says that it is not to be compiled.
RUST_TAGS = re.compile(r"rust|should_panic|no_run|edition\d+")
# What is there for each example: `module!` makes a LocalModule in a driver.
BEFORE = "#![allow(unused, dead_code)] struct LocalModule; pub fn example() {} {{"
RESULT = "-> ::core::result::Result<(), impl ::core::fmt::Debug>"

TYPE = r"^[ \t]*pub (?:unsafe )?(?:struct|enum|union|trait) {}\b"
MODULE = re.compile(r"^pub mod (\w+);", re.MULTILINE)
EXPORT = re.compile(r"^pub use (\w+)::([^;]*);", re.MULTILINE)
HEADING = re.compile(r"^# Examples$", re.MULTILINE)
REFERENCE = re.compile(r"\bSee \[`(?:\w+::)*(\w+)`\](?:\([\w:]+\))? for an example\.")


class NotUnderstood(Exception):
    """This file does not know what to make of something in the sources."""


@dataclass
class Example:
    """A code block, which begins after line `line` of the file `path`."""

    path: str
    line: int
    code: list[str]

    @property
    def name(self) -> str:
        return f"{self.path}:{self.line}"

    def program(self) -> str:
        """The example as a crate, each line in its place."""
        code = [self._shown(line) for line in self.code]
        last = next((line for line in reversed(code) if line.strip()), "")
        before = BEFORE.format(RESULT if last.rstrip().endswith("(())") else "")
        return "\n".join([before] + [""] * (self.line - 1) + code + ["}"]) + "\n"

    @staticmethod
    def _shown(line: str) -> str:
        """A line without what hides it from readers."""
        text = line.lstrip()
        if text == "#" or text.startswith("# "):
            return text[2:]
        return line.replace("##", "#", 1) if text.startswith("##") else line


def read(repo: str, path: str) -> str:
    with open(f"{repo}/{path}", encoding="utf-8") as file:
        return file.read()


def blocks(path: str, text: str) -> list[Example]:
    """The code blocks of Rust in the documentation in `text`."""
    found = []
    fence, current = "", None
    for number, line in enumerate(text.splitlines(), 1):
        doc = DOC.match(line)
        mark = FENCE.match(doc[1]) if doc else None
        if not doc:
            if fence:
                raise NotUnderstood(f"{path}:{number}: a code block does not end")
        elif not fence and mark:
            fence = mark[1]
            tags = re.split(r"[\s,]+", mark[2].strip())
            if "compile_fail" in tags:
                raise NotUnderstood(f"{path}:{number}: that belongs in tests/compile_fail")
            if all(not tag or RUST_TAGS.fullmatch(tag) for tag in tags):
                current = Example(path, number, [])
        elif mark and mark[1] == fence and not mark[2].strip():
            if current:
                found.append(current)
            fence, current = "", None
        elif current:
            current.code.append(doc[1])
    return found


def examples(repo: str) -> list[Example]:
    paths = glob.glob("rust/**/*.rs", root_dir=repo, recursive=True)
    return [example for path in sorted(paths) for example in blocks(path, read(repo, path))]


def documentation(text: str, start: int) -> str:
    """What is written before the item that starts at `start`: its documentation and attributes."""
    lines = text[:start].splitlines()
    first = len(lines)
    while first and lines[first - 1].lstrip().startswith(("//", "#[")):
        first -= 1
    return "\n".join(lines[first:])


def public_types(repo: str, path: str) -> list[tuple[str, str, str]]:
    """The public types in the public module in `path` and those below: file, name, documentation."""
    text = read(repo, path)
    below = os.path.dirname(path) if path == CRATE else os.path.splitext(path)[0]
    found = [
        (path, item[1], documentation(text, item.start()))
        for item in re.finditer(TYPE.format(r"(\w+)"), text, re.MULTILINE)
    ]
    for module, names in EXPORT.findall(text):
        names = re.sub(r"//.*|[{}\s]", "", names).strip(",").split(",")
        file = f"{below}/{module}.rs"
        if not os.path.exists(f"{repo}/{file}") or not all(re.fullmatch(r"\w+", n) for n in names):
            raise NotUnderstood(f"{path}: what does 'pub use {module}::...' export?")
        inner = read(repo, file)
        for name in names:
            # Of another kind, if it is not found.
            for item in re.finditer(TYPE.format(name), inner, re.MULTILINE):
                found.append((file, name, documentation(inner, item.start())))
    for module in MODULE.findall(text):
        found += public_types(repo, f"{below}/{module}.rs")
    return found


def types(repo: str) -> list[tuple[str, str]]:
    """A name of a case for each public type, and what is missing."""
    found = public_types(repo, CRATE)
    code = {
        name: "\n".join(line for block in blocks(path, text) for line in block.code)
        for path, name, text in found
        if any(HEADING.search(doc[1]) for doc in map(DOC.match, text.splitlines()) if doc)
    }

    def missing(name: str, text: str) -> str:
        if code.get(name):
            return ""
        if name in code:
            return "there is no code under '# Examples'"
        prose = " ".join(doc[1] for doc in map(DOC.match, text.splitlines()) if doc)
        reference = REFERENCE.search(prose)
        if not reference:
            return "it has neither '# Examples' nor 'See [`X`] for an example.'"
        if not re.search(rf"\b{name}\b", code.get(reference[1], "")):
            return f"the example of {reference[1]} does not show it"
        return ""

    return [(f"{path}: example of {name}", missing(name, text)) for path, name, text in found]
