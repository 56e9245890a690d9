"""Every sentence that can be heard, by name: prompts/<language>.toml."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from dialogs.port import Prompt

PLACEHOLDER = re.compile(r"\{(\w+)\}")
SENTENCE_END = re.compile(r"(?<=[.!?\u3002\uff01\uff1f])\s+")
MOST_WORDS = 30
"""Longest sentence: people in pain do not listen long."""


class PromptsError(ValueError):
    """A file of sentences that cannot be used; names the file."""


class UnknownLanguage(KeyError):
    """No sentences in this language."""

    def __init__(self, language: str, known: tuple[str, ...]) -> None:
        """`language` as asked for, `known` those that there are."""
        super().__init__(language)
        self._text = f"no sentences in language {language!r}; there are: {', '.join(known) or 'none'}"

    def __str__(self) -> str:
        """The whole sentence, where KeyError would show the key only."""
        return self._text


class TomlPrompts:
    """Prompts over one TOML file a language; a key is "section.name"."""

    def __init__(self, folder: Path, common: Mapping[str, str], instead: Mapping[str, str] | None = None) -> None:
        """`common` are the placeholders that every sentence may use ("emergency", "hotline"); `instead` names a
        sentence that is said in place of another. Raises PromptsError."""
        self._common = dict(common)
        self._instead = dict(instead or {})
        self._sentences = load_sentences(folder)

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages that have sentences."""
        return tuple(sorted(self._sentences))

    def text(self, prompt: Prompt, language: str) -> str:
        """The words of a prompt. Raises KeyError for an unknown key or a missing value, UnknownLanguage."""
        key = self._instead.get(prompt.key, prompt.key)
        return self._filled(self._of(language)[key], {**self._common, **prompt.values})

    def fixed(self, language: str) -> tuple[str, ...]:
        """Every sentence that needs the common values only, rendered. Raises UnknownLanguage."""
        sentences = self._of(language).values()
        return tuple(
            self._filled(sentence, self._common)
            for sentence in sentences
            if set(PLACEHOLDER.findall(sentence)) <= self._common.keys()
        )

    def _of(self, language: str) -> Mapping[str, str]:
        """Sentences of a language."""
        if language not in self._sentences:
            raise UnknownLanguage(language, self.languages)
        return self._sentences[language]

    @staticmethod
    def _filled(sentence: str, values: Mapping[str, str]) -> str:
        """A sentence with its placeholders replaced. Raises KeyError."""
        return PLACEHOLDER.sub(lambda found: values[found.group(1)], sentence)


def load_sentences(folder: Path) -> dict[str, dict[str, str]]:
    """Language → key → sentence. Raises PromptsError."""
    paths = sorted(folder.glob("*.toml"))
    if not paths:
        raise PromptsError(f"no files of sentences in {folder}")
    return {path.stem: _read(path) for path in paths}


def _read(path: Path) -> dict[str, str]:
    """Key → sentence of one file."""
    try:
        sections = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PromptsError(f"{path}: {error}") from error
    sentences: dict[str, str] = {}
    for section, entries in sections.items():
        if not isinstance(entries, dict):
            raise PromptsError(f"{path}: {section!r} stands outside a section")
        for name, sentence in entries.items():
            if not isinstance(sentence, str):
                raise PromptsError(f"{path}: {section}.{name} is not a sentence")
            sentences[f"{section}.{name}"] = sentence
    return sentences


def problems(folder: Path, known: frozenset[str]) -> tuple[str, ...]:
    """What is wrong with the sentences, one line each: empty or too long, a placeholder that is not in `known`, a key
    that one language has and another lacks. Raises PromptsError where a file cannot be read at all."""
    languages = load_sentences(folder)
    keys = {key for sentences in languages.values() for key in sentences}
    found: list[str] = []
    for language, sentences in languages.items():
        found.extend(f"{language}: {key} is missing" for key in sorted(keys - sentences.keys()))
        for key, sentence in sentences.items():
            found.extend(f"{language}: {key} {fault}" for fault in _faults(sentence, known))
    return tuple(found)


def _faults(sentence: str, known: frozenset[str]) -> list[str]:
    """What is wrong with one sentence."""
    faults = [] if sentence.strip() else ["is empty"]
    faults += [
        f"uses the unknown placeholder {{{name}}}" for name in PLACEHOLDER.findall(sentence) if name not in known
    ]
    if re.search(r"[{}]", PLACEHOLDER.sub("", sentence)):
        faults.append("has a stray brace")
    longest = max((len(part.split()) for part in SENTENCE_END.split(sentence)), default=0)
    if longest > MOST_WORDS:
        faults.append(f"has a sentence of {longest} words")
    return faults
