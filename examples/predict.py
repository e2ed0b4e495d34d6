"""Predict the emotion in audio files, or its course over long recordings, with a fine-tuned model.

    python examples/predict.py --model runs/demo-fold1 recording.wav
    python examples/predict.py --model runs/demo-fold1 recordings/ --format csv --output predictions.csv
    find . -name "*.wav" | python examples/predict.py --model runs/demo-fold1 --list -
    ffmpeg -i film.mkv -f wav - | python examples/predict.py --model runs/demo-fold1 --timeline --window 4 --hop 2 -

A file is one prediction, and fits in memory as a whole; recordings of more than a minute are for --timeline, whose
memory does not depend on their length. There the last window is shorter than the others; had it less than half a
window, the one before it is longer instead.

A model of classes gives the label and a probability for each; they are calibrated if fine-tuning fitted a temperature.
With --arousal_valence, the classes' probabilities are also summed by their place in loading_scripts/labels.csv to those
of high arousal and of negative, neutral and positive valence; a class without a place is named, left out, and the
others' probabilities divided by their sum. A model of ratings gives its ratings.

Exit code 0 if every file was read, 1 if some were not (they are named), 2 if there is no model or no audio or the
options are wrong, 130 if it was interrupted, 141 if nobody reads its output.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import torch
from transformers import PreTrainedModel
from transformers.utils import logging

from loading_scripts.errors import SerbenchError
from ser_trainer.calibration import temperature_of
from ser_trainer.prediction import (
    Prediction,
    PredictionError,
    find_audio,
    gives_ratings,
    load_classifier,
    output_names,
    predict,
    predict_windows,
)
from ser_trainer.prediction.arousal_valence import quadrants
from ser_trainer.prediction.output import FORMATS, Layout, opened
from ser_trainer.prediction.sources import listed, spooled
from ser_trainer.prediction.tally import Tally


def main() -> int:
    """Return the exit code."""
    args = parse()
    if args.quiet or not sys.stderr.isatty():
        logging.disable_progress_bar()
    with ExitStack() as stack:
        if args.audio == ["-"]:
            files = [stack.enter_context(spooled(sys.stdin.buffer))]
        else:
            files = find_audio(args.audio + paths(args.list))
        output = stack.enter_context(opened(args.output))
        model, extractor = load_classifier(args.model)
        model = moved(model, args.device)
        layout = laid_out(model, args, ["-"] if args.audio == ["-"] else files)

        if args.timeline:
            window = 3.0 if args.window is None else args.window
            found = predict_windows(files, model, extractor, window, args.hop, args.batch_size)
        else:
            found = predict(files, model, extractor, args.batch_size)
        if args.audio == ["-"]:
            found = (of_stdin(one, files[0]) for one in found)
        hidden = args.quiet or not sys.stderr.isatty() or (args.output is None and sys.stdout.isatty())
        tally = Tally(files, args.timeline, hidden)
        for text in FORMATS[args.format](tally.watch(found), layout):
            output.write(text)
            output.flush()
    if not args.quiet:
        print(f"predict: {tally}", file=sys.stderr)
        if not layout.ratings:
            say = "calibrated" if layout.calibrated else "not calibrated: the model has no temperature"
            print(f"predict: the probabilities are {say}.", file=sys.stderr)
    return int(tally.broken > 0)


def parse() -> argparse.Namespace:
    """Return the options; end with exit code 2 if they contradict each other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("audio", nargs="*", help="Files (any rate, any number of channels), folders, or - for stdin.")
    parser.add_argument("--list", help="File with a path on each line, or - for stdin.")
    parser.add_argument("--model", required=True, help="Folder of examples/finetune.py, or a Hub id.")
    parser.add_argument("--format", choices=FORMATS, default="table", help="Form of the output (default: table).")
    parser.add_argument("--output", type=Path, help="File to write, whole or not at all (default: stdout).")
    parser.add_argument("--timeline", action="store_true", help="Predict each window of each file.")
    parser.add_argument("--window", type=float, help="With --timeline: seconds of a window (default: 3).")
    parser.add_argument("--hop", type=float, help="With --timeline: seconds between starts (default: --window).")
    parser.add_argument("--arousal_valence", action="store_true", help="Show arousal and valence of the classes.")
    parser.add_argument("--batch_size", type=int, default=8, help="Files or windows at a time (default: 8).")
    parser.add_argument("--quiet", action="store_true", help="Say only what went wrong.")
    parser.add_argument(
        "--device", default="cuda" if torch.cuda.is_available() else "cpu", help="cpu, cuda, cuda:1 ..."
    )
    args = parser.parse_args()
    if not args.audio and args.list is None:
        parser.error("there is no audio; name files or folders, or - or --list.")
    if "-" in args.audio and (len(args.audio) > 1 or args.list is not None):
        parser.error("- is one audio file on stdin, and stands alone; --list - takes paths from stdin.")
    if not args.timeline and (args.window is not None or args.hop is not None):
        parser.error("--window and --hop belong to --timeline; add it.")
    if args.batch_size < 1:
        parser.error(f"--batch_size must be at least 1; it is {args.batch_size}.")
    return args


def paths(name: str | None) -> list[str]:
    """Return the paths that a list names; none without a list."""
    if name is None:
        return []
    if name == "-":
        return listed(sys.stdin.buffer)
    try:
        with Path(name).open("rb") as lines:
            return listed(lines)
    except OSError as error:
        raise PredictionError(f"List {name}: {error.strerror}. Name a file with a path on each line.") from error


def moved(model: PreTrainedModel, device: str) -> PreTrainedModel:
    """Return the model on a device."""
    try:
        return model.to(device)
    except (RuntimeError, AssertionError) as error:
        raise PredictionError(f"Device {device}: {str(error).splitlines()[0]}") from error


def laid_out(model: PreTrainedModel, args: argparse.Namespace, files: Sequence[str | Path]) -> Layout:
    """Return the columns of this model's output; say on stderr which classes have neither arousal nor valence."""
    names, ratings = output_names(model), gives_ratings(model)
    places = None
    if args.arousal_valence:
        if ratings:
            raise PredictionError(
                f"Model {args.model}: --arousal_valence is for models of classes; this one rates {', '.join(names)} "
                "itself. Leave the option out."
            )
        places = quadrants(names)
        if len(places) < len(names) and not args.quiet:
            left_out = ", ".join(name for name in names if name not in places)
            print(f"predict: without arousal and valence, and left out there: {left_out}.", file=sys.stderr)
    calibrated = temperature_of(model.config) is not None
    width = max(len("file"), *(len(str(file)) for file in files))
    return Layout(names, ratings, calibrated, args.timeline, places, width)


def of_stdin(one: Prediction, spool: Path) -> Prediction:
    """Return a prediction that calls the temporary file ``-``."""
    return replace(one, file="-", error=one.error and one.error.replace(str(spool), "-"))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SerbenchError as error:
        print(f"predict: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("predict: interrupted; an --output file was not written.", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # as in `predict.py ... | head`: who read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
