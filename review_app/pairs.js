// One page of pairs, one pair at a time. The answers stay here until the page is full; then all of them are sent.

export default function (component) {
  const fresh = () => ({ marks: new Map(), notes: new Map(), trail: [] });
  return mount(component, fresh, { adopt, build, onKey, resend: (answer, restarted) => answer.kind === "commit" || !restarted });
}

function adopt(view) {
  const { data } = view;
  view.onAnswered = (done, ok) => { view.refused = !ok; acknowledge(view, done, ok); };
  view.onStatus = () => { if (view.holder) refresh(view); };
  view.onTick = () => { refreshState(view, answeredHere(view).length); sendFull(view); };
  if (ownerOf(data) !== view.owner) {
    Object.assign(view, { owner: ownerOf(data), refused: false });
    load(view);
    answered(view, null); // what was sent before this was drawn anew is saved, or is sent again
  }
  restore(view, data.undone);
}

/** A page that was taken back stands as before its last answer. */
function restore(view, { number, marks }) {
  if (!number || number === view.undone) return;
  view.undone = number;
  const ids = view.data.items.map(({ id }) => id).filter((id) => id in marks);
  for (const id of ids.slice(0, -1)) setMarks(view, [[id, marks[id]]]);
  store(view);
}

function current(view) {
  return view.data.items.find(({ id }) => !view.marks.has(id));
}

function answeredHere(view) {
  return view.data.items.filter(({ id }) => view.marks.has(id));
}

// ---- drawing

function build(view, parent) {
  const root = make("div", "pairs");
  root.tabIndex = -1;
  view.root = root;
  const bar = make("div", "bar", "", root);
  view.count = make("span", "count", "", bar);
  view.count.setAttribute("aria-live", "polite");
  view.state = make("span", "state", "", bar);
  button(view, bar, "same", "S", "same picture", () => answer(view, "same"));
  button(view, bar, "different", "D", "different pictures", () => answer(view, "different"));
  button(view, bar, "undo", "U", "undo", () => undo(view));
  view.sender = button(view, bar, "send", "Enter", "send this page", () => commit(view));
  const rule = "Same: one photo, even if resized, recoloured, cropped, rotated or mirrored. Two shots of one person are different pictures.";
  make("div", "rule", rule, root);
  view.apart = make("div", "apart", "", root);
  view.holder = make("div", "holder", "", root);
  place(parent, root);
  hearOthers(view);
  refresh(view);
}

function refresh(view) {
  const { items, count } = view.data;
  const pair = current(view);
  view.root.classList.toggle("sending", Boolean(view.sending));
  const given = answeredHere(view);
  view.count.textContent = `${count} · ${given.length} of ${items.length} on this page`;
  if (given.length) view.count.textContent += ` · last: ${view.marks.get(given.at(-1).id)}`;
  if (view.sending) view.count.textContent += " · saving …";
  refreshState(view, given.length);
  view.sender.hidden = Boolean(pair) || Boolean(view.sending);
  paintApart(view, "pairs that are not on this page: they were answered by others, or a photo of them was forgotten");
  if (!pair) return; // the last pair stays in sight, dimmed, until the next page comes
  view.holder.dataset.id = pair.id;
  view.holder.replaceChildren(...pair.sides.map(figure));
}

function figure({ src, about }) {
  const element = make("figure");
  if (src) {
    const image = make("img", "", "", element);
    image.src = src;
    image.alt = about.title || about.phrase;
    image.draggable = false;
  } else make("div", "missing", "the file is missing", element);
  const { phrase, source, title, licence } = about;
  make("figcaption", "", [phrase && `“${phrase}”`, source, licence, title].filter(Boolean).join(" · "), element);
  make("figcaption", "page", about.page_url || about.url, element);
  return element;
}

// ---- keys

function onKey(view, event) {
  const act = { s: () => answer(view, "same"), d: () => answer(view, "different"), u: () => undo(view), Enter: () => commit(view) }[keyOf(event)];
  if (!act || (event.key === "Enter" && event.composedPath()[0].matches("button, a"))) return;
  if (!event.repeat) act(); // a key that is held down answers one pair, not all that come
  event.preventDefault();
  event.stopImmediatePropagation();
}

// While a page is being saved the next pair cannot be seen, so no answer may fall on it.
function answer(view, said) {
  const pair = current(view);
  if (view.sending || !pair) return;
  setMarks(view, [[pair.id, said]]);
  if (!current(view)) commit(view);
  refresh(view);
}

/** A full page goes by itself, also one that another window has filled; what the server refused, by Enter only. */
function sendFull(view) {
  if (!view.refused && !view.sending && view.data.items.length && !current(view)) commit(view);
}

function commit(view) {
  if (view.sending || current(view)) return;
  const given = answeredHere(view).map(({ id }) => ({ id, said: view.marks.get(id) }));
  view.refused = false;
  sendPage(view, { judged: given });
  refresh(view);
}

function undo(view) {
  if (view.sending) return;
  const last = answeredHere(view).at(-1);
  if (takeBackMark(view, last?.id) < 0) view.send({ kind: "undo", reviewer: view.data.reviewer });
  refresh(view);
}
