// The grid of one page. What the reviewer marks stays here, under each picture's id, until Enter sends all of it.
// Whatever comes from the web is set as text, never as HTML.

const ARROWS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1 };
const KEPT_ZOOMS = 30;
const KEEP_KEY = "k"; // where nothing is kept unless it is marked: the last word on a dispute
const KEEP = { decision: "keep", reason: "", expression: "" };
const views = new Map(); // by component key, so that a redraw forgets nothing

export default function (component) {
  const { data, parentElement, setTriggerValue, key } = component;
  const view = views.get(key) || { marks: new Map(), zooms: new Map(), cursor: 0, brush: "", number: 0 };
  views.set(key, view);
  window.removeEventListener("keydown", view.onKey, true);
  adopt(view, data);
  view.send = (answer) => setTriggerValue("answer", { ...answer, number: view.number });
  build(view, parentElement);
  view.onKey = (event) => onKey(view, event);
  // Captured at the window, because Streamlit has shortcuts of its own.
  window.addEventListener("keydown", view.onKey, true);
  return () => window.removeEventListener("keydown", view.onKey, true);
}

function adopt(view, data) {
  const before = view.data;
  view.data = data;
  const answered = data.answered;
  const restarted = before && before.answered.session !== answered.session;
  if (!before || restarted || answered.number === view.number) view.sending = false;
  if (!before || before.page !== data.page) view.cursor = 0;
  if (data.zoom && data.zoom.src) view.zooms.set(data.zoom.id, data.zoom);
  if (view.zooms.size > KEPT_ZOOMS) view.zooms.delete(view.zooms.keys().next().value);
  const shown = new Set(data.items.map((item) => item.id));
  for (const id of [...view.marks.keys()]) if (!shown.has(id)) view.marks.delete(id);
  const undone = JSON.stringify(data.marks);
  if (undone !== view.undone)
    for (const [id, mark] of Object.entries(data.marks)) if (shown.has(id)) view.marks.set(id, mark);
  view.undone = undone;
}

// ---- drawing

function make(tag, className, text, parent) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  if (parent) parent.append(element);
  return element;
}

function button(parent, className, key, text, onClick) {
  const element = make("button", className, "", parent);
  element.type = "button";
  if (key) make("kbd", "", key, element);
  element.append(text);
  element.onclick = () => { onClick(); view_focus(element); };
  return element;
}

function view_focus(element) {
  element.closest(".review")?.focus({ preventScroll: true }); // or Space would press the button again
}

function build(view, parent) {
  const old = parent.querySelector(".review");
  const root = make("div", "review");
  root.tabIndex = -1;
  view.root = root;
  buildBar(view, root);
  buildLegend(view, root);
  view.about = make("div", "about", "", root);
  view.about.setAttribute("aria-live", "polite");
  const grid = make("div", view.data.items.length <= 24 ? "grid few" : "grid", "", root);
  grid.classList.toggle("veiled", view.data.veiled);
  grid.setAttribute("role", "listbox");
  grid.setAttribute("aria-label", `${view.data.round} to judge`);
  view.grid = grid;
  view.tiles = view.data.items.map((item, index) => tile(view, item, index));
  view.dialog = make("dialog", "", "", root);
  view.dialog.onclose = () => { view.zoomed = false; };
  if (old) old.replaceWith(root); else parent.append(root);
  refresh(view);
  if (view.zoomed) showZoom(view);
  if (!isTyping(document.activeElement)) root.focus({ preventScroll: true });
}

function buildBar(view, root) {
  const bar = make("div", "bar", "", root);
  view.count = make("span", "count", "", bar);
  make("span", "", "", bar).append(...["←↑↓→", " move"].map((text, i) => make(i ? "span" : "kbd", "", text)));
  button(bar, "zoom", "Space", "zoom", () => zoom(view));
  button(bar, "undo", "U", "undo last page", () => undo(view));
  const rest = view.data.settle ? "settle the marked ones" : "keep the rest, next page";
  button(bar, "go", "Enter", rest, () => commit(view));
}

function buildLegend(view, root) {
  const legend = make("div", "legend", "", root);
  legend.title = "Press the key to mark the picture, press it again to clear it. Or click here, then click pictures.";
  view.brushes = new Map();
  const add = (className, key, text) => {
    const chip = button(legend, className, key.toUpperCase(), text, () => {
      view.brush = view.brush === key ? "" : key;
      refresh(view);
    });
    view.brushes.set(key, chip);
  };
  if (view.data.settle) add("keep", KEEP_KEY, "keep");
  for (const [reason, key] of Object.entries(view.data.reasons)) add("reason", key, reason);
  view.data.classes.forEach((label, index) => add("class", String(index + 1), label));
}

