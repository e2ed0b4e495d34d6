"""Predict the emotion in audio files, or in all audio files below folders, with a fine-tuned model.

    python examples/predict.py --model runs/demo-fold1 recording.wav
    python examples/predict.py --model runs/demo-fold1 recordings/ --json > predictions.json

Exit code 0 if every file was read, 1 if some were not (they are named), 2 if there is no model or no audio.
"""

import argparse
import json
import sys
from collections.abc import Iterable

import torch
from transformers.utils import logging

from loading_scripts.errors import SerbenchError
from ser_trainer.prediction import Prediction, find_audio, load_classifier, predict


def main() -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("audio", nargs="+", help="Files (any rate, any number of channels) or folders.")
    parser.add_argument("--model", required=True, help="Folder of examples/finetune.py, or a Hub id.")
    parser.add_argument("--json", action="store_true", help="Print JSON: file, label, probabilities, or error.")
    parser.add_argument("--batch_size", type=int, default=8, help="Files at a time.")
    parser.add_argument(
        "--device", default="cuda" if torch.cuda.is_available() else "cpu", help="cpu, cuda, cuda:1 ..."
    )
    args = parser.parse_args()
    if args.batch_size < 1:
        parser.error(f"--batch_size must be at least 1; it is {args.batch_size}.")
    if not sys.stderr.isatty():
        logging.disable_progress_bar()

    files = find_audio(args.audio)
    model, extractor = load_classifier(args.model)
    predictions = predict(files, model.to(args.device), extractor, args.batch_size)
    broken = print_json(predictions) if args.json else print_table(predictions, max(len(str(file)) for file in files))
    return int(broken > 0)


def print_json(predictions: Iterable[Prediction]) -> int:
    """Print a list of objects, one a line, as they come; return the number of broken files."""
    broken, start = 0, "["
    for one in predictions:
        broken += one.error is not None
        found = {"label": one.label, "probabilities": one.probabilities} if one.error is None else {"error": one.error}
        print(start, json.dumps({"file": one.file} | found, ensure_ascii=False), flush=True)
        start = ","
    print("]")
    return broken


def print_table(predictions: Iterable[Prediction], width: int) -> int:
    """Print a line for each file as it comes, broken ones to stderr; return the number of broken files."""
    broken, header = 0, False
    for one in predictions:
        if one.error is not None:
            broken += 1
            print(f"predict: {one.error}", file=sys.stderr)
            continue
        if not header:
            names = list(one.probabilities)
            print(f"{'file':{width}}  {'label':{max(map(len, names))}}  {'  '.join(f'{name:>7}' for name in names)}")
            header = True
        columns = "  ".join(f"{value:{max(7, len(name))}.3f}" for name, value in one.probabilities.items())
        print(f"{one.file:{width}}  {one.label:{max(map(len, names))}}  {columns}", flush=True)
    return broken


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SerbenchError as error:
        print(f"predict: {error}", file=sys.stderr)
        sys.exit(2)
