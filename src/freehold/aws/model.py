"""botocore's service models, loaded when first needed and kept: what each operation takes, answers and may raise."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import botocore
from botocore.model import OperationModel, ServiceModel

Shape = Any  # botocore.model.Shape and its kinds: the library ships no types.


@lru_cache(maxsize=64)
def service_model(service: str) -> ServiceModel:
    """By botocore's name ("cognito-idp"). Raises KeyError for a service that it does not know."""
    folder = Path(botocore.__file__).parent / "data" / service
    # botocore's own loader imports and lists much more than one file; start-up time is dear.
    versions = sorted(path for path in folder.glob("*/service-2.json*")) if folder.is_dir() else []
    if not versions:
        raise KeyError(service)
    return ServiceModel(_read(versions[-1]), service)


def operation_model(service: str, operation: str) -> OperationModel:
    return _operations(service)[operation]


@lru_cache(maxsize=64)
def _operations(service: str) -> dict[str, OperationModel]:
    return _Operations(service)


class _Operations(dict[str, Any]):
    """Operation models by name, each made once: botocore makes a new one for every question."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def __missing__(self, name: str) -> Any:
        model = service_model(self._service)
        if name not in model.operation_names:
            raise KeyError(name)
        self[name] = found = model.operation_model(name)
        return found


@lru_cache(maxsize=64)
def error_shapes(service: str) -> dict[str, Shape]:
    """The service's exceptions by the code that goes over the wire."""
    model = service_model(service)
    found: dict[str, Shape] = {}
    for shape in model.error_shapes:
        found[shape.name] = shape
        code = shape.metadata.get("error", {}).get("code")
        if code:
            found[code] = shape
    return found


def _read(file: Path) -> Any:
    import gzip

    import orjson

    data = file.read_bytes()
    return orjson.loads(gzip.decompress(data) if file.suffix == ".gz" else data)
