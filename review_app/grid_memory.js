// What a reviewer marked and did not send yet, and pages that the server has not acknowledged: in the browser's own
// store, under the reviewer's name. It outlasts a reload, a closed window and a change of page; only sending takes it
// out, or the button "discard". All windows of a reviewer share it, so it is read again before each change.

const KEPT_STEPS = 500; // that U takes back
const KEPT_KINDS = ["commit", "face"]; // what is sent again by another window, or after a reload

function ownerOf({ place, reviewer, round, settle }) {
  return `btfer ${place} ${settle ? "settle " : ""}${round} ${reviewer}`;
}

function stored(owner) {
  try {
    const kept = JSON.parse(localStorage.getItem(owner));
    return isReadable(kept) ? kept : {};
  } catch {
    return {}; // the browser keeps nothing
  }
}

/** What no version has written would else stop the page at each visit, until somebody empties the browser's store. */
function isReadable(kept) {
  const isMap = (one) => one === undefined || (one?.constructor === Object && Object.values(one).every(Boolean));
  const { marks, notes, pages, trail = [] } = kept || {};
  return Boolean(kept) && [marks, notes, pages].every(isMap) && Array.isArray(trail) && trail.every(Array.isArray);
}

/** The marks of the person who sits here now; those of the person before stay where they are. */
function load(view) {
  const kept = stored(view.owner);
  Object.assign(view, { marks: new Map(), notes: new Map(), trail: [], undone: kept.undone, done: kept.done });
  takeIn(view, kept);
  Object.assign(view, { unsent: null, sending: false, wrote: false });
  takeUp(view, kept);
}

function takeIn(view, { marks, notes, trail }) {
  const meant = ([id, mark]) => [id, mark.means || mark]; // an earlier version kept more of those in Log and No face
  view.marks = new Map(Object.entries(marks || {}).map(meant));
  view.notes = new Map(Object.entries(notes || {}));
  view.trail = stepsOf(trail);
}

/** What another window marked since; where the browser keeps nothing, or was emptied, this window's marks hold. */
function reread(view) {
  const kept = stored(view.owner);
  if (kept.marks && !view.forgetful) takeIn(view, kept);
}

/** A step of an earlier version was about one picture. */
function stepsOf(trail) {
  return (trail || []).map((step) => (Array.isArray(step[0]) ? step : [step]));
}

/** Pages that wait to be acknowledged, by number: of this window, and of others that may be closed by now. */
function pagesOf({ pages, unsent }) {
  return { ...(unsent ? { [unsent.number]: unsent } : {}), ...pages }; // an earlier version kept one
}

/** Send what a window left unsent, if nothing is being sent here: the server takes each number once. */
function takeUp(view, kept) {
  const [first] = Object.values(pagesOf(kept));
  if (first && !view.unsent) Object.assign(view, { unsent: first, sending: true, posted: 0 });
}

function store(view) {
  const { marks, notes, trail, unsent, undone, done, owner } = view;
  const pages = pagesOf(stored(owner));
  if (unsent && KEPT_KINDS.includes(unsent.kind)) pages[unsent.number] = unsent;
  delete pages[view.acknowledged];
  try {
    const [said, noted] = [marks, notes].map((one) => Object.fromEntries(one));
    localStorage.setItem(owner, JSON.stringify({ marks: said, notes: noted, trail, pages, undone, done }));
    view.forgetful = false;
  } catch {
    view.forgetful = true;
  }
}

/** Send a page of judged pictures, which is kept until it is acknowledged. */
function sendPage(view, answer) {
  const marks = Object.fromEntries(answer.judged.map(({ id }) => [id, marked(view, id)]));
  view.send({ kind: "commit", reviewer: view.data.reviewer, marks, ...answer });
  store(view);
}

function marked(view, id) {
  return JSON.stringify([view.marks.get(id) || null, view.notes.get(id) || null]);
}

