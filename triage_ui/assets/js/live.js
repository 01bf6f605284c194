/* The live stream: changes as they happen, and an honest chip about it. */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});
  const SILENT_S = 12; // the server pings every 5 s
  const LOST_S = 30;

  let worker = null;
  let heard = performance.now();
  let offlineSince = null;
  let trouble = "";
  let lag = null;
  let greeted = false;

  const seconds = () => (performance.now() - heard) / 1000;

  const show = (kind, text) => {
    const chip = triage.byId("live");
    if (!chip || (chip.dataset.kind === kind && chip.dataset.text === text)) return;
    chip.dataset.kind = kind;
    chip.dataset.text = text;
    chip.className = "live live-" + kind;
    triage.byId("live-text").textContent = text;
  };

  const refresh = () => {
    const silent = seconds();
    if (offlineSince !== null && (performance.now() - offlineSince) / 1000 > 2) {
      show("offline", "Offline, trying again");
    } else if (trouble) {
      show("delayed", "Delayed: the store doesn't answer");
    } else if (silent > LOST_S) {
      show("offline", "Offline, trying again");
    } else if (silent > SILENT_S) {
      show("delayed", `Delayed ${Math.round(silent)} s`);
    } else if (offlineSince === null) {
      show("live", lag === null ? "Live" : `Live ${lag.toFixed(1)} s`);
    }
  };

  const handle = (message) => {
    if (message.type === "state") {
      if (message.state.kind === "offline") offlineSince = offlineSince ?? performance.now();
      if (message.state.kind === "live") offlineSince = null;
    } else {
      heard = performance.now();
    }
    if (message.type === "hello") {
      triage.emit("hello", { again: greeted });
      greeted = true;
    }
    if (message.type === "reset") triage.emit("reset", message.data);
    if (message.type === "change") {
      lag = message.data.lag;
      triage.emit("change", message.data);
    }
    if (message.type === "presence") triage.emit("presence", message.data.looking);
    if (message.type === "ping") {
      trouble = message.data.trouble;
      triage.setServerTime(message.data.at);
    }
    refresh();
  };

  /** Start listening for what comes after a change. */
  triage.listen = (after) => {
    if (worker !== null || !window.SharedWorker) return;
    worker = new SharedWorker("/assets/live_worker.js", { name: "triage live" });
    worker.port.onmessage = (event) => handle(event.data);
    worker.port.postMessage({ type: "join", after });
    window.addEventListener("pagehide", () => worker.port.postMessage({ type: "leave" }));
    window.addEventListener("pageshow", (event) => event.persisted && window.location.reload());
    setInterval(refresh, 500);
  };

  /* The frame's numbers are read anew when something happened, at most once a second. */
  let pulses = 0;
  const pulse = triage.throttle(1000, () => {
    triage.setProps("pulse", { data: ++pulses });
    triage.emit("pulse");
  });
  triage.on("change", pulse);
  triage.on("hello", ({ again }) => again && pulse());
  triage.on("reset", pulse);
  setInterval(() => document.visibilityState === "visible" && pulse(), 5000);

  const begin = async () => {
    const { status, data } = await triage.request("GET", "/status");
    if (status !== 200) {
      show("offline", "Offline, trying again");
      setTimeout(begin, 2000);
      return;
    }
    triage.setServerTime(data.now);
    triage.me = data.actor;
    const initials = data.actor.name.split(/[\s._-]+/).map((word) => word[0] || "").join("");
    triage.byId("me-initials").textContent = initials.slice(0, 2).toUpperCase();
    triage.byId("me-name").textContent = data.actor.name;
    triage.byId("me-role").textContent = data.actor.role;
    triage.byId("rail-analysts").hidden = data.actor.role !== "lead";
    triage.listen(data.position);
    triage.emit("signed-in");
  };
  triage.on("start", begin);
})();
