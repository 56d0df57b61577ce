"""The module of one cloud, whose SDK is imported with it."""

import importlib
import warnings
from types import ModuleType
from typing import Final

from app.errors import InvalidSettingError

EXTRAS: Final = {"aws": "rds-iam", "gcp": "cloudsql-iam", "azure": "entra"}
"""The extra of this package that has a cloud's SDK."""


def imported(cloud: str) -> ModuleType:
    """The module of a cloud.

    Args:
        cloud: `aws`, `gcp` or `azure`.

    Raises:
        InvalidSettingError: Its package is not installed.
    """
    try:
        with warnings.catch_warnings():
            # google.api_core tells when it will stop supporting this Python, which is none of a server's business.
            warnings.filterwarnings("ignore", message="You are using a Python version", category=FutureWarning)
            return importlib.import_module(f"app.credentials.{cloud}")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("app."):
            raise
        message = (
            f"expected the package of {cloud} for passwords and tokens, but {error.name} cannot be found. "
            f"To install it: make environment EXTRAS={EXTRAS[cloud]}, or build the image with EXTRAS={EXTRAS[cloud]}"
        )
        raise InvalidSettingError(message) from None
