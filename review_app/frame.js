// What the components share; put in front of a component's own script. Whatever comes from the web
// is set as text, never as HTML.

const views = new Map(); // by component key, so that a redraw forgets nothing

/** One drawing of a component. fresh: its view at first. build(view, parent) and onKey(view, event) are its own. */
function mount({ data, parentElement, setTriggerValue, key }, fresh, { adopt, build, onKey }) {
  const view = views.get(key) || { number: 0, ...fresh() };
  views.set(key, view);
  window.removeEventListener("keydown", view.onKey, true);
  const before = view.data;
  view.data = data;
  // While something is being saved what comes next cannot be seen, so no key may fall on it.
  const restarted = before && before.answered.session !== data.answered.session;
  if (!before || restarted || data.answered.number === view.number) view.sending = false;
  adopt(view, before);
  view.send = (answer) => {
    view.sending = true;
    view.number = Date.now() + Math.random();
    setTriggerValue("answer", { ...answer, number: view.number });
  };
  build(view, parentElement);
  if (!isTyping(document.activeElement)) view.root.focus({ preventScroll: true });
  view.onKey = (event) => {
    if (!view.root.isConnected || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!isTyping(event.composedPath()[0])) onKey(view, event);
  };
  // Captured at the window, because Streamlit has shortcuts of its own.
  window.addEventListener("keydown", view.onKey, true);
  return () => window.removeEventListener("keydown", view.onKey, true);
}

function make(tag, className, text, parent) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  if (parent) parent.append(element);
  return element;
}

/** The component's root element, in the place of the one before. */
function place(parent, root) {
  const old = parent.querySelector(`.${root.className.split(" ")[0]}`);
  if (old) old.replaceWith(root); else parent.append(root);
}

function button(view, parent, className, key, text, onClick) {
  const element = make("button", className, "", parent);
  element.type = "button";
  make("kbd", "", key, element);
  element.append(text);
  element.onclick = () => { onClick(); view.root.focus({ preventScroll: true }); }; // or Space would press it again
  return element;
}

function isTyping(element) {
  return Boolean(element?.closest?.("input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable=true], [role=combobox]"));
}
