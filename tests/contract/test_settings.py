"""What the core can be told when it starts, and what it says when it is told nonsense."""

import pytest

from core_service import settings
from core_service.settings import SettingsError


def test_defaults_serve_this_machine_alone():
    """Without flags and environment the core listens at the loopback, on SQLite in ./var."""
    chosen = settings.read({}, {})

    assert (chosen.grpc_host, chosen.grpc_port) == ("127.0.0.1", 50051)
    assert chosen.storage_url == "sqlite:///var/directory.db"
    assert chosen.reflection


def test_a_flag_beats_the_environment():
    """What the command line says holds, then the environment, then the default."""
    chosen = settings.read({"grpc_port": "1"}, {"GRPC_PORT": "2", "GRPC_HOST": "::1"})

    assert (chosen.grpc_host, chosen.grpc_port) == ("::1", 1)


def test_every_problem_is_named_at_once():
    """One start shows every setting that is wrong."""
    wrong = {
        "GRPC_PORT": "65536",
        "GRPC_HOST": "a b",
        "DATABASE_URL": "mysql://u:PASSWORD@h/d",
        "GRPC_TLS_KEY": "/does/not/exist",
        "GRPC_TLS_CLIENT_CA": "/does/not/exist",
        "REFLECTION": "perhaps",
        "SHUTDOWN_SECONDS": "nan",
        "LOG_LEVEL": "loud",
        "RATE_LIMIT": "1.5",
        "RATE_BURST": "0",
    }
    with pytest.raises(SettingsError) as caught:
        settings.read({}, wrong)

    named = [problem.split()[0] for problem in caught.value.problems]
    assert sorted(named) == sorted([*wrong, "GRPC_TLS_CERT", "GRPC_TLS_CLIENT_CA"])


def test_a_secret_is_never_shown():
    """The database's password is in no message and no repr (X10)."""
    kept = settings.read({}, {"DATABASE_URL": "postgresql://u:PASSWORD@h/d"})
    with pytest.raises(SettingsError) as caught:
        settings.read({}, {"DATABASE_URL": "mysql://u:PASSWORD@h/d"})

    assert "PASSWORD" not in f"{kept!r} {kept}"
    assert "PASSWORD" not in f"{caught.value!r}"


def test_help_names_every_setting_with_its_variable():
    """`--help` shows flag, variable and default of everything that can be set."""
    shown = " ".join(settings.parser().format_help().split())

    for name, setting in settings.TABLE.items():
        assert f"--{name.replace('_', '-')}" in shown
        assert f"Environment: {name.upper()}." in shown
        assert setting.help in shown


def test_settings_cannot_be_changed():
    """Settings are read once."""
    with pytest.raises(AttributeError):
        settings.read({}, {}).grpc_port = 1


@pytest.mark.parametrize(
    ("text", "kept"), [("on", True), ("OFF", False), ("true", True), ("0", False)]
)
def test_a_switch_is_on_or_off(text, kept):
    """A switch is written on or off, in any case, or as programs write it."""
    assert settings.switch(text) is kept


@pytest.mark.parametrize("text", ["-1", "65536", "1e3", "", "٣"])
def test_a_port_is_a_number_of_ascii_digits(text):
    """Nothing but 0 to 65535."""
    with pytest.raises(ValueError, match="be a port"):
        settings.port(text)
