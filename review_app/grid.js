// The grid of one page: what is marked stays in the browser, under each picture's id, until Enter sends all of it.

const ARROWS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1 };
const KEEP_KEY = "k"; // where nothing is kept unless it is marked: the last word on a dispute
const KEEP = { decision: "keep", reason: "", expression: "" };
const HASTY_MS = 1000; // nobody has seen a page that was open for less
const RENEW_MS = 4 * 60 * 1000;
const SAID_MS = 6000; // what the last action did is news for so long
const OWN = [" ", "u", "m", "q", "Enter", "b", "g", "?", "+", "=", "-", "0"];

export default function (component) {
  const fresh = () => ({
    marks: new Map(), notes: new Map(), trail: [], zooms: new Map(), seen: new Set(), selected: new Set(),
    cursor: 0, anchor: 0, brush: "", zoomed: "", noting: "", asked: 0,
  });
  return mount(component, fresh, { adopt, build, onKey, resend: (answer, restarted) => answer.kind === "commit" || !restarted });
}

function adopt(view, before) {
  const { data } = view;
  view.onAnswered = (done, ok) => onAnswered(view, done, ok);
  view.onStatus = () => { if (view.tiles) refresh(view); };
  view.onTick = () => { renew(view); wishAgain(view); refreshSaid(view); };
  view.focused = () => (view.noting && view.noteBox.isConnected ? view.noteBox.querySelector("textarea") : view.tiles[view.cursor]);
  view.onCommand = (event) => onCommand(view, event);
  const other = ownerOf(data) !== view.owner;
  if (other) takeOver(view);
  if (data.zoom && data.zoom.src) keepZoom(view, data.zoom);
  if (data.undone.number && data.undone.number !== view.undone) takeBackPage(view);
  if (!before || other || before.page !== data.page) turn(view, other ? null : before);
  view.expected = false;
  if (before !== data) view.saidUntil = Date.now() + SAID_MS;
}

function takeOver(view) {
  Object.assign(view, { owner: ownerOf(view.data), brush: "", pinned: "", notice: "" });
  load(view);
  answered(view, null); // what was sent before this was drawn anew is saved, or is sent again
}

/** Another page is here; what left without the reviewer's doing is told before they go on. */
function turn(view, before) {
  const { items, choice } = view.data;
  const shown = new Set(items.map((item) => item.id));
  const lost = before && !view.expected && before.choice === choice ? before.items.filter(({ id }) => !shown.has(id)) : [];
  view.notice = lost.length ? `${lost.length} pictures of this page have gone to other reviewers meanwhile.` : "";
  Object.assign(view, { cursor: 0, anchor: 0, selected: new Set(), seen: new Set(), opened: Date.now(), confirmed: false });
  if (!shown.has(view.noting)) view.noting = "";
}

/** A page that was undone comes back with its marks, once. */
function takeBackPage(view) {
  const { number, marks, notes } = view.data.undone;
  for (const [id, mark] of Object.entries(marks)) view.marks.set(id, mark);
  for (const [id, note] of Object.entries(notes)) view.notes.set(id, note);
  Object.assign(view, { undone: number, trail: [] });
  store(view);
}

// ---- drawing

function build(view, parent, before) {
  if (isDrawn(view, parent, before)) {
    if (view.guiding && view.data.examples && !before.examples) showGuide(view);
    return refresh(view);
  }
  const root = make("div", "review");
  root.dataset.round = view.data.round;
  root.tabIndex = -1;
  view.root = root;
  buildBar(view, root);
  buildLegend(view, root);
  view.apart = make("div", "apart", "", root);
  view.noteHolder = make("div", "", "", root);
  view.about = make("div", "about", "", root);
  view.about.setAttribute("aria-live", "polite");
  buildGrid(view, root);
  view.dialog = make("dialog", "", "", root);
  view.dialog.tabIndex = -1;
  const onClosed = () => {
    if (view.dialog.open) return; // it is told of late: another sheet may be open by now
    const closed = Boolean(view.zoomed);
    view.zoomed = "";
    endNote(view);
    if (closed) focus(view);
  };
  view.dialog.onclose = onClosed;
  view.dialog.oncancel = (event) => { // Escape: the next key must find the grid, however soon it comes
    event.preventDefault();
    view.dialog.close();
    onClosed();
  };
  place(parent, root);
  size(view);
  watch(view);
  refresh(view);
  if (view.zoomed) show(view, view.zoomed); else placeNote(view);
}

