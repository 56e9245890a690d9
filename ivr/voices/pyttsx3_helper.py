"""Run as a program by `pyttsx3_voice`: text on stdin, WAV to the path given. Imports nothing of ours.

Arguments: path of the WAV, words per minute, id of the voice (empty for the default). Exit code 2: no such voice;
3: nothing came.
"""

import sys
import threading


def main(path: str, words_per_minute: str, voice: str) -> int:
    """Speak what comes on stdin; the exit code."""
    import pyttsx3  # here, so that importing this module costs and needs nothing

    text = sys.stdin.buffer.read().decode()
    engine = pyttsx3.init()
    if voice and voice not in {known.id for known in engine.getProperty("voices")}:
        return 2  # pyttsx3 itself would speak with its default voice
    if voice:
        engine.setProperty("voice", voice)
    engine.setProperty("rate", int(words_per_minute))
    written = threading.Event()
    engine.connect("finished-utterance", lambda name, completed: written.set())
    engine.save_to_file(text, path)
    engine.runAndWait()
    # The espeak driver's loop ends before a text of more than a few sentences is rendered. The parent
    # has a shorter limit of its own; this one is for a helper whose parent has died.
    return 0 if written.wait(60) else 3


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
