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
  const { marks, trail, unsent, undone, done } = stored(view.owner);
  view.marks = new Map(Object.entries(marks || {}));
  Object.assign(view, { trail: trail || [], unsent: unsent || null, undone, done, sending: Boolean(unsent) });
}

function store(view) {
  const { marks, trail, unsent, undone, done, owner } = view;
  const kept = unsent?.kind === "commit" ? unsent : null;
  try {
    localStorage.setItem(owner, JSON.stringify({ marks: Object.fromEntries(marks), trail, unsent: kept, undone, done }));
    view.forgetful = false;
  } catch {
    view.forgetful = true;
  }
}

/** Another window of the same reviewer marked something, or sent the page that is open here too. */
function onStored(view, event) {
  if (event.key !== view.owner || view.unsent) return;
  const { marks, trail, done } = stored(view.owner);
  view.marks = new Map(Object.entries(marks || {}));
  view.trail = trail || [];
  const sent = done !== view.done;
  view.done = done;
  if (sent) { view.expected = true; view.send({ kind: "renew" }); }
  view.onStatus();
}

function setMark(view, id, mark) {
  view.trail.push([id, view.marks.get(id) || null]);
  if (view.trail.length > KEPT_STEPS) view.trail.shift();
  putMark(view, id, mark);
}

function putMark(view, id, mark) {
  view.marks.delete(id); // the newest is the last
  if (mark) view.marks.set(id, mark);
  store(view);
}

/** The picture whose last mark was taken back; -1 = there was none on this page. */
function takeBackMark(view) {
  while (view.trail.length) {
    const [id, mark] = view.trail.pop();
    const index = view.data.items.findIndex((item) => item.id === id);
    if (index < 0) continue;
    putMark(view, id, mark);
    return index;
  }
  store(view);
  return -1;
}

function marksElsewhere(view) {
  const shown = new Set(view.data.items.map((item) => item.id));
  return [...view.marks.keys()].filter((id) => !shown.has(id));
}

function discardElsewhere(view) {
  for (const id of marksElsewhere(view)) view.marks.delete(id);
  store(view);
}
