"""A cloud: its SDK, its types of resources and its functions."""

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from rehearsal.errors import UnknownTypeError
from rehearsal.plugin.behaviour import Behaviour
from rehearsal.refusal import Refusal
from rehearsal.schemas.judge import Judge
from rehearsal.schemas.kept import provider_schema
from rehearsal.values import Inputs


@dataclass(frozen=True)
class Cloud:
    """What one provider plugin stands in for.

    Attributes:
        name: The plugin's name, for example `azure-native`.
        package: Its SDK, for example `pulumi_azure_native`.
        behaviours: By type token.
        functions: Harmless functions by token: from arguments and the provider's inputs to an answer.
        refuse: What the vendor would refuse of the provider's own inputs.
    """

    name: str
    package: str
    behaviours: Mapping[str, Behaviour]
    functions: Mapping[str, Callable[[Inputs, Inputs], Inputs]] = field(default_factory=dict)
    refuse: Callable[[Inputs], Iterable[Refusal]] = lambda _: ()

    def behaviour(self, token: str) -> Behaviour:
        """What a type of resource does.

        Raises:
            UnknownTypeError: Nobody wrote down what it does, so nothing about it could be checked.
        """
        if token not in self.behaviours:
            raise self._unknown(self.behaviours, token, "type of resource")
        return self.behaviours[token]

    def invoke(self, token: str, arguments: Inputs, config: Inputs) -> Inputs:
        """The answer of a function.

        Raises:
            UnknownTypeError: It needs a real account, or nobody wrote down what it answers.
        """
        if token not in self.functions:
            raise self._unknown(self.functions, token, "function")
        return self.functions[token](arguments, config)

    def check_provider(self, inputs: Inputs) -> list[Refusal]:
        """Everything wrong with the provider's own inputs, whose nested values come as JSON."""
        schema = provider_schema(self.package).inputs
        unknown = {key: value for key, value in inputs.items() if key not in schema.fields and key != "version"}
        return [*Judge().refusals(unknown, schema), *self.refuse(inputs)]

    def _unknown(self, table: Iterable[str], token: str, what: str) -> UnknownTypeError:
        near = difflib.get_close_matches(token, list(table), n=1)
        hint = f"; the nearest that it knows is {near[0]}" if near else ""
        message = f"the stand-in for {self.name} knows no {what} {token}, so a rehearsal cannot check it{hint}"
        return UnknownTypeError(message)