/** The server has answered: what was saved is no mark any more, what it refused still is. */
function acknowledge(view, done, ok) {
  reread(view);
  view.acknowledged = done.number;
  if (KEPT_KINDS.includes(done.kind) && ok) {
    for (const { id } of done.judged || []) {
      if (done.marks && done.marks[id] !== marked(view, id)) continue; // another window has marked it since
      view.marks.delete(id);
      view.notes.delete(id);
    }
    Object.assign(view, { trail: [], done: done.number, wrote: true });
  }
  store(view);
  takeUp(view, stored(view.owner));
  if (view.unsent) setTimeout(() => again(view));
}

function hearOthers(view) {
  window.removeEventListener("storage", view.onStorage);
  view.onStorage = (event) => { if (view.root.isConnected) onStored(view, event); };
  window.addEventListener("storage", view.onStorage);
}

/** Another window of the same reviewer marked something, or sent the page that is open here too. */
function onStored(view, event) {
  if (event.key !== view.owner) return;
  const kept = stored(view.owner);
  takeIn(view, kept);
  const sent = kept.done !== view.done;
  view.done = kept.done;
  if (sent && !view.unsent) { view.expected = true; view.send({ kind: "renew" }); }
  view.onStatus();
}

/** One step, which U takes back as one. changes: pictures, their marks, and what is beside them (undefined = as it is). */
function setMarks(view, changes) {
  reread(view);
  view.trail.push(changes.map(([id]) => [id, view.marks.get(id) || null, view.notes.get(id) || null]));
  if (view.trail.length > KEPT_STEPS) view.trail.shift();
  put(view, changes);
}

/** A change that belongs to the step before. */
function putMarks(view, changes) {
  reread(view);
  put(view, changes);
}

function put(view, changes) {
  const into = (map, id, value) => {
    if (value === undefined) return;
    map.delete(id); // the newest is the last
    if (value) map.set(id, value);
  };
  for (const [id, mark, beside] of changes) { into(view.marks, id, mark); into(view.notes, id, beside); }
  store(view);
}

/** A picture whose last mark was taken back, the one at hand if it is among them; -1 = there was none on this page. */
function takeBackMark(view, atHand = view.data.items[view.cursor]?.id) {
  reread(view);
  while (view.trail.length) {
    const step = view.trail.pop();
    const meant = view.data.items.map((item) => step.some(([id]) => id === item.id));
    if (!meant.includes(true)) continue;
    put(view, step);
    const index = view.data.items.findIndex(({ id }) => id === atHand);
    return meant[index] ? index : meant.indexOf(true);
  }
  store(view);
  return -1;
}

/** A page that was undone comes back with its marks, once. */
function takeBackPage(view, { number, marks, notes }) {
  if (!number || number === view.undone) return;
  reread(view);
  for (const [id, mark] of Object.entries(marks)) view.marks.set(id, mark);
  for (const [id, note] of Object.entries(notes || {})) view.notes.set(id, note);
  Object.assign(view, { undone: number, trail: [] });
  store(view);
}

// ---- marks that are not on this page

function marksElsewhere(view) {
  const shown = new Set(view.data.items.map((item) => item.id));
  return [...new Set([...view.marks.keys(), ...view.notes.keys()])].filter((id) => !shown.has(id));
}

function discardElsewhere(view) {
  const elsewhere = marksElsewhere(view);
  putMarks(view, elsewhere.map((id) => [id, null, null]));
}

/** Say so, with what may be done about it. what: they are on; actions: further buttons (class, text, deed). */
function paintApart(view, what, actions = []) {
  const n = marksElsewhere(view).length;
  if (view.shownApart === n && Boolean(n) === Boolean(view.apart.firstChild)) return;
  view.shownApart = n;
  view.apart.replaceChildren();
  if (!n) return;
  view.apart.append(`${n} of your marks are on ${what}. `);
  for (const [name, text, act] of actions) button(view, view.apart, name, "", text, act);
  button(view, view.apart, "discard", "", `discard ${n} marks`, () => { discardElsewhere(view); view.onStatus(); });
}
