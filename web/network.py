"""Where does a request come from? The address that attempts are counted by, and what the browser calls itself."""

from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from fastapi import Request

#: The first that is named is what it is: each later one is what the others also claim to be.
_BROWSERS: Final = ("Zalo", "coc_coc_browser", "Edg", "OPR", "SamsungBrowser", "Firefox", "Chrome", "Safari")
_NAMES: Final = {"coc_coc_browser": "Cốc Cốc", "Edg": "Edge", "OPR": "Opera", "SamsungBrowser": "Samsung Internet"}
_SYSTEMS: Final = ("Windows", "Android", "iPhone", "iPad", "Mac OS", "Linux")


def source(request: Request) -> str:
    """The address; of IPv6 the network of the house, since a house has more addresses than there are attempts."""
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or ip_network((address, 64), strict=False))
    return host


def agent(request: Request) -> str:
    return request.headers.get("user-agent", "")


def browser(called: str) -> str:
    """Firefox, Windows: what people call it; as it calls itself when that says nothing."""
    name = next((each for each in _BROWSERS if each in called), "")
    system = next((each for each in _SYSTEMS if each in called), "")
    return ", ".join(filter(None, [_NAMES.get(name, name), system])) or called or "–"
