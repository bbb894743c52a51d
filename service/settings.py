"""All settings, as one frozen object that refuses values unfit to start with.

Read from the environment, or from files of the same lower-case name in `/run/secrets` (how the composed deployment
hands over secrets). Nothing else in the project reads the environment.
"""

from functools import lru_cache
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.errors import SettingsError

SECRETS_DIR = Path("/run/secrets")
# Values printed in our own examples; a service that starts with one of them is open to anybody who read them.
SAMPLES = ("change-me", "changeme", "example", "sample", "secret", "password", "your-")


class Settings(BaseSettings):
    """Every setting, its default and what it is for. `.env.example` and the README list the same names."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", populate_by_name=True, secrets_dir=SECRETS_DIR if SECRETS_DIR.is_dir() else None
    )

    environment: Literal["demo", "development", "production"] = Field(
        "development", validation_alias="SCANGUIDE_ENV", description="`production` refuses missing or sample secrets"
    )
    database_url: str = Field("", description="PostgreSQL for web and workers; empty starts the embedded one")
    migrate_database_url: str = Field("", description="PostgreSQL as the tables' owner; empty: the same as above")
    redis_url: str = Field("", description="Redis or Valkey; empty starts the embedded one")
    public_url: str = Field(
        "http://127.0.0.1:8000", description="how the carrier and browsers reach us, without a path"
    )
    twilio_account_sid: str = Field("", description="the carrier account")
    twilio_auth_token: str = Field("", description="its primary token; also proves that webhooks are the carrier's")
    twilio_api_url: str = Field("https://api.twilio.com", description="another address of the carrier, for tests")
    secret_key: str = Field("", description="keys the phone hash and the log-in cookies; empty: kept in DATA_DIR")
    data_dir: Path = Field(Path("var"), description="the one folder of the embedded servers and generated keys")
    port: int = Field(8000, description="where `scanguide serve` and `demo` listen on 127.0.0.1")
    host: str = Field("127.0.0.1", description="the address to listen on")
    retain_bodies_days: int = Field(
        90, ge=0, le=36_500, description="days after which the words of old texts are removed; 0 keeps them for ever"
    )
    tick_seconds: float = Field(5.0, gt=0, description="how often the ticker looks for what is due")

    @property
    def owner_url(self) -> str:
        """The address that migrations use."""
        return self.migrate_database_url or self.database_url

    def refuse_unsafe(self) -> "Settings":
        """Return self, or raise SettingsError naming every value that production must not start with."""
        if self.environment != "production":
            return self
        wrong = [
            f"{name.upper()} is {'missing' if not value else 'a sample value'}"
            for name, value in self._secrets().items()
            if not value or any(sample in value.lower() for sample in SAMPLES)
        ]
        if urlsplit(self.public_url).scheme != "https":
            wrong.append("PUBLIC_URL must begin with https://")
        if self.secret_key and len(self.secret_key) < 32:
            wrong.append("SECRET_KEY is shorter than 32 characters")
        if wrong:
            raise SettingsError("refusing to start: " + "; ".join(wrong))
        return self

    def _secrets(self) -> dict[str, str]:
        names = ("database_url", "redis_url", "twilio_account_sid", "twilio_auth_token", "secret_key")
        return {name: getattr(self, name) for name in names}


def load() -> Settings:
    """Read the settings, or raise SettingsError saying which variable is wrong and why."""
    try:
        return Settings().refuse_unsafe()
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors()]
        raise SettingsError("refusing to start: " + "; ".join(lines)) from error


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read once."""
    return load()
