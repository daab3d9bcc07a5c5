"""Which rule and which settings decided on what was done or refused."""

from collections.abc import Iterable, Mapping

from userdirectory.errors import DirectoryError
from userdirectory.v1 import notice_pb2

from core_service.notice_rules import NOTICES, OUTCOMES
from core_service.refusal_rules import REFUSALS, TOLD_APART_BY, VARIANTS, Decision

__all__ = ["Decision", "of_deed", "of_refusal", "remedy", "rule_of", "text"]

_REASON = "ERROR_REASON_"
_NOTICE = "NOTICE_CODE_"


def of_refusal(error: DirectoryError, operation: str) -> Decision:
    """
    Return what decided on a refusal.

    Args:
        operation: The name of the RPC: what is done with a user who exists is the policy's choice
            when one is created, and nobody's when one is renamed.
    """
    told = error.metadata.get(TOLD_APART_BY.get(error.reason, ""), "")
    if error.reason == "FIELD_INVALID" and "missing" in error.metadata:
        told = "missing"
    found = VARIANTS.get(error.reason, {}).get(told, REFUSALS[error.reason])
    if told == "user_name" and found.settings == ("on_existing",) and operation != "CreateUser":
        return REFUSALS[error.reason]
    return found


def of_deed(
    outcomes: Iterable[str], notices: Iterable[notice_pb2.Notice]
) -> tuple[str, tuple[str, ...]]:
    """
    Return the rule that decided on what was done, and every setting that did.

    Args:
        outcomes: Names of OUTCOMES.
        notices: What the caller was told.

    Returns:
        The rule of the first outcome, else of the first notice, empty if there is neither; that a
        user was replaced comes last. The settings each once, in that order.
    """
    names = tuple(outcomes)
    found = [OUTCOMES[name] for name in names if name != "REPLACED"]
    found += [NOTICES[_code(notice)] for notice in notices]
    found += [OUTCOMES[name] for name in names if name == "REPLACED"]
    settings = dict.fromkeys(name for decision in found for name in decision.settings)
    return found[0].rule if found else "", tuple(settings)


def rule_of(reason: str) -> str:
    """Return the rule behind `ERROR_REASON_LAST_ADMIN`, in general; empty for no reason."""
    return REFUSALS[reason.removeprefix(_REASON)].rule if reason else ""


def text(reason: str, rule: str) -> str:
    """Return the rule of an entry in a sentence; *reason* is empty for what was done."""
    return _named(reason, rule).get(rule, _NOTHING).text


def remedy(reason: str, rule: str) -> str:
    """Return what to do about a refusal; empty for what was done."""
    return _named(reason, rule).get(rule, _NOTHING).remedy


_NOTHING = Decision("", "")


def _named(reason: str, rule: str) -> Mapping[str, Decision]:
    """Return what may have decided, by its rule."""
    if not rule:
        return {}
    if not reason:
        every = [*NOTICES.values(), *OUTCOMES.values()]
    else:
        name = reason.removeprefix(_REASON)
        every = [*VARIANTS.get(name, {}).values(), REFUSALS[name]]
    return {decision.rule: decision for decision in every}


def _code(notice: notice_pb2.Notice) -> str:
    return notice_pb2.NoticeCode.Name(notice.code).removeprefix(_NOTICE)
