/* Verdicts: painted at once, then sent; the server's answer is the truth. */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});
  const UNSAVED = "triage.unsaved";
  const UNDO = "triage.undo";

  /** cluster id -> {kind, state, verdict, by, learned, ...}: what this page knows beyond the rows. */
  const marks = new Map();
  const ofVerdict = new Map();
  const AHEAD = 3; // keys that may wait for their cluster to be painted
  let turn = Promise.resolve();
  let waiting = 0;
  let epoch = 0;
  let unsaved = load(UNSAVED);
  let stack = load(UNDO); // [{verdict, cluster, title, kind}], newest last

  function load(name) {
    try {
      return JSON.parse(sessionStorage.getItem(name)) || [];
    } catch {
      return [];
    }
  }
  const keep = (name, value) => sessionStorage.setItem(name, JSON.stringify(value.slice(-50)));

  triage.markOf = (cluster) => marks.get(cluster);
  triage.unsaved = () => unsaved;

  const setMark = (cluster, mark) => {
    if (mark === null) marks.delete(cluster);
    else marks.set(cluster, mark);
    triage.emit("mark", { cluster, mark });
  };

  const setUnsaved = (list) => {
    unsaved = list;
    keep(UNSAVED, unsaved);
    triage.emit("unsaved", unsaved);
  };

  /** What the preview shows, if it is of the cluster under the cursor. */
  const subject = () => {
    const element = triage.byId("subject");
    const wanted = triage.cursor ? triage.cursor() : null;
    if (!element || (wanted && element.dataset.cluster !== wanted)) return null;
    return element.dataset;
  };

  /** As soon as the cluster is painted: `work` with what is on the screen. Keys wait for each other. */
  const inTurn = (kind, work) => {
    if (waiting >= AHEAD) {
      triage.emit("trouble", { text: `${AHEAD} keys wait for their clusters already: this one was not counted.` });
      return;
    }
    triage.emit("pressed", kind);
    const mine = epoch;
    waiting += 1;
    turn = turn
      .then(async () => {
        if (mine !== epoch) return; // one before it was given up: this one was meant for the next
        const seen = subject() || (await triage.hold(kind, subject));
        if (seen) work(seen);
        else epoch += 1;
      })
      .finally(() => (waiting -= 1));
  };

  /**
   * Give a verdict on what is on the screen. `extra`: scope and expiry of *expected*.
   * Quick keys wait for each other: each is about the cluster that the one before moved on to.
   */
  triage.decide = (kind, extra = {}) => inTurn(kind, (seen) => decideOne(seen, kind, extra));

  /** Ask what *expected* needs to know, of what is on the screen. */
  triage.askExpected = () => inTurn("expected", () => triage.expectedForm.open());

  /** Whether there is something to decide, or will be once it is here. */
  triage.canDecide = () => Boolean(triage.byId("subject") || triage.cursor() || triage.isComing());

  /** The members that were on the screen. */
  const read = (seen) => {
    const named = seen.read.split(" ").filter(Boolean);
    return [...new Set(named.concat(triage.alsoRead(seen.cluster)))].slice(0, 1000);
  };

  const decideOne = (seen, kind, extra) => {
    const mark = marks.get(seen.cluster);
    const entry = entryOf(seen, kind, { reason: triage.takeReason(), ...extra });
    const taken = mark && mark.state !== "conflict" && mark.state !== "refused";
    if (taken || seen.status === "decided") contest(entry, mark);
    else begin(entry);
  };

  const begin = (entry) => {
    triage.emit("decided", entry); // before the mark: see ``setCursor``
    setMark(entry.cluster, { kind: entry.kind, state: "sending" });
    triage.send(entry);
  };
  /** Give a verdict on a cluster whose strongest member a sheet shows (see bulk.js). */
  triage.decideListed = ({ row, members }, kind, reason) =>
    begin({
      key: triage.newKey(),
      cluster: row.cluster_id,
      title: row.title,
      kind,
      body: { kind, revision: row.revision, read: members.map((one) => one.candidate_id), reason },
    });

  /** Give a verdict to other clusters whose members are listed; return to how many. */
  triage.decideOthers = (kind, others) => {
    const waiting = others.filter(({ cluster }) => {
      const mark = marks.get(cluster);
      return !mark || mark.state === "conflict" || mark.state === "refused";
    });
    for (const seen of waiting) {
      const entry = entryOf(seen, kind, {});
      setMark(entry.cluster, { kind, state: "sending" });
      triage.send(entry);
    }
    return waiting.length;
  };

  const entryOf = (seen, kind, extra) => ({
    key: triage.newKey(),
    cluster: seen.cluster,
    title: seen.title,
    kind,
    body: { kind, revision: Number(seen.revision), read: read(seen), ...extra },
  });

  /** Send a verdict, the first time or again; the same key never counts twice. */
  triage.send = async (entry) => {
    setUnsaved(unsaved.filter((other) => other.key !== entry.key).concat(entry));
    const path = `/clusters/${encodeURIComponent(entry.cluster)}/verdicts`;
    const { status, data } = await triage.request("POST", path, { body: entry.body, key: entry.key });
    if (status === 201) accepted(entry, data);
    else if (status === 409) await beaten(entry, data);
    else if (status === 0 || status === 401 || status === 429 || status >= 500) {
      entry.why = data && data.detail ? data.detail : `The board answered ${status}.`;
      setMark(entry.cluster, { kind: entry.kind, state: "unsaved" });
      setUnsaved(unsaved);
      triage.announce(`Not saved: ${entry.title}. ${entry.why}`);
    } else refused(entry, data);
  };

  const done = (entry) => setUnsaved(unsaved.filter((other) => other.key !== entry.key));

  function accepted(entry, verdict) {
    done(entry);
    ofVerdict.set(verdict.verdict_id, entry);
    stack = stack.concat({
      verdict: verdict.verdict_id,
      cluster: entry.cluster,
      title: entry.title,
      kind: entry.kind,
    });
    keep(UNDO, stack);
    setMark(entry.cluster, markFrom(verdict));
    triage.emit("saved", { entry, verdict });
    const grace = 1000 * (verdict.grace_until - triage.now());
    setTimeout(() => ofVerdict.has(verdict.verdict_id) && refresh(verdict.verdict_id), grace + 300);
  }

  const stateOf = (verdict) =>
    verdict.state === "pending" && triage.now() > verdict.grace_until ? "recorded" : verdict.state;

  const markFrom = (verdict) => ({
    kind: verdict.kind,
    state: stateOf(verdict),
    verdict: verdict.verdict_id,
    learned: verdict.learned && verdict.model_after !== null,
    by: triage.me && verdict.actor !== triage.me.name ? verdict.actor : "",
  });

  async function beaten(entry, data) {
    done(entry);
    let text = data.detail;
    let standing = null;
    if (data.current) {
      const answer = await triage.request("GET", "/verdicts/" + encodeURIComponent(data.current));
      if (answer.status === 200) {
        const verdict = answer.data;
        setMark(entry.cluster, markFrom(verdict));
        standing = verdict;
        const since = triage.span(triage.now() - verdict.at);
        text = `marked ${triage.words[verdict.kind].toLowerCase()} by ${verdict.actor} ${since} ago`;
      }
    } else {
      setMark(entry.cluster, null);
    }
    triage.emit("conflict", { entry, text, standing });
  }

  /** Give a verdict that was prepared before, on the cluster as it is now. */
  triage.giveAgain = (entry, revision) =>
    begin({ ...entry, key: triage.newKey(), body: { ...entry.body, revision } });

  /**
   * Somebody has decided this one: say who, and let the reader keep that or disagree. It may have
   * been taken back since it was painted: then this is the verdict.
   */
  const contest = async (entry, mark) => {
    const path = `/clusters/${encodeURIComponent(entry.cluster)}?members=0`;
    const { status, data } = await triage.request("GET", path);
    if (!mark && status === 200 && data.row.status !== "decided") {
      return triage.giveAgain(entry, data.row.revision);
    }
    const verdictId = mark && mark.verdict;
    const standing = status === 200 && data.verdicts.find((one) => one.verdict_id === verdictId || !verdictId);
    if (!standing || !triage.me || standing.actor === triage.me.name) {
      triage.emit("trouble", { text: "Decided already. Z takes it back." });
    } else {
      await beaten(entry, { detail: "", current: standing.verdict_id });
    }
  };

  triage.refused = refused;
  function refused(entry, data) {
    done(entry);
    setMark(entry.cluster, null);
    triage.emit("trouble", {
      text: `Not saved: ${data ? data.detail : "refused"}`,
      remedy: data ? data.remedy : "",
      title: entry.title,
    });
  }

  triage.retry = () => Promise.all(unsaved.map((entry) => triage.send(entry)));

  /** Take a verdict back: the given one, else the last of this browser tab. */
  triage.undo = async (verdictId) => {
    const last = verdictId
      ? stack.find((one) => one.verdict === verdictId) || { verdict: verdictId }
      : stack[stack.length - 1];
    if (!last) {
      triage.emit("trouble", { text: "Nothing to take back here. Older verdicts: on the cluster's page." });
      return;
    }
    last.key = last.key || triage.newKey();
    keep(UNDO, stack);
    triage.emit("undoing", last);
    const path = `/verdicts/${encodeURIComponent(last.verdict)}/undo`;
    const { status, data } = await triage.request("POST", path, { body: {}, key: last.key });
    if (status !== 200) {
      if (status === 409 || status === 404) forget(last.verdict);
      triage.emit("trouble", { text: `Not taken back: ${data ? data.detail : status}`, retry: "undo" });
      return;
    }
    forget(last.verdict);
    ofVerdict.delete(last.verdict);
    setMark(data.cluster_id, null);
    triage.emit("undone", { ...last, cluster: data.cluster_id, verdict: data });
  };

  const forget = (verdict) => {
    stack = stack.filter((one) => one.verdict !== verdict);
    keep(UNDO, stack);
  };

  /* What the server says became of verdicts: ours, and other people's. */
  const refresh = async (verdictId) => {
    const { status, data } = await triage.request("GET", "/verdicts/" + encodeURIComponent(verdictId));
    if (status !== 200) return;
    const over = data.state === "undone" || data.state === "retracted";
    const entry = ofVerdict.get(verdictId);
    const mark = marks.get(data.cluster_id);
    if (over) {
      if (mark && mark.verdict === verdictId) setMark(data.cluster_id, null);
    } else if (entry || mark || triage.isListed(data.cluster_id)) {
      setMark(data.cluster_id, markFrom(data));
    }
    triage.emit("fate", { verdict: data, entry, over });
  };

  triage.on("change", (change) => {
    if (change.kind === "verdict" && concerns(change.data) && !sending(change.data.cluster_id)) {
      refresh(change.data.id);
    }
    if (change.kind === "learned" || change.kind === "published") {
      for (const id of change.data.verdicts || []) if (known(id)) refresh(id);
    }
  });
  /* Of a team's verdicts most are about what this page doesn't show: these are not asked for. */
  const concerns = ({ id, cluster_id: cluster }) =>
    ofVerdict.has(id) || marks.has(cluster) || triage.isListed(cluster);
  const sending = (cluster) => (marks.get(cluster) || {}).state === "sending";
  const known = (id) => ofVerdict.has(id) || [...marks.values()].some((mark) => mark.verdict === id);

  /* Back after a break: what could not be saved is sent again, under the same keys. */
  triage.on("hello", () => unsaved.length && triage.retry());
  triage.on("start", () => {
    for (const entry of unsaved) marks.set(entry.cluster, { kind: entry.kind, state: "unsaved" });
    triage.emit("unsaved", unsaved);
  });
  window.addEventListener("beforeunload", (event) => {
    if (unsaved.length) event.preventDefault();
  });
})();
