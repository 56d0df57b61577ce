"""Amazon Web Services.

base.py        what all types have in common
api.py         Amazon's own models of its APIs
instance.py    RDS instances, with rds_rules.py for what RDS refuses
rds.py         what stands around an instance
network.py     networks and security groups
secrets.py     Secrets Manager, KMS, IAM
operations.py  CloudWatch, SNS, Backup
"""

from typing import Final

from rehearsal.plugin.cloud import Cloud
from rehearsal.values import Inputs
from rehearsal.vendors.aws import instance, network, operations, rds, secrets
from rehearsal.vendors.declared import behaviours


def _partition(arguments: Inputs, config: Inputs) -> Inputs:
    """The partition of the public regions."""
    del arguments, config
    return {"id": "aws", "partition": "aws", "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws"}


def _region(arguments: Inputs, config: Inputs) -> Inputs:
    """The provider's own region."""
    region = arguments.get("region") or config.get("region")
    return {"id": region, "region": region, "name": region, "endpoint": f"ec2.{region}.amazonaws.com"}


CLOUD: Final = Cloud(
    "aws",
    "pulumi_aws",
    behaviours(instance, network, operations, rds, secrets),
    {"aws:index/getPartition:getPartition": _partition, "aws:index/getRegion:getRegion": _region},
)
