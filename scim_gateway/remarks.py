"""What a reader notices in a document that the policy of the workspace has to judge."""

from dataclasses import dataclass, field

from userdirectory.v1.deviation_pb2 import Deviation


@dataclass(slots=True)
class Remarks:
    """
    What was noticed.

    Attributes:
        unknown: Names that the document has a value for and no resource has.
        deviation: The first thing that deviates from the RFCs though its meaning is plain; None
            if nothing does.
    """

    unknown: list[str] = field(default_factory=list)
    deviation: Deviation | None = None

    def deviates(self, kind: str, message: str) -> None:
        """
        Note that the document deviates from the RFCs.

        Args:
            kind: A DeviationKind without its prefix: `VALUE`.
            message: One sentence on what deviates, one on what to send instead.
        """
        if self.deviation is None:
            self.deviation = Deviation(kind=f"DEVIATION_KIND_{kind}", message=message)
