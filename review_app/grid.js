// The grid of one page: what is marked stays in the browser, under each picture's id, until Enter sends all of it.
// Where `data.earlier` is given the pictures were looked at before (Log, No face): only what is marked is sent.

const ARROWS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1 };
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
  return mount(component, fresh, { adopt, build, onKey, resend: (answer, restarted) => KEPT_KINDS.includes(answer.kind) || !restarted });
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
  const undone = data.items.filter(({ id, fixed }) => fixed && view.marks.has(id)); // meanwhile
  if (undone.length) putMarks(view, undone.map(({ id }) => [id, null]));
  if (data.zoom && data.zoom.src) keepZoom(view, data.zoom);
  takeBackPage(view, data.undone);
  tellWhy(view);
  if (!before || other || before.page !== data.page) turn(view, other ? null : before);
  view.expected = false;
  if (before !== data) view.saidUntil = Date.now() + SAID_MS;
}

function takeOver(view) {
  Object.assign(view, { owner: ownerOf(view.data), brush: "", pinned: "", noting: "", notice: "" });
  load(view);
  answered(view, null); // what was sent before this was drawn anew is saved, or is sent again
}

/** Other pictures are here; what left without the reviewer's doing is told before they go on. */
function turn(view, before) {
  const { items, pictures, earlier } = view.data;
  const shown = new Set(items.map((item) => item.id));
  const same = before && !view.expected && !earlier && before.pictures === pictures; // the page that was open
  const lost = same ? before.items.filter(({ id }) => !shown.has(id)) : [];
  if (lost.length) {
    view.notice = `${lost.length} pictures have left this page.`;
    setTimeout(() => askWhy(view, lost.map(({ id }) => id)));
  } else if (!same) view.notice = "";
  const cursor = same ? Math.max(0, items.findIndex(({ id }) => id === before.items[view.cursor]?.id)) : 0;
  Object.assign(view, { cursor, anchor: cursor, selected: new Set(), seen: new Set(), opened: Date.now(), confirmed: false });
  if (!shown.has(view.noting)) view.noting = "";
}

/** Others may have judged them, or they were forgotten: the server knows. */
function askWhy(view, ids) {
  view.left = { number: newNumber(), n: ids.length };
  view.post({ kind: "left", ids, number: view.left.number });
}

function tellWhy(view) {
  const { number, says } = view.data.left;
  if (!view.left || number !== view.left.number) return;
  if (view.notice) view.notice = `${view.left.n} pictures have left this page: ${says}.`; // else the reviewer has gone on
  view.left = null;
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
  view.noteHolder = make("div", "beneath", "", root);
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
  const same = ["round", "settle", "reviewer", "page", "guidelines", "keys"].every((name) => JSON.stringify(before[name]) === JSON.stringify(data[name]));
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
  button(view, bar, "zoom", "Space", view.data.draws ? "look, draw a face" : "look", () => loupe(view));
  button(view, bar, "undo", "U", "undo", () => undo(view));
  button(view, bar, "go", "Enter", restOf(view.data), () => commit(view));
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
  for (const { key, ...mark } of view.data.keys) {
    const chip = button(view, legend, mark.decision, key.toUpperCase(), wordOf(mark), () => {
      if (view.selected.size) return toggle(view, key);
      view.brush = view.brush === key ? "" : key;
      refresh(view);
    });
    view.brushes.set(key, chip);
  }
  if (!view.brushes.size) return; // nobody sits here who could judge
  if (!view.data.no_doubt) button(view, legend, "beside", "Q", "unsure", () => doubt(view));
  button(view, legend, "beside", "M", "note", () => write(view));
}

function buildGrid(view, root) {
  const split = make("div", "split", "", root);
  const grid = make("div", "grid", "", split);
  grid.setAttribute("role", "listbox");
  grid.setAttribute("aria-multiselectable", "true");
  grid.setAttribute("aria-label", view.data.earlier?.title || `${view.data.round} to judge`);
  grid.classList.toggle("captioned", Boolean(view.data.earlier));
  view.grid = grid;
  view.panel = make("aside", "panel", "", split);
  view.panel.hidden = true;
  view.tiles = view.data.items.map((item, index) => tile(view, item, index));
  draggable(view);
  if (view.guiding) showGuide(view);
}

