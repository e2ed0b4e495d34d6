"""Results in the front matter of a model card, as the Hub reads it."""

from pathlib import Path

import pytest
from huggingface_hub import ModelCard
from huggingface_hub.repocard_data import model_index_to_eval_results
from lines import made, stored

from loading_scripts.errors import SheetError
from ser_trainer.benchmark.results.export import eval_results, merge_into_card
from ser_trainer.benchmark.results.line import ResultsError
from ser_trainer.benchmark.results.stored import of_encoder, read

CARD = """---
license: mit
tags:
- speech
- mine
model-index:
- name: hubert-of-mine
  results:
  - task:
      type: automatic-speech-recognition
    dataset:
      name: LibriSpeech
      type: librispeech_asr
    metrics:
    - type: wer
      value: 4.2
---

# A card

Text --- with dashes, and *all else*.
"""


@pytest.fixture
def card(tmp_path: Path) -> Path:
    path = tmp_path / "README.md"
    path.write_text(CARD, encoding="utf-8")
    return path


def index(path: Path):
    """Return name and results as the Hub's own library reads them."""
    return model_index_to_eval_results(ModelCard.load(path).data.to_dict()["model-index"])


def test_each_line_gives_three_scores_of_its_corpus_and_config():
    line, _ = made("emodb", "fold2", protocol="emobox-intra", layer="7")
    found = {one.metric_type: one for one in eval_results([line])}
    assert set(found) == {"ua", "wa", "f1"}
    one = found["ua"]
    assert one.metric_value == round(line.scores["ua"], 4)
    assert (one.dataset_type, one.dataset_name, one.dataset_config) == ("serbench/emodb", "EmoDB", "fold2")
    assert (one.dataset_split, one.source_name, one.metric_args["layer"]) == ("test", "serbench", "7")


def test_a_pair_of_corpora_is_a_result_on_the_one_that_tests():
    (one, *_) = eval_results([made("iemocap>meld", "balanced", protocol="emobox-cross")[0]])
    assert (one.dataset_type, one.metric_args["trained_on"]) == ("serbench/meld", "iemocap")


def test_the_rest_of_a_card_stays(card: Path):
    merge_into_card(card, eval_results([made()[0]]), "another name")
    text = card.read_text(encoding="utf-8")
    assert text.endswith(CARD.partition("---\n\n")[2])
    data = ModelCard(text).data.to_dict()
    assert (data["license"], data["tags"]) == ("mit", ["speech", "mine"])
    name, results = index(card)
    assert name == "hubert-of-mine"
    assert [(one.metric_type, one.metric_value) for one in results][0] == ("wer", 4.2)
    assert len(results) == 4
    assert "&id" not in text  # no references of YAML, which people cannot read


def test_again_replaces_and_other_heads_add(card: Path):
    first, again, other = made()[0], made(accuracy=0.2, split="of another copy")[0], made(head="lda")[0]
    merge_into_card(card, eval_results([first]), "mine")
    merge_into_card(card, eval_results([again]), "mine")
    assert len(index(card)[1]) == 4
    assert round(again.scores["ua"], 4) in [one.metric_value for one in index(card)[1]]
    merge_into_card(card, eval_results([other]), "mine")
    assert len(index(card)[1]) == 7


def test_a_card_without_front_matter_or_without_file_gets_one(tmp_path: Path):
    plain, missing = tmp_path / "plain.md", tmp_path / "missing.md"
    plain.write_text("# Only text\n", encoding="utf-8")
    for path in (plain, missing):
        merge_into_card(path, eval_results([made()[0]]), "mine")
        assert index(path)[0] == "mine"
    assert plain.read_text(encoding="utf-8").endswith("---\n# Only text\n")


@pytest.mark.parametrize("front", ["tags: [unclosed", "model-index: 3", "model-index: []"])
def test_front_matter_that_cannot_be_merged_is_refused_and_left_alone(tmp_path: Path, front: str):
    path = tmp_path / "README.md"
    path.write_text(f"---\n{front}\n---\ntext\n", encoding="utf-8")
    before = path.read_bytes()
    with pytest.raises(SheetError, match=r"README\.md"):
        merge_into_card(path, eval_results([made()[0]]), "mine")
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["README.md"]


def test_an_encoder_without_lines_is_refused_with_near_names(tmp_path: Path):
    stored(tmp_path, made(encoder="wavlm_large"))
    with pytest.raises(ResultsError, match="Did you mean 'wavlm_large'"):
        of_encoder(read([tmp_path]), "wavlm_larg")
