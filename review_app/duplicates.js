// A page of groups of near-duplicates, one group at a time. What is marked stays here until Enter sends the group.

const STEPS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };
const KEPT_ZOOMS = 30;
const DIFFERS = 40; // of 255, in one channel: more than another compression makes

export default function (component) {
  const fresh = () => ({ marks: new Map(), notes: new Map(), trail: [], zooms: new Map(), place: 0, cursor: 0, notice: "" });
  return mount(component, fresh, { adopt, build, onKey, resend: (answer, restarted) => answer.kind === "commit" || !restarted });
}

function adopt(view) {
  const { data } = view;
  const { at, groups, zoom } = data;
  data.items = groups.filter(({ pictures }) => pictures.length); // what can be marked
  view.onAnswered = (done, ok) => acknowledge(view, done, ok);
  view.onStatus = () => { if (view.holder) refresh(view); };
  view.onTick = () => refreshState(view, marksHere(view));
  if (ownerOf(data) !== view.owner) {
    view.owner = ownerOf(data);
    load(view);
    answered(view, null); // what was sent before this was drawn anew is saved, or is sent again
  }
  if (at.jump !== view.jump) Object.assign(view, { jump: at.jump, place: at.place, cursor: 0, notice: "" });
  for (const [id, src] of Object.entries(zoom)) view.zooms.set(id, src);
  while (view.zooms.size > KEPT_ZOOMS) view.zooms.delete(view.zooms.keys().next().value);
  if (!here(view)) view.place = groups[0].place;
  for (const group of data.items) forget(view, group);
}

/** Marks on photos that are no longer of the group are gone; those of which not all are shown may be there still. */
function forget(view, group) {
  const mark = view.marks.get(group.id);
  if (!mark || group.hidden) return;
  const ids = new Set(group.pictures.map(({ id }) => id));
  const left = { keep: ids.has(mark.keep) ? mark.keep : group.id, not: mark.not.filter((id) => ids.has(id)) };
  if (left.keep === mark.keep && left.not.length === mark.not.length) return;
  view.notice = "A photo that you had marked is no longer in this group: it was forgotten, or somebody changed the group.";
  putMarks(view, [[group.id, isChange(group, left) ? left : null]]);
}

function here(view) {
  return view.data.groups.find((group) => group.place === view.place);
}

function markOf(view, group) {
  return view.marks.get(group.id) || { keep: group.id, not: [] };
}

function isChange(group, { keep: stays, not }) {
  return stays !== group.id || not.length > 0;
}

function isMarked(view, group) {
  return isChange(group, markOf(view, group));
}

function change(view, group, changed) {
  view.notice = "";
  setMarks(view, [[group.id, isChange(group, changed) ? changed : null]]);
  refresh(view);
}

function marksHere(view) {
  return view.data.items.filter(({ id }) => view.marks.has(id)).length;
}

// ---- drawing

function build(view, parent) {
  const root = make("div", "duplicates");
  root.tabIndex = -1;
  view.root = root;
  const bar = make("div", "bar", "", root);
  view.count = make("span", "count", "", bar);
  view.count.setAttribute("aria-live", "polite");
  view.state = make("span", "state", "", bar);
  button(view, bar, "keep", "K", "keep this one", () => keep(view));
  button(view, bar, "not", "N", "not a copy", () => notCopy(view));
  button(view, bar, "zoom", "Space", "compare", () => zoom(view));
  button(view, bar, "undo", "U", "undo", () => undo(view));
  button(view, bar, "back", "B", "back", () => go(view, view.place - 1));
  button(view, bar, "go", "Enter", "next group", () => next(view));
  view.apart = make("div", "apart", "", root);
  view.about = make("div", "about", "", root);
  view.about.setAttribute("aria-live", "polite");
  view.holder = make("div", "holder", "", root);
  view.holder.setAttribute("role", "listbox");
  view.holder.setAttribute("aria-label", "a group of copies");
  view.dialog = make("dialog", "", "", root);
  view.dialog.onclose = () => { view.zoomed = false; focus(view); };
  place(parent, root);
  hearOthers(view);
  refresh(view);
  if (view.zoomed) showZoom(view);
}

