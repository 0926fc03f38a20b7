// What a reviewer writes beside a picture, and that they are unsure: both stay with the marks until Enter sends them.

const LONGEST_NOTE = 10000; // letters, as the server takes them

/** What is beside a picture after a change; null = nothing any more. */
function beside(view, id, change) {
  const one = { note: "", unsure: false, ...view.notes.get(id), ...change };
  return one.note || one.unsure ? one : null;
}

/** A second person is asked for, or no longer. */
function doubt(view) {
  if (view.data.no_doubt) return warn(view, view.data.no_doubt);
  const ids = targets(view);
  if (!ids.length) return warn(view, view.data.earlier.closed);
  const all = ids.every((id) => view.notes.get(id)?.unsure);
  setMarks(view, ids.map((id) => [id, undefined, beside(view, id, { unsure: !all })]));
  refresh(view);
  if (view.zoomed) show(view, "loupe");
}

/** Open the note on the picture under the cursor. */
function write(view) {
  if (view.zoomed && view.zoomed !== "loupe") return;
  const { id, fixed } = view.data.items[view.cursor];
  if (fixed) return warn(view, view.data.earlier.closed);
  view.noting = id;
  view.noteBox?.remove();
  view.noteBox = noteBox(view, id);
  if (view.zoomed) show(view, "loupe"); else placeNote(view);
}

function noteBox(view, id) {
  const box = make("div", "note");
  const label = make("label", "", `Note on picture ${view.cursor + 1}`, box);
  const area = make("textarea", "", "", label);
  Object.assign(area, { value: view.notes.get(id)?.note || "", maxLength: LONGEST_NOTE, rows: 3 });
  let changed = false; // U takes back all that was written at once
  area.oninput = () => {
    const change = [id, undefined, beside(view, id, { note: area.value })];
    if (changed) putMarks(view, [change]); else setMarks(view, [change]);
    changed = true;
    refresh(view);
  };
  area.onkeydown = (event) => {
    event.stopPropagation(); // letters are text here, for Streamlit too
    if (event.isComposing || !(event.key === "Escape" || (event.key === "Enter" && (event.ctrlKey || event.metaKey)))) return;
    event.preventDefault();
    endNote(view);
    focusBehind(view);
  };
  button(view, box, "done", "Esc", "done", () => { endNote(view); focusBehind(view); });
  return box;
}

/** The open note is where the picture is: beside the loupe, or over the grid. It survives that these are drawn anew. */
function placeNote(view) {
  if (!view.noting) return;
  const parent = view.zoomed === "loupe" ? view.dialog.querySelector(".side") : view.noteHolder;
  if (view.noteBox.parentNode !== parent) parent.prepend(view.noteBox);
  besidePicture(view);
  view.noteBox.querySelector("textarea").focus();
}

/** Below the picture that it is about, or above where there is no room; it takes none from the others. */
function besidePicture(view) {
  const tile = view.noting && view.tiles.find(({ dataset }) => dataset.id === view.noting);
  if (!tile) return;
  const [one, root] = [tile, view.root].map((element) => element.getBoundingClientRect());
  const { offsetHeight: high } = view.noteHolder;
  const above = one.bottom + high > Math.max(root.bottom, window.innerHeight);
  view.noteHolder.style.top = `${(above ? one.top - high : one.bottom) - root.top}px`;
}

function endNote(view) {
  if (!view.noting) return;
  const zoomed = view.zoomed === "loupe";
  view.noting = "";
  view.noteBox.remove();
  if (zoomed) show(view, "loupe");
}

function focusBehind(view) {
  if (view.zoomed) view.dialog.focus({ preventScroll: true }); else focus(view);
}

/** In short, for the badge and for a screen reader. */
function noteInWords(one) {
  if (!one) return "";
  const note = one.note.length > 60 ? `${one.note.slice(0, 60)} …` : one.note;
  return [one.unsure && "unsure", note && `note: ${note}`].filter(Boolean).join(", ");
}
