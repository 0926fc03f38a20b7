// A face is drawn on the large picture: two corners, by clicks, or by arrow keys and Enter.

const SMALLEST_SIDE = 0.01; // of the picture: less is a double click, and no face
const FIRST = "There is a face: click two corners of it, or move by arrow keys (Shift: further) and press Enter twice.";
const SECOND = "Now the opposite corner.";

/** What was drawn so far survives that the picture is drawn anew, sharper or with another mark. */
function drawable(view, frame, item) {
  if (view.drawn?.id !== item.id) view.drawn = { id: item.id, at: { x: 0.4, y: 0.3 }, first: null }; // shares of the picture
  const { at } = view.drawn;
  let { first } = view.drawn;
  const box = make("div", "box", "", frame);
  const cross = make("div", "cross", "", frame);
  const says = make("p", "drawing");
  says.setAttribute("role", "status");
  view.dialog.querySelector(".side").prepend(says);
  frame.classList.add("drawn");
  frame.tabIndex = 0;
  frame.setAttribute("role", "application");
  frame.setAttribute("aria-label", "draw a box around the face");
  const drawn = () => [Math.min(first.x, at.x), Math.min(first.y, at.y), Math.abs(first.x - at.x), Math.abs(first.y - at.y)];
  const show = () => {
    says.textContent = first ? SECOND : FIRST;
    cross.style.cssText = `left:${100 * at.x}%;top:${100 * at.y}%`;
    if (!first) return;
    const [left, top, wide, high] = drawn().map((share) => `${100 * share}%`);
    box.style.cssText = `display:block;left:${left};top:${top};width:${wide};height:${high}`;
  };
  const corner = () => {
    if (!first) {
      view.drawn.first = first = { ...at };
      return show();
    }
    if (Math.min(...drawn().slice(2)) < SMALLEST_SIDE) return;
    const face = { kind: "face", id: item.id, box: drawn() };
    view.drawn = null;
    close(view);
    ask(view, face);
  };
  const place = (event) => {
    const { left, top, width, height } = frame.getBoundingClientRect();
    at.x = Math.min(1, Math.max(0, (event.clientX - left) / width));
    at.y = Math.min(1, Math.max(0, (event.clientY - top) / height));
  };
  frame.onpointermove = (event) => { place(event); show(); };
  frame.onclick = (event) => { place(event); corner(); };
  /** Whether the key moved the cross or set a corner. */
  view.drawByKey = ({ key, shiftKey, repeat }) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
    if (step) {
      const by = shiftKey ? 0.1 : 0.02;
      at.x = Math.min(1, Math.max(0, at.x + by * step[0]));
      at.y = Math.min(1, Math.max(0, at.y + by * step[1]));
      show();
    } else if (key === "Enter" && !repeat) corner();
    return Boolean(step) || key === "Enter";
  };
  show();
}
