"""Which recogniser answers, in the order that the operator was promised."""

import json
from pathlib import Path

import pytest

from asr_models import catalog
from asr_models.errors import BadCatalog, NotAModel, UnknownModel
from asr_models.folder import RECEIPT, inspect, missing
from asr_models.resolve import Choice, Source, resolve

BOOKS = catalog.read()
DYNAMIC = ("am/final.mdl", "conf/model.conf", "graph/HCLr.fst", "graph/Gr.fst", "graph/words.txt")


def _model(path: Path, files: tuple[str, ...] = DYNAMIC) -> Path:
    for name in files:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(b"x")
    return path


def _resolve(root: Path, language: str = "en", configured: Path | None = None, engines: tuple[str, ...] = ()) -> Choice:
    return resolve(configured=configured, root=root, language=language, catalog=BOOKS, engines=engines)


def test_every_model_of_the_catalog_is_well_formed() -> None:
    assert len({model.id for model in BOOKS.models}) == len(BOOKS.models)
    for model in BOOKS.models:
        assert model.file in ("", f"{model.id}.zip")
        assert model.size > 10_000_000
        for text in model.checksums:
            kind, _, digest = text.partition(":")
            assert len(bytes.fromhex(digest)) == {"md5": 16, "sha256": 32}[kind]
    assert [model.id for model in BOOKS.models if model.bundled] == ["vosk-model-en-us-demo"]


def test_models_are_found_by_id_and_language() -> None:
    assert BOOKS.find("vosk-model-small-cn-0.22").language == "zh-cn"
    assert BOOKS.find("en-IN").id == "vosk-model-small-en-in-0.4"
    assert BOOKS.find("en").language == "en-us"
    with pytest.raises(UnknownModel, match="did you mean .*vosk-model-small-de-0.15"):
        BOOKS.find("vosk-model-small-de-0.16")


@pytest.mark.parametrize("text", ["publisher = 1 2", "publisher = 'x'", "publisher='x'\n[[model]]\nid='a'"])
def test_a_broken_catalog_is_one_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "catalog.toml").write_text(text)
    with pytest.raises(BadCatalog, match="catalog.toml"):
        catalog.read(tmp_path / "catalog.toml")


@pytest.mark.parametrize("name", DYNAMIC[:-1])
def test_the_missing_file_is_named(tmp_path: Path, name: str) -> None:
    _model(tmp_path / "m", tuple(other for other in DYNAMIC if other != name))
    assert missing(tmp_path / "m").startswith(name)
    with pytest.raises(NotAModel, match=name):
        inspect(tmp_path / "m")


def test_static_graphs_take_no_grammars(tmp_path: Path) -> None:
    static = _model(tmp_path / "s", ("am/final.mdl", "conf/model.conf", "graph/HCLG.fst", "words.txt"))
    assert not inspect(static).dynamic
    assert inspect(_model(tmp_path / "d")).dynamic


def test_order_of_resolution(tmp_path: Path) -> None:
    assert _resolve(tmp_path).source is Source.NONE
    assert "triageline models install en" in _resolve(tmp_path).reason
    assert _resolve(tmp_path, engines=("other",)).engine == "other"
    _model(tmp_path / "vosk-model-en-us-demo")
    assert _resolve(tmp_path, engines=("other",)).source is Source.BUNDLED
    _model(tmp_path / "vosk-model-small-en-in-0.4")
    _model(tmp_path / "vosk-model-small-en-us-0.15")
    chosen = _resolve(tmp_path, language="en-IN")
    assert chosen.source is Source.INSTALLED
    assert chosen.model is not None
    assert chosen.model.path.name == "vosk-model-small-en-in-0.4"
    assert "vosk-model-small-en-us-0.15" in _resolve(tmp_path).reason
    own = _model(tmp_path.parent / "own-model")
    assert _resolve(tmp_path, configured=own).source is Source.CONFIGURED


def test_a_bad_configured_path_is_told_and_the_next_one_answers(tmp_path: Path) -> None:
    _model(tmp_path / "vosk-model-en-us-demo")
    chosen = _resolve(tmp_path, configured=tmp_path / "nothing")
    assert chosen.source is Source.BUNDLED
    assert "not a folder" in chosen.problems[0]


def test_half_a_model_and_another_language_do_not_answer(tmp_path: Path) -> None:
    _model(tmp_path / "vosk-model-small-en-us-0.15", DYNAMIC[:3])
    _model(tmp_path / "vosk-model-small-de-0.15")
    assert _resolve(tmp_path).source is Source.NONE
    assert _resolve(tmp_path, language="de").source is Source.INSTALLED


def test_a_model_outside_the_catalog_answers_by_its_receipt(tmp_path: Path) -> None:
    own = _model(tmp_path / "hospital-model")
    assert _resolve(tmp_path).source is Source.NONE
    (own / RECEIPT).write_text(json.dumps({"language": "en-us"}))
    assert _resolve(tmp_path).source is Source.INSTALLED


def test_a_small_model_of_the_publisher_brings_no_list_of_words(tmp_path: Path) -> None:
    """Its words are inside Gr.fst; a static graph cannot do without the list."""
    found = inspect(_model(tmp_path / "small", tuple(name for name in DYNAMIC if name != "graph/words.txt")))
    assert (found.dynamic, found.words) == (True, None)
    with pytest.raises(NotAModel, match="words.txt"):
        inspect(_model(tmp_path / "static", ("am/final.mdl", "conf/model.conf", "graph/HCLG.fst")))
