// A grid of pictures that were judged or looked at already: marks stay here until Enter sends them.
// Whatever comes from the web is set as text, never as HTML.

const MOVES = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: "up", ArrowDown: "down" };
const open = new Map(); // by component key, so that a redraw forgets nothing

export default function (component) {
  const { data: [data], parentElement, setTriggerValue, key } = component;
  const view = open.get(key) || { marks: new Map(), cursor: 0 };
  open.set(key, view);
  const here = new Set(data.items.map((item) => item.id));
  for (const id of [...view.marks.keys()]) if (!here.has(id)) view.marks.delete(id);
  if (data.sent && data.sent === view.sent) { view.marks.clear(); view.sent = 0; }
  view.cursor = Math.min(view.cursor, Math.max(0, data.items.length - 1));
  Object.assign(view, { data, ask: (answer) => setTriggerValue("answer", answer) });
  draw(view, parentElement);
}

function make(tag, className, text, parent) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  parent?.append(element);
  return element;
}

function draw(view, parent) {
  const root = make("div", "gallery");
  parent.querySelector(".gallery")?.replaceWith(root);
  if (!root.isConnected) parent.append(root);
  drawBar(view, root);
  view.grid = make("div", "grid", "", root);
  view.grid.tabIndex = 0;
  view.grid.setAttribute("role", "listbox");
  view.grid.setAttribute("aria-label", view.data.name);
  view.grid.setAttribute("aria-multiselectable", "true");
  view.tiles = view.data.items.map((item, index) => tile(view, item, index));
  view.grid.onkeydown = (event) => press(view, event);
  view.dialog = make("dialog", "", "", root);
  view.dialog.onclose = () => { view.zoomed = ""; view.grid.focus({ preventScroll: true }); };
  paint(view);
  if (view.data.large && view.zoomed === view.data.large.id) zoom(view);
}

/** What every key does, each as a button too: a telephone has no keys. */
function drawBar(view, root) {
  const bar = make("div", "bar", "", root);
  view.status = make("div", "status", "", bar);
  view.status.setAttribute("role", "status");
  button(view, bar, "zoom", "Space", "larger", () => zoom(view));
  const marks = Object.entries(view.data.keys);
  view.send = null;
  if (!marks.length) return;
  view.send = button(view, bar, "send", "Enter", "send the marked ones", () => send(view));
  const legend = make("div", "legend", "", root);
  for (const [letter, mark] of marks) {
    button(view, legend, mark.means.decision, letter.toUpperCase(), mark.says, () => toggle(view, mark));
  }
}

function button(view, parent, className, key, text, onClick) {
  const element = make("button", className, "", parent);
  element.type = "button";
  make("kbd", "", key, element);
  element.append(text);
  element.onclick = () => { onClick(); if (!view.dialog.open) view.grid.focus({ preventScroll: true }); };
  return element;
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
  element.onclick = () => { view.cursor = index; view.grid.focus({ preventScroll: true }); paint(view); };
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
  view.status.textContent = [view.data.message, `${view.marks.size} marked`].filter(Boolean).join(" · ");
  if (view.send) view.send.disabled = !view.marks.size;
}

function press(view, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (key in MOVES) move(view, MOVES[key]);
  else if (key === " ") zoom(view);
  else if (key === "Enter") send(view);
  else if (view.data.keys[key]) toggle(view, view.data.keys[key]);
  else return;
  event.preventDefault();
  event.stopPropagation();
}

function move(view, step) {
  const columns = getComputedStyle(view.grid).gridTemplateColumns.split(" ").length;
  const next = view.cursor + ({ up: -columns, down: columns }[step] ?? step);
  if (next < 0 || next >= view.tiles.length) return;
  view.cursor = next;
  view.tiles[next].scrollIntoView({ block: "nearest" });
  paint(view);
}

function toggle(view, mark) {
  const item = view.data.items[view.cursor];
  if (!item || item.fixed) return;
  if (view.marks.get(item.id)?.says === mark.says) view.marks.delete(item.id);
  else view.marks.set(item.id, mark);
  paint(view);
}

function zoom(view) {
  const item = view.data.items[view.cursor];
  if (!item) return;
  if (view.dialog.open) return view.dialog.close();
  const large = view.data.large?.id === item.id ? view.data.large : null;
  view.zoomed = item.id;
  if (!large) {
    view.ask({ kind: "zoom", id: item.id, number: Date.now() });
  }
  const image = make("img", "", "");
  image.src = large?.src || item.src;
  image.alt = item.says;
  const close = make("button", "", "Close (Esc)");
  close.type = "button";
  close.onclick = () => view.dialog.close();
  view.dialog.setAttribute("aria-label", item.says);
  const frame = make("div", "frame");
  frame.append(image);
  view.dialog.replaceChildren(frame, make("p", "", item.about), close);
  if (view.data.draws) drawable(view, frame, item);
  view.dialog.showModal();
  if (view.data.draws) view.dialog.querySelector(".frame").focus();
  view.dialog.onkeydown = (event) => { if (event.key === " ") { event.preventDefault(); view.dialog.close(); } };
}

function send(view) {
  if (!view.marks.size || view.sent) return;
  view.sent = Date.now() + Math.random();
  const judged = [...view.marks].map(([id, mark]) => ({ id, ...mark.means }));
  view.status.textContent = "saving …";
  view.ask({ kind: "commit", judged, number: view.sent });
}

// ---- a face is drawn: two corners, by clicks, or by arrow keys and Enter

function drawable(view, frame, item) {
  const at = { x: 0.4, y: 0.3 }; // shares of the picture
  let first = null;
  const box = make("div", "box", "", frame);
  const cross = make("div", "cross", "", frame);
  const says = make("p", "drawing", "There is a face: click two corners of it, or move by arrow keys (Shift: further) and press Enter twice.", view.dialog);
  says.setAttribute("role", "status");
  frame.tabIndex = 0;
  frame.setAttribute("role", "application");
  frame.setAttribute("aria-label", "draw a box around the face");
  const show = () => {
    cross.style.cssText = `left:${100 * at.x}%;top:${100 * at.y}%`;
    if (!first) return;
    const [left, top] = [Math.min(first.x, at.x), Math.min(first.y, at.y)];
    box.style.cssText = `display:block;left:${100 * left}%;top:${100 * top}%;width:${100 * Math.abs(first.x - at.x)}%;height:${100 * Math.abs(first.y - at.y)}%`;
  };
  const corner = () => {
    if (!first) {
      first = { ...at };
      says.textContent = "Now the opposite corner.";
      return show();
    }
    const [left, top] = [Math.min(first.x, at.x), Math.min(first.y, at.y)];
    const sides = [Math.abs(first.x - at.x), Math.abs(first.y - at.y)];
    view.status.textContent = "cutting the face …";
    view.dialog.close();
    view.ask({ kind: "face", id: item.id, box: [left, top, ...sides], number: Date.now() });
  };
  const place = (event) => {
    const { left, top, width, height } = frame.getBoundingClientRect();
    at.x = Math.min(1, Math.max(0, (event.clientX - left) / width));
    at.y = Math.min(1, Math.max(0, (event.clientY - top) / height));
  };
  frame.onpointermove = (event) => { place(event); show(); };
  frame.onclick = (event) => { place(event); corner(); };
  frame.onkeydown = (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (step) {
      const by = event.shiftKey ? 0.1 : 0.02;
      at.x = Math.min(1, Math.max(0, at.x + by * step[0]));
      at.y = Math.min(1, Math.max(0, at.y + by * step[1]));
      show();
    } else if (event.key === "Enter") corner();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  show();
}