function refresh(view) {
  const group = here(view);
  const { total, message } = view.data;
  view.root.classList.toggle("sending", Boolean(view.sending));
  view.count.textContent = `group ${(view.place + 1).toLocaleString("en")} of ${total.toLocaleString("en")}`;
  if (message) view.count.textContent += ` · ${message}`;
  tell(view, view.sending ? "saving …" : view.notice || describe(view, group), !view.sending && view.notice);
  refreshState(view, marksHere(view));
  paintApart(view, "groups that are not on this page, or have changed", [["bring", "show them", () => find(view)]]);
  const few = group.pictures.length <= 3;
  view.holder.className = few ? "holder few" : "holder";
  view.holder.dataset.id = group.id;
  view.holder.replaceChildren(...group.pictures.map((picture, index) => tile(view, group, picture, index)));
  if (group.hidden) button(view, view.holder, "more", "M", `${group.hidden.toLocaleString("en")} more copies`, () => more(view));
}

function describe(view, group) {
  if (!group.pictures.length) return "This group has no copies any more. Press Enter to go on.";
  const unsaved = isMarked(view, group) ? "changed: press Enter to save" : "";
  const labels = group.labels.length ? `conflicting labels: ${group.labels.join(", ")}` : "";
  return [labels, `kept: ${group.why}`, unsaved].filter(Boolean).join(" · ");
}

function tell(view, text, warn) {
  view.about.textContent = text;
  view.about.classList.toggle("warn", Boolean(warn));
}

function roleOf(mark, id) {
  if (mark.keep === id) return ["stays", "★ kept"];
  return mark.not.includes(id) ? ["not", "✓ not a copy"] : ["copy", "✕ copy"];
}

function tile(view, group, picture, index) {
  const [role, word] = roleOf(markOf(view, group), picture.id);
  const element = make("figure", `tile ${role}${index === view.cursor ? " here" : ""}`);
  element.dataset.id = picture.id;
  element.setAttribute("role", "option");
  element.setAttribute("aria-selected", String(index === view.cursor));
  if (picture.src) {
    const image = make("img", picture.veiled ? "veiled" : "", "", element);
    image.src = picture.src;
    image.alt = `picture ${index + 1}, ${word.slice(2)}`;
    image.draggable = false;
  } else make("div", "missing", "the file is missing", element);
  make("div", "role", word, element);
  const list = make("dl", "facts", "", element);
  for (const [name, text] of picture.facts) {
    make("dt", "", name, list);
    make("dd", "", text, list).title = text;
  }
  element.onclick = () => { if (view.sending) return; view.cursor = index; refresh(view); };
  element.ondblclick = () => zoom(view);
  return element;
}

// ---- keys

function onKey(view, event) {
  const key = keyOf(event);
  const control = event.composedPath()[0]?.closest?.("button, a, [role=option], [tabindex='0']");
  if (control && !view.root.contains(control) && (key in STEPS || " Enter".includes(key))) return;
  const act = { k: keep, n: notCopy, u: undo, b: (one) => go(one, one.place - 1), m: more, " ": zoom, Enter: next }[key];
  if (!act && !(key in STEPS)) return;
  if (!view.sending && (!event.repeat || key in STEPS)) if (act) act(view); else step(view, STEPS[key]);
  event.preventDefault();
  event.stopImmediatePropagation();
}

function step(view, by) {
  const to = view.cursor + by;
  if (to < 0 || to >= here(view).pictures.length) return;
  view.cursor = to;
  refresh(view);
  view.holder.children[to].scrollIntoView({ block: "nearest" });
  if (view.zoomed) showZoom(view);
}

function keep(view) {
  const group = here(view);
  const chosen = group.pictures[view.cursor];
  if (view.sending || !chosen) return;
  change(view, group, { keep: chosen.id, not: markOf(view, group).not.filter((id) => id !== chosen.id) });
}

function notCopy(view) {
  const group = here(view);
  const chosen = group.pictures[view.cursor];
  if (view.sending || !chosen) return;
  const { keep: stays, not } = markOf(view, group);
  if (stays === chosen.id) return tell(view, "This photo is the one that is kept: press K on another photo first.", true);
  const others = not.filter((id) => id !== chosen.id);
  change(view, group, { keep: stays, not: others.length < not.length ? others : [...not, chosen.id] });
}

