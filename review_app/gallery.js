// A grid of pictures that were judged or looked at already. What is marked stays in the browser until Enter sends it.

const MOVES = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: "up", ArrowDown: "down" };

export default function (component) {
  const fresh = () => ({ marks: new Map(), notes: new Map(), trail: [], cursor: 0, zoomed: "" });
  return mount(component, fresh, { adopt, build, onKey, resend: () => true });
}

function adopt(view) {
  const { data } = view;
  view.onAnswered = (done, ok) => onAnswered(view, done, ok);
  view.onStatus = () => { if (view.tiles) paint(view); };
  view.onTick = view.onStatus;
  view.focused = () => (view.dialog.open ? view.dialog.querySelector("[tabindex]") || view.dialog : view.grid);
  if (ownerOf(data) !== view.owner) {
    view.owner = ownerOf(data);
    load(view);
    answered(view, null); // what was sent before this was drawn anew is saved, or is sent again
  }
  for (const item of data.items) if (item.fixed) view.marks.delete(item.id); // undone meanwhile
  view.cursor = Math.min(view.cursor, Math.max(0, data.items.length - 1));
}

function onAnswered(view, done, ok) {
  if (done.kind === "commit" && ok) {
    for (const { id } of done.judged) view.marks.delete(id);
    Object.assign(view, { done: done.number, wrote: true });
  }
  store(view);
}

// ---- drawing

function build(view, parent, before) {
  if (isDrawn(view, parent, before)) return refresh(view);
  const root = make("div", "gallery");
  root.tabIndex = -1;
  view.root = root;
  drawBar(view, root);
  view.apart = make("div", "apart", "", root);
  view.grid = make("div", "grid", "", root);
  view.grid.tabIndex = 0;
  view.grid.setAttribute("role", "listbox");
  view.grid.setAttribute("aria-label", view.data.round);
  view.grid.setAttribute("aria-multiselectable", "true");
  view.tiles = view.data.items.map((item, index) => tile(view, item, index));
  view.dialog = make("dialog", "", "", root);
  view.dialog.tabIndex = -1;
  view.dialog.onclose = () => { view.zoomed = ""; focus(view); };
  place(parent, root);
  hearOthers(view);
  paint(view);
  const index = view.data.items.findIndex(({ id }) => id === view.zoomed);
  if (index < 0) view.zoomed = "";
  else { view.cursor = index; zoom(view); }
}

/** Whether all of it is on the screen already, so that focus, scroll position and a box that is being drawn stay. */
function isDrawn(view, parent, before) {
  if (!before || !view.root?.isConnected || !parent.contains(view.root)) return false;
  return ["reviewer", "items", "keys"].every((name) => JSON.stringify(before[name]) === JSON.stringify(view.data[name]));
}

function refresh(view) {
  const { large } = view.data;
  const image = view.dialog.querySelector("img");
  if (view.dialog.open && large?.id === view.zoomed && image.src !== large.src) image.src = large.src;
  paint(view);
}

/** What every key does, each as a button too: a telephone has no keys. */
function drawBar(view, root) {
  const bar = make("div", "bar", "", root);
  view.status = make("div", "status", "", bar);
  view.status.setAttribute("role", "status");
  view.state = make("span", "state", "", bar);
  button(view, bar, "zoom", "Space", "larger", () => zoom(view));
  const marks = Object.entries(view.data.keys);
  view.sender = null;
  if (!marks.length) return;
  view.sender = button(view, bar, "send", "Enter", "send the marked ones", () => commit(view));
  const legend = make("div", "legend", "", root);
  for (const [letter, mark] of marks) {
    button(view, legend, mark.means.decision, letter.toUpperCase(), mark.says, () => toggle(view, mark));
  }
}

function tile(view, item, index) {
  const element = make("figure", "tile", "", view.grid);
  element.id = `gallery-${index}`;
  element.dataset.id = item.id;
  element.setAttribute("role", "option");
  if (item.src) {
    const image = make("img", "", "", element);
    image.src = item.src;
    image.alt = "";
    image.draggable = false;
  } else make("div", "missing", "the file is missing", element);
  make("figcaption", "", item.says, element);
  make("span", "mark", "", element);
  element.onclick = () => { view.cursor = index; focus(view); paint(view); };
  element.ondblclick = () => zoom(view);
  return element;
}

