"""What can go wrong while provisioning, as one tree.

InfraError               exit code 1; the engine prints its message without a traceback
├── SettingsError        2   a stack file asks for something that cannot be
├── ToolError            3   the Pulumi CLI or a cloud's package cannot be had
├── StateError           4   the stack's state is missing, locked or cannot be decrypted
├── DatabaseFileError    1   the SQLite file is not ours to take, or is in use
├── DeploymentError      1   the engine could not carry out what was asked
├── SchemaError          the bootstrapper's own code; it has said why
└── InterruptedByUserError  130   Ctrl-C: stopped between two steps
"""

from typing import ClassVar

import pulumi


class InfraError(pulumi.RunError):
    """The root; a `pulumi.RunError`, which the engine shows as one line instead of a traceback."""

    exit_code: ClassVar[int] = 1


class SettingsError(InfraError):
    """A stack file asks for something that cannot be. For example, an unknown key."""

    exit_code = 2


class ToolError(InfraError):
    """The Pulumi CLI or a cloud's package cannot be had. For example, no network and no Go."""

    exit_code = 3


class StateError(InfraError):
    """The stack's state cannot be used. For example, another deployment holds its lock."""

    exit_code = 4


class DatabaseFileError(InfraError):
    """The SQLite file cannot be taken or moved. For example, a server still has it open."""


class DeploymentError(InfraError):
    """The engine could not carry out the operation. For example, a resource was refused."""


class SchemaError(InfraError):
    """The bootstrapper failed and has said why. For example, the server cannot be reached.

    Attributes:
        answer: What it printed for a script, passed on as it is.
        code: Its exit code.
    """

    def __init__(self, answer: str, code: int) -> None:
        """Keep the bootstrapper's answer and exit code."""
        super().__init__(answer)
        self.answer, self.code = answer, code


class InterruptedByUserError(InfraError):
    """The user stopped the operation. For example, with Ctrl-C."""

    exit_code = 130
