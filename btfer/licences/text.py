"""A statement as plain words: without markup, accents, case, kinds of dashes and spaces, and where it is divided."""

import html
import re
import unicodedata

from btfer.parsing import HtmlReader

_SEPARATOR = re.compile(
    r"[;|•·\n\r()\[\]{}（）【】]|[,，、](?!\s*(?:v|version)?\.?\s*\d)|\s/\s|[.!?](?=\s|$)|[。！？]",
    re.IGNORECASE,
)
"""A comma before a number divides nothing: `GFDL, version 1.2`, `CC-BY-SA-3.0,2.5`."""
_VERSION = re.compile(r"v?\d+(\.\d+)*\+?")
_WITH_VERSION = re.compile(r"([a-z]{2,}?)v?(\d+\.\d+\+?)")
_ADDRESS = re.compile(
    r"(?:https?:)?//[^\s<>\"')\]]+|(?:[a-z0-9-]+\.)+[a-z]{2,}/[^\s<>\"')\]]*", re.IGNORECASE
)
_TAGS = {
    *(
        "a",
        "abbr",
        "b",
        "bdi",
        "big",
        "br",
        "center",
        "cite",
        "div",
        "em",
        "font",
        "h1",
        "h2",
        "h3",
    ),
    *("i", "img", "li", "ol", "p", "small", "span", "strong", "table", "tbody", "td", "th", "tr"),
    *("tt", "u", "ul", "wbr"),
}
"""Tags that change nothing of what is said; `del` does, and `<not for sale>` is no tag."""
_COPYRIGHT = re.compile(r"\(c\)", re.IGNORECASE)
_LETTERS = str.maketrans({"œ": "oe", "æ": "ae", "ł": "l", "ø": "o", "ı": "i", "đ": "d"})
"""Letters that Unicode does not take apart."""
_US = re.compile(r"\bu\.\s?s\.(?:\s?a\.)?(?=\W|$)", re.IGNORECASE)
_CC = re.compile(r"\bc\.\s?c\.(?=\W|$)", re.IGNORECASE)


class _Markup(HtmlReader):
    """The text of some HTML and the addresses of its links."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A link's address counts; what is no tag that changes nothing of the meaning stays in the text."""
        self.text.append(" " if tag in _TAGS else f" {self.get_starttag_text()} ")
        self.addresses += [value for name, value in attrs if name == "href" and value]

    def handle_endtag(self, tag: str) -> None:
        """As its start."""
        self.text.append(" " if tag in _TAGS else f" {tag} ")

    def handle_data(self, data: str) -> None:
        """What a reader sees."""
        self.text.append(data)


def without_markup(statement: str) -> tuple[str, list[str]]:
    """The text of a statement that may be HTML, and the addresses in its links and in the text itself."""
    text, addresses = html.unescape(statement), []
    if "<" in text:
        markup = _Markup()
        markup.feed(text)
        markup.close()
        text, addresses = " ".join("".join(markup.text).split()), markup.addresses
    addresses += _ADDRESS.findall(text)
    return _ADDRESS.sub(" ", text), [one.rstrip(".,;:") for one in addresses]


def plain(text: str) -> str:
    """Lower case, no accents, one kind of dash; © and (c) are the word `copyright`, and start a part."""
    return cased(cased(text).casefold()).translate(_LETTERS)


def cased(text: str) -> str:
    """A plain text in its own case: what is a name begins with a capital."""
    if text.isascii():  # as most texts are: the rest changes nothing of them
        return _COPYRIGHT.sub("; copyright ", text)
    text = unicodedata.normalize("NFKC", text).replace("©", "; copyright ")
    text = unicodedata.normalize("NFKD", _COPYRIGHT.sub("; copyright ", text))
    return "".join(_plain_character(one) for one in text)


def _plain_character(one: str) -> str:
    kind = unicodedata.category(one)
    if kind in ("Mn", "Cf"):  # accents; zero-width characters and soft hyphens
        return ""
    return "-" if kind == "Pd" or one == "−" else one


def parts(text: str) -> list[str]:
    """The sentences, brackets and list items of a plain text, be it in its own case."""
    return [
        one
        for one in _SEPARATOR.split(_CC.sub(" cc ", _US.sub(" us ", text)))
        if one and one.strip(" -:./")
    ]


def words(text: str) -> list[str]:
    """The words of a plain text; a version (`4.0`, `1.2+`) is one of them."""
    kept = "".join(one if _is_of_a_word(one) else " " for one in text)
    found: list[str] = []
    for raw in kept.split():
        one = raw.strip(".")
        if not one.strip("+"):
            continue
        if joined := _WITH_VERSION.fullmatch(one):
            found += joined.groups()
        elif _VERSION.fullmatch(one):
            found.append(one.removeprefix("v"))
        else:
            found += filter(None, one.split("."))
    return found


def is_version(word: str) -> bool:
    """Whether a word is a version as `4`, `4.0` or `1.2+`."""
    return bool(re.fullmatch(r"\d(\.\d)?\+?", word))


def _is_of_a_word(one: str) -> bool:
    return one in "+." or unicodedata.category(one)[0] in "LN" or unicodedata.category(one) == "Mc"
