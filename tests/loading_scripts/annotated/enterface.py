"""eNTERFACE: subject 12, whom EmoBox's list lacks, and a wav file beside a video."""

from pathlib import Path

from annotated_trees import Lines, Tones

FOLDERS = {"an": "anger", "di": "disgust", "fe": "fear", "ha": "happiness", "sa": "sadness", "su": "surprise"}


def plant(root: Path, lines: Lines, tones: Tones) -> Lines:
    """Plant the listed clips, the 30 of subject 12 and a wav file; return lines of all clips."""
    folds = dict.fromkeys((name for name in lines[0] if name.startswith("fold")), "")
    missed = [
        {
            "id": f"enterface-subject12-s12_{code}_{k}.avi",
            "path": f"subject 12/{folder}/sentence {k}/s12_{code}_{k}.avi",
            "emotion": code,
            "speaker": "s12",
            **folds,
        }
        for code, folder in FOLDERS.items()
        for k in range(1, 6)
    ]
    tones(root, [line["path"] for line in [*lines, *missed]])
    tones(root, ["subject 12/anger/sentence 1/s12_an_1.wav"])
    return [*lines, *missed]


def speaker_as_listed(one) -> str:
    """Return the speaker of the file's name, which is not always that of its folder."""
    return one.id.removeprefix("enterface-").removeprefix("subject12-").partition("_")[0]
