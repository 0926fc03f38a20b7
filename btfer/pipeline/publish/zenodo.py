"""Zenodo: a draft that carries the digest in its description, one zip and a few texts, published only if asked.

Which draft or record is ours is found by that digest among the account's own, so that a run that was killed
goes on with its draft, and a version that is out is not published twice.
"""

import hashlib
import html
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from btfer.errors import NetworkError, UsageError
from btfer.pipeline.publish import rights
from btfer.pipeline.publish.archive import write_zip
from btfer.pipeline.publish.parcel import Parcel
from btfer.pipeline.publish.targets import (
    ALREADY,
    SENT,
    Access,
    Again,
    Patience,
    Published,
    patiently,
)
from btfer.pipeline.publish.zenodo_api import ZenodoApi
from btfer.progress import Progress

SITES = {"zenodo": "https://zenodo.org", "zenodo-sandbox": "https://sandbox.zenodo.org"}
_BESIDE = ("README.md", "SHA256SUMS", "optout.html", "tombstones.csv")
_DEPOSITS = "/deposit/depositions"
_PAGE, _PAGES = 100, 100
_LOCAL = ("127.0.0.1", "localhost", "::1")
_LICENCE = {rights.COMMERCIAL: "other-open", rights.NON_COMMERCIAL: "other-nc"}
_CONDITIONS = (
    "Tell us who you are and what you will measure. The images show people: do not identify anyone, "
    "do not pass the images on, and delete an image when its removal is announced."
)

Deposit = dict[str, Any]


@dataclass(frozen=True)
class Zenodo:
    """An account at zenodo.org or its sandbox; ZENODO_ENDPOINT names another server."""

    name: str
    token: str
    creators: tuple[str, ...]
    patience: Patience

    def describe(self, access: Access) -> str:
        """Who will see the release."""
        if not access.public:
            return "private: a draft that only you see, until you publish it"
        return (
            "public page; you approve each person who asks for the files"
            if access.gated
            else "public"
        )

    def check(self) -> None:
        """Raise UsageError without a token or an author."""
        if not self._token():
            raise UsageError(
                f"no token for {self.name}: set ZENODO_TOKEN to one with deposit:write and deposit:actions "
                f"({SITES[self.name]}/account/settings/applications), or pass --token-file"
            )
        if not self.creators:
            raise UsageError(
                "Zenodo asks who made the release: add --creator 'Family name, First name'"
            )

    def send(self, parcel: Parcel, access: Access, progress: Progress) -> Published:
        """Bring the account to this release. Raises UsageError or NetworkError, one line each."""
        api = ZenodoApi(self._endpoint(), self._token(), self.patience)
        with _files_to_send(parcel) as files:
            return patiently(
                lambda: self._bring(api, parcel, access, files, progress), self.patience
            )

    def _token(self) -> str:
        return self.token or os.environ.get("ZENODO_TOKEN", "").strip()

    def _endpoint(self) -> str:
        endpoint = os.environ.get("ZENODO_ENDPOINT") or SITES[self.name]
        parts = urlsplit(endpoint)
        if parts.scheme != "https" and parts.hostname not in _LOCAL:
            raise UsageError(f"ZENODO_ENDPOINT '{endpoint}': a token is sent over https only")
        return endpoint

    def _bring(
        self,
        api: ZenodoApi,
        parcel: Parcel,
        access: Access,
        files: Mapping[str, Path],
        progress: Progress,
    ) -> Published:
        own = list(_deposits(api))
        ours = [one for one in own if parcel.digest in _text(one)]
        done = next((one for one in ours if one.get("submitted")), None)
        if done:
            return Published(self.name, ALREADY, parcel.version, parcel.digest, _page(done))
        metadata = self._metadata(parcel, access)
        draft = ours[0] if ours else _new_draft(api, own, parcel, metadata)
        address = f"{_DEPOSITS}/{_id(draft)}"
        api.ask("PUT", address, value={"metadata": metadata})
        _bring_files(api, address, files, progress)
        if not access.public:
            note = "a draft: look at it, and publish it there or with --public"
            return Published(self.name, SENT, parcel.version, parcel.digest, _page(draft), note)
        done = api.ask("POST", f"{address}/actions/publish")
        return Published(self.name, SENT, parcel.version, parcel.digest, _page(done))

    def _metadata(self, parcel: Parcel, access: Access) -> dict[str, Any]:
        is_open = access.public and not access.gated
        told = {
            "title": parcel.title,
            "upload_type": "dataset",
            "version": parcel.version,
            "description": _description(parcel),
            "creators": [{"name": name} for name in self.creators],
            "keywords": ["facial expression recognition", "test set", "btfer"],
            "access_right": "open" if is_open else "restricted",
        }
        if is_open:  # what is left out here becomes CC BY, which is not ours to give
            return told | {"license": _LICENCE.get(parcel.redistribution, "other-open")}
        return told | {"access_conditions": _CONDITIONS}


