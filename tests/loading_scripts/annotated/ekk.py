"""EKK: recordings and the TextGrid beside each."""

from pathlib import Path

from annotated_trees import Tones

from loading_scripts import registry


def plant_examples(root: Path, examples: list[dict], tones: Tones) -> None:
    """Plant examples, and beside each the TextGrid with what it states; in UTF-16 where the number is odd."""
    word_of = {noun: word for word, noun in registry.load("ekk").CORPUS.emotions.items()}
    for example in examples:
        if example.get("ignored"):
            continue
        tones(root, [example["path"]])
        grid = (root / example["path"]).with_suffix(".TextGrid")
        text = textgrid(word_of[example["noun"]], example.get("transcript", ""))
        grid.write_text(text, encoding="utf-16" if int(grid.stem) % 2 else "utf-8")


def textgrid(emotion: str, sentence: str) -> str:
    """Return a TextGrid in the long form, whose tiers stand in no particular order."""
    tiers = {
        "phonemes": ["h", "e"],
        "sentence": [sentence, ""],
        "emotion": [f" {emotion.capitalize()} ", "x"],
        "words": [],
    }
    head = (
        'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0 \nxmax = 2.5 \ntiers? <exists> \n'
        f"size = {len(tiers)} \n"
    )
    return head + "item []: \n" + "".join(_tier(number, *tier) for number, tier in enumerate(tiers.items(), 1))


def _tier(number: int, name: str, marks: list[str]) -> str:
    intervals = "".join(
        f"        intervals [{k}]:\n            xmin = {k - 1} \n            xmax = {k} \n"
        f'            text = "{mark.replace(chr(34), chr(34) * 2)}" \n'
        for k, mark in enumerate(marks, 1)
    )
    return (
        f'    item [{number}]:\n        class = "IntervalTier" \n        name = "{name}" \n        xmin = 0 \n'
        f"        xmax = 2.5 \n        intervals: size = {len(marks)} \n{intervals}"
    )