function tile(view, item, index) {
  const element = make("div", "tile", "", view.grid);
  element.setAttribute("role", "option");
  element.id = `tile-${index}`;
  element.dataset.id = item.id;
  if (item.src) {
    const image = make("img", "", "", element);
    image.src = item.src;
    image.alt = `${item.label}: ${item.about.phrase}`;
    image.draggable = false;
  } else make("div", "missing", "the file is missing", element);
  make("span", "label", item.label, element);
  const more = item.badges.length > 1 ? ` +${item.badges.length - 1}` : "";
  const hint = view.data.settle ? item.badges.join(" | ") : item.badges[0] + more;
  if (item.badges.length) make("span", "badge", hint, element).title = item.badges.join(", ");
  make("span", "mark", "", element);
  element.onclick = () => { if (view.sending) return; view.cursor = index; if (view.brush) toggle(view, view.brush); else refresh(view); };
  element.ondblclick = () => { view.cursor = index; if (!view.brush) zoom(view); };
  return element;
}

function refresh(view) {
  const { items, total, round, message, pace } = view.data;
  items.forEach((item, index) => paint(view.tiles[index], item, view.marks.get(item.id), index, view));
  for (const [key, chip] of view.brushes) chip.setAttribute("aria-pressed", String(key === view.brush));
  view.grid.setAttribute("aria-activedescendant", `tile-${view.cursor}`);
  view.root.classList.toggle("sending", Boolean(view.sending));
  view.count.textContent = `${total.toLocaleString("en")} ${round} waiting · ${view.marks.size} of ${items.length} marked`;
  if (pace) view.count.textContent += ` · ${pace}`;
  if (message) view.count.textContent += ` · ${message}`;
  view.about.classList.remove("warn");
  view.about.textContent = view.sending ? "saving …" : summary(items[view.cursor], view.cursor);
}

function paint(element, item, mark, index, view) {
  element.classList.toggle("drop", mark?.decision === "drop");
  element.classList.toggle("relabel", mark?.decision === "relabel");
  element.classList.toggle("keep", mark?.decision === "keep");
  element.classList.toggle("here", index === view.cursor);
  element.setAttribute("aria-selected", String(Boolean(mark)));
  const marked = inWords(mark);
  element.querySelector(".mark").textContent = marked;
  const hints = item.badges.length ? `, ${item.badges.join(", ")}` : "";
  element.setAttribute("aria-label", `picture ${index + 1}, ${item.label}${hints}${marked ? `, marked ${marked}` : ""}`);
}

function inWords(mark) {
  if (!mark) return "";
  return { drop: `✕ ${mark.reason}`, relabel: `→ ${mark.expression}`, keep: "✓ keep" }[mark.decision];
}

function summary(item, index) {
  const { phrase, source, licence, title } = item.about;
  return [`${index + 1}`, item.label, ...item.badges, phrase && `“${phrase}”`, source, licence, title]
    .filter(Boolean).join(" · ");
}

function warn(view, text) {
  view.about.textContent = text;
  view.about.classList.add("warn");
}

// ---- keys

