// How large the pictures are: as large as lets the whole page be seen, or what the reviewer chose.

const SMALLEST = 80;
const LARGEST = 512;
const [EARLIER_SMALLEST, EARLIER_LARGEST] = [132, 240]; // where there are words below the picture
const GAP = 6;
const NEARLY = 0.8; // of the most columns, for rows that fill
const WORTH = 0.9; // of the largest size: a last row that is full is worth a tenth of it, and no more
const TILE_KEY = "btfer tile";
const SHARP = [0, 256, 512]; // pixels that the server can send; 0 = the thumbnails

function chosenSize() {
  try { return Number(localStorage.getItem(TILE_KEY)) || 0; } catch { return 0; }
}

function resize(view, px) {
  view.tilePx = px ? Math.min(LARGEST, Math.max(SMALLEST, Math.round(px))) : 0;
  try { localStorage.setItem(TILE_KEY, view.tilePx); } catch { /* kept in this window only */ }
  size(view);
}

function larger(view) { resize(view, shownSize(view) * 1.2); view.tiles[view.cursor].scrollIntoView({ block: "nearest" }); }
function smaller(view) { resize(view, shownSize(view) / 1.2); }
function fit(view) { resize(view, 0); }

function shownSize(view) {
  return view.tilePx || parseFloat(view.grid.style.getPropertyValue("--tile"));
}

/** How n tiles lie best in this place, all of it on the screen where they can: their size, and how many in a row. */
function fitting(n, width, height) {
  const ways = [];
  for (let columns = 1; columns <= n; columns += 1) {
    const rows = Math.ceil(n / columns);
    const px = Math.min((width - GAP * (columns - 1)) / columns, (height - GAP * (rows - 1)) / rows);
    ways.push({ px, columns, blank: rows * columns - n });
  }
  const most = Math.max(...ways.map(({ px }) => px));
  if (most < SMALLEST) return { px: SMALLEST, columns: inRows(n, columnsOf(SMALLEST, width)) };
  const good = ways.filter(({ px }) => px >= WORTH * most);
  const { px, columns } = good.sort((one, other) => one.blank - other.blank || other.px - one.px)[0];
  return { px: Math.min(LARGEST, px), columns };
}

/** Until the reviewer chooses: below a picture that was judged stands who said what when, which needs some room. */
function first(view, n, width, room) {
  if (!view.data.earlier) return fitting(n, width, room);
  const px = Math.min(width, EARLIER_LARGEST, Math.max(EARLIER_SMALLEST, 0.09 * window.innerWidth));
  return { px, columns: inRows(n, columnsOf(px, width)) };
}

function columnsOf(px, width) {
  return Math.max(1, Math.floor((width + GAP) / (px + GAP)));
}

/** A few columns less where the last row is full then. */
function inRows(n, most) {
  for (let columns = most; columns >= NEARLY * most; columns -= 1) if (n % columns === 0) return columns;
  return most;
}

function size(view) {
  view.tilePx ??= chosenSize();
  const { grid } = view;
  view.sizer?.disconnect();
  const lay = () => {
    const room = window.innerHeight - Math.max(0, grid.getBoundingClientRect().top + pageScroll(grid)) - 16;
    const width = grid.clientWidth;
    if (!width) return;
    const n = view.tiles.length;
    const chosen = Math.min(view.tilePx, width);
    const { px, columns } = chosen ? { px: chosen, columns: inRows(n, columnsOf(chosen, width)) } : first(view, n, width, room);
    grid.style.setProperty("--tile", `${px}px`);
    grid.style.setProperty("--columns", columns);
    view.slider.value = px;
    sharpen(view, px);
    besidePicture(view);
  };
  view.sizer = new ResizeObserver(lay);
  view.sizer.observe(view.root);
}

/** How far the page is scrolled: the grid's own place does not depend on it. */
function pageScroll(element) {
  let scrolled = window.scrollY;
  for (let one = element.getRootNode().host; one; one = one.parentElement) scrolled += one.scrollTop;
  return scrolled;
}

/** Larger pictures are fetched when they are asked for: photos by the slider only, because each is decoded anew. */
function sharpen(view, px) {
  const { round, sharp } = view.data;
  const wanted = round === "faces" || view.tilePx ? px * Math.min(2, window.devicePixelRatio) : 0;
  const asked = wanted > 300 ? SHARP[2] : wanted > 165 ? SHARP[1] : SHARP[0];
  const enough = round === "faces" ? Math.min(asked, SHARP[1]) : asked; // a crop has 256 pixels
  if (enough <= Math.max(sharp, view.sharp || 0)) return;
  view.sharp = enough;
  clearTimeout(view.sharpening); // while the slider moves
  view.sharpening = setTimeout(() => { if (!view.sending) view.post({ kind: "sharp", px: enough, number: newNumber() }); }, 400);
}
