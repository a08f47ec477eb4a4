"""Reads each variable of the environment as what it must be. Knows none of them by name: settings.py does.

A value that isn't what it must be ends the process with one line: the variable, what it holds, what is expected. So it
is for every command and for the web, since all of them read the settings first.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address
from typing import Any, NoReturn
from urllib.parse import urlsplit

import environ

YES = ("true", "on", "ok", "y", "yes", "1")
NO = ("false", "off", "n", "no", "0")
SHOWN = 80  # characters of a value

Check = Callable[[str], bool]


class WrongValue(SystemExit):
    """What is wrong, in one line; Python prints it and ends with 1. Django tells an ImproperlyConfigured with a
    traceback."""


class Environment:
    """The variables, by name; an empty one counts as not set where a default is anything else than text."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def text(self, name: str, default: str = "", *, secret: bool = False) -> str:
        return self._read(name, default, secret=secret)

    def one_of(self, name: str, default: str, *, words: Sequence[str]) -> str:
        value = self._read(name, default) or default
        if value not in words:
            self._wrong(name, value, f"one of {', '.join(words)}")
        return value

    def yes_no(self, name: str, default: bool) -> bool:
        value = self._read(name, "").lower()
        if not value:
            return default
        if value not in YES + NO:
            self._wrong(name, value, "True or False")
        return value in YES

    def whole(self, name: str, default: int, *, least: int, most: int) -> int:
        value = self._read(name, "")
        if not value:
            return default
        if not re.fullmatch(r"-?[0-9]{1,12}", value, re.ASCII) or not least <= int(value) <= most:
            self._wrong(name, value, f"a whole number from {least:,} to {most:,}")
        return int(value)

    def words(self, name: str, default: Sequence[str] = (), *, secret: bool = False) -> list[str]:
        """Separated by commas. An empty variable is an empty list."""
        if (value := self._read(name, ",".join(default), secret=secret)) == "":
            return []
        found = value.split(",")
        for each in found:
            if each != each.strip():
                self._wrong(name, value, "a list with commas and without blanks beside them", secret=secret)
        return [each for each in found if each or secret]

    def address(self, name: str, default: str = "") -> str:
        return self._checked(name, default, is_address, "an address like https://host/path")

    def origins(self, name: str) -> list[str]:
        return self._each(name, (), is_origin, "addresses without a path, like https://host, with commas")

    def hosts(self, name: str, default: Sequence[str]) -> list[str]:
        return self._each(name, default, is_host, "host names, with commas, like pay.djkraph.co.ke")

    def ip_addresses(self, name: str, default: Sequence[str]) -> list[str]:
        return self._each(name, default, is_ip_address, "IP addresses, with commas")

    def mail_addresses(self, name: str) -> list[str]:
        return self._each(name, (), is_mail_address, "mail addresses, with commas")

    def database_url(self, name: str, default: str) -> str:
        self._url(
            name,
            default,
            environ.Env.db_url_config,
            ("sqlite", "postgres", "postgresql"),
            "empty, sqlite:///path or postgres://user:password@host:5432/name",
        )
        return self._read(name, "", secret=True) or default

    def cache(self, name: str, default: str) -> dict[str, Any]:
        return self._url(
            name,
            default,
            environ.Env.cache_url_config,
            ("locmemcache", "dummycache", "dbcache", "filecache", "redis", "rediss", "rediscache"),
            "locmemcache:// or redis://host:6379/0",
        )

    def mail(self, name: str, default: str) -> dict[str, Any]:
        return self._url(
            name,
            default,
            environ.Env.email_url_config,
            tuple(environ.Env.EMAIL_SCHEMES),
            "consolemail:// or smtp+tls://user:password@host:587",
        )

    def _read(self, name: str, default: str, *, secret: bool = False) -> str:
        value = self._values.get(name, default)
        if value != value.strip() or "\x00" in value:
            self._wrong(name, value, "written without blanks at its ends", secret=secret)
        return value

    def _checked(self, name: str, default: str, is_right: Check, expected: str) -> str:
        value = self._read(name, default)
        if value and not is_right(value):
            self._wrong(name, value, expected)
        return value

    def _each(self, name: str, default: Sequence[str], is_right: Check, expected: str) -> list[str]:
        found = self.words(name, default)
        for each in found:
            if not is_right(each):
                self._wrong(name, each, expected)
        return found

    def _url(
        self,
        name: str,
        default: str,
        read: Callable[[str], dict[str, Any]],
        schemes: Sequence[str],
        expected: str,
    ) -> dict[str, Any]:
        """Names a server and holds its password, which is not shown."""
        value = self._read(name, "", secret=True) or default
        try:
            address = urlsplit(value)
            if address.scheme not in schemes or (
                "," not in value and address.port == 0
            ):  # .port refuses words
                raise ValueError(value)
            return read(value)
        except Exception:  # noqa: BLE001 - whatever the library trips over, it is this value
            self._wrong(name, value, expected, secret=True)

    def _wrong(self, name: str, value: str, expected: str, *, secret: bool = False) -> NoReturn:
        raise WrongValue(f"{name} {_holds(value, secret=secret)}: it must be {expected}.")


def _holds(value: str, *, secret: bool) -> str:
    if secret:
        return "holds a value that is not shown here"
    return f"is {value[:SHOWN]!r}" + ("…" if len(value) > SHOWN else "")


def is_address(value: str) -> bool:
    try:
        address = urlsplit(value)
        has_host = bool(address.hostname) and (address.port is None or address.port > 0)
    except ValueError:
        return False
    return address.scheme in ("http", "https") and has_host and not re.search(r"\s", value)


def is_origin(value: str) -> bool:
    return is_address(value) and urlsplit(value)._replace(scheme="", netloc="").geturl() == ""


def is_host(value: str) -> bool:
    return value == "*" or bool(re.fullmatch(r"\.?[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\]", value))


def is_ip_address(value: str) -> bool:
    try:
        ip_address(value)
    except ValueError:
        return False
    return True


def is_mail_address(value: str) -> bool:
    return bool(re.fullmatch(r"[^@\s]+@[^@\s]+", value))