/** Whether all of it is on the screen already, so that pictures, focus and scroll position stay. */
function isDrawn(view, parent, before) {
  if (!before || !view.root?.isConnected || !parent.contains(view.root)) return false;
  const { data } = view;
  const same = ["round", "settle", "reviewer", "page", "guidelines"].every((name) => JSON.stringify(before[name]) === JSON.stringify(data[name]));
  if (same) setTimeout(() => { if (view.zoomed) show(view, view.zoomed); });
  return same && JSON.stringify(before.items) === JSON.stringify(data.items);
}

function buildBar(view, root) {
  const bar = make("div", "bar", "", root);
  view.count = make("span", "count", "", bar);
  view.count.setAttribute("role", "status");
  view.said = make("span", "said", "", bar);
  view.said.setAttribute("role", "status");
  view.state = make("span", "state", "", bar);
  button(view, bar, "zoom", "Space", "look", () => loupe(view));
  button(view, bar, "undo", "U", "undo", () => undo(view));
  const rest = view.data.settle ? "settle the marked ones" : "keep the rest, next page";
  button(view, bar, "go", "Enter", rest, () => commit(view));
  view.slider = make("input", "size", "", bar);
  Object.assign(view.slider, { type: "range", min: SMALLEST, max: LARGEST, step: 4, title: "Size of the pictures: + and -; 0 fits the page" });
  view.slider.setAttribute("aria-label", "Size of the pictures");
  view.slider.oninput = () => resize(view, Number(view.slider.value));
  view.slider.onchange = () => focus(view);
  if (view.data.guidelines.text) button(view, bar, "guide", "G", "guidelines", () => guide(view));
  button(view, bar, "help", "?", "keys", () => help(view));
}

function buildLegend(view, root) {
  const legend = make("div", "legend", "", root);
  legend.title = "Press the key to mark the picture, press it again to clear it. Or click here, then click pictures.";
  view.brushes = new Map();
  const add = (className, key, text) => {
    const chip = button(view, legend, className, key.toUpperCase(), text, () => {
      if (view.selected.size) return toggle(view, key);
      view.brush = view.brush === key ? "" : key;
      refresh(view);
    });
    view.brushes.set(key, chip);
  };
  if (view.data.settle) add("keep", KEEP_KEY, "keep");
  for (const [reason, key] of Object.entries(view.data.reasons)) add("reason", key, reason);
  view.data.classes.forEach((label, index) => add("class", String(index + 1), label));
  if (!view.data.settle) button(view, legend, "beside", "Q", "unsure", () => doubt(view));
  button(view, legend, "beside", "M", "note", () => write(view));
}

function buildGrid(view, root) {
  const split = make("div", "split", "", root);
  const grid = make("div", "grid", "", split);
  grid.setAttribute("role", "listbox");
  grid.setAttribute("aria-multiselectable", "true");
  grid.setAttribute("aria-label", `${view.data.round} to judge`);
  view.grid = grid;
  view.panel = make("aside", "panel", "", split);
  view.panel.hidden = true;
  view.tiles = view.data.items.map((item, index) => tile(view, item, index));
  draggable(view);
  if (view.guiding) showGuide(view);
}

function tile(view, item, index) {
  const element = make("div", "tile", "", view.grid);
  element.setAttribute("role", "option");
  element.dataset.id = item.id;
  if (item.src) {
    const image = make("img", "", "", element);
    image.src = item.src;
    image.alt = "";
    image.draggable = false;
    if (item.boxes.length) element.append(outlined(item.boxes, item.size, 2));
  } else make("div", "missing", "the file is missing", element);
  make("span", "label", item.label, element);
  const more = item.badges.length > 1 ? ` +${item.badges.length - 1}` : "";
  const hint = view.data.settle ? item.badges.join(" | ") : item.badges[0] + more;
  if (item.badges.length) make("span", "badge", hint, element).title = item.badges.map((word) => explained(view, word)).join("\n");
  make("span", "flags", "", element);
  make("span", "mark", "", element);
  element.onfocus = () => {
    if (view.cursor === index || view.zoomed) return; // a sheet that closes gives the focus back to where it was opened
    view.cursor = index;
    refresh(view);
  };
  element.onclick = (event) => clicked(view, index, event);
  element.ondblclick = () => { view.cursor = index; if (!view.brush) loupe(view); };
  return element;
}

function explained(view, word) {
  return view.data.hints[word] ? `${word}: ${view.data.hints[word]}` : word;
}