function next(view) {
  if (view.sending) return;
  const group = here(view);
  if (!group.pictures.length || !isMarked(view, group)) return go(view, view.place + 1);
  const { keep: stays, not } = markOf(view, group);
  view.dialog.close();
  sendPage(view, { place: view.place, group: group.id, keep: stays, not, judged: [{ id: group.id }] });
  refresh(view);
}

function go(view, to) {
  if (view.sending) return;
  if (to < 0) return tell(view, "This is the first group.", true);
  if (to >= view.data.total) return tell(view, "This was the last group.", true);
  view.dialog.close();
  Object.assign(view, { place: to, cursor: 0, notice: "" });
  if (here(view)) return refresh(view);
  view.place = view.data.groups[0].place; // stays in sight, dimmed, until the next page comes
  view.send({ kind: "turn", place: to });
  refresh(view);
}

function undo(view) {
  if (view.sending) return;
  const index = takeBackMark(view, here(view).id);
  if (index >= 0) {
    const { place: to } = view.data.items[index];
    if (to !== view.place) Object.assign(view, { place: to, cursor: 0 });
    view.notice = "";
    return refresh(view);
  }
  view.dialog.close();
  view.send({ kind: "undo", reviewer: view.data.reviewer });
  refresh(view);
}

/** Go to a marked group that is on another page. */
function find(view) {
  if (view.sending) return;
  view.send({ kind: "find", ids: marksElsewhere(view) });
  refresh(view);
}

function more(view) {
  if (view.sending || !here(view).hidden) return;
  view.send({ kind: "more", place: view.place });
  refresh(view);
}

// ---- two large pictures side by side

function zoom(view) {
  if (view.dialog.open) return view.dialog.close();
  if (view.sending || !here(view).pictures.length) return;
  view.zoomed = true;
  showZoom(view);
}

function showZoom(view) {
  const { pictures } = here(view);
  const chosen = pictures[view.cursor];
  const sides = chosen === pictures[0] ? [chosen] : [pictures[0], chosen];
  if (sides.some(({ id }) => !view.zooms.has(id)) && !view.sending) view.send({ kind: "zoom", place: view.place, id: chosen.id });
  view.dialog.replaceChildren(...sides.map((picture) => {
    const element = make("figure");
    const image = make("img", "", "", element);
    image.src = view.zooms.get(picture.id) || picture.src;
    image.alt = picture === pictures[0] ? "the photo that is kept" : "the copy";
    make("figcaption", "", picture.facts.map(([, text]) => text).join(" · "), element);
    return element;
  }), ...(sides.length > 1 ? [difference(...sides.map(({ id }) => view.zooms.get(id)), chosen)] : []));
  if (!view.dialog.open) view.dialog.showModal();
}

/** A map of where two pictures differ: black = alike, the brighter the further apart. */
function difference(kept, copy, { mirrored, why }) {
  const element = make("figure", "difference");
  const canvas = make("canvas", "", "", element);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", "where the two pictures differ");
  const says = make("figcaption", "", "", element);
  if (kept && copy) Promise.all([kept, copy].map(decoded)).then((images) => {
    const share = paintDifference(canvas, images, mirrored);
    says.textContent = `${Math.round(100 * share)} % of the picture differs${mirrored ? ", the copy mirrored back" : ""} · ${why}`;
  });
  return element;
}

async function decoded(src) {
  const image = new Image();
  image.src = src;
  await image.decode();
  return image;
}

function paintDifference(canvas, [kept, copy], mirrored) {
  const [wide, high] = [kept.naturalWidth, kept.naturalHeight];
  Object.assign(canvas, { width: wide, height: high });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const pixels = [kept, copy].map((image, index) => {
    pen.setTransform(mirrored && index ? -1 : 1, 0, 0, 1, mirrored && index ? wide : 0, 0);
    pen.drawImage(image, 0, 0, wide, high); // another size is brought to the kept one's
    return pen.getImageData(0, 0, wide, high);
  });
  const [one, other] = pixels.map(({ data }) => data);
  let far = 0;
  for (let at = 0; at < one.length; at += 4) {
    const apart = Math.max(...[0, 1, 2].map((channel) => Math.abs(one[at + channel] - other[at + channel])));
    far += apart > DIFFERS;
    one[at] = one[at + 1] = one[at + 2] = Math.min(255, 3 * apart);
    one[at + 3] = 255;
  }
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.putImageData(pixels[0], 0, 0);
  return far / (one.length / 4);
}