function onKey(view, event) {
  if (!view.root.isConnected || event.ctrlKey || event.metaKey || event.altKey) return;
  const target = event.composedPath()[0];
  if (isTyping(target) || (isControl(target, view) && (event.key in ARROWS || " Enter".includes(event.key)))) return;
  if (!act(view, event)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}

/** Do what the key means; whether it means anything here. */
function act(view, event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const known = view.brushes.has(key) || key in ARROWS || [" ", "u", "Enter"].includes(key);
  // While a page is being saved the next one cannot be seen, so no key may fall on it.
  if (!known || view.sending || (event.repeat && !(key in ARROWS))) return known;
  if (key in ARROWS) move(view, key);
  else if (key === " ") zoom(view);
  else if (key === "u") undo(view);
  else if (key === "Enter") commit(view);
  else toggle(view, key);
  return true;
}

function isTyping(element) {
  if (!element?.matches) return false;
  return element.matches("textarea, select, [contenteditable], [role=combobox], input:not([type=radio], [type=checkbox])");
}

function isControl(element, view) {
  return !view.root.contains(element) && Boolean(element?.closest?.("button, a, input, [role=option], [tabindex='0']"));
}

function move(view, key) {
  const columns = getComputedStyle(view.grid).gridTemplateColumns.split(" ").length;
  const step = ARROWS[key] * (key === "ArrowUp" || key === "ArrowDown" ? columns : 1);
  const next = view.cursor + step;
  if (next < 0 || next >= view.data.items.length) return;
  view.cursor = next;
  refresh(view);
  view.tiles[next].scrollIntoView({ block: "nearest" });
  if (view.zoomed) showZoom(view);
}

function markOf(view, key) {
  if (key === KEEP_KEY) return KEEP;
  const label = view.data.classes[Number(key) - 1];
  if (label) return { decision: "relabel", reason: "", expression: label };
  const reason = Object.keys(view.data.reasons).find((name) => view.data.reasons[name] === key);
  return { decision: "drop", reason, expression: "" };
}

function toggle(view, key) {
  const { id } = view.data.items[view.cursor];
  const mark = markOf(view, key);
  const same = JSON.stringify(view.marks.get(id)) === JSON.stringify(mark);
  if (same) view.marks.delete(id); else view.marks.set(id, mark);
  refresh(view);
  if (view.zoomed) showZoom(view);
}

// ---- what goes to the server

function ask(view, answer) {
  view.number = Date.now() + Math.random();
  view.send(answer);
}

function commit(view) {
  if (view.sending) return;
  const { items, settle } = view.data;
  if (settle && !view.marks.size) return warn(view, "Nothing is marked: press K to keep, 1-7 to relabel, or the letter of a drop reason.");
  const open = items.findIndex((item) => needsLabel(view, item));
  if (open >= 0) {
    view.cursor = open;
    refresh(view);
    warn(view, "This face has no label: press 1-7 for its class, or the letter of a drop reason.");
    return;
  }
  view.dialog.close();
  const chosen = settle ? items.filter(({ id }) => view.marks.has(id)) : items;
  const judged = chosen.map(({ id }) => ({ id, ...(view.marks.get(id) || KEEP) }));
  view.sending = true;
  ask(view, { kind: "commit", judged });
  refresh(view);
}

function needsLabel(view, item) {
  if (view.data.round !== "faces" || item.label !== "unlabelled") return false;
  const mark = view.marks.get(item.id);
  return mark ? mark.decision === "keep" : !view.data.settle;
}

function undo(view) {
  if (view.sending) return;
  view.dialog.close();
  view.sending = true;
  ask(view, { kind: "undo" });
  refresh(view);
}

// ---- zoom

function zoom(view) {
  if (view.sending) return;
  if (view.dialog.open) return view.dialog.close();
  view.zoomed = true;
  showZoom(view);
}

function showZoom(view) {
  const item = view.data.items[view.cursor];
  const found = view.zooms.get(item.id);
  if (!found && view.asked !== item.id) {
    view.asked = item.id;
    ask(view, { kind: "zoom", id: item.id });
  }
  view.dialog.replaceChildren(picture(item, found), facts(view, item));
  if (!view.dialog.open) view.dialog.showModal();
}

function picture(item, found) {
  const holder = make("div", "photo");
  const frame = make("div", "frame", "", holder);
  const image = make("img", "", "", frame);
  image.alt = item.about.phrase;
  image.src = found ? found.src : item.src;
  if (found?.box) image.onload = () => outline(frame, image, found);
  return holder;
}

function outline(frame, image, { box, size }) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `0 0 ${size[0]} ${size[1]}`);
  for (const [colour, width] of [["#000", 6], ["#f0e442", 3]]) {
    const rectangle = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    const place = { x: box[0], y: box[1], width: box[2], height: box[3], fill: "none", stroke: colour };
    for (const [name, value] of Object.entries(place)) rectangle.setAttribute(name, value);
    rectangle.setAttribute("stroke-width", (width * size[0]) / image.clientWidth);
    svg.append(rectangle);
  }
  frame.append(svg);
}

function facts(view, item) {
  const list = make("dl", "facts");
  const mark = view.marks.get(item.id);
  const shown = {
    "your mark": mark ? mark.reason || mark.expression || "keep" : view.data.settle ? "" : "keep",
    label: item.label, hints: item.badges.join(", "), query: item.about.phrase, language: item.about.language,
    title: item.about.title, source: item.about.source, author: item.about.author,
    licence: item.about.licence, page: item.about.page_url, size: item.size,
  };
  for (const [name, text] of Object.entries(shown)) {
    if (!text) continue;
    make("dt", "", name, list);
    make("dd", "", text, list);
  }
  return list;
}
