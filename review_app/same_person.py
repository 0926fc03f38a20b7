"""The order "same person together" of the page *Faces*: whether it can be had, and how far comparing is."""

from dataclasses import dataclass

import streamlit as st

from btfer import review
from btfer.errors import BtferError, MissingExtra
from btfer.faces.identity import Embedder, choose_embedder
from btfer.review.same_person import FacesCompared, SamePerson
from btfer.settings import Settings
from review_app import session

ORDER = "same person together"
EVERY_S = 2.0  # how far comparing is, is shown anew
_UNSORTED = "unsorted"  # in the session: what was given out before all faces were compared
_WHERE = "What the network makes of a face stays in the memory of this computer, and is dropped afterwards."

Choice = tuple[str, review.Filter]
"""The class ('' = all), and what else pictures must be."""


@dataclass(frozen=True)
class Offer:
    """embedder: None = the order cannot be had; why: the sentence that says how, or what it does."""

    embedder: Embedder | None
    why: str

    @property
    def orders(self) -> tuple[str, ...]:
        """What stands in the box of orders."""
        return (*review.ORDERS, ORDER) if self.embedder else review.ORDERS


def offer(round_: str, settings: Settings) -> Offer:
    """Whether faces of one person can be put together: a face network is installed or set."""
    if round_ != "faces":
        return Offer(None, "")
    return _offer(settings.face_embedder)


@st.cache_resource(max_entries=2, ttl=600, show_spinner=False)
def _offer(file: str) -> Offer:
    try:
        return Offer(choose_embedder(file), f"'{ORDER}' compares faces by a network. {_WHERE}")
    except MissingExtra as error:
        own = "or set `face_embedder` to an ONNX file"
        return Offer(None, f"To put faces of one person together: {error}, {own}.")
    except BtferError as error:
        return Offer(None, f"To put faces of one person together: {error}.")


def tell(
    people: SamePerson, now: FacesCompared, queue: review.Queue, what: Choice, page: review.Page
) -> None:
    """Say in the sidebar how far comparing is. what: is compared. page: that is before this person."""
    state, here = st.session_state, {item.id for item in page.items}
    with st.sidebar:
        if now.error:
            st.error(f"Faces could not be compared: {now.error}")
        elif now.order:
            st.caption(f"{len(now.order):,} faces are sorted by person.")
            if here & state.get(_UNSORTED, set()):
                later = "Else from the next page on; what is marked on this one comes again."
                st.button("Show them now", on_click=_show, args=(queue,), help=later)
        elif now.total:
            state[_UNSORTED] = here
            _progress(people, what)


@st.fragment(run_every=EVERY_S)
def _progress(people: SamePerson, what: Choice) -> None:
    """The page stays as it is meanwhile, and is drawn once more at the end."""
    now = people.progress(what)
    if now.order or now.error or not now.total:
        st.rerun()
    text = f"Comparing faces: {now.done:,} of {now.total:,}. Until then they come as found."
    st.progress(now.done / now.total, text)


def _show(queue: review.Queue) -> None:
    st.session_state.pop(_UNSORTED, None)
    queue.put_back(session.session_id())
