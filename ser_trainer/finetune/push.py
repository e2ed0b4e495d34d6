"""Push: a finished folder goes to the Hub, without its checkpoints."""

from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.errors import HTTPError

from loading_scripts.errors import SerbenchError

UNREACHABLE = (OSError, HTTPError)
"""What the client raises where the Hub refuses or cannot be reached; without a connection it is no OSError."""


class PushError(SerbenchError, ConnectionError):
    """The Hub cannot be reached, or refuses; what was trained is saved."""


def push(repo: str, output: Path, token: str | None = None) -> None:
    """Upload a finished folder.

    Raises:
        PushError: the Hub cannot be reached or refuses; says how to push later.
    """
    try:
        HfApi(token=token).upload_folder(
            repo_id=repo,
            folder_path=output,
            commit_message="Fine-tuned with serbench",
            ignore_patterns=["checkpoint-*/**"],
        )
    except UNREACHABLE as error:
        raise PushError(
            f"Model {output}: is saved, but could not be pushed to {repo}; {str(error).splitlines()[0]}. Push it later "
            f"with: hf upload {repo} {output} . --exclude 'checkpoint-*/**'"
        ) from error
