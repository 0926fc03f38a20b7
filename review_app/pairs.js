// One page of pairs, one pair at a time. The answers stay here until the page is full; then all of them are sent.

export default function (component) {
  const fresh = () => ({ answers: new Map() }); // a Map keeps the order of answering
  return mount(component, fresh, { adopt, build, onKey });
}

function adopt(view) {
  const { items, marks } = view.data;
  const shown = items.map((item) => item.id);
  for (const id of [...view.answers.keys()]) if (!shown.includes(id)) view.answers.delete(id);
  const undone = JSON.stringify(marks);
  if (undone !== view.undone) restore(view, shown.filter((id) => String(id) in marks));
  view.undone = undone;
}

/** A page that was taken back stands as before its last answer. */
function restore(view, ids) {
  for (const id of ids.slice(0, -1)) view.answers.set(id, view.data.marks[id]);
}

function current(view) {
  return view.data.items.find((item) => !view.answers.has(item.id));
}

// ---- drawing

function build(view, parent) {
  const root = make("div", "pairs");
  root.tabIndex = -1;
  view.root = root;
  const bar = make("div", "bar", "", root);
  view.count = make("span", "count", "", bar);
  view.count.setAttribute("aria-live", "polite");
  button(view, bar, "same", "S", "same picture", () => answer(view, true));
  button(view, bar, "different", "D", "different pictures", () => answer(view, false));
  button(view, bar, "undo", "U", "undo", () => undo(view));
  const rule = "Same: one photo, even if resized, recoloured, cropped, rotated or mirrored. Two shots of one person are different pictures.";
  make("div", "rule", rule, root);
  view.holder = make("div", "holder", "", root);
  place(parent, root);
  refresh(view);
}

function refresh(view) {
  const { items, count } = view.data;
  const pair = current(view);
  view.root.classList.toggle("sending", Boolean(view.sending));
  view.count.textContent = `${count} · ${view.answers.size} of ${items.length} on this page`;
  const last = [...view.answers.values()].pop();
  if (last !== undefined) view.count.textContent += last ? " · last: same" : " · last: different";
  if (view.sending) view.count.textContent += " · saving …";
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
  const act = { s: () => answer(view, true), d: () => answer(view, false), u: () => undo(view) }[keyOf(event)];
  if (!act) return;
  if (!event.repeat) act(); // a key that is held down answers one pair, not all that come
  event.preventDefault();
  event.stopImmediatePropagation();
}

// While a page is being saved the next pair cannot be seen, so no answer may fall on it.
function answer(view, same) {
  const pair = current(view);
  if (view.sending || !pair) return;
  view.answers.set(pair.id, same);
  if (!current(view)) view.send({ kind: "commit", same: [...view.answers] });
  refresh(view);
}

function undo(view) {
  if (view.sending) return;
  const last = [...view.answers.keys()].pop();
  if (last === undefined) view.send({ kind: "undo" });
  else view.answers.delete(last);
  refresh(view);
}
