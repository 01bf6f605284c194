/* Draws what the board's callbacks send as data-drawn (see drawn.py), as plain elements. */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});
  const NAMES = { className: "class", htmlFor: "for", tabIndex: "tabindex" };
  const kebab = (name) => name.replace(/[A-Z]/g, (letter) => "-" + letter.toLowerCase());

  /** A Dash HTML component, a text, or a list of both, as nodes. What events hold is text only. */
  const nodes = (triage.nodes = (given) => {
    if (given === null || given === undefined) return [];
    if (Array.isArray(given)) return given.flatMap(nodes);
    if (typeof given !== "object") return [String(given)];
    if (given.namespace !== "dash_html_components") throw new Error(`can't draw ${given.type}`);
    const { children, style, ...props } = given.props;
    const element = document.createElement(given.type);
    for (const [name, value] of Object.entries(props)) {
      if (value === null || value === false) continue;
      element.setAttribute(NAMES[name] || name, value === true ? "" : value);
    }
    for (const [name, value] of Object.entries(style || {})) element.style.setProperty(kebab(name), value);
    element.append(...nodes(children));
    return [element];
  });

  /** What a place was sent, as nodes. */
  triage.drawnIn = (place) => nodes(JSON.parse(place.dataset.drawn || "null"));

  /** Draw a place anew. The keyboard's focus stays on what is there again. */
  const fill = (place, wanted) => {
    const held = document.activeElement;
    const within = held !== place && place.contains(held);
    place.replaceChildren(...wanted);
    if (!within) return;
    const again = [...place.querySelectorAll(held.nodeName)].find((one) => one.isEqualNode(held));
    if (again) again.focus({ preventScroll: true });
  };

  /** A hidden place only keeps what it was sent, for who hears of it. */
  const draw = (place) => {
    try {
      if (!place.hidden) fill(place, triage.drawnIn(place));
      triage.emit("drawn", place);
    } catch (error) {
      window.reportError(error); // the other places are drawn
    }
  };

  // From the first on: the answer may be here before the page has started.
  new MutationObserver((records) => new Set(records.map((one) => one.target)).forEach(draw)).observe(document, {
    subtree: true,
    attributes: true,
    attributeFilter: ["data-drawn"],
  });
})();
