"""The bundled model, adapted: new words are heard, old ones still are, and grammars work."""

import asyncio
import shutil
import subprocess
from pathlib import Path

import pytest

from asr_models import adapt_gr, adapt_graph, adapt_texts, bundled, catalog
from asr_models.adapt import Adapted, adapt, beside
from asr_models.adapt_lexicon import english
from asr_models.commands import run
from asr_models.errors import BadTexts, NotAdaptable
from asr_models.folder import missing
from asr_models.pool import DecodePool
from asr_models.resolve import Source, resolve
from asr_models.vosk_engine import load_now
from asr_models.wav import telephone

TEXTS = ["my tooth has turned purple", "nope", "yeah it aches", "i have the flu"] * 4


def _hear(model: Path, text: str, hints: tuple[str, ...] = ()) -> str:
    pool = DecodePool(threads=1)
    wav = subprocess.run(
        ["flite", "-voice", "rms", "-o", "/dev/stdout", "-t", text], capture_output=True, check=True
    ).stdout
    stream = load_now(model, pool).stream(hints)

    async def heard() -> str:
        await stream.feed(bytes(8000) + telephone(wav, "rms") + bytes(8000))
        return (await stream.finish()).text

    try:
        return asyncio.run(heard())
    finally:
        pool.close()


def _adapt(model: Path, texts: list[str] = TEXTS) -> Adapted:
    return adapt(model, beside(model), texts, english, language="en-us")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundled.unpack(catalog.read(), tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def adapted(model: Path) -> Path:
    done = adapt(model, beside(model), [*adapt_texts.own("en"), *TEXTS], english, language="en-us")
    assert (done.fresh, done.whole, done.unheard) == (True, True, 0)
    assert done.added > 400
    return done.path


@pytest.mark.asr
@pytest.mark.parametrize("text", ["my tooth has turned purple", "he won't swallow", "i have the flu"])
def test_new_words_are_heard_only_by_the_adapted_model(model: Path, adapted: Path, text: str) -> None:
    assert _hear(model, text) != text
    assert _hear(adapted, text) == text


@pytest.mark.asr
def test_grammars_know_the_new_words_and_notice_the_others(adapted: Path) -> None:
    hints = ("yeah", "nope", "not really")
    assert _hear(adapted, "nope", hints) == "nope"
    assert _hear(adapted, "yeah", hints) == "yeah"
    assert "[unk]" in _hear(adapted, "i have a rash on my belly", hints)


@pytest.mark.asr
@pytest.mark.parametrize("text", ["i have chest pain", "my daughter is three years old", "the rash is itchy"])
def test_rebuilt_without_changes_the_graph_hears_the_same(model: Path, tmp_path: Path, text: str) -> None:
    tools = adapt_graph.tools()
    assert tools is not None
    copy = tmp_path / "copy"
    shutil.copytree(model, copy)
    for name in ("HCLr.fst", "words.txt"):
        (copy / "graph" / name).unlink()
    numbers = adapt_graph.build(model, adapt_graph.lexicon(model), copy, tools)
    old = adapt_gr.symbols(model / "graph/Gr.fst", model / "graph/words.txt")
    read = adapt_gr.read(model / "graph/Gr.fst", old)
    (copy / "graph/Gr.fst").unlink()
    adapt_gr.write(read.model, numbers, read.scale, copy / "graph/Gr.fst")
    assert _hear(copy, text) == _hear(model, text)


@pytest.mark.asr
@pytest.mark.parametrize("listed", [True, False])
def test_without_sources_the_known_words_are_weighed_anew(model: Path, tmp_path: Path, listed: bool) -> None:
    """As with the publisher's models, whose small ones bring no list of words either."""
    plain = tmp_path / "plain"
    shutil.copytree(model, plain)
    shutil.rmtree(plain / adapt_graph.SOURCES)
    if not listed:
        (plain / "graph/words.txt").unlink()
    done = _adapt(plain)
    assert (done.whole, done.added) == (False, 0)
    assert done.unheard > 3
    assert _hear(done.path, "i have chest pain") == "i have chest pain"


@pytest.mark.asr
def test_adapted_once_preferred_and_removable(model: Path, tmp_path: Path) -> None:
    copy = tmp_path / model.name
    shutil.copytree(model, copy)
    before = (copy / "graph/Gr.fst").read_bytes()
    assert _adapt(copy).fresh
    assert not _adapt(copy).fresh
    assert _adapt(copy, [*TEXTS, "help"]).fresh
    assert (copy / "graph/Gr.fst").read_bytes() == before
    chosen = resolve(configured=None, root=tmp_path, language="en", catalog=catalog.read())
    assert chosen.source is Source.BUNDLED
    assert chosen.model is not None
    assert chosen.model.path == beside(copy)
    said: list[str] = []
    arguments = ("remove", beside(copy).name)
    assert run(arguments, root=tmp_path, mirror=None, configured=None, language="en", out=said.append) == 0
    assert not beside(copy).exists()
    assert not missing(copy)


@pytest.mark.asr
def test_the_command_adapts_what_it_is_given(model: Path, tmp_path: Path) -> None:
    copy, more = tmp_path / model.name, tmp_path / "more.txt"
    said: list[str] = []
    shutil.copytree(model, copy)
    more.write_text("# names\nthe zebrafinch hopped\n")
    aside = tmp_path / "aside.txt"
    aside.write_text("the zebrafinch hopped\ni have chest pain\n")
    arguments = ("adapt", model.name, "--texts", str(more), "--aside", str(aside))
    code = run(
        arguments,
        root=tmp_path,
        mirror=None,
        configured=None,
        language="en",
        texts=lambda language: [f"i speak {language}"],
        out=said.append,
    )
    assert code == 0
    before, after = (float(line.split()[1]) for line in said if "%" in line)
    assert after < before
    assert f"of {3 * 2}" in said[-2]
    assert "zebrafinch" in (beside(copy) / "graph/words.txt").read_text()


def test_what_cannot_be_adapted_says_so(tmp_path: Path) -> None:
    static = tmp_path / "static"
    for name in ("am/final.mdl", "conf/model.conf", "graph/HCLG.fst", "words.txt"):
        (static / name).parent.mkdir(parents=True, exist_ok=True)
        (static / name).write_bytes(b"x")
    with pytest.raises(NotAdaptable, match="static graph"):
        _adapt(static)
    with pytest.raises(NotAdaptable, match="no sentence"):
        _adapt(static, ["12", "..."])
    (static / "graph/HCLG.fst").unlink()
    (static / "graph/HCLr.fst").write_bytes(b"x")
    (static / "graph/Gr.fst").write_bytes(b"x")
    (static / "graph/words.txt").write_text("<eps> 0\na 1\n")
    with pytest.raises(NotAdaptable, match="const type"):
        _adapt(static)
    assert not beside(static).exists()


def test_templates_are_drawn_the_same_way_every_time(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(
        'slots = {part = ["leg", "big {toe}"], toe = ["toe"]}\n[[template]]\nsay = "my {part} hurts"\ncount = 9\n'
    )
    said = adapt_texts.expand(path)
    assert said == adapt_texts.expand(path)
    assert set(said) == {"my leg hurts", "my big toe hurts"}
    path.write_text('slots = {part = ["{part}"]}\n[[template]]\nsay = "{part}"\ncount = 1\n')
    with pytest.raises(BadTexts, match="holds itself"):
        adapt_texts.expand(path)


def test_sentences_set_aside_are_not_trained_on() -> None:
    own = {" ".join(adapt_texts.words(text)) for text in adapt_texts.own("en")}
    assert len(own) > 5000
    room = Path(__file__).parents[3]
    for path in [*(room / "scripts/bench/sentences").glob("*.txt"), *(room / "asr_models/sentences").glob("*.aside")]:
        assert not own & set(adapt_texts.lines(path)), path.name


def test_sentences_are_spelt_as_a_recogniser_does() -> None:
    assert adapt_texts.words("I can’t -- breathe, please!") == ["i", "can't", "breathe", "please"]
    assert adapt_texts.words("I am 34") == []
