// What the components share; put in front of a component's own script. Whatever comes from the web
// is set as text, never as HTML.

const views = new Map(); // by component key, so that a redraw forgets nothing
const LATE_MS = 4000; // what is not answered for this long is sent again
const LATEST_MS = 30000;
const LOOK_MS = 5000; // between two looks whether the server is there
let focusedLast = null; // before Streamlit's box about a lost server took the focus
document.addEventListener("focusin", ({ target }) => { if (!alarm()?.contains(target)) focusedLast = target; }, true);

/**
 * One drawing of a component. fresh: its view at first. build(view, parent, before) and onKey(view, event) are its
 * own. resend(answer, restarted): whether an answer may be sent again, because the server knows it by its number.
 * The data come as a list of one: of an object, Streamlit would load pandas to look whether it holds tables.
 */
function mount({ data: [data], parentElement, setTriggerValue, key }, fresh, { adopt, build, onKey, resend }) {
  const view = views.get(key) || { number: "", online: true, looked: 0, ...fresh() };
  views.set(key, view);
  view.leave?.();
  const before = view.data;
  const own = hasFocus(view) || !view.root?.isConnected || view.sending;
  Object.assign(view, { data, heard: Date.now(), resend: resend || (() => false) });
  view.post = (answer) => setTriggerValue("answer", answer);
  view.send = (answer) => send(view, answer);
  answered(view, before);
  adopt(view, before);
  build(view, parentElement, before);
  if (wantsFocus(before, data, own)) focus(view);
  view.onKey = (event) => {
    // Keys judge only where the focus is: a letter typed elsewhere is no verdict.
    if (!isFor(view, event) || isTyping(event.composedPath()[0]) || event.altKey) return;
    if (event.ctrlKey || event.metaKey) view.onCommand?.(event); else onKey(view, event);
  };
  listen(view);
  return view.leave;
}

function listen(view) {
  const onLook = () => tick(view);
  // Captured at the window, because Streamlit has shortcuts of its own.
  window.addEventListener("keydown", view.onKey, true);
  window.addEventListener("focus", onLook);
  const timer = setInterval(() => tick(view), 1000);
  const alarms = new MutationObserver(() => dismissAlarm(view));
  alarms.observe(document.body, { childList: true });
  view.leave = () => {
    alarms.disconnect();
    window.removeEventListener("keydown", view.onKey, true);
    window.removeEventListener("focus", onLook);
    clearInterval(timer);
  };
}

// ---- sending, until it is acknowledged

function newNumber() {
  return [...crypto.getRandomValues(new Uint32Array(4))].map((one) => one.toString(16)).join("-");
}

/** While something is being saved what comes next cannot be seen, so no key may fall on it. */
function send(view, answer) {
  view.unsent = { ...answer, number: newNumber() };
  view.sending = true;
  view.patience = LATE_MS;
  post(view);
}

function post(view) {
  view.posted = Date.now();
  view.post(view.unsent);
}

function answered(view, before) {
  const { number, session, ok } = view.data.answered;
  if (view.unsent && number === view.unsent.number) {
    const done = view.unsent;
    Object.assign(view, { unsent: null, sending: false });
    view.onAnswered?.(done, ok !== false);
    return;
  }
  if (before && before.answered.session === session) return;
  if (view.unsent && view.resend(view.unsent, true)) setTimeout(() => again(view)); // the server was started anew
  else Object.assign(view, { unsent: null, sending: false });
}

function again(view) {
  if (!view.unsent) return;
  Object.assign(view, { sending: true, patience: Math.min(2 * (view.patience || LATE_MS), LATEST_MS) });
  post(view);
}

function tick(view) {
  if (!view.root?.isConnected) return;
  if (view.unsent && view.resend(view.unsent, false) && Date.now() - view.posted > view.patience) again(view);
  if (!document.hidden && Date.now() - view.looked > LOOK_MS) look(view);
  reconnect(view);
  view.onTick?.();
}

