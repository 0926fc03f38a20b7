// Several pictures at once: a range, a rectangle, single ones or the whole page. What a key means is then said of all.

/**
 * The pictures that a key is about: under the loupe the one that is seen, else what is selected, else the one here.
 * What cannot be judged here is none.
 */
function targets(view) {
  const alone = view.zoomed || !view.selected.size;
  const meant = alone ? [view.data.items[view.cursor]] : view.data.items.filter(({ id }) => view.selected.has(id));
  return meant.filter(({ fixed }) => !fixed).map(({ id }) => id);
}

function selectNothing(view) {
  view.selected = new Set();
  view.anchor = view.cursor;
}

/** From where the range began to the picture under the cursor, in reading order. */
function selectRange(view) {
  const [from, to] = [Math.min(view.anchor, view.cursor), Math.max(view.anchor, view.cursor)];
  view.selected = new Set(view.data.items.slice(from, to + 1).map(({ id }) => id));
}

function selectAll(view) {
  view.selected = new Set(view.data.items.map(({ id }) => id));
}

/** All in the rectangle between two pictures. */
function selectBetween(view, one, other, besides) {
  const boxes = view.tiles.map((element) => element.getBoundingClientRect());
  const [a, b] = [boxes[one], boxes[other]];
  const [left, right] = [Math.min(a.left, b.left), Math.max(a.right, b.right)];
  const [top, bottom] = [Math.min(a.top, b.top), Math.max(a.bottom, b.bottom)];
  const inside = (box) => box.left < right && box.right > left && box.top < bottom && box.bottom > top;
  view.selected = new Set([...besides, ...view.data.items.filter((_, index) => inside(boxes[index])).map(({ id }) => id)]);
}

function clicked(view, index, event) {
  if (view.sending || view.dragged) return;
  endNote(view);
  view.cursor = index;
  const { id } = view.data.items[index];
  if (event.shiftKey) selectRange(view);
  else if (event.ctrlKey || event.metaKey) {
    if (!view.selected.delete(id)) view.selected.add(id);
    view.anchor = index;
  } else {
    selectNothing(view);
    if (view.brush) toggle(view, view.brush);
  }
  refresh(view);
  focus(view);
}

/** The mouse is drawn over pictures; a finger or a pen scrolls. */
function draggable(view) {
  const tileOf = ({ target }) => view.tiles.indexOf(target.closest?.(".tile"));
  let from = -1;
  let besides = [];
  view.grid.onpointerdown = (event) => {
    view.dragged = false;
    from = event.button === 0 && event.pointerType === "mouse" && !event.shiftKey ? tileOf(event) : -1;
    besides = event.ctrlKey || event.metaKey ? [...view.selected] : [];
  };
  view.grid.onpointermove = (event) => {
    if (!(event.buttons & 1)) from = -1;
    const at = from < 0 || view.sending ? -1 : tileOf(event);
    if (at < 0 || (at === from && !view.dragged)) return;
    Object.assign(view, { dragged: true, cursor: at, anchor: from });
    selectBetween(view, from, at, besides);
    refresh(view);
    focus(view);
  };
}