function paint(view) {
  view.data.items.forEach((item, index) => {
    const element = view.tiles[index];
    const mark = view.marks.get(item.id);
    element.classList.toggle("here", index === view.cursor);
    element.classList.toggle("marked", Boolean(mark));
    element.querySelector(".mark").textContent = mark ? mark.says : "";
    element.setAttribute("aria-selected", String(Boolean(mark)));
    element.setAttribute("aria-label", `${item.says}${mark ? `, marked ${mark.says}` : ""}`);
  });
  if (view.tiles.length) view.grid.setAttribute("aria-activedescendant", `gallery-${view.cursor}`);
  const n = marksHere(view).length;
  const status = [view.data.message, `${n} marked`].filter(Boolean).join(" · ");
  if (view.status.textContent !== status) view.status.textContent = status; // said aloud once
  refreshState(view, n);
  if (view.sender) view.sender.disabled = !n || Boolean(view.sending);
  paintApart(view);
}

/** Marks on pictures of another page, or that another choice in the filter shows. */
function paintApart(view) {
  const n = marksElsewhere(view).length;
  if (view.shownApart === n && view.apart.isConnected && Boolean(n) === Boolean(view.apart.firstChild)) return;
  view.shownApart = n;
  view.apart.replaceChildren();
  if (!n) return;
  view.apart.append(`${n} of your marks are on pictures that are not on this page, and are not sent from here. `);
  button(view, view.apart, "discard", "", `discard ${n} marks`, () => { discardElsewhere(view); paint(view); });
}

function marksHere(view) {
  return view.data.items.filter(({ id }) => view.marks.has(id));
}

// ---- keys

function onKey(view, event) {
  const key = keyOf(event);
  const target = event.composedPath()[0];
  if (target.matches("button, a") && (key in MOVES || key === " " || key === "Enter")) return;
  const drawing = view.dialog.open && view.data.draws && view.drawByKey(event);
  if (!drawing && !act(view, key, event.repeat)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}

/** Do what the key means; whether it means anything here. */
function act(view, key, repeated) {
  const mark = view.data.keys[key];
  if (!(key in MOVES) && key !== " " && key !== "Enter" && !mark) return false;
  // While something is being saved what comes next cannot be seen, so no key may fall on it.
  if (view.sending || (repeated && !(key in MOVES))) return true;
  if (key in MOVES) move(view, MOVES[key]);
  else if (key === " ") zoom(view);
  else if (mark) toggle(view, mark);
  else if (!view.dialog.open) commit(view);
  return true;
}

function move(view, step) {
  const columns = getComputedStyle(view.grid).gridTemplateColumns.split(" ").length;
  const next = view.cursor + ({ up: -columns, down: columns }[step] ?? step);
  if (next < 0 || next >= view.tiles.length) return;
  view.cursor = next;
  view.tiles[next].scrollIntoView({ block: "nearest" });
  paint(view);
  if (view.dialog.open) showLarge(view);
}

function toggle(view, mark) {
  const item = view.data.items[view.cursor];
  if (!item || item.fixed || view.sending) return;
  putMarks(view, [[item.id, view.marks.get(item.id)?.says === mark.says ? null : mark]]);
  paint(view);
  sayMark(view, item);
}

// ---- larger

function zoom(view) {
  if (view.dialog.open) return view.dialog.close();
  if (!view.data.items.length || view.sending) return;
  showLarge(view);
  view.dialog.showModal();
  focus(view);
}

function showLarge(view) {
  const item = view.data.items[view.cursor];
  const large = view.data.large?.id === item.id ? view.data.large : null;
  view.zoomed = item.id;
  if (!large) view.post({ kind: "zoom", id: item.id, number: newNumber() });
  const frame = make("div", "frame");
  const image = make("img", "", "", frame);
  image.onload = () => frame.style.setProperty("--ratio", image.naturalWidth / image.naturalHeight);
  image.src = large?.src || item.src;
  image.alt = item.says;
  const close = make("button", "", "Close (Esc)");
  close.type = "button";
  close.onclick = () => view.dialog.close();
  view.dialog.setAttribute("aria-label", item.says);
  view.dialog.replaceChildren(frame, make("p", "", item.about), make("p", "marked"), close);
  sayMark(view, item);
  if (view.data.draws) drawable(view, frame, item);
}

function sayMark(view, item) {
  const says = view.dialog.querySelector(".marked");
  if (says) says.textContent = view.marks.has(item.id) ? `marked ${view.marks.get(item.id).says}` : "";
}

// ---- what goes to the server

function commit(view) {
  const judged = marksHere(view).map(({ id }) => ({ id, ...view.marks.get(id).means }));
  if (judged.length) ask(view, { kind: "commit", judged });
}

function ask(view, answer) {
  if (view.sending) return;
  view.send({ ...answer, reviewer: view.data.reviewer });
  store(view);
  paint(view);
}