def _description(parcel: Parcel) -> str:
    licences = ", ".join(f"{name} ({n})" for name, n in sorted(parcel.licences.items()))
    held = (
        f"{parcel.images} images" if parcel.images else "Addresses and hashes of photos, no images"
    )
    lines = (
        f"{held}. Release {parcel.name}, version {parcel.version}.",
        f"sha256 of SHA256SUMS: {parcel.digest}",
        f"Every image has a licence of its own, in metadata.csv: {licences}.",
        "README.md is the datasheet.",
    )
    return "".join(f"<p>{html.escape(line)}</p>" for line in lines)


def _deposits(api: ZenodoApi) -> Iterator[Deposit]:
    """All drafts and records of the account. Not searched by words: Zenodo's index splits a digest as it likes."""
    for page in range(1, _PAGES + 1):
        found = api.ask("GET", f"{_DEPOSITS}?size={_PAGE}&page={page}&all_versions=true")
        if not isinstance(found, list):
            raise NetworkError("Zenodo answered with something that is not a list of records")
        yield from (one for one in found if isinstance(one, dict))
        if len(found) < _PAGE:
            return


def _new_draft(
    api: ZenodoApi, own: list[Deposit], parcel: Parcel, metadata: Mapping[str, Any]
) -> Deposit:
    """A draft: the next version of the predecessor's record where we own one, else of a new record."""
    before = [one for one in own if parcel.predecessor and parcel.predecessor in _text(one)]
    published = next((one for one in before if one.get("submitted")), None)
    if published is None:
        made: Deposit = api.ask("POST", _DEPOSITS, value={"metadata": metadata})
        return made
    concept = published.get("conceptrecid")
    for one in before:  # a new version that was begun and not described yet
        if not one.get("submitted") and concept and one.get("conceptrecid") == concept:
            return one
    begun = api.ask("POST", f"{_DEPOSITS}/{_id(published)}/actions/newversion")
    link = begun.get("links", {}).get("latest_draft", "")
    draft: Deposit = api.ask("GET", link) if link else begun
    if draft.get("submitted") or _id(draft) == _id(published):
        raise Again("Zenodo does not show the new version's draft yet")
    return draft


def _bring_files(
    api: ZenodoApi, address: str, files: Mapping[str, Path], progress: Progress
) -> None:
    """Make the draft hold these files: what is there with the same MD5 stays, the rest goes or comes."""
    bucket = str(api.ask("GET", address).get("links", {}).get("bucket", ""))
    if not bucket:
        raise NetworkError(
            "Zenodo names no place for the draft's files: open the draft there, save it, and try again"
        )
    held = {str(one.get("filename")): one for one in api.ask("GET", f"{address}/files")}
    for name in sorted(set(held) - set(files)):
        api.ask("DELETE", f"{address}/files/{quote(str(held[name].get('id', '')), safe='')}")
    for number, (name, path) in enumerate(files.items()):
        progress.update("publish", number, len(files))
        md5 = _md5(path)
        if _checksum(held.get(name, {})) == md5:
            continue
        taken = api.ask("PUT", f"{bucket}/{quote(name)}", file=path)
        if _checksum(taken) not in ("", md5):
            raise Again(f"{name} arrived damaged at Zenodo")
    progress.update("publish", len(files), len(files))


@contextmanager
def _files_to_send(parcel: Parcel) -> Iterator[dict[str, Path]]:
    """The zip, written for as long as it is needed, and the texts beside it, by name."""
    with tempfile.TemporaryDirectory(prefix="btfer-publish-") as folder:
        path = Path(folder) / f"{parcel.name}.zip"
        write_zip(parcel, path)
        beside = {one.name: one.path for one in parcel.files if one.name in _BESIDE}
        yield beside | {path.name: path}


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _checksum(told: Mapping[str, Any]) -> str:
    return str(told.get("checksum", "")).removeprefix("md5:")


def _text(deposit: Deposit) -> str:
    return str((deposit.get("metadata") or {}).get("description", ""))


def _id(deposit: Deposit) -> int:
    try:
        return int(deposit["id"])
    except (KeyError, TypeError, ValueError):
        raise NetworkError("Zenodo answered with a record that has no number") from None


def _page(deposit: Deposit) -> str:
    links = deposit.get("links") or {}
    return str(links.get("record_html") or links.get("latest_html") or links.get("html") or "")
