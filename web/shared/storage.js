// What a browser keeps for us. It may refuse (a private window, a full disk) or hold what another version wrote, so a
// read that fails is `undefined`, and a write that fails is felt only after the page is closed.

/** @param {() => Storage} area where cookies are blocked, to name it is to fail */
const over = (area) => {
  /** What the browser did not take. @type {Map<string, string | undefined>} */
  const held = new Map();
  return {
    /**
     * @param {string} key
     * @returns {unknown}
     */
    read(key) {
      try {
        const text = held.has(key) ? held.get(key) : area().getItem(key);
        return text == null ? undefined : JSON.parse(text);
      } catch {
        return undefined;
      }
    },
    /**
     * @param {string} key
     * @param {unknown} value `undefined` takes the key away
     */
    write(key, value) {
      const text = JSON.stringify(value);
      try {
        if (text === undefined) area().removeItem(key);
        else area().setItem(key, text);
        held.delete(key);
      } catch {
        held.set(key, text);
      }
    },
  };
};

/** Kept until somebody takes it away, and seen by all tabs. */
export const local = over(() => localStorage);
/** Kept as long as the tab, over a reload. */
export const tab = over(() => sessionStorage);
