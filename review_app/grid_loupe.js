// What opens over the grid: the picture under the loupe, two side by side, the keys, the guidelines.

const KEPT_ZOOMS = 30;
const MOST_ENLARGED = 6; // times
const GUIDE_KEY = "btfer guidelines read";
const KEYS = [
  ["← ↑ ↓ →", "to another picture"], ["Shift + ← ↑ ↓ →", "select a range, as Shift + click does; draw the mouse over pictures for a rectangle"],
  ["Ctrl + click", "select one more picture"], ["Ctrl + A", "select the page; a key then marks all that is selected, and U takes that back at once"], ["Space", "look at it closely, and close again"],
  ["M", "write a note on the picture; Esc when it is done"],
  ["B", "hold a picture; B on another shows both side by side"], ["+ and -", "larger and smaller pictures"],
  ["0", "as large as fits the page"], ["G", "guidelines"], ["?", "this list"], ["Esc", "close; select nothing"],
];

function keepZoom(view, zoom) {
  view.zooms.set(zoom.id, zoom);
  if (view.zooms.size > KEPT_ZOOMS) view.zooms.delete(view.zooms.keys().next().value);
}

function close(view) {
  view.dialog.close(); // the browser gives the focus back to where it was when the sheet opened
  view.zoomed = "";
}

/** Open one kind of sheet, or close it where it is open. */
function sheet(view, kind) {
  if (view.sending) return;
  if (view.zoomed === kind) { close(view); return focus(view); }
  show(view, kind);
}

function loupe(view) { sheet(view, view.zoomed === "pair" ? "pair" : "loupe"); }
function help(view) { sheet(view, "help"); }

/** Hold the picture under the cursor; where another one is held, show the two. */
function compare(view) {
  const { id } = view.data.items[view.cursor];
  if (view.zoomed === "pair") { view.pinned = ""; close(view); refresh(view); return focus(view); }
  if (!view.pinned || view.pinned === id || !view.data.items.some((item) => item.id === view.pinned)) {
    view.pinned = view.pinned === id ? "" : id;
    return refresh(view);
  }
  show(view, "pair");
}

function show(view, kind) {
  view.zoomed = kind;
  const sheets = { loupe: showLoupe, pair: showPair, help: showHelp };
  view.dialog.className = kind;
  view.dialog.setAttribute("aria-label", { loupe: "picture", pair: "two pictures", help: "keys and hints" }[kind]);
  sheets[kind](view);
  if (!view.dialog.open) view.dialog.showModal();
  view.dialog.focus({ preventScroll: true }); // not its first button: Space would press that
  placeNote(view);
}

function fetched(view, item) {
  const found = view.zooms.get(item.id);
  if (!found && view.looking !== item.id) {
    Object.assign(view, { looking: item.id, lookedFor: Date.now() });
    view.post({ kind: "zoom", id: item.id, number: newNumber() });
  }
  return found;
}

/** Of two wishes that come while a slow server is busy, it hears only the second: what did not come is asked for again. */
function wishAgain(view) {
  if (view.sending || Date.now() - (view.lookedFor || 0) < LATE_MS) return;
  view.lookedFor = Date.now();
  if (view.guiding && !view.data.examples && view.data.guidelines.text) view.post({ kind: "guide", number: newNumber() });
  else if (view.looking && view.data.zoom?.id !== view.looking && !view.zooms.has(view.looking) && ["loupe", "pair"].includes(view.zoomed)) {
    view.post({ kind: "zoom", id: view.looking, number: newNumber() });
  }
}

function showLoupe(view) {
  const item = view.data.items[view.cursor];
  view.seen.add(item.id);
  const found = fetched(view, item);
  const pictures = make("div", "pictures");
  if (found?.face) face(found, pictures);
  pictures.append(picture(item, found));
  const side = make("div", "side");
  side.append(steps(view), facts(view, item, found), legendOf(view), words(view, item, found));
  view.dialog.replaceChildren(pictures, side);
  view.drawByKey = null;
  if (!view.dialog.open) view.drawn = null; // what was begun before is given up
  if (view.data.draws) drawable(view, pictures.querySelector(".frame"), item);
}

function face(found, parent) {
  const figure = make("figure", "face", "", parent);
  const image = make("img", "", "", figure);
  image.src = found.face;
  image.alt = "the face, enlarged";
  make("figcaption", "", found.scale, figure);
}

