"""Hugging Face: one commit with all files, a tag for the version, and only then the visibility that was asked for.

Sent twice it ends the same: what the repository holds is compared with the release first, file by file, and
contents that were uploaded before a kill are found again by their hash.
"""

import hashlib
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from btfer.errors import MissingExtra, NetworkError, UsageError
from btfer.pipeline.publish.hf_session import one_line, sessions
from btfer.pipeline.publish.parcel import Parcel, ParcelFile
from btfer.pipeline.publish.targets import (
    ALREADY,
    SENT,
    Access,
    Patience,
    Published,
    patiently,
)
from btfer.progress import Progress

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import DatasetInfo, RepoFile

_OWN = frozenset({".gitattributes"})  # the hub's own file
_HARMLESS = _OWN | {
    "README.md",
    ".gitignore",
}  # what a repository may hold before its first release
_BATCH = 100
_HISTORY = (
    "earlier versions stay in the history of the repository: "
    "if an image was withdrawn, delete their tags and squash the history there"
)
_NAME = re.compile(r"[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?/[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?", re.ASCII)


def repository(to: str) -> str:
    """ORG/NAME of `hf://ORG/NAME`. Raises UsageError for another form."""
    found = to.removeprefix("hf://").removeprefix("datasets/").rstrip("/")
    if not _NAME.fullmatch(found):
        raise UsageError(f"'{to}': write hf://ORG/NAME, such as hf://my-lab/faces")
    return found


