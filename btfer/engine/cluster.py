"""The connection to a Ray cluster: one that runs, or one of this machine that begins and ends with the command.

Nothing is reported to Ray's makers, there is no dashboard, and nothing of Ray's is printed.
"""

import atexit
import logging
import os
import pwd
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from inspect import signature
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from btfer.engine.choice import Engine, cores
from btfer.engine.lanes import CHECKED_EVERY_S
from btfer.errors import BtferError, UsageError
from btfer.extras import require

LONGEST_FOLDER = 40  # letters: a socket's path below it may have 107
ANSWERS_WITHIN_S = 5.0
LISTENS = "dashboard_agent_listen_port"
NODE_LISTENS = "--raylet_socket_name="
AGENTS = ("metrics_agent_port", "metrics_export_port", "runtime_env_agent_port", LISTENS)
STARTS_WITHIN_S, ASKED_EVERY_S = 240.0, 0.2
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_DISABLE_DOCKER_CPU_WARNING": "1",
    "RAY_agent_register_timeout_ms": str(int(1000 * STARTS_WITHIN_S)),
    "RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS": "0",
}
BUSY_HEAD = "Initialization failure from server"  # it gives its part for us half a minute to start
JOINS = 3  # tries, of such
TIMED_OUT = "ray client connection timeout"
NO_CLIENT_SERVER = (
    "what listens there does not answer: Ray's client has a port of its own, 10001 if no other was chosen, and a "
    "cluster with a token wants RAY_AUTH_MODE=token and RAY_AUTH_TOKEN"
)
OF_CLIENT = "ray.util.client.logsclient"  # hands nothing on to the logger "ray", and would print
_checked = [0.0]  # when it was last looked whether the cluster lives
_connected: list[str] = []  # the address, once there is a connection: there can be one in a process


def connect(engine: Engine) -> Any:
    """The module `ray`, connected. Raises MissingExtra, and BtferError where no cluster answers at the address."""
    require("ray", "the engine 'ray'")
    os.environ.update(QUIET)
    if engine.address == "local":
        _lock_out_others()
    else:
        _show_own_token()
    logging.getLogger("ray").setLevel(logging.CRITICAL)  # what ends a command, it says itself
    logging.getLogger(OF_CLIENT).addHandler(logging.NullHandler())
    import ray

    if ray.is_initialized():
        if _connected and _connected != [engine.address]:
            raise UsageError(
                f"this process is connected to the cluster '{_connected[0]}' and cannot use "
                f"'{engine.address}' beside it"
            )
        return ray
    _keep_off_standard_output(ray)
    with _own_signals(ray):
        if engine.address == "local":
            _start(ray, engine)
        else:
            _join(ray, engine.address)
    _connected[:] = [engine.address]
    return ray


def _start(ray: Any, engine: Engine) -> None:
    """A cluster of this machine; it ends with the process."""
    folder = Path(tempfile.mkdtemp(prefix="btfer-ray-", dir=_short_folder()))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(ray.shutdown)  # before the folder goes
    try:
        with _patience(ray):
            ray.init(
                address="local",
                num_cpus=max(engine.workers, cores()),
                _node_ip_address="127.0.0.1",
                _temp_dir=str(folder),
                include_dashboard=False,
                **_silent(),
            )
    except Exception as error:  # Ray raises this very class where its time is up
        ray.shutdown()
        raise BtferError(
            f"a Ray cluster of this machine does not start ({_first_line(error)}): run the command again, or with "
            "--engine processes"
        ) from error


@contextmanager
def _patience(ray: Any) -> Iterator[None]:
    """Ray gives its start half a minute, which is little on a busy machine, and has no setting for it.

    Its node gives its agents 15 s to say at which ports they listen, and ends else; it asks for none that it was told.
    """
    services = ray._private.services
    ask, start = services.get_node, services.start_raylet

    def start_raylet(*words: Any, **named: Any) -> Any:
        named |= dict(zip(AGENTS, _free_ports(len(AGENTS)), strict=True))
        given = signature(start).bind(*words, **named).arguments
        file = Path(given["session_dir"], f"{LISTENS}_{given['node_id']}")
        file.write_text(
            str(named[LISTENS])
        )  # the one port that its node can be told by a file alone
        return start(*words, **named)

    def get_node(*words: Any, **named: Any) -> Any:
        end = time.monotonic() + STARTS_WITHIN_S
        while True:
            try:
                return ask(*words, **named)
            except RuntimeError:  # not there yet
                if time.monotonic() > end:
                    raise
                time.sleep(ASKED_EVERY_S)

    services.get_node, services.start_raylet = get_node, start_raylet
    try:
        yield
    finally:
        services.get_node, services.start_raylet = ask, start


def check_alive(ray: Any) -> None:
    """Raise BtferError where the cluster has died, as far as this process is connected to it.

    Where the node of this machine is dead, Ray waits for it forever; where the head is, it ends the process, unasked,
    a minute later. The death of other machines is noticed. By ray:// it tries for half a minute, of which nobody hears.
    """
    node, now = ray._private.worker._global_node, time.monotonic()
    if now < _checked[0] + CHECKED_EVERY_S:
        return
    _checked[0] = now
    try:
        if node is None:
            _reach_client_server(_connected[0])
        else:
            with socket.socket(socket.AF_UNIX) as one:
                one.settimeout(ANSWERS_WITHIN_S)
                one.connect(node.raylet_socket_name)
            host, _, port = node.gcs_address.rpartition(":")
            socket.create_connection((host.strip("[]"), int(port)), ANSWERS_WITHIN_S).close()
    except OSError:
        raise has_died() from None