function steps(view) {
  const bar = make("div", "bar");
  const { items } = view.data;
  const [left, right] = view.data.draws ? ["", ""] : ["←", "→"]; // else the arrows draw
  button(view, bar, "previous", left, "previous", () => act(view, "ArrowLeft"));
  make("span", "count", `${view.cursor + 1} of ${items.length}`, bar);
  button(view, bar, "next", right, "next", () => act(view, "ArrowRight"));
  button(view, bar, "close", "Space", "close", () => { close(view); focus(view); });
  return bar;
}

function picture(item, found) {
  const holder = make("div", "photo");
  const frame = make("div", "frame", "", holder);
  const image = make("img", "", "", frame);
  image.alt = item.about.phrase;
  image.src = found ? found.src : item.src;
  image.onload = () => {
    frame.style.setProperty("--ratio", image.naturalWidth / image.naturalHeight);
    enlarge(image, holder);
    if (found?.boxes.length) frame.append(outlined(found.boxes, found.size, 3));
  };
  return holder;
}

/** A small picture fills the sheet too, as far as its pixels carry: beside a tile it would else be no larger. */
function enlarge(image, holder) {
  const { naturalWidth: wide, naturalHeight: high } = image;
  const room = 0.94 * window.innerHeight - (holder.closest(".pair") ? 110 : 60);
  const fits = Math.min(MOST_ENLARGED * high, room, (holder.clientWidth * high) / wide);
  if (fits > 0) image.style.minHeight = `${Math.floor(fits)}px`;
}

/** Boxes over a picture. size: of the photo in pixels; width: of the line on the screen. */
function outlined(boxes, size, width) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `0 0 ${size[0]} ${size[1]}`);
  svg.setAttribute("aria-hidden", "true");
  for (const [x, y, w, h] of boxes) {
    for (const [colour, px] of [["#000", width + 2], ["#f0e442", width]]) {
      const rectangle = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      const at = { x, y, width: w, height: h, fill: "none", stroke: colour, "stroke-width": px, "vector-effect": "non-scaling-stroke" };
      for (const [name, value] of Object.entries(at)) rectangle.setAttribute(name, value);
      svg.append(rectangle);
    }
  }
  return svg;
}

function facts(view, item, found) {
  const list = make("dl", "facts");
  const [mark, beside] = [view.marks.get(item.id), view.notes.get(item.id)];
  const shown = {
    "your mark": [mark ? wordOf(mark) : view.data.settle || view.data.earlier ? "" : "keep", beside?.unsure && "unsure"].filter(Boolean).join(", "),
    [view.data.earlier?.heading]: item.says,
    label: item.label, query: item.about.phrase, language: item.about.language,
    title: item.about.title, source: item.about.source, author: item.about.author,
    licence: item.about.licence, size: `${item.size[0]} x ${item.size[1]} px${found?.file_size ? `, ${found.file_size}` : ""}`,
    file: found?.file, hash: item.hash, 
  };
  if (item.badges.length) {
    make("dt", "", view.data.settle ? "votes" : "hints", list);
    for (const word of item.badges) make("dd", "", explained(view, item, word), list);
  }
  for (const [name, text] of Object.entries(shown)) {
    if (!text) continue;
    make("dt", "", name, list);
    make("dd", "", text, list);
  }
  const address = item.about.page_url;
  if (address) {
    make("dt", "", "page", list);
    link(address, make("dd", "", "", list));
  }
  return list;
}

/** What was written beside the picture, which may be long, and what others said. */
function words(view, item, found) {
  const list = make("dl", "facts");
  const own = view.noting ? "" : view.notes.get(item.id)?.note;
  if (own) { make("dt", "", "your note", list); make("dd", "", own, list); }
  if (found?.votes.length) make("dt", "", view.data.settle || view.data.earlier ? "notes" : "votes", list);
  for (const vote of found?.votes || []) make("dd", "", vote, list);
  return list;
}

/** Only http and https become a link: an address from the web may be anything. */
function link(address, parent) {
  let url = null;
  try { url = new URL(address); } catch { /* text */ }
  if (!url || !["http:", "https:"].includes(url.protocol)) return parent.append(address);
  const element = make("a", "", address, parent);
  Object.assign(element, { href: url.href, target: "_blank", rel: "noopener noreferrer" });
  return element;
}

