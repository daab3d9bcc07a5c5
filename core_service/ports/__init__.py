"""
What the product around the directory does: billing, mail, entitlement, single sign-on.

Each port is a small protocol with a default that works. A product gives `Core` its own `Ports`.
"""

from dataclasses import dataclass, field

from core_service.ports.billing import Billing, LogBilling
from core_service.ports.entitlement import Entitlement, PlanEntitlement
from core_service.ports.failures import DeliveryError
from core_service.ports.mail import LogMail, Mail, SmtpMail, SmtpServer
from core_service.ports.sign_on import SignOn, WorkspaceSignOn
from core_service.ports.workspace import WorkspaceFacts, facts_of

__all__ = [
    "Billing",
    "DeliveryError",
    "Entitlement",
    "LogBilling",
    "LogMail",
    "Mail",
    "PlanEntitlement",
    "Ports",
    "SignOn",
    "SmtpMail",
    "SmtpServer",
    "WorkspaceFacts",
    "WorkspaceSignOn",
    "facts_of",
]


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports in use."""

    billing: Billing = field(default_factory=LogBilling)
    mail: Mail = field(default_factory=LogMail)
    entitlement: Entitlement = field(default_factory=PlanEntitlement)
    sign_on: SignOn = field(default_factory=WorkspaceSignOn)
