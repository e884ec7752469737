"""Where does a request come from? The address that attempts are counted by, and what the browser calls itself."""

from ipaddress import IPv6Address, ip_address, ip_network

from fastapi import Request


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
