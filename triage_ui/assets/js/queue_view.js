/* The order of the rows on the screen: what has been seen holds its place. No DOM in here. */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});
  const PAGE = 100;
  const ATTEMPTS = 4;
  const LATELY_MS = 1000;

  /**
   * `fetchPage(offset, limit)` resolves to {rows, total, position} or throws.
   *
   * The rows known so far are dense from the top. Reading further appends what the server has and
   * what isn't here yet, so a row never comes twice and never jumps.
   */
  triage.QueueView = class {
    constructor(fetchPage) {
      this.fetchPage = fetchPage;
      this.rows = [];
      this.ids = new Set();
      this.offset = 0;
      this.total = null;
      this.position = null;
      this.loading = null;
      this.coming = new Map(); // first row -> the page far down that is read there
    }

    /** Rows in all, as far as is known. */
    get count() {
      return this.total === null ? null : this.rows.length + Math.max(0, this.total - this.offset);
    }

    get complete() {
      return this.total !== null && this.offset >= this.total;
    }

    indexOf(id) {
      return this.rows.findIndex((row) => row.cluster_id === id);
    }

    get(id) {
      return this.rows.find((row) => row.cluster_id === id);
    }

    async slice(start, end) {
      if (this.isFar(start)) return this.far(start, end);
      while (this.rows.length < end && !this.complete) await this.more();
      return this.rows.slice(start, end);
    }

    isFar(start) {
      return start > this.rows.length + 5 * PAGE;
    }

    /** A jump far down the list: read there, remember nothing but what came just now. */
    far(start, end) {
      if (!this.coming.has(start)) {
        this.await(start, this.read(this.offset + start - this.rows.length, end - start));
      }
      return this.coming.get(start).then(({ rows }) => rows);
    }

    /**
     * Read what is far down and soon on the screen: the grid asks once it has made room for it, and
     * for each of its blocks by itself. The server counts off what is above, so it is asked once.
     */
    ahead(first, last, block) {
      if (this.total === null) return;
      const missing = [];
      const end = Math.min(last, this.count - 1); // what the grid has room for may be more than there is
      for (let start = first - (first % block); start <= end; start += block) {
        if (this.isFar(start) && !this.coming.has(start)) missing.push(start);
      }
      if (!missing.length) return;
      const from = missing[0];
      const limit = missing[missing.length - 1] + block - from;
      const page = this.read(this.offset + from - this.rows.length, limit);
      for (const start of missing) {
        const part = ({ rows }) => ({ rows: rows.slice(start - from, start - from + block) });
        this.await(start, page.then(part));
      }
    }

    /** Keep a page that is on its way for as long as the grid may ask for it. */
    await(start, page) {
      this.coming.set(start, page);
      const forget = () => this.coming.get(start) === page && this.coming.delete(start);
      page.then(() => setTimeout(forget, LATELY_MS), forget);
    }

    async more() {
      this.loading = this.loading || this.next().finally(() => (this.loading = null));
      return this.loading;
    }

    async next() {
      const page = await this.read(this.offset, PAGE);
      if (page.total !== null) this.total = page.total;
      if (this.position === null) this.position = page.position;
      this.offset = page.rows.length ? this.offset + page.rows.length : this.total;
      for (const row of page.rows) this.take(row);
    }

    /** Put a row at its place if it is known, else at the end. */
    take(row) {
      if (this.ids.has(row.cluster_id)) {
        this.rows[this.indexOf(row.cluster_id)] = row;
      } else {
        this.ids.add(row.cluster_id);
        this.rows.push(row);
      }
    }

    async read(offset, limit) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await this.fetchPage(offset, limit);
        } catch (error) {
          if (attempt >= ATTEMPTS) throw error;
          await new Promise((resume) => setTimeout(resume, 250 * attempt));
        }
      }
    }

    /** Read the order anew below the first `keep` rows, which hold their places. */
    async reorder(keep) {
      const fresh = new triage.QueueView(this.fetchPage);
      for (const row of this.rows.slice(0, keep)) fresh.take(row);
      await fresh.next();
      return fresh;
    }

    /** Read the top anew: known rows get new values in place; return how many are new. */
    async touch() {
      const page = await this.read(0, PAGE);
      const lastKnown = this.complete ? Infinity : this.offset;
      let fresh = 0;
      page.rows.forEach((row, index) => {
        if (this.ids.has(row.cluster_id)) this.take(row);
        else if (index < lastKnown || this.complete) fresh += 1;
      });
      this.coming.clear(); // what is far down may have changed, too
      return fresh;
    }
  };
})();