@dataclass(frozen=True)
class HuggingFace:
    """A dataset repository; the server is the one that HF_ENDPOINT names."""

    repo: str
    token: str
    patience: Patience

    @property
    def name(self) -> str:
        """As the user writes it."""
        return f"hf://{self.repo}"

    def describe(self, access: Access) -> str:
        """Who will see the release."""
        if not access.public:
            return "private; a repository that is public already must be gated"
        return (
            "public page; you approve each person who asks for the files"
            if access.gated
            else "public"
        )

    def check(self) -> None:
        """Raise MissingExtra without huggingface_hub, UsageError without a token."""
        try:
            from huggingface_hub import get_token
        except ImportError:
            raise MissingExtra("publishing to Hugging Face", "publish") from None
        if not (self.token or get_token()):
            raise UsageError(
                "no token for Hugging Face: set HF_TOKEN to one with write permission "
                "(https://huggingface.co/settings/tokens), or pass --token-file"
            )

    def send(self, parcel: Parcel, access: Access, progress: Progress) -> Published:
        """Bring the repository to this release. Raises UsageError, NetworkError or BtferError, one line each."""
        with sessions(self.patience):
            return patiently(lambda: self._send_once(parcel, access, progress), self.patience)

    def _send_once(self, parcel: Parcel, access: Access, progress: Progress) -> Published:
        from huggingface_hub import HfApi

        endpoint = os.environ.get("HF_ENDPOINT", "").rstrip("/")
        api = HfApi(endpoint=endpoint or None, token=self.token or None)
        try:
            return self._bring(api, parcel, access, progress)
        except Exception as error:  # its errors come from three libraries; all become one line
            raise one_line(error, self.repo, api.endpoint) from None

    def _bring(self, api: "HfApi", parcel: Parcel, access: Access, progress: Progress) -> Published:
        tag = f"v{parcel.version}"
        info = self._info(api)
        if info is None:
            api.create_repo(self.repo, private=True, repo_type="dataset", exist_ok=True)
            info = api.dataset_info(self.repo)
        info = self._check_audience(api, info, access)
        tags = self._tags(api)
        tagged = tags.get(tag)
        state = SENT
        if tagged is None:
            revision = self._commit(api, parcel, info, progress)
            api.create_tag(
                self.repo,
                tag=tag,
                tag_message=_about(parcel),
                revision=revision,
                repo_type="dataset",
            )
        elif _different(self._tree(api, tagged), parcel):
            raise UsageError(
                f"{self.name} has other files as {tag} already: publish under another name, or build a new version"
            )
        else:
            state = ALREADY
        changed = self._open_up(api, info, access)
        state = SENT if changed else state
        return Published(
            self.name,
            state,
            parcel.version,
            parcel.digest,
            self._url(api, tag),
            _HISTORY if set(tags) - {tag} else "",
        )

    def _info(self, api: "HfApi") -> "DatasetInfo | None":
        from huggingface_hub.errors import RepositoryNotFoundError

        try:
            return api.dataset_info(self.repo)
        except RepositoryNotFoundError:
            return None

    def _check_audience(self, api: "HfApi", info: "DatasetInfo", access: Access) -> "DatasetInfo":
        """A repository that everybody can read takes nothing that was not meant for everybody."""
        if info.private or info.gated:
            return info
        if not access.public:
            raise UsageError(
                f"nothing was sent: {self.name} is public and not gated. "
                "Add --public to say that you mean it, or make it private first"
            )
        if access.gated:  # the gate first, the files then
            api.update_repo_settings(self.repo, gated="manual", repo_type="dataset")
            return api.dataset_info(self.repo)
        return info

    def _tags(self, api: "HfApi") -> dict[str, str]:
        refs = api.list_repo_refs(self.repo, repo_type="dataset")
        return {ref.name: ref.target_commit for ref in refs.tags}

    def _tree(self, api: "HfApi", revision: str) -> "dict[str, RepoFile]":
        from huggingface_hub.hf_api import RepoFile

        found = api.list_repo_tree(
            self.repo, recursive=True, revision=revision, repo_type="dataset"
        )
        return {one.path: one for one in found if isinstance(one, RepoFile)}

    def _commit(self, api: "HfApi", parcel: Parcel, info: "DatasetInfo", progress: Progress) -> str:
        """One commit that makes `main` this release; the commit that is there where it is already."""
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        head = info.sha or "main"
        held = self._tree(api, head)
        if set(held) - _HARMLESS and not {"SHA256SUMS", "metadata.csv"} <= set(held):
            raise UsageError(
                f"nothing was sent: {self.name} holds files of something else: choose another name"
            )
        differing = _different(held, parcel)
        if not differing:
            return head
        new = [one for one in parcel.files if one.name in differing]
        additions = [
            CommitOperationAdd(path_in_repo=one.name, path_or_fileobj=str(one.path)) for one in new
        ]
        for start in range(0, len(additions), _BATCH):
            progress.update("publish", start, len(additions))
            batch = additions[start : start + _BATCH]
            api.preupload_lfs_files(self.repo, batch, repo_type="dataset", free_memory=False)
        progress.update("publish", len(additions), len(additions))
        stale = sorted(differing - {one.name for one in new})
        made = api.create_commit(
            self.repo,
            [*additions, *(CommitOperationDelete(path_in_repo=name) for name in stale)],
            commit_message=f"Version {parcel.version}",
            commit_description=_about(parcel),
            repo_type="dataset",
            parent_commit=info.sha,
        )
        wrong = _different(self._tree(api, made.oid), parcel)
        if wrong:
            raise NetworkError(
                f"{self.name} holds other files than were sent: {', '.join(sorted(wrong)[:5])}"
            )
        return made.oid

    def _open_up(self, api: "HfApi", info: "DatasetInfo", access: Access) -> bool:
        """Gate and visibility in one request, so that there is no moment of one without the other."""
        if not access.public:
            return False
        gated: Any = "manual" if access.gated else False
        if not info.private and bool(info.gated) == access.gated:
            return False
        api.update_repo_settings(self.repo, gated=gated, private=False, repo_type="dataset")
        return True

    def _url(self, api: "HfApi", tag: str) -> str:
        return f"{api.endpoint}/datasets/{self.repo}/tree/{tag}"


def _about(parcel: Parcel) -> str:
    return f"{parcel.name}\nsha256 of SHA256SUMS: {parcel.digest}"


def _different(held: "dict[str, RepoFile]", parcel: Parcel) -> set[str]:
    """Names of files that the repository lacks, has otherwise, or has and should not have."""
    wanted = {one.name: one for one in parcel.files}
    stale = set(held) - set(wanted) - _OWN
    return stale | {n for n, one in wanted.items() if n not in held or not _same(held[n], one)}


def _same(held: "RepoFile", one: ParcelFile) -> bool:
    if held.lfs:
        return held.lfs.sha256 == one.sha256
    if held.size != one.size:
        return False
    data = one.path.read_bytes()
    git = hashlib.sha1(f"blob {one.size}\0".encode() + data, usedforsecurity=False).hexdigest()
    return git == held.blob_id and hashlib.sha256(data).hexdigest() == one.sha256
