// Asks again and again while somebody looks: a tab that is hidden sends nothing.

/** Between one question and the next, in ms: the last one goes on. */
export const STEPS = [1500, 2000, 4000, 8000];

/**
 * @param {() => Promise<boolean>} poll whether to go on; when it fails it is asked again all the same
 * @param {number[]} [steps]
 * @returns {{ stop: () => void, soon: () => void }}
 */
export function watch(poll, steps = STEPS) {
  let step = 0;
  let over = false;
  let asking = false;
  /** @type {number | undefined} */
  let timer;

  function plan() {
    clearTimeout(timer);
    if (over || asking || document.hidden) return;
    timer = setTimeout(run, steps[Math.min(step, steps.length - 1)]);
    step += 1;
  }
  async function run() {
    if (over || asking || document.hidden) return;
    asking = true;
    const goOn = await poll().catch(() => true);
    asking = false;
    if (goOn) plan();
    else stop();
  }
  function onVisible() {
    clearTimeout(timer);
    if (document.hidden) return;
    // Who comes back wants to see how it stands now.
    step = 0;
    void run();
  }
  function stop() {
    over = true;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", onVisible);
  }
  document.addEventListener("visibilitychange", onVisible);
  plan();
  return {
    stop,
    /** Something has been done: look sooner again. */
    soon() {
      step = 0;
      plan();
    },
  };
}