def _reach_client_server(address: str) -> None:
    """Raises OSError where nobody listens; a network that is down for a moment is Ray's own to wait for."""
    parts = urlsplit(address)
    try:
        socket.create_connection((parts.hostname, parts.port), ANSWERS_WITHIN_S).close()
    except OSError as error:
        if isinstance(error, ConnectionRefusedError):
            raise


def has_died() -> BtferError:
    """What ends a command whose cluster has gone."""
    return BtferError(
        "the Ray cluster has died, perhaps for lack of memory; what was done is kept: run the command again"
    )


def _free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("", 0))
        return [one.getsockname()[1] for one in sockets]


def _lock_out_others() -> None:
    """Other users of this machine could run programs of theirs on its cluster; Ray reads this when it is imported.

    A program that imported Ray before it called btfer has chosen for itself.
    """
    if "RAY_AUTH_MODE" not in os.environ and "ray" not in sys.modules:
        os.environ["RAY_AUTH_MODE"] = "token"
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)


def _show_own_token() -> None:
    """Clusters ask for a token where their user has one, and Ray's own client shows it only where it is told to."""
    file = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token")
    if os.environ.get("RAY_AUTH_TOKEN") or os.access(file, os.R_OK):
        os.environ.setdefault("RAY_AUTH_MODE", "token")


def _join(ray: Any, address: str) -> None:
    """A cluster that runs already."""
    if address == "auto":
        _check_that_it_is_open(ray)
    else:
        _check_that_it_answers(address, address)
    for left in reversed(range(JOINS)):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of what the error says as well
                ray.init(address=address, **_silent())
            break
        except Exception as error:
            if not left or not str(error).startswith(BUSY_HEAD):
                raise BtferError(_nobody(address, _first_line(error))) from error
    atexit.register(ray.shutdown)


def _first_line(error: Exception) -> str:
    """What an error says first; where that only introduces a traceback, what the traceback ends with."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    if lines[0] == TIMED_OUT:
        return NO_CLIENT_SERVER
    return (lines[-1] if lines[0].endswith(":") else lines[0]).rstrip(".")


def _silent() -> dict[str, Any]:
    return {"log_to_driver": False, "configure_logging": False, "logging_level": logging.ERROR}


def _check_that_it_answers(address: str, asked: str) -> None:
    """Ray itself tries for half a minute, or for ever, and tells it in lines of its own."""
    parts = urlsplit(address)
    try:
        socket.create_connection((parts.hostname, parts.port), ANSWERS_WITHIN_S).close()
    except OSError as error:
        raise BtferError(_nobody(asked, error.strerror or str(error))) from None


def _check_that_it_is_open(ray: Any) -> None:
    """Raise BtferError where the cluster that Ray would take is out of reach, or is closed to this user."""
    named = os.environ.get("RAY_ADDRESS", "")
    try:
        found = (
            named
            if "://" in named
            else f"ray://{ray._private.services.canonicalize_bootstrap_address('auto')}"
        )
    except Exception as error:
        raise BtferError(_nobody("auto", _first_line(error))) from None
    address = found.removeprefix("ray://")
    if owner := _closed_by(address):
        raise BtferError(
            f"the Ray cluster that runs here, at {address}, is of the user {owner}: set RAY_ADDRESS to HOST:PORT of "
            "yours, start one with 'ray start --head --port=0 --temp-dir=/tmp/FOLDER', or leave out --address to have "
            "one of this machine"
        )
    _check_that_it_answers(found, f"auto, {address}")


def _closed_by(address: str) -> str:
    """The user whose node of this machine belongs to a cluster, if others may not use it; '' else."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile, or does not show what it is
            words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
            if f"--gcs-address={address}" in words:
                sockets = [one.partition("=")[2] for one in words if one.startswith(NODE_LISTENS)]
                if any(not os.access(one, os.W_OK) for one in sockets):
                    return _name_of(process.stat().st_uid)
    return ""


def _name_of(user: int) -> str:
    with suppress(KeyError):
        return f"'{pwd.getpwuid(user).pw_name}'"
    return str(user)


def _nobody(address: str, why: str) -> str:
    return (
        f"no Ray cluster answers at the address '{address}' ({why}): start one with 'ray start --head', or leave "
        "out --address to have one of this machine"
    )


def _short_folder() -> str:
    folder = tempfile.gettempdir()
    return folder if len(folder) <= LONGEST_FOLDER else "/tmp"


def _keep_off_standard_output(ray: Any) -> None:
    """Ray's driver prints there that a worker died, in the middle of what --json prints."""
    module = ray._private.worker
    if hasattr(module, "print_to_stdstream"):
        module.print_to_stdstream = _to_log


def _to_log(data: dict[str, Any], ignore_prefix: bool = False) -> None:
    logging.getLogger("btfer").debug("ray: %s", " ".join(map(str, data.get("lines", []))))


@contextmanager
def _own_signals(ray: Any) -> Iterator[None]:
    """Ray would put a handler of SIGTERM of its own in the place of ours, with another exit code.

    What it is written in does so as well, without asking: ours is put back.
    """
    utils, ours = ray._private.utils, signal.getsignal(signal.SIGTERM)
    theirs, utils.set_sigterm_handler = utils.set_sigterm_handler, lambda handler: None
    try:
        yield
    finally:
        utils.set_sigterm_handler = theirs
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, ours)
