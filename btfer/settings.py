"""One Settings: defaults < btfer.toml < BTFER_* environment < command-line flags.

Every setting is a key of btfer.toml, a variable (`min_face_px` is BTFER_MIN_FACE_PX) and a flag before
the command's name (`btfer --set min_face_px=60 crop`). Often used ones have a flag of their own as well:
--data-dir, --catalogue, --engine, --workers and --address before the command's name; --seed of build and bench;
--mode (crop) and --faces of crop; --licences of crawl. Secrets (flickr_key, openverse_client_secret) are better
kept out of flags, which other users of the machine can see.

The defaults are the paper's numbers where it gives one (BTFER, section 2).
"""

import difflib
import hashlib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import (
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from btfer.bucket_url import bucket_url, checked_endpoint, is_url
from btfer.errors import UsageError
from btfer.parsing import parse_toml
from btfer.paths import default_local_dir, default_queries_dir
from btfer.plain_files import read_plain_text

FILE = Path("btfer.toml")
PREFIX = "BTFER_"
ADDRESS = re.compile(r"auto|local|ray://(\[[0-9a-fA-F:]+\]|[^\s/:\[\]]+):\d{1,5}")
LONGEST_SHOWN = 80
"""Letters of a wrong value in a message."""
OTHER_VARIABLES = ("BTFER_TRACEBACK", "BTFER_ANNY_DATA")  # of the command line, and of a test


class Settings(BaseSettings):
    """Where things are and how the stages behave."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    data_dir: Path = Field(
        Path("data"),
        description="folder of photos, faces, releases and runs; or s3://BUCKET/PREFIX, gs://BUCKET/PREFIX",
    )
    catalogue: str = Field("", repr=False, description="database URL; empty = SQLite in data_dir")
    local_dir: str = Field(
        "",
        description="with a bucket as data_dir: folder of what was fetched from it, and of runs, reports and training "
        "sets, which stay on this machine; empty = btfer in ~/.local/share or $XDG_DATA_HOME",
    )
    endpoint_url: str = Field(
        "", description="address of an S3 server that is not Amazon's; empty = AWS_ENDPOINT_URL"
    )
    queries_dir: Path = Field(
        default_factory=default_queries_dir,
        description="folder of the query plan; without one, the plan that comes with btfer",
    )
    plan: str = Field(
        "",
        description="which plan of queries_dir: paper = the paper's own words; empty = the folder's",
    )
    contact: str = Field("", description="e-mail or page put in the crawler's User-Agent")
    engine: Literal["serial", "processes", "ray"] = Field(
        "processes",
        description="where heavy loops run: in this process, in several, or on a Ray cluster",
    )
    workers: int = Field(
        0, ge=0, le=10_000, description="processes for heavy loops; 0 = one per core"
    )
    address: str = Field(
        "local",
        description="Ray cluster of the engine ray: local = this machine, for the command's time; auto = one that "
        "runs here; or ray://HOST:PORT",
    )
    seed: int = Field(2024, description="key of the sampling hash and of training")
    max_hamming_bits: int = Field(
        8, ge=0, le=20, description="bits in which the pHashes of near-duplicates may differ"
    )
    hash: Literal["phash", "dhash", "whash", "colorhash", "crop_resistant"] = Field(
        "phash",
        description="the hash that finds candidates for near-duplicates; all but phash are imagehash's",
    )
    crop: Literal["paper", "authors_code", "square"] = Field(
        "paper",
        description="how faces are cut: paper = 20 px margin; authors_code = 10 px a side; "
        "square = no face is stretched",
    )
    faces: Literal["all", "largest", "single"] = Field(
        "all", description="which faces of a photo are taken: single = of photos with one face only"
    )
    min_probability: float = Field(
        0.90, ge=0, le=1, description="lowest MTCNN probability of a face"
    )
    min_face_px: int = Field(
        40, ge=20, description="shortest side of a face box, in pixels of the photo"
    )
    face_embedder: str = Field(
        "",
        description="ONNX file of a face network for --max-per-person and the order 'same person together'; "
        "empty = that of the extra 'faces'",
    )
    max_person_distance: float = Field(
        0,
        ge=0,
        description="how far apart two faces of one person may be; 0 = as measured for the network",
    )
    max_faces: int = Field(50, ge=1, description="most faces of one photo; the largest are taken")
    max_per_host: int = Field(2, ge=1, description="connections to one image host at a time")
    host_delay_s: float = Field(
        0.25, ge=0, description="pause between two requests to one host, in seconds"
    )
    flickr_key: str = Field(
        "", repr=False, description="API key, from flickr.com/services/api/keys"
    )
    openverse_token: str = Field(
        "", repr=False, description="access token, from api.openverse.org/v1/#tag/auth"
    )
    openverse_client_id: str = Field(
        "", description="client id, from api.openverse.org/v1/#tag/auth; fetches access tokens"
    )
    openverse_client_secret: str = Field(
        "", repr=False, description="client secret that belongs to openverse_client_id"
    )
    licences: Literal["any", "stated", "derivatives", "free"] = Field(
        "any", description="which photos a crawl fetches, by the licence that the source states"
    )
    proxy: str = Field(
        "", repr=False, description="proxy of the crawl, as http://HOST:PORT; empty = none"
    )
    agency_previews: bool = Field(
        False, description="crawl the previews of picture agencies too, which are for sale"
    )
    check_pages: bool = Field(
        False, description="ask the page that shows a picture whether it opts out of such use"
    )
    allow_private_hosts: bool = Field(False, description="crawl loopback and private addresses")

    @field_validator("address")
    @classmethod
    def _is_address(cls, address: str) -> str:
        is_whole = ADDRESS.fullmatch(address) is not None
        if not is_whole or ("://" in address and not 0 < int(address.rpartition(":")[2]) < 1 << 16):
            raise ValueError("write local, auto or ray://HOST:PORT")
        return address

    _bucket_url: str = PrivateAttr("")

    @model_validator(mode="wrap")
    @classmethod
    def _with_local_folder(cls, values: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Where `data_dir` is a bucket, it becomes the folder of this machine that belongs to it."""
        place = str(values.get("data_dir", "")) if isinstance(values, dict) else ""
        if not is_url(place):
            return handler(values)
        url = bucket_url(place)
        made = handler({name: value for name, value in values.items() if name != "data_dir"})
        endpoint = checked_endpoint(made.endpoint_url)
        home = Path(made.local_dir).expanduser() if made.local_dir else default_local_dir()
        made.__dict__["data_dir"] = home / _local_name(url, endpoint)
        made._bucket_url = url
        return made

    @property
    def bucket_url(self) -> str:
        """The bucket whose folder on this machine `data_dir` is; '' = a data folder on disk."""
        return self._bucket_url

    @property
    def catalogue_url(self) -> str:
        """The database URL, SQLite in `data_dir` unless another one is set.

        Raises UsageError where `data_dir` is a bucket and none is set: a database cannot be in one.
        """
        file = self.catalogue.partition(":///")[2]
        if self.bucket_url and (not self.catalogue or Path(file).is_relative_to(self.data_dir)):
            raise UsageError(
                f"data_dir is the bucket {self.bucket_url}, where no catalogue can be, nor in its folder here: name "
                "one with the setting catalogue, as postgresql://USER@HOST/NAME or sqlite:////FOLDER/catalogue.db"
            )
        if is_url(file):
            raise UsageError(
                "a SQLite catalogue cannot be in a bucket: name a file on this machine"
            )
        return self.catalogue or f"sqlite:///{self.data_dir / 'catalogue.db'}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags first, then the environment, then btfer.toml."""
        return init_settings, env_settings, InitSettingsSource(settings_cls, _read_file(FILE))


def _local_name(url: str, endpoint: str) -> str:
    """The folder of this machine that belongs to a bucket: two servers may have buckets of one name."""
    server = endpoint or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    digest = hashlib.sha256(f"{url} {server or ''}".encode()).hexdigest()
    return f"{url.split('/')[2]}-{digest[:12]}"


def load_settings(**flags: Any) -> Settings:
    """Settings with the flags that were given (None = not given).

    Raises UsageError that names the field, where a value cannot be right.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        where = _where(name, given)
        if first["type"] == "extra_forbidden":
            close = nearest(name, Settings.model_fields)
            raise UsageError(f"unknown setting '{name}'{where}{close}") from None
        raise UsageError(
            f"setting '{name}'{where}: {what_is_wrong(first)}{_got(name, first)}"
        ) from None


def what_is_wrong(error: Mapping[str, Any], value: str = "it") -> str:
    """What pydantic says of a value, in plain words. error: one of its `errors()`. value: what to call the value."""
    words = str(error["msg"]).removeprefix("Value error, ").partition(", unable to parse")[0]
    words = words.replace("a valid integer", "a whole number")
    return words.replace("Input should be", f"{value} should be")


def _got(name: str, error: Mapping[str, Any]) -> str:
    """What came in, shortened; never that of a key, whose last place would be a log."""
    field = Settings.model_fields.get(name.partition(".")[0])
    if field is None or not field.repr:
        return ""
    text = repr(error["input"])
    return f" (got {text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + '...'})"


def _where(name: str, flags: Mapping[str, Any]) -> str:
    """Where a setting was given, in words: the place to put it right."""
    if name in flags:
        return ""
    variables = {one.upper(): one for one in os.environ}
    variable = variables.get(PREFIX + name.upper())
    return f" (variable {variable})" if variable else f" in {FILE}"


def unknown_variables(environment: Mapping[str, str] = os.environ) -> list[str]:
    """A sentence for each BTFER_* variable that btfer does not read, with the nearest one that it does."""
    known = {PREFIX + name.upper() for name in Settings.model_fields} | set(OTHER_VARIABLES)
    asked = sorted(name for name in environment if name.upper().startswith(PREFIX))
    return [
        f"unknown variable {name} is ignored{nearest(name, Settings.model_fields, PREFIX)}"
        for name in asked
        if name.upper() not in known
    ]


def nearest(word: str, settings: Iterable[str], prefix: str = "") -> str:
    """`; did you mean 'x'?`, or what may be chosen where nothing is like it.

    prefix: of variables; it is the same in all, so it is left out where they are compared.
    """
    shown = {name: prefix + name.upper() if prefix else name for name in settings}
    bare = word.lower().removeprefix(prefix.lower())
    close = difflib.get_close_matches(bare, list(shown), n=1)
    if close:
        return f"; did you mean '{shown[close[0]]}'?"
    return f"; choose one of {', '.join(shown.values())}"


def _read_file(file: Path) -> dict[str, Any]:
    """The keys of btfer.toml, {} where there is none. Windows may put a byte-order mark first."""
    try:
        return parse_toml(read_plain_text(file, "utf-8-sig"))
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError:
        raise UsageError(f"{file} cannot be read: it is not UTF-8; save it as UTF-8") from None
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{file} cannot be read: {error}") from None
