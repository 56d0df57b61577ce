"""Generated passwords: one for the owner, one for each of the app's two roles, which rotation alternates between."""

from typing import Final

import pulumi
import pulumi_random as random

from infra.preflight.common import second_role
from infra.settings.managed import ManagedSettings

_LENGTH: Final = 40
"""Letters and digits alone: they need no escaping in a URI, a shell or a YAML file, and 40 are 238 bits."""


class Passwords(pulumi.ComponentResource):
    """The passwords of a stack's roles; a server restored beside another one has the same.

    Counting `rotation` up by one gives a new password to the role that is *not* in use and makes it the one in use:
    processes that still work as the other one go on, until the next rotation.

    Args:
        name: The component's name in the stack.
        settings: The cloud's section.
        owner: Whether the owner has a password here; not where the cloud itself makes and keeps it.
        opts: The usual resource options.

    Attributes:
        owner: The owner's password (secret); empty where the cloud keeps it.
        app_user: The app role that is in use.
        app: Its password (secret).
    """

    def __init__(
        self, name: str, settings: ManagedSettings, *, owner: bool = True, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Register the component and its passwords."""
        super().__init__("sessiondb:managed:Passwords", name, None, opts)
        self.owner = self._generated(f"{name}-owner", settings.rotation) if owner else pulumi.Output.secret("")
        roles = (settings.app_user, second_role(settings.app_user))
        passwords = [
            self._generated(f"{name}-app-{slot + 1}", last_rotation(settings.rotation, slot))
            for slot in range(len(roles))
        ]
        self.app_user = roles[settings.rotation % len(roles)]
        self.app = passwords[settings.rotation % len(roles)]
        self.register_outputs({})

    def _generated(self, name: str, rotation: int) -> pulumi.Output[str]:
        password = random.RandomPassword(
            name,
            length=_LENGTH,
            special=False,
            min_lower=1,
            min_upper=1,
            min_numeric=1,
            keepers={"rotation": str(rotation)},
            opts=pulumi.ResourceOptions(parent=self, additional_secret_outputs=["result", "bcryptHash"]),
        )
        return pulumi.Output.secret(password.result)


def last_rotation(rotation: int, slot: int) -> int:
    """The rotation that gave a role its password: the newest one, up to `rotation`, of that role's turn; read-only.

    >>> [last_rotation(rotation, 0) for rotation in range(4)], [last_rotation(rotation, 1) for rotation in range(4)]
    ([0, 0, 2, 2], [-1, 1, 1, 3])
    """
    return rotation - (rotation - slot) % 2