function refresh(view) {
  const { items, total, round, pace, veiled } = view.data;
  items.forEach((item, index) => paint(view.tiles[index], item, view.marks.get(item.id), index, view));
  for (const [key, chip] of view.brushes) chip.setAttribute("aria-pressed", String(key === view.brush));
  view.grid.classList.toggle("veiled", veiled);
  view.root.classList.toggle("sending", Boolean(view.sending));
  const marked = items.filter(({ id }) => view.marks.has(id)).length;
  const unsure = items.filter(({ id }) => view.notes.get(id)?.unsure).length;
  const counted = [`${marked} of ${items.length} marked`, unsure && `${unsure} unsure`, view.selected.size && `${view.selected.size} selected`];
  view.count.textContent = [`${total.toLocaleString("en")} ${total === 1 ? round.slice(0, -1) : round} waiting`, ...counted, pace].filter(Boolean).join(" · ");
  refreshState(view, items.filter(({ id }) => view.marks.has(id) || view.notes.has(id)).length);
  refreshSaid(view);
  refreshApart(view);
  view.about.classList.toggle("warn", Boolean(view.notice));
  view.about.textContent = view.notice || summary(items[view.cursor], view.cursor);
}

/** What the last action did; it fades, so that only news catches the eye. */
function refreshSaid(view) {
  const { message } = view.data;
  const old = Date.now() > view.saidUntil;
  if (!old && view.said.textContent !== message) view.said.textContent = message; // said aloud once
  view.said.classList.toggle("old", old);
}

function refreshApart(view) {
  const n = marksElsewhere(view).length;
  view.apart.replaceChildren();
  if (!n) return;
  view.apart.append(`${n} of your marks are on pictures that are not on this page. `);
  button(view, view.apart, "bring", "", "bring them back", () => bringBack(view));
  button(view, view.apart, "discard", "", `discard ${n} marks`, () => { discardElsewhere(view); refresh(view); });
}

function paint(element, item, mark, index, view) {
  for (const name of ["drop", "relabel", "keep"]) element.classList.toggle(name, mark?.decision === name);
  element.classList.toggle("here", index === view.cursor);
  element.classList.toggle("pinned", item.id === view.pinned);
  const selected = view.selected.has(item.id);
  element.classList.toggle("selected", selected);
  element.tabIndex = index === view.cursor ? 0 : -1;
  element.setAttribute("aria-selected", String(selected));
  const [marked, beside] = [inWords(mark), view.notes.get(item.id)];
  element.querySelector(".flags").textContent = [beside?.unsure && "? unsure", beside?.note && "✎ note"].filter(Boolean).join(" ");
  element.querySelector(".mark").textContent = marked;
  const hints = item.badges.length ? `, ${item.badges.join(", ")}` : "";
  const said = [marked && `marked ${marked}`, noteInWords(beside), selected && "selected"].filter(Boolean);
  element.setAttribute("aria-label", [`picture ${index + 1}, ${item.label}${hints}`, ...said].join(", "));
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

/** Which pictures were ever on the screen. */
function watch(view) {
  view.watcher?.disconnect();
  view.watcher = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) if (isIntersecting) view.seen.add(target.dataset.id);
  }, { threshold: 0.5 });
  for (const element of view.tiles) view.watcher.observe(element);
  hearOthers(view);
}

// ---- keys

