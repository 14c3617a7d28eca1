# SPDX-License-Identifier: GPL-2.0
"""Writes an initramfs (a cpio archive in the "newc" format) without being root."""

import os
import shutil
import stat
from typing import BinaryIO

# The format holds sizes as 32-bit numbers.
MAX_FILE = (1 << 32) - 1


class Initramfs:
    """An archive under construction; everything in it belongs to root."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._inode = 0
        self._known: set[bytes] = set()

    def directory(self, path: str, mode: int = 0o755) -> None:
        """Adds directory `path`, and its parents, unless it is there already."""
        name = _name(path)
        if not name or name in self._known:
            return
        self.directory(os.path.dirname(path))
        self._entry(name, stat.S_IFDIR | mode, 0)

    def symlink(self, path: str, target: str) -> None:
        self.directory(os.path.dirname(path))
        data = os.fsencode(target)
        self._entry(_name(path), stat.S_IFLNK | 0o777, len(data))
        self._data(data)

    def text(self, path: str, text: str, mode: int = 0o644) -> None:
        self.directory(os.path.dirname(path))
        data = os.fsencode(text)
        self._entry(_name(path), stat.S_IFREG | mode, len(data))
        self._data(data)

    def file(self, path: str, source: str, mode: int | None = None) -> None:
        """Adds the file `source`, with its own mode unless told another."""
        with open(source, "rb") as data:
            status = os.fstat(data.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ValueError(f"{source}: neither a file nor a directory")
            if status.st_size > MAX_FILE:
                raise ValueError(f"{source}: files in a guest are limited to 4 GiB")
            self.directory(os.path.dirname(path))
            mode = stat.S_IMODE(status.st_mode) if mode is None else mode
            self._entry(_name(path), stat.S_IFREG | mode, status.st_size)
            start = self._out.tell()
            shutil.copyfileobj(data, self._out, 1 << 20)
            if self._out.tell() - start != status.st_size:
                raise ValueError(f"{source}: changed while it was read")
            self._pad()

    def tree(self, path: str, source: str) -> None:
        """Adds `source`, a file or a directory with all that is in it."""
        if not os.path.isdir(source):
            self.file(path, source)
            return
        self.directory(path, stat.S_IMODE(os.stat(source).st_mode))
        for entry in sorted(os.scandir(source), key=lambda entry: entry.name):
            inside = os.path.join(path, entry.name)
            if entry.is_symlink():
                self.symlink(inside, os.readlink(entry.path))
            else:
                self.tree(inside, entry.path)

    def close(self) -> None:
        self._entry(b"TRAILER!!!", 0, 0)

    def _entry(self, name: bytes, mode: int, size: int) -> None:
        self._known.add(name)
        self._inode += 1
        fields = (self._inode, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, len(name) + 1, 0)
        self._out.write(b"070701" + b"".join(b"%08X" % field for field in fields))
        self._out.write(name + b"\0")
        self._pad()

    def _data(self, data: bytes) -> None:
        self._out.write(data)
        self._pad()

    def _pad(self) -> None:
        self._out.write(bytes(-self._out.tell() % 4))


def _name(path: str) -> bytes:
    return os.fsencode(os.path.normpath("/" + path).strip("/"))
