"""Run as a program by `pyttsx3_voice`: text on stdin, WAV to the path given. Imports nothing of ours.

Arguments: path of the WAV, words per minute, id of the voice (empty for the default).
"""

import sys


def main(path: str, words_per_minute: str, voice: str) -> None:
    """Speak what comes on stdin."""
    import pyttsx3  # here, so that importing this module costs and needs nothing

    text = sys.stdin.buffer.read().decode()
    engine = pyttsx3.init()
    if voice:
        engine.setProperty("voice", voice)
    engine.setProperty("rate", int(words_per_minute))
    engine.save_to_file(text, path)
    engine.runAndWait()


if __name__ == "__main__":
    main(*sys.argv[1:4])
