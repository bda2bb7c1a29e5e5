"""Members of a downloaded archive, compared with their checksum before anything parses them."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from pathlib import Path
from zipfile import BadZipFile, ZipFile


def read_members(archive: Path, wanted: Callable[[str], bool], sha256: str, most: int) -> dict[str, bytes]:
    """Some members of a zip archive of a repository, by name within the repository.

    Nothing is written, so that names cannot lead out of a folder, and links stay the text that they are.

    Args:
        archive: whose outer folder, named after the commit, is left out of the names.
        wanted: which members, by name.
        sha256: of names and contents in alphabetic order (see `members_digest`).
        most: bytes that the members may have, uncompressed.

    Raises:
        ValueError: when it is no archive, its members are larger, or they are not those of the checksum.
    """
    try:
        with ZipFile(archive) as content:
            named = {info.filename.partition("/")[2]: info for info in content.infolist() if not info.is_dir()}
            chosen = {name: info for name, info in named.items() if wanted(name)}
            size = sum(info.file_size for info in chosen.values())
            if size > most:
                raise ValueError(f"{archive}: its members have {size} bytes, must be at most {most}; fetch it again")
            members = {name: content.read(info) for name, info in chosen.items()}
    except (BadZipFile, EOFError, NotImplementedError, RuntimeError, zlib.error) as error:
        raise ValueError(f"{archive}: not the published archive ({error}); fetch it again") from error
    if members_digest(members) != sha256:
        raise ValueError(f"{archive}: its members are not the published ones; fetch it again")
    return members


def members_digest(members: dict[str, bytes]) -> str:
    """sha256 over the sha256 of each member with its name, in alphabetic order."""
    lines = (f"{hashlib.sha256(members[name]).hexdigest()}  {name}\n" for name in sorted(members))
    return hashlib.sha256("".join(lines).encode()).hexdigest()