function refresh(view) {
  const { items, pace, veiled } = view.data;
  items.forEach((item, index) => paint(view.tiles[index], item, view.marks.get(item.id), index, view));
  for (const [key, chip] of view.brushes) chip.setAttribute("aria-pressed", String(key === view.brush));
  view.grid.classList.toggle("veiled", veiled);
  view.root.classList.toggle("sending", Boolean(view.sending));
  const marked = items.filter(({ id }) => view.marks.has(id)).length;
  const unsure = items.filter(({ id }) => view.notes.get(id)?.unsure).length;
  const counted = [`${marked} of ${items.length} marked`, unsure && `${unsure} unsure`, view.selected.size && `${view.selected.size} selected`];
  view.count.textContent = [waiting(view.data), ...counted, pace].filter(Boolean).join(" · ");
  refreshState(view, items.filter(({ id }) => view.marks.has(id) || view.notes.has(id)).length);
  refreshSaid(view);
  if (view.data.earlier) paintApart(view, "pictures that are not on this page, and are not sent from here");
  else paintApart(view, "pictures that are not on this page", [["bring", "bring them back", () => bringBack(view)]]);
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
  const drawing = view.zoomed === "loupe" && view.drawByKey && !target.matches("button, a") && view.drawByKey(event);
  if (drawing) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
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
  const last = view.data.items.length - 1;
  const above = Math.floor(view.cursor / columns) < Math.floor(last / columns); // of the last row, which may be short
  const next = step > 1 && above ? Math.min(view.cursor + step, last) : view.cursor + step;
  if (next < 0 || next > last) return;
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
  const { decision, reason, expression } = view.data.keys.find((one) => one.key === key);
  return { decision, reason, expression };
}

/** What Enter says of a picture; null = nothing. A note alone repeats the verdict that holds. */
function saidOf(view, { id, verdict }) {
  const mark = view.marks.get(id);
  if (mark) return mark;
  const { settle, earlier } = view.data;
  if (earlier) return (view.notes.has(id) && verdict) || null;
  return settle ? null : KEEP;
}

function toggle(view, key) {
  const [ids, mark] = [targets(view), markOf(view, key)];
  if (!ids.length) return warn(view, view.data.earlier.closed);
  const same = ids.every((id) => JSON.stringify(view.marks.get(id)) === JSON.stringify(mark));
  setMarks(view, ids.map((id) => [id, same ? null : mark]));
  refresh(view);
  if (view.zoomed) show(view, "loupe");
}

// ---- what goes to the server

function commit(view) {
  if (view.sending) return;
  const { items, settle, earlier, page } = view.data;
  const chosen = items.filter((item) => saidOf(view, item));
  if (settle && !chosen.length) return warn(view, "Nothing is marked: press K to keep, 1-7 to relabel, or the letter of a drop reason.");
  if (earlier && !chosen.length) return warn(view, earlier.nothing);
  const open = items.findIndex((item) => needsLabel(view, item));
  if (open >= 0) {
    view.cursor = open;
    refresh(view);
    focus(view);
    const others = items.filter((item) => needsLabel(view, item)).length - 1;
    const all = others ? ` ${others} more have none (Ctrl + A selects the page; Class, in the side bar, shows those that have one).` : "";
    return warn(view, `This face has no label: press 1-7 for its class, or the letter of a drop reason.${all}`);
  }
  const undone = earlier ? chosen.findIndex(({ id }) => view.marks.get(id)?.decision === "undo" && view.notes.has(id)) : -1;
  if (undone >= 0) return warn(view, "A verdict that is undone keeps no note and is not unsure: take one of the two back by U.");
  const unseen = settle || earlier ? 0 : unseenOf(view);
  if (unseen && view.confirmed !== page) {
    view.confirmed = page;
    return warn(view, `Keep ${unseen} unseen? Enter again keeps them; or look at them first.`);
  }
  close(view);
  endNote(view);
  const judged = chosen.map((item) => ({ id: item.id, ...saidOf(view, item), ...view.notes.get(item.id) }));
  const seconds = (Date.now() - view.opened) / 1000;
  view.notice = "";
  sendPage(view, { judged, unseen, seconds, guidelines: readGuide(view) });
  refresh(view);
}

/** Send what else changes the catalogue. */
function ask(view, answer) {
  if (view.sending) return;
  view.send({ ...answer, reviewer: view.data.reviewer });
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
  view.expected = ["undo", "recall"].includes(done.kind) || (done.kind === "commit" && ok);
  acknowledge(view, done, ok);
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
  if (view.data.earlier) return warn(view, view.data.earlier.undo);
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
  if (view.data.earlier) return; // nobody leases what was judged
  if (isStale(view)) check(view);
  else if (Date.now() - view.heard > RENEW_MS && view.asked + RENEW_MS < Date.now()) {
    view.asked = Date.now();
    view.post({ kind: "renew", number: newNumber() });
  }
}

function isStale(view) {
  return !view.data.earlier && Date.now() - view.heard > view.data.lease_s * 1000;
}

/** The page was asleep for longer than it was this reviewer's: no key counts until the server has said what is. */
function check(view) {
  if (!view.unsent) view.send({ kind: "renew" });
  refresh(view);
  return true;
}
