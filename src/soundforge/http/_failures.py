"""How a service fails, in our words."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx2

from soundforge.errors import Broken, Unavailable
from soundforge.http._services import Service


@contextmanager
def in_our_words(service: Service) -> Iterator[None]:
    """Turn the library's failures into ours."""
    try:
        yield
    except (TimeoutError, httpx2.TimeoutException) as error:
        raise Unavailable(
            f"{_beginning(service)} takes too long to answer.", code="service_slow", detail=repr(error)
        ) from error
    except httpx2.TransportError as error:
        raise away(service, repr(error)) from error


def away(service: Service, detail: str) -> Unavailable:
    """Make the error of a service that cannot be reached."""
    return Unavailable(f"{_beginning(service)} cannot be reached.", code="service_away", detail=detail)


def too_large(service: Service) -> Broken:
    """Make the error of an answer beyond the service's limit."""
    return Broken(f"The answer of {service.called} is too large.", code="answer_too_large")


def unreadable(service: Service, detail: str) -> Broken:
    """Make the error of an answer that came packed."""
    return Broken(f"The answer of {service.called} cannot be read.", code="answer_unreadable", detail=detail)


def wrong_host(service: Service, detail: str) -> Broken:
    """Make the error of a request to somebody else."""
    return Broken(
        f"{_beginning(service)} may not be asked for at this address.", code="host_not_allowed", detail=detail
    )


def private_address(service: Service, detail: str) -> Broken:
    """Make the error of a public name that leads into a private network."""
    return Broken(
        f"The address of {service.called} lies in a private network.", code="address_not_allowed", detail=detail
    )


def _beginning(service: Service) -> str:
    return service.called[:1].upper() + service.called[1:]
