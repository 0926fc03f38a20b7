// One picture of the grid: what is drawn of it once, and what changes with its mark.

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
  if (item.says) make("div", "says", item.says, element);
  if (item.fixed) element.classList.add("fixed");
  make("span", "label", item.label, element);
  const more = item.badges.length > 1 ? ` +${item.badges.length - 1}` : "";
  const hint = view.data.settle ? item.badges.join(" | ") : item.badges[0] + more;
  if (item.badges.length) make("span", "badge", hint, element).title = item.badges.map((word) => explained(view, item, word)).join("\n");
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

function explained(view, { details }, word) {
  const known = [details[word], view.data.hints[word]].filter(Boolean); // of this picture, and of the hint
  return known.length ? `${word}: ${known.join("; ")}` : word;
}

/** Each with what it says of this picture. */
function hintsOf({ badges, details }) {
  return badges.map((word) => (details[word] ? `${word} (${details[word]})` : word));
}

function paint(element, item, mark, index, view) {
  for (const name of ["drop", "relabel", "keep", "undo"]) element.classList.toggle(name, mark?.decision === name);
  element.classList.toggle("here", index === view.cursor);
  element.classList.toggle("pinned", item.id === view.pinned);
  const selected = view.selected.has(item.id);
  element.classList.toggle("selected", selected);
  element.tabIndex = index === view.cursor ? 0 : -1;
  element.setAttribute("aria-selected", String(selected));
  const [marked, beside] = [inWords(mark), view.notes.get(item.id)];
  element.querySelector(".flags").textContent = [beside?.unsure && "? unsure", beside?.note && "✎ note"].filter(Boolean).join(" ");
  element.querySelector(".mark").textContent = marked;
  const hints = hintsOf(item).map((hint) => `, ${hint}`).join("");
  const said = [marked && `marked ${marked}`, noteInWords(beside), selected && "selected"].filter(Boolean);
  element.setAttribute("aria-label", [`picture ${index + 1}, ${item.label}${hints}`, item.says, ...said].filter(Boolean).join(", "));
}

function inWords(mark) {
  if (!mark) return "";
  return `${{ drop: "✕", relabel: "→", keep: "✓", undo: "↩" }[mark.decision]} ${wordOf(mark)}`;
}

/** On its key. */
function wordOf({ decision, reason, expression }) {
  return reason || expression || (decision === "undo" ? "undo verdict" : decision);
}

function summary(item, index) {
  const { phrase, source, licence, title } = item.about;
  return [`${index + 1}`, item.says, item.label, ...hintsOf(item), phrase && `“${phrase}”`, source, licence, title]
    .filter(Boolean).join(" · ");
}

function waiting({ total, round, earlier }) {
  return earlier ? "" : `${total.toLocaleString("en")} ${total === 1 ? round.slice(0, -1) : round} waiting`;
}
