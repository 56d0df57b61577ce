"""The volume: growth, IOPS and throughput (Amazon RDS User Guide, "gp3 storage" and "storage autoscaling")."""

from collections.abc import Iterator
from typing import Final

from infra.settings.aws import MAX_GIB, AwsSettings, Storage
from infra.settings.refusals import Refusal

STRIPED_GIB: Final = 400
"""From here on RDS stripes a gp3 volume over four, and IOPS and throughput can be provisioned at all."""

STRIPED_IOPS: Final = 12_000
STRIPED_THROUGHPUT: Final = 500
"""What a striped volume has at least, without further cost."""

_IOPS_PER_GIB: Final = 500
_IOPS_PER_MIB: Final = 4


def check(settings: AwsSettings) -> Iterator[Refusal]:
    """What is wrong with the volume; read-only."""
    yield from _growth(settings.storage)
    yield from _performance(settings.storage)


def _growth(storage: Storage) -> Iterator[Refusal]:
    least = -(-storage.size_gib * 11 // 10)
    if storage.max_gib and storage.max_gib < least:
        fix = f"{{storage: {{max_gib: {least if least <= MAX_GIB else 0}}}}}"
        yield Refusal(
            "aws.storage.max_gib",
            f"at least a tenth more than size_gib, which is {storage.size_gib}, or 0 for no growth",
            fix,
        )


def _performance(storage: Storage) -> Iterator[Refusal]:
    if storage.size_gib < STRIPED_GIB:
        if storage.iops or storage.throughput:
            yield Refusal(
                "aws.storage.iops" if storage.iops else "aws.storage.throughput",
                f"0 below {STRIPED_GIB} GiB, where a volume has 3000 IOPS and 125 MiB/s and takes no other",
                "{storage: {iops: 0, throughput: 0}}",
            )
        return
    if storage.iops and storage.iops < STRIPED_IOPS:
        yield Refusal(
            "aws.storage.iops",
            f"{STRIPED_IOPS} to 64000 from {STRIPED_GIB} GiB on, or 0 for the baseline of {STRIPED_IOPS}",
            f"{{storage: {{iops: {STRIPED_IOPS}}}}}",
        )
    if storage.throughput and storage.throughput < STRIPED_THROUGHPUT:
        yield Refusal(
            "aws.storage.throughput",
            f"{STRIPED_THROUGHPUT} to 4000 MiB/s from {STRIPED_GIB} GiB on, or 0 for that baseline",
            f"{{storage: {{throughput: {STRIPED_THROUGHPUT}}}}}",
        )
    yield from _ratios(storage)


def _ratios(storage: Storage) -> Iterator[Refusal]:
    iops = storage.iops or STRIPED_IOPS
    if iops > storage.size_gib * _IOPS_PER_GIB:
        most = storage.size_gib * _IOPS_PER_GIB
        yield Refusal("aws.storage.iops", f"at most {most}, 500 for each GiB", f"{{storage: {{iops: {most}}}}}")
    if storage.throughput * _IOPS_PER_MIB > iops:
        yield Refusal(
            "aws.storage.throughput",
            f"at most {iops // _IOPS_PER_MIB} MiB/s, a quarter of the {iops} IOPS",
            f"{{storage: {{iops: {storage.throughput * _IOPS_PER_MIB}}}}}",
        )
