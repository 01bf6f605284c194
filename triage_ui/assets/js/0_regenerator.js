/*
 * What Dash's component scripts, compiled for browsers without async functions, ask for when a chart
 * comes. Its polyfill has it, too, and is left out: 99 kB that put a promise of their own under all others.
 */
window.regeneratorRuntime = {
  mark: (generator) => generator,
  wrap: (step) => {
    let done = false;
    const state = { prev: 0, next: 0, stop: () => void (done = true) };
    return { next: () => ({ value: step(state), done }) };
  },
};