function onKey(view, event) {
  const key = keyOf(event);
  const target = event.composedPath()[0];
  if (target.matches("button, a, input") && (key in ARROWS || key === " " || key === "Enter")) return;
  if (!act(view, key, event.repeat, event.shiftKey)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}

/** Ctrl or Cmd with a key: all of the page is selected. */
function onCommand(view, event) {
  if (keyOf(event) !== "a" || view.zoomed || view.sending) return;
  selectAll(view);
  refresh(view);
  event.preventDefault();
  event.stopImmediatePropagation();
}

/** Do what the key means; whether it means anything here. extending: Shift is held. */
function act(view, key, repeated, extending) {
  const leaving = key === "Escape" && view.selected.size && !view.zoomed;
  const known = view.brushes.has(key) || key in ARROWS || OWN.includes(key) || leaving;
  // While a page is being saved the next one cannot be seen, so no key may fall on it.
  if (!known || view.sending || (repeated && !(key in ARROWS) && !"+-=".includes(key))) return known;
  if (isStale(view)) return check(view);
  if (key !== "Enter") view.notice = "";
  if (key in ARROWS) move(view, key, extending);
  else if (view.brushes.has(key)) toggle(view, key);
  else if (leaving) { selectNothing(view); refresh(view); }
  else MEANT[key](view);
  return true;
}

const MEANT = {
  " ": loupe, u: undo, m: write, q: doubt, Enter: commit, b: compare, g: guide, "?": help,
  "+": larger, "=": larger, "-": smaller, 0: fit,
};

function move(view, key, extending) {
  const columns = getComputedStyle(view.grid).gridTemplateColumns.split(" ").length;
  const step = ARROWS[key] * (!view.zoomed && (key === "ArrowUp" || key === "ArrowDown") ? columns : 1);
  const next = view.cursor + step;
  if (next < 0 || next >= view.data.items.length) return;
  endNote(view);
  if (!view.selected.size) view.anchor = view.zoomed ? next : view.cursor;
  view.cursor = next;
  if (!view.zoomed && extending) selectRange(view);
  else if (!view.zoomed) selectNothing(view);
  refresh(view);
  view.tiles[next].scrollIntoView({ block: "nearest" });
  if (view.zoomed) show(view, "loupe"); else focus(view);
}

function markOf(view, key) {
  if (key === KEEP_KEY) return KEEP;
  const label = view.data.classes[Number(key) - 1];
  if (label) return { decision: "relabel", reason: "", expression: label };
  const reason = Object.keys(view.data.reasons).find((name) => view.data.reasons[name] === key);
  return { decision: "drop", reason, expression: "" };
}

function toggle(view, key) {
  const [ids, mark] = [targets(view), markOf(view, key)];
  const same = ids.every((id) => JSON.stringify(view.marks.get(id)) === JSON.stringify(mark));
  setMarks(view, ids.map((id) => [id, same ? null : mark]));
  refresh(view);
  if (view.zoomed) show(view, "loupe");
}

// ---- what goes to the server

function commit(view) {
  if (view.sending) return;
  const { items, settle, reviewer, page } = view.data;
  if (settle && !items.some(({ id }) => view.marks.has(id))) return warn(view, "Nothing is marked: press K to keep, 1-7 to relabel, or the letter of a drop reason.");
  const open = items.findIndex((item) => needsLabel(view, item));
  if (open >= 0) {
    view.cursor = open;
    refresh(view);
    focus(view);
    return warn(view, "This face has no label: press 1-7 for its class, or the letter of a drop reason.");
  }
  const unseen = settle ? 0 : unseenOf(view);
  if (unseen && view.confirmed !== page) {
    view.confirmed = page;
    return warn(view, `Keep ${unseen} unseen? Enter again keeps them; or look at them first.`);
  }
  close(view);
  const chosen = settle ? items.filter(({ id }) => view.marks.has(id)) : items;
  endNote(view);
  const judged = chosen.map(({ id }) => ({ id, ...(view.marks.get(id) || KEEP), ...view.notes.get(id) }));
  const seconds = (Date.now() - view.opened) / 1000;
  view.notice = "";
  view.send({ kind: "commit", reviewer, judged, unseen, seconds, guidelines: readGuide(view) });
  store(view);
  refresh(view);
}

/** How many would be kept that nobody can have looked at. */
function unseenOf(view) {
  const unmarked = view.data.items.filter(({ id }) => !view.marks.has(id) && !view.notes.has(id));
  if (Date.now() - view.opened < HASTY_MS) return unmarked.length;
  return unmarked.filter(({ id }) => !view.seen.has(id)).length;
}

function needsLabel(view, item) {
  if (view.data.round !== "faces" || item.label !== "unlabelled") return false;
  const mark = view.marks.get(item.id);
  return mark ? mark.decision === "keep" : !view.data.settle;
}

function onAnswered(view, done, ok) {
  view.expected = ["commit", "undo", "recall"].includes(done.kind);
  if (done.kind === "commit" && ok) {
    for (const { id } of done.judged) { view.marks.delete(id); view.notes.delete(id); }
    Object.assign(view, { trail: [], done: done.number, wrote: true });
  }
  store(view);
}

/** The last mark first, then the last page. */
function undo(view) {
  if (view.sending) return;
  const index = takeBackMark(view);
  if (index >= 0) {
    view.cursor = index;
    if (!view.selected.size) view.anchor = index;
    refresh(view);
    return view.zoomed ? show(view, "loupe") : focus(view);
  }
  close(view);
  view.send({ kind: "undo", reviewer: view.data.reviewer });
  refresh(view);
}

function bringBack(view) {
  view.send({ kind: "recall", reviewer: view.data.reviewer, ids: marksElsewhere(view) });
  refresh(view);
}

/** An open page stays this reviewer's. */
function renew(view) {
  if (view.sending) { refreshState(view, 0); return; }
  if (isStale(view)) check(view);
  else if (Date.now() - view.heard > RENEW_MS && view.asked + RENEW_MS < Date.now()) {
    view.asked = Date.now();
    view.post({ kind: "renew", number: newNumber() });
  }
}

function isStale(view) {
  return Date.now() - view.heard > view.data.lease_s * 1000;
}

/** The page was asleep for longer than it was this reviewer's: no key counts until the server has said what is. */
function check(view) {
  if (!view.unsent) view.send({ kind: "renew" });
  refresh(view);
  return true;
}