function legendOf(view) {
  const legend = make("div", "legend");
  const add = (className, key, text) => button(view, legend, className, key.toUpperCase(), text, () => act(view, key));
  for (const { key, ...mark } of view.data.keys) add(mark.decision, key, wordOf(mark));
  if (!view.data.keys.length) return legend;
  if (!view.data.no_doubt) add("beside", "q", "unsure");
  add("beside", "m", "note");
  return legend;
}

function showPair(view) {
  const { items } = view.data;
  const two = [items.find((item) => item.id === view.pinned), items[view.cursor]].filter(Boolean);
  const pictures = make("div", "pictures");
  const missing = two.find((item) => !view.zooms.has(item.id));
  for (const item of two) {
    const figure = picture(item, view.zooms.get(item.id));
    make("div", "caption", [`${items.indexOf(item) + 1}`, item.label, `${item.size[0]} x ${item.size[1]} px`, ...item.badges].join(" · "), figure);
    pictures.append(figure);
  }
  const bar = make("div", "bar");
  make("span", "count", "Two side by side", bar);
  button(view, bar, "close", "B", "close", () => compare(view));
  view.dialog.replaceChildren(bar, pictures);
  if (missing) fetched(view, missing);
}

/** What differs from page to page. */
function keysHere(data) {
  const { earlier, no_doubt: sure } = data;
  const back = earlier ? "take back the last mark" : "take back the last mark, then the last page";
  const doubt = sure ? [] : [["Q", "unsure: a second person is to judge it too"]];
  return [["Enter", restOf(data)], ["U", back], ...doubt];
}

/** What Enter does. */
function restOf({ settle, earlier }) {
  return settle ? "settle the marked ones" : earlier ? "send the marked ones" : "keep the rest, next page";
}

function showHelp(view) {
  const text = make("div", "words");
  make("h2", "", "Keys", text);
  list(text, [...KEYS, ...keysHere(view.data)]);
  make("h2", "", "Marks", text);
  list(text, [...view.brushes].map(([key, chip]) => [key.toUpperCase(), chip.lastChild.textContent]));
  make("h2", "", "Hints: what may be wrong, never a verdict", text);
  list(text, Object.entries(view.data.hints));
  const bar = make("div", "bar");
  button(view, bar, "close", "?", "close", () => { close(view); focus(view); });
  view.dialog.replaceChildren(bar, text);
}

function list(parent, pairs) {
  const element = make("dl", "facts", "", parent);
  for (const [name, text] of pairs) { make("dt", "", name, element); make("dd", "", text, element); }
}

// ---- guidelines

function guide(view) {
  if (!view.data.guidelines.text) return;
  view.guiding = !view.guiding;
  if (view.guiding) showGuide(view); else view.panel.hidden = true;
  size(view);
  refresh(view);
}

/** The team's own words beside the grid: headings, points and paragraphs, all of it text. */
function showGuide(view) {
  const { text, version } = view.data.guidelines;
  view.panel.hidden = false;
  view.panel.replaceChildren();
  for (const block of text.split(/\n(?=\s*\n|\s*[-*#])/)) {
    const plain = block.replace(/\*\*|`/g, "").trim().replace(/\s*\n\s*/g, " ");
    const heading = /^(#+)\s*(.*)/.exec(plain);
    if (heading) make(heading[1].length > 1 ? "h3" : "h2", "", heading[2], view.panel);
    else if (/^[-*] /.test(plain)) make("p", "point", plain.slice(2), view.panel);
    else if (plain) make("p", "", plain, view.panel);
  }
  showExamples(view);
  try { localStorage.setItem(GUIDE_KEY, version); } catch { /* asked again after a reload */ }
  view.read = version;
}

/** Rendered faces of nobody; fetched when they are first asked for. */
function showExamples(view) {
  const { examples } = view.data;
  if (!examples) {
    if (!view.sending) view.post({ kind: "guide", number: newNumber() });
    return;
  }
  make("h2", "", "Drawn examples", view.panel);
  for (const [label, pictures] of Object.entries(examples)) {
    const figure = make("figure", "examples", "", view.panel);
    make("figcaption", "", label, figure);
    pictures.forEach((src, index) => Object.assign(make("img", "", "", figure), { src, alt: `${label}, drawn example ${index + 1}` }));
  }
}

/** The version that this reviewer had before them last; '' = none. */
function readGuide(view) {
  try { return localStorage.getItem(GUIDE_KEY) || view.read || ""; } catch { return view.read || ""; }
}
