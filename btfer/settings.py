"""One Settings: defaults < btfer.toml < BTFER_* environment < command-line flags.

The defaults are the paper's numbers where it gives one (BTFER, section 2).
"""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from btfer.errors import UsageError


class Settings(BaseSettings):
    """Where things are and how the stages behave; every field is a flag, a variable and a TOML key."""

    model_config = SettingsConfigDict(
        env_prefix="BTFER_", toml_file="btfer.toml", extra="forbid", frozen=True
    )

    data_dir: Path = Field(Path("data"), description="folder of photos, faces, releases and runs")
    catalogue: str = Field("", description="database URL; empty = SQLite in data_dir")
    queries_dir: Path = Field(Path("queries"), description="folder of the query plan")
    contact: str = Field("", description="e-mail or page put in the crawler's User-Agent")
    engine: Literal["serial", "processes"] = "processes"
    workers: int = Field(0, ge=0, description="processes for heavy loops; 0 = one per core")
    seed: int = Field(2024, description="key of the sampling hash and of training")
    max_hamming_bits: int = Field(8, ge=0, le=20, description="pHash distance of a near-duplicate")
    crop: Literal["paper", "authors_code", "square"] = Field(
        "paper", description="how faces are cut: btfer.faces.modes has the table"
    )
    faces: Literal["all", "largest", "single"] = Field(
        "all", description="which faces of a photo are taken: single = of photos with one face only"
    )
    min_probability: float = Field(0.90, ge=0, le=1, description="least MTCNN face probability")
    min_face_px: int = Field(40, ge=20, description="least side of a face box, in photo pixels")
    max_faces: int = Field(50, ge=1, description="most faces of one photo; the largest are taken")
    max_per_host: int = Field(2, ge=1, description="connections to one image host at a time")
    host_delay_s: float = Field(0.25, ge=0, description="pause between two requests to one host")
    flickr_key: str = Field(
        "", repr=False, description="API key, from flickr.com/services/api/keys"
    )
    openverse_token: str = Field(
        "", repr=False, description="access token, from api.openverse.org/v1/#tag/auth"
    )
    licences: Literal["any", "stated", "derivatives", "free"] = Field(
        "any", description="which photos a crawl fetches, by the licence that the source states"
    )
    allow_private_hosts: bool = Field(False, description="crawl loopback and private addresses")

    @property
    def catalogue_url(self) -> str:
        """The database URL, SQLite in `data_dir` unless another one is set."""
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
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load_settings(**flags: Any) -> Settings:
    """Settings with the flags that were given (None = not given).

    Raises UsageError that names the field, where a value cannot be right.
    """
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"setting '{name}': {first['msg']} (got {first['input']!r})") from None
    except ValueError as error:  # btfer.toml is not TOML
        raise UsageError(f"btfer.toml cannot be read: {error}") from None
