// What a reviewer marked and did not send yet, and a page that the server has not acknowledged: in the browser's own
// store, under the reviewer's name. It outlasts a reload, a closed window and a change of page; only sending takes it
// out, or the button "discard".

const KEPT_STEPS = 500; // that U takes back

function ownerOf({ place, reviewer, round, settle }) {
  return `btfer ${place} ${settle ? "settle " : ""}${round} ${reviewer}`;
}

function stored(owner) {
  try {
    return JSON.parse(localStorage.getItem(owner)) || {};
  } catch {
    return {}; // the browser keeps nothing
  }
}

/** The marks of the person who sits here now; those of the person before stay where they are. */
function load(view) {
  const { marks, notes, trail, unsent, undone, done } = stored(view.owner);
  view.marks = new Map(Object.entries(marks || {}));
  view.notes = new Map(Object.entries(notes || {}));
  Object.assign(view, { trail: stepsOf(trail), unsent: unsent || null, undone, done, sending: Boolean(unsent) });
}

/** A step of an earlier version was about one picture. */
function stepsOf(trail) {
  return (trail || []).map((step) => (Array.isArray(step[0]) ? step : [step]));
}

function store(view) {
  const { marks, notes, trail, unsent, undone, done, owner } = view;
  const kept = unsent?.kind === "commit" ? unsent : null;
  try {
    const [marked, noted] = [marks, notes].map((one) => Object.fromEntries(one));
    localStorage.setItem(owner, JSON.stringify({ marks: marked, notes: noted, trail, unsent: kept, undone, done }));
    view.forgetful = false;
  } catch {
    view.forgetful = true;
  }
}

function hearOthers(view) {
  window.removeEventListener("storage", view.onStorage);
  view.onStorage = (event) => { if (view.root.isConnected) onStored(view, event); };
  window.addEventListener("storage", view.onStorage);
}

/** Another window of the same reviewer marked something, or sent the page that is open here too. */
function onStored(view, event) {
  if (event.key !== view.owner || view.unsent) return;
  const { marks, notes, trail, done } = stored(view.owner);
  view.marks = new Map(Object.entries(marks || {}));
  view.notes = new Map(Object.entries(notes || {}));
  view.trail = stepsOf(trail);
  const sent = done !== view.done;
  view.done = done;
  if (sent) { view.expected = true; view.send({ kind: "renew" }); }
  view.onStatus();
}

/** One step, which U takes back as one. changes: pictures, their marks, and what is beside them (undefined = as it is). */
function setMarks(view, changes) {
  view.trail.push(changes.map(([id]) => [id, view.marks.get(id) || null, view.notes.get(id) || null]));
  if (view.trail.length > KEPT_STEPS) view.trail.shift();
  putMarks(view, changes);
}

function putMarks(view, changes) {
  const put = (map, id, value) => {
    if (value === undefined) return;
    map.delete(id); // the newest is the last
    if (value) map.set(id, value);
  };
  for (const [id, mark, beside] of changes) { put(view.marks, id, mark); put(view.notes, id, beside); }
  store(view);
}

/** A picture whose last mark was taken back, the one here if it is among them; -1 = there was none on this page. */
function takeBackMark(view) {
  while (view.trail.length) {
    const step = view.trail.pop();
    const meant = view.data.items.map((item) => step.some(([id]) => id === item.id));
    if (!meant.includes(true)) continue;
    putMarks(view, step);
    return meant[view.cursor] ? view.cursor : meant.indexOf(true);
  }
  store(view);
  return -1;
}

function marksElsewhere(view) {
  const shown = new Set(view.data.items.map((item) => item.id));
  return [...new Set([...view.marks.keys(), ...view.notes.keys()])].filter((id) => !shown.has(id));
}

function discardElsewhere(view) {
  for (const id of marksElsewhere(view)) { view.marks.delete(id); view.notes.delete(id); }
  store(view);
}
