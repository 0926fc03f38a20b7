"""Commands to begin with: init makes a work folder, app starts the review app."""

import json
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from btfer.cli import context
from btfer.errors import BtferError, UsageError
from btfer.host_names import LOOPBACK, own_names, plain
from btfer.parsing import parse_toml
from btfer.plain_files import read_plain_text

app = typer.Typer(rich_markup_mode=None)

ADDRESS, PORT = "127.0.0.1", 8501
# As in .streamlit/config.toml of the checkout: pictures of people are shown on this machine only.
STREAMLIT: dict[str, Any] = {
    "server.address": ADDRESS,
    "server.port": PORT,
    "server.headless": True,
    "server.fileWatcherType": "none",
    "server.allowedHosts": list(LOOPBACK),
    "browser.gatherUsageStats": False,
    "client.toolbarMode": "minimal",
}


@app.command()
def init(
    folder: Annotated[
        Path, typer.Argument(metavar="[FOLDER]", help="Folder to make or to complete.")
    ] = Path("."),
) -> None:
    """Make a work folder: btfer.toml with every setting, a query plan to edit, and data/.

    What is there already is kept as it is.

    Example: btfer init faces
    """
    from btfer.work_folder import make_work_folder

    if context.flags:
        name = next(iter(context.flags))
        raise UsageError(f"the setting '{name}' has no effect on init: write it in btfer.toml")
    for path, made in make_work_folder(folder):
        print(f"{'made' if made else 'kept':5} {path}{'' if made else ' (it was there already)'}")
    where = "" if folder == Path(".") else f"cd {shlex.quote(str(folder))} && "
    print(f"next: {where}btfer crawl, or btfer import PHOTOS; then btfer dedup, and btfer app")


@app.command("app")
def start_app(
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help=f"Port on this machine [{PORT}].")
    ] = None,
    reviewers_per_image: Annotated[
        int | None, typer.Option(min=1, max=9, help="As of btfer review plan [unchanged].")
    ] = None,
    gold: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="CSV of pictures whose right answer is known (sha256 or face, label), hidden among the others.",
        ),
    ] = None,
) -> None:
    """Judge photos and faces in the browser: start the review app; Ctrl-C stops it.

    It listens on this machine only, unless .streamlit/config.toml in the current folder
    says otherwise, and answers only to the names that it was started for: localhost, the
    address it listens on, this machine's own names, and server.allowedHosts.

    Example: btfer app --port 8502
    """
    from btfer.review.gold import read_gold

    settings = context.settings()
    own = [] if reviewers_per_image is None else [f"--reviewers-per-image={reviewers_per_image}"]
    if gold is not None:
        read_gold(gold)  # what is wrong with it is said here, not in the browser
        own.append(f"--gold={gold.resolve()}")
    given = context.flags.keys() & type(settings).model_fields.keys()
    run_app(port, own, {name: str(context.flags[name]) for name in given})


def run_app(port: int | None, options: Sequence[str], settings: Mapping[str, str]) -> NoReturn:
    """Become the review app. options: of the app itself. settings: by name, over those of file and environment.

    Raises BtferError where the app is not installed or the port is taken.
    """
    from btfer.paths import bundled

    script = bundled("review_app") / "app.py"
    if not script.is_file():
        raise BtferError(f"this installation lacks the review app ({script}): install btfer again")
    told = streamlit_options(Path(".streamlit/config.toml"), os.environ, port)
    _check_free(str(told["server.address"]), int(told["server.port"]))
    command = [sys.executable, "-m", "btfer.app_server", "run", str(script)]
    command += [f"--{name}={word}" for name, value in told.items() for word in _words(value)]
    command += ["--", *options] if options else []
    passed = {f"BTFER_{name.upper()}": value for name, value in settings.items()}
    print(
        "Open the address below in your browser. Ctrl-C here stops the app; what was sent is kept."
    )
    sys.stdout.flush()
    # The app takes the place of this process, so that Ctrl-C and every other signal reach it at once.
    os.execve(sys.executable, command, {**os.environ, **passed})


def streamlit_options(file: Path, environment: Any, port: int | None) -> dict[str, Any]:
    """What Streamlit is told: our options, but the user's own where config.toml or a variable has them."""

    own: dict[str, Any] = {}
    try:
        own = parse_toml(read_plain_text(file, "utf-8-sig"))
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        raise UsageError(f"{file} cannot be read: {error}") from None
    options: dict[str, Any] = {}
    for name, ours in STREAMLIT.items():
        section, key = name.split(".")
        asked = own.get(section, {}).get(key, ours)
        given = environment.get(_variable(name))
        several = isinstance(ours, list) and given is not None
        options[name] = given.split() if several else asked if given is None else given
    if port is not None:
        options["server.port"] = port
    asked = options["server.allowedHosts"]
    if asked is STREAMLIT["server.allowedHosts"]:
        given = environment.get(_variable("browser.serverAddress"))
        shown_as = given or own.get("browser", {}).get("serverAddress", "")
        options["server.allowedHosts"] = own_names(str(options["server.address"]), shown_as)
    else:  # another name is no reason to shut out this machine; brackets are not known to Streamlit
        names = asked.split() if isinstance(asked, str) else asked
        options["server.allowedHosts"] = list(dict.fromkeys([*LOOPBACK, *map(plain, names)]))
    return options


def _variable(option: str) -> str:
    """server.fileWatcherType -> STREAMLIT_SERVER_FILE_WATCHER_TYPE."""
    spaced = "".join(f"_{one}" if one.isupper() else one for one in option.replace(".", "_"))
    return f"STREAMLIT_{spaced}".upper()


def _words(value: Any) -> list[str]:
    """An option's words on the command line; of a list, one for each."""
    if isinstance(value, list):
        return [str(one) for one in value]
    return [value if isinstance(value, str) else json.dumps(value)]


def _check_free(address: str, port: int) -> None:
    """Raise BtferError where another program listens on the port."""
    import socket

    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((address, port))
        except OSError as error:
            raise BtferError(
                f"port {port} on {address} cannot be used ({error.strerror}); is the app running "
                f"already? Otherwise choose another: btfer app --port {port % 65535 + 1}"
            ) from None