async function look(view) {
  view.looked = Date.now();
  let online = false;
  try {
    const place = new URL("_stcore/health", location.href.split(/[?#]/)[0]);
    online = (await fetch(place, { cache: "no-store", signal: AbortSignal.timeout(LOOK_MS) })).ok;
  } catch { /* not there */ }
  if (online === view.online) return;
  Object.assign(view, { online, back: Date.now() });
  view.onStatus?.();
}

function alarm() {
  return [...document.querySelectorAll("[role=dialog]")].find((one) => one.querySelector("h2")?.textContent === "Connection error");
}

/** Streamlit's box about a lost server would take the keys: what is known of it stands above the pictures. */
function dismissAlarm(view) {
  const box = alarm();
  if (!box || !view.root?.isConnected) return;
  box.querySelector("button")?.click();
  view.interrupted = true;
  look(view);
  setTimeout(() => {
    view.interrupted = false;
    if (wasFocused(view)) focus(view); else focusedLast.focus();
  });
}

function wasFocused(view) {
  return !focusedLast?.isConnected || focusedLast === document.body || focusedLast === view.root.getRootNode().host;
}

/** Whether the key was pressed in the component; also in the moment in which Streamlit's box had taken its focus. */
function isFor(view, event) {
  if (event.composedPath().includes(view.root)) return true;
  return Boolean(alarm() || view.interrupted) && wasFocused(view) && !isTyping(view.focused?.());
}

/** Streamlit looks for a lost server ever more seldom: where a page waits to be sent, it is loaded anew instead. */
function reconnect(view) {
  const state = document.querySelector(".stApp")?.dataset.testConnectionState;
  const waits = view.unsent && view.resend(view.unsent, true) && !view.forgetful;
  if (waits && view.online && state && state !== "CONNECTED" && Date.now() - view.back > LATEST_MS / 3) location.reload();
}

/** Whether what was judged is at the server. */
function refreshState(view, marked) {
  const saving = view.unsent && Date.now() - view.posted > LATE_MS ? "not saved yet: it is sent again" : "saving …";
  const words = {
    offline: view.unsent ? "offline: this page is kept here and sent when the server is back" : "offline: marks are kept here",
    saving, unsent: `${marked} not sent`, saved: "saved",
  };
  const state = !view.online ? "offline" : view.sending ? "saving" : marked ? "unsent" : view.wrote ? "saved" : "";
  view.state.className = `state ${state}`;
  view.state.textContent = words[state] || "";
  if (view.forgetful && marked) view.state.textContent += " (this browser keeps nothing: a reload loses them)";
}

// ---- focus and keys

function hasFocus(view) {
  const inside = view.root?.getRootNode?.().activeElement;
  return Boolean(inside && view.root.contains(inside));
}

/**
 * After a page that was sent, after a choice in the sidebar, and where it was not on the screen before, the keys are
 * the component's again, whatever was clicked to get there; never out of a text box.
 */
function wantsFocus(before, data, own) {
  const now = document.activeElement;
  const chosen = before && before.choice !== data.choice;
  const made = chosen && now.matches("[role=combobox], select") && now.getAttribute("aria-expanded") !== "true";
  if (isTyping(now) && !made) return false; // nor out of the next box that was opened meanwhile
  return !before || chosen || own || !now || now === document.body;
}

function focus(view) {
  (view.focused?.() || view.root).focus({ preventScroll: true });
}

function isTyping(element) {
  return Boolean(element?.closest?.("input:not([type=radio], [type=checkbox], [type=range]), textarea, select, [contenteditable=true], [role=combobox]"));
}

/**
 * What a key means: the letter or digit on it; where it has none (Cyrillic, Greek, an input method, the upper row of
 * a French keyboard), the one that a Latin keyboard has in this place.
 */
function keyOf({ key, code, shiftKey }) {
  if (/^[a-z0-9]$/i.test(key)) return key.toLowerCase();
  const digit = /^Digit(\d)$/.exec(code || "");
  if (digit && !shiftKey) return digit[1];
  if ("?+-= ".includes(key) || (key.length > 1 && !["Process", "Unidentified", "Dead"].includes(key))) return key;
  const letter = /^Key([A-Z])$/.exec(code || "");
  return letter ? letter[1].toLowerCase() : key;
}

// ---- drawing

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
  if (key) make("kbd", "", key, element);
  element.append(text);
  element.onclick = () => { onClick(); if (element.closest("dialog[open]") === null) focus(view); }; // or Space would press it again
  return element;
}
