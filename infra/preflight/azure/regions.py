"""What a region has (Microsoft, "What is Azure Database for PostgreSQL?", Azure regions, December 2025).

A region that is not in here is left to the words of the stack file: Azure adds some every year.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Region:
    """What matters of a region.

    Attributes:
        zones: Whether a standby can be in another zone. Where Azure blocks new ones for a while it still counts.
        pair: The region that backups can be copied to (Microsoft, "Azure paired regions"); empty where they cannot.
    """

    zones: bool
    pair: str = ""


REGIONS: Final[Mapping[str, Region]] = {
    "australiacentral": Region(zones=False, pair="australiacentral2"),
    "australiacentral2": Region(zones=False),
    "australiaeast": Region(zones=True, pair="australiasoutheast"),
    "australiasoutheast": Region(zones=False, pair="australiaeast"),
    "austriaeast": Region(zones=True),
    "belgiumcentral": Region(zones=True),
    "brazilsouth": Region(zones=True),
    "brazilsoutheast": Region(zones=False),
    "canadacentral": Region(zones=True, pair="canadaeast"),
    "canadaeast": Region(zones=False, pair="canadacentral"),
    "centralindia": Region(zones=True, pair="southindia"),
    "centralus": Region(zones=True, pair="eastus2"),
    "chilecentral": Region(zones=True),
    "eastasia": Region(zones=True, pair="southeastasia"),
    "eastus": Region(zones=True, pair="westus"),
    "eastus2": Region(zones=True, pair="centralus"),
    "francecentral": Region(zones=True, pair="francesouth"),
    "francesouth": Region(zones=False, pair="francecentral"),
    "germanynorth": Region(zones=False, pair="germanywestcentral"),
    "germanywestcentral": Region(zones=True, pair="germanynorth"),
    "indonesiacentral": Region(zones=True),
    "israelcentral": Region(zones=True),
    "italynorth": Region(zones=True),
    "japaneast": Region(zones=True, pair="japanwest"),
    "japanwest": Region(zones=False, pair="japaneast"),
    "jioindiacentral": Region(zones=False, pair="jioindiawest"),
    "jioindiawest": Region(zones=False, pair="jioindiacentral"),
    "koreacentral": Region(zones=True, pair="koreasouth"),
    "koreasouth": Region(zones=False, pair="koreacentral"),
    "malaysiawest": Region(zones=True),
    "mexicocentral": Region(zones=True),
    "newzealandnorth": Region(zones=True),
    "northcentralus": Region(zones=False, pair="southcentralus"),
    "northeurope": Region(zones=True, pair="westeurope"),
    "norwayeast": Region(zones=True, pair="norwaywest"),
    "norwaywest": Region(zones=False, pair="norwayeast"),
    "polandcentral": Region(zones=True),
    "qatarcentral": Region(zones=True),
    "southafricanorth": Region(zones=True, pair="southafricawest"),
    "southafricawest": Region(zones=False, pair="southafricanorth"),
    "southcentralus": Region(zones=True, pair="northcentralus"),
    "southeastasia": Region(zones=True, pair="eastasia"),
    "southindia": Region(zones=True, pair="centralindia"),
    "spaincentral": Region(zones=True),
    "swedencentral": Region(zones=True, pair="swedensouth"),
    "switzerlandnorth": Region(zones=True, pair="switzerlandwest"),
    "switzerlandwest": Region(zones=False, pair="switzerlandnorth"),
    "uaecentral": Region(zones=False, pair="uaenorth"),
    "uaenorth": Region(zones=True, pair="uaecentral"),
    "uksouth": Region(zones=True, pair="ukwest"),
    "ukwest": Region(zones=False, pair="uksouth"),
    "westcentralus": Region(zones=False, pair="westus2"),
    "westeurope": Region(zones=True, pair="northeurope"),
    "westus": Region(zones=False, pair="eastus"),
    "westus2": Region(zones=True, pair="westcentralus"),
    "westus3": Region(zones=True),
}
"""Regions by the name that the API uses; those of separate clouds (China, US Government) are not in here."""
