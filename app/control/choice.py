"""Which control plane a stack's server is under; a cloud's SDK is imported only where that cloud is chosen."""

import importlib
import warnings
from types import ModuleType
from typing import Final, cast

from app.control.interface import Control
from app.errors import InvalidSettingError
from app.stack import Record

_CLASSES: Final = {"aws": "AwsControl", "azure": "AzureControl", "gcp": "GcpControl"}


def of(record: Record) -> Control:
    """The control plane of a stack; nothing is asked of it yet.

    Args:
        record: What the stack exports.

    Raises:
        InvalidSettingError: The stack is on no cloud, or the cloud's package is missing.
        CloudRefusedError: There is no login.
    """
    cloud = record.text("backend")
    if cloud not in _CLASSES:
        message = (
            f"expected a stack whose server a cloud manages, since the drill asks its control plane, but "
            f"{record.stack} is on {cloud}. For example: --stack prod; on any server works session-db drill load"
        )
        raise InvalidSettingError(message)
    try:
        module = _imported(cloud)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("app."):
            raise
        message = (
            f"expected the package of {cloud} for drills, but {error.name} cannot be found. "
            "To install it: make environment EXTRAS=drills"
        )
        raise InvalidSettingError(message) from None
    return cast("Control", getattr(module, _CLASSES[cloud]).of(record))


def _imported(cloud: str) -> ModuleType:
    with warnings.catch_warnings():
        # google.api_core tells when it will stop supporting this Python, which is none of a drill's business.
        warnings.filterwarnings("ignore", message="You are using a Python version", category=FutureWarning)
        return importlib.import_module(f"app.control.{cloud}")
