"""For a person who is shown: a page with a token for each image and how to have one removed, and what is gone.

A token is a keyed hash: it names an image to whoever holds the secret, and tells nobody else anything.
"""

import base64
import hashlib
import hmac
import html
from collections.abc import Collection, Mapping, Sequence

from btfer.csv_writer import as_csv
from btfer.pipeline.release_facts import IMPORTED, SYNTHETIC

COLUMNS = ("release", "version", "file_name", "token", "date")
"""Of the tombstone list. It gives no reason and names no person."""

_PURPOSE = b"btfer image token\0"  # the same secret may serve other keyed hashes
_DAYS = 30
_TOKEN_BYTES = 10  # 16 letters in base32

_STYLE = """
:root { color-scheme: light dark; }
body { font: 1.05rem/1.6 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; margin-bottom: .5rem; }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #8886; }
td { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
"""

_NOBODY = "whoever publishes this set (no contact address was set when it was made)"
_ELSEWHERE = (
    (
        "de",
        "Deutsch",
        "Sind Sie auf einem dieser Bilder zu sehen und möchten Sie das nicht? Schreiben Sie an {contact} und nennen "
        "Sie den Dateinamen oder das Kennzeichen (Token) des Bildes. Gründe müssen Sie nicht angeben. Wir löschen das "
        "Bild innerhalb von {days} Tagen und veröffentlichen eine neue Version ohne es.",
        "die Stelle, von der diese Bilder stammen (eine Adresse wurde bei der Herstellung nicht angegeben),",
    ),
    (
        "fr",
        "Français",
        "Vous apparaissez sur l'une de ces images et vous ne le souhaitez pas ? Écrivez à {contact} en indiquant le "
        "nom du fichier ou le code (token) de l'image. Vous n'avez pas à donner de raison. Nous supprimons l'image "
        "sous {days} jours et publions une nouvelle version sans elle.",
        "la personne ou à l'organisme qui diffuse ces images (aucune adresse n'a été indiquée à leur création)",
    ),
    (
        "es",
        "Español",
        "¿Aparece usted en una de estas imágenes y no lo desea? Escriba a {contact} e indique el nombre del archivo o "
        "el código (token) de la imagen. No tiene que dar ningún motivo. Eliminaremos la imagen en un plazo de "
        "{days} días y publicaremos una nueva versión sin ella.",
        "la persona u organización que difunde estas imágenes (al crearlas no se indicó ninguna dirección)",
    ),
)


def image_token(secret: bytes, image_sha256: str) -> str:
    """The public name of an image: 16 letters and digits of an HMAC-SHA256 of its sha256. Raises ValueError
    for an empty secret, with which anybody could make the tokens.
    """
    if not secret:
        raise ValueError("a token needs a secret")
    message = _PURPOSE + image_sha256.lower().encode()
    digest = hmac.new(secret, message, hashlib.sha256).digest()
    return base64.b32encode(digest[:_TOKEN_BYTES]).decode()


def optout_page(
    images: Sequence[tuple[str, str]],
    contact: str,
    release_name: str,
    *,
    sources: Collection[str] = ("web",),
) -> bytes:
    """The page as UTF-8 HTML that needs nothing from elsewhere.

    images: (file name, token) of each. sources: the words of the column `source` of its images. contact: an e-mail
    address or an https address of the publisher, '' = none
    is set, which the page then says.
    """
    name = html.escape(release_name)
    parts = [
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>Have an image removed: {name}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>",
        *_english(name, _link(contact) or _NOBODY, sources),
        *_translations(_link(contact)),
        *_table(images),
        "</main>\n</body>\n</html>\n",
    ]
    return "\n".join(parts).encode()


def tombstones(rows: Sequence[Mapping[str, str]]) -> bytes:
    """The list of what was removed as CSV, sorted, each line once; other keys are left out.

    rows: what COLUMNS names. date: the day of the removal, 2026-11-28.
    """
    lines = {tuple(str(row[name]) for name in COLUMNS) for row in rows}
    return as_csv(COLUMNS, (dict(zip(COLUMNS, line, strict=True)) for line in sorted(lines)))


def _origin(sources: Collection[str]) -> str:
    """What can truly be said of where the images come from."""
    on_web = any(one not in (IMPORTED, SYNTHETIC) for one in sources)
    parts = [
        *(["photos of faces that were found on the web"] if on_web or not sources else []),
        *(["photos of faces from folders of its publisher"] if IMPORTED in sources else []),
        *(["drawings that show nobody"] if SYNTHETIC in sources else []),
    ]
    return " and ".join(parts)


def _english(name: str, contact: str, sources: Collection[str]) -> list[str]:
    on_web = "on the web" in _origin(sources)
    elsewhere = "send the address of the photo on the web" if on_web else "say which photo it is"
    return [
        "<h1>Are you in one of these images?</h1>",
        f"<p>The image set <strong>{name}</strong> holds {_origin(sources)}. It serves to "
        "measure how well programs recognise facial expressions. You can have an image of yourself, or of a child "
        "in your care, removed at any time. You do not have to say why, and it costs nothing.</p>",
        "<h2>How to ask</h2>",
        "<ol>\n<li>Find the image in the set and note its file name, or its token from the table below. "
        f"If you have no access to the set, {elsewhere}.</li>",
        f"<li>Send the file name or the token to {contact}. Nothing else is needed: "
        "please send no identity papers and no other photos of yourself.</li>\n</ol>",
        "<h2>What happens then</h2>",
        f"<p>Within {_DAYS} days the photo, all that was made from it and its address are deleted, and a new version "
        "of the set appears without it. The photo is not collected again. A public list, <code>tombstones.csv</code>, "
        "then names the file and its token, so that everybody who holds a copy can delete it too. "
        "It says neither who asked nor why. Copies that others have made are out of our reach, "
        "but whoever uses the set is asked to follow that list.</p>",
        "<p>You can also complain to the data protection authority of your country.</p>",
    ]


def _translations(contact: str) -> list[str]:
    return [
        f'<section lang="{code}">\n<h2>{title}</h2>\n'
        f"<p>{text.format(contact=contact or nobody, days=_DAYS)}</p>\n</section>"
        for code, title, text, nobody in _ELSEWHERE
    ]


def _table(images: Sequence[tuple[str, str]]) -> list[str]:
    rows = [
        f'<tr><th scope="row"><code>{html.escape(file)}</code></th><td>{html.escape(token)}</td></tr>'
        for file, token in images
    ]
    return [
        "<h2>The images</h2>\n<table>",
        f"<caption>{len(images):,} images. A token looks random: it does not tell who or what is shown.</caption>",
        '<thead><tr><th scope="col">File name</th><th scope="col">Token</th></tr></thead>\n<tbody>',
        *rows,
        "</tbody>\n</table>",
    ]


def _link(contact: str) -> str:
    """The contact as a link, if it is an address that cannot be anything else; as text otherwise."""
    shown = html.escape(contact)
    if contact.startswith("https://") and not set(contact) & set(" \"'<>"):
        return f'<a href="{shown}">{shown}</a>'
    if contact.count("@") == 1 and not set(contact) & set(" \"'<>&?/:"):
        return f'<a href="mailto:{shown}">{shown}</a>'
    return shown
