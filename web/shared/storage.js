// What a browser keeps for us. It may refuse (a private window, a full disk) or hold what another version wrote, so a
// read that fails is `undefined`, and a write that fails is felt only after the page is closed.

/** @param {Storage} area */
const over = (area) => ({
  /**
   * @param {string} key
   * @returns {unknown}
   */
  read(key) {
    try {
      const text = area.getItem(key);
      return text === null ? undefined : JSON.parse(text);
    } catch {
      return undefined;
    }
  },
  /**
   * @param {string} key
   * @param {unknown} value `undefined` takes the key away
   */
  write(key, value) {
    try {
      if (value === undefined) area.removeItem(key);
      else area.setItem(key, JSON.stringify(value));
    } catch {
      // The page goes on with what it has in memory.
    }
  },
});

/** Kept until somebody takes it away, and seen by all tabs. */
export const local = over(localStorage);
/** Kept as long as the tab, over a reload. */
export const tab = over(sessionStorage);
