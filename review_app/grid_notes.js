// What a reviewer writes beside a picture, and that they are unsure: both stay with the marks until Enter sends them.

const LONGEST_NOTE = 10000; // letters, as the server takes them

/** What is beside a picture after a change; null = nothing any more. */
function beside(view, id, change) {
  const one = { note: "", unsure: false, ...view.notes.get(id), ...change };
  return one.note || one.unsure ? one : null;
}

/** A second person is asked for, or no longer. */
function doubt(view) {
  if (view.data.settle) return warn(view, "The last word is sure: leave the picture unmarked for somebody else.");
  const ids = targets(view);
  const all = ids.every((id) => view.notes.get(id)?.unsure);
  setMarks(view, ids.map((id) => [id, undefined, beside(view, id, { unsure: !all })]));
  refresh(view);
  if (view.zoomed) show(view, "loupe");
}

/** Open the note on the picture under the cursor. */
function write(view) {
  if (view.zoomed && view.zoomed !== "loupe") return;
  const { id } = view.data.items[view.cursor];
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

/** The open note is where the picture is: beside the loupe, or above the grid. It survives that these are drawn anew. */
function placeNote(view) {
  if (!view.noting) return;
  const parent = view.zoomed === "loupe" ? view.dialog.querySelector(".side") : view.noteHolder;
  if (view.noteBox.parentNode !== parent) parent.prepend(view.noteBox);
  view.noteBox.querySelector("textarea").focus();
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
