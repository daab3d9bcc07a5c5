"""What a port raises when it cannot deliver now."""


class DeliveryError(Exception):
    """
    A delivery that did not happen and is tried again later.

    Its text is logged and kept beside the delivery, so it names no person and no address. Of any
    other exception only the type is kept.
    """
