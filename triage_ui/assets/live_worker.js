/* One live stream for all tabs: a browser opens only six connections to a host. */
"use strict";

const KEPT = 500;
const ports = new Set();
const recent = [];
let source = null;
let state = { kind: "connecting" };
let dropped = 0;
let presence = null;

function tell(message) {
  for (const port of ports) port.postMessage(message);
}

function setState(next) {
  state = next;
  tell({ type: "state", state });
}

function open(after) {
  source = new EventSource("/api/v1/changes?after=" + after);
  source.addEventListener("hello", (event) => {
    setState({ kind: "live" });
    tell({ type: "hello", data: JSON.parse(event.data) });
  });
  source.addEventListener("reset", (event) => {
    recent.length = 0;
    dropped = JSON.parse(event.data).position;
    tell({ type: "reset", data: JSON.parse(event.data) });
  });
  source.addEventListener("change", (event) => {
    const change = JSON.parse(event.data);
    recent.push(change);
    if (recent.length > KEPT) dropped = recent.shift().id;
    tell({ type: "change", data: change });
  });
  source.addEventListener("presence", (event) => {
    presence = { type: "presence", data: JSON.parse(event.data) };
    tell(presence);
  });
  source.addEventListener("ping", (event) => tell({ type: "ping", data: JSON.parse(event.data) }));
  source.onerror = () => {
    setState({ kind: "offline" });
    // A browser retries by itself after a broken stream, but not after a refusal.
    if (source.readyState === EventSource.CLOSED) {
      source.close();
      const last = recent.length ? recent[recent.length - 1].id : after;
      setTimeout(() => open(Math.max(last, dropped)), 2000);
    }
  };
}

/** A tab that joins later gets what came after the last change that it knows. */
function join(port, after) {
  ports.add(port);
  port.postMessage({ type: "state", state });
  if (presence) port.postMessage(presence);
  if (source === null) {
    dropped = after;
    open(after);
    return;
  }
  if (after < dropped) port.postMessage({ type: "reset", data: {} });
  for (const change of recent) {
    if (change.id > after) port.postMessage({ type: "change", data: change });
  }
}

function serve(port) {
  port.onmessage = (event) => {
    if (event.data.type === "join") join(port, event.data.after);
    if (event.data.type === "leave") {
      ports.delete(port);
      if (ports.size === 0 && source !== null) {
        source.close();
        source = null;
        recent.length = 0;
      }
    }
  };
}

self.onconnect = (event) => serve(event.ports[0]);
