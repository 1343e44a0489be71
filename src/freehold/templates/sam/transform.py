"""AWS::Serverless-2016-10-31, by AWS's own `aws-sam-translator`, without a call to AWS.

One decision to know: the translator takes about a third of a second to import, so it is imported on the first use, on
the thread that does the work; a server that expects SAM templates calls `warm_up` early, on a thread of its own.
"""

from __future__ import annotations

import copy
import threading
from dataclasses import dataclass
from typing import Any

from freehold.aws.call import Json

TRANSFORM = "AWS::Serverless-2016-10-31"

# The translator keeps the region in a class attribute: one transform at a time.
_one_at_a_time = threading.Lock()


class SamError(ValueError):
    """The template is not valid SAM; `str()` is the reason that CloudFormation shows for the failed transform."""


@dataclass(frozen=True, slots=True)
class _Session:
    """All that the translator reads of a boto3 session."""

    region_name: str


def transform(template: Json, parameter_values: Json, region: str) -> Json:
    """The CloudFormation template that SAM makes of this one. Takes 20 ms and up: call it on a thread.

    `parameter_values` are those given or stored, by name; defaults are added here. Raises SamError.
    """
    with _one_at_a_time:
        from samtranslator.internal.managed_policies import get_bundled_managed_policy_map
        from samtranslator.model.exceptions import InvalidDocumentException
        from samtranslator.parser.parser import Parser
        from samtranslator.translator.translator import Translator

        policies = get_bundled_managed_policy_map("aws")
        translator = Translator(policies, Parser(), boto_session=_Session(region))
        try:
            translated: Json = translator.translate(
                copy.deepcopy(template), dict(parameter_values), get_managed_policy_map=lambda: policies
            )
        except InvalidDocumentException as error:
            causes = " ".join(cause.message for cause in error.causes)
            raise SamError(f"{error.message} {causes}".rstrip()) from error
        finally:
            # Nobody reads its metrics, but it complains on stderr about those that were not published.
            translator.metrics.publish()
    plain: Json = _plain(translated)
    return plain


def warm_up() -> None:
    """Imports the translator; call it on a thread. An import lock makes a transform that starts meanwhile wait."""
    with _one_at_a_time:
        import samtranslator.parser.parser
        import samtranslator.translator.translator  # noqa: F401


def has_sam_transform(template: Json) -> bool:
    listed = template.get("Transform")
    return TRANSFORM in (listed if isinstance(listed, list) else [listed])


def _plain(value: Any) -> Any:
    """Without the translator's own dict types."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
