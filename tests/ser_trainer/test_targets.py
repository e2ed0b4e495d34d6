import logging

import pytest
from datasets import ClassLabel
from toy import EMOTIONS, corpus

from loading_scripts.errors import UnknownNameError
from ser_trainer.finetune.targets import TargetError, class_names, labelled, pooled


def test_rows_without_a_label_are_left_out_counted_and_the_others_keep_their_order(tmp_path, caplog):
    rows = corpus(tmp_path, [2, None, 0, None, 1])

    with caplog.at_level(logging.WARNING):
        found = labelled(rows, "emotion", "toy, train")

    assert found["id"][:] == ["u0", "u2", "u4"]
    assert found["labels"][:] == [2, 0, 1]
    assert class_names(found) == EMOTIONS
    assert "toy, train: 2 of 5 rows have no 'emotion'" in caplog.text


def test_the_order_of_selected_rows_is_respected(tmp_path):
    rows = corpus(tmp_path, [0, 1, None, 2]).select([3, 2, 0])

    assert labelled(rows, "emotion")["labels"][:] == [2, 0]


def test_an_unknown_target_names_near_ones_and_those_there_are(tmp_path):
    with pytest.raises(
        UnknownNameError, match=r"target 'emotoin'.*Did you mean 'emotion'\? Targets with labels here: emo"
    ):
        labelled(corpus(tmp_path, [0, 1]), "emotoin")


def test_a_column_that_holds_no_classes_is_no_target(tmp_path):
    with pytest.raises(UnknownNameError, match="target 'id' is no label column"):
        labelled(corpus(tmp_path, [0, 1]), "id")


def test_a_split_without_labels_is_refused(tmp_path):
    rows = (
        corpus(tmp_path, [None, None])
        .add_column("unified8", [0, 1])
        .cast_column("unified8", ClassLabel(names=EMOTIONS))
    )

    with pytest.raises(TargetError, match=r"none of 2 rows has .emotion.\. .* here: arousal, valence, unified8"):
        labelled(rows, "emotion")


@pytest.mark.parametrize("wrong", [3, -1])
def test_a_label_outside_the_classes_is_refused_and_the_row_named(tmp_path, wrong):
    with pytest.raises(TargetError, match=f"'u1' has {wrong}"):
        labelled(corpus(tmp_path, [None, wrong, 0]), "emotion")


def test_corpora_with_other_classes_are_not_put_together(tmp_path):
    one = labelled(corpus(tmp_path, [0, 1]), "emotion")
    other = one.cast_column("labels", ClassLabel(names=["a", "b"]))

    with pytest.raises(TargetError, match="other: one model needs one set of classes.*unified8"):
        pooled({"one": one, "other": other})
    assert pooled({"one": one, "again": one})["id"][:] == ["u0", "u1", "u0", "u1"]
