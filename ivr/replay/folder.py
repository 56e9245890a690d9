"""A tape as a folder of readable files, for calls that nobody made: tests and bug reports with synthetic voices.

`call.json` holds language and marks, one a line; `caller.pcm.xz` the sound. Both in clear.
"""

import json
import lzma
from pathlib import Path

from ivr.audio.format import FRAME_BYTES
from ivr.replay.tape import VERSION, Mark, Tape, TapeError

STORY = "call.json"
SOUND = "caller.pcm.xz"


def save(folder: Path, tape: Tape) -> None:
    """Write a tape in clear. Raises OSError, FileExistsError where there is one already."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / STORY).exists():
        raise FileExistsError(17, "the folder already holds a call", str(folder))
    marks = ",\n".join(
        json.dumps([one.frame, one.kind, one.data], sort_keys=True, ensure_ascii=False) for one in tape.marks
    )
    head = f'{{"version": {VERSION}, "language": {json.dumps(tape.language)}, "marks": [\n{marks}\n]}}\n'
    (folder / STORY).write_text(head, encoding="utf-8")
    (folder / SOUND).write_bytes(lzma.compress(tape.pcm, preset=9 | lzma.PRESET_EXTREME))


def load(folder: Path) -> Tape:
    """Read a tape. Raises TapeError."""
    try:
        head = json.loads((folder / STORY).read_text(encoding="utf-8"))
        pcm = lzma.decompress((folder / SOUND).read_bytes())
        marks = tuple(Mark(frame=int(frame), kind=str(kind), data=data) for frame, kind, data in head["marks"])
        version, language = head["version"], str(head["language"])
    except OSError as error:
        raise TapeError(f"{folder} holds no call to replay: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, lzma.LZMAError) as error:
        raise TapeError(f"{folder} holds a call that cannot be read") from error
    if version != VERSION or len(pcm) % FRAME_BYTES:
        raise TapeError(f"{folder} holds a call of another kind than this version reads")
    return Tape(language=language, pcm=pcm, marks=marks)
