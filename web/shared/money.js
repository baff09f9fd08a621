// Amounts. The API sends decimals; sums are made of whole minor units, so that no binary fraction is ever shown.

/** @type {Map<string, Intl.NumberFormat>} */
const formats = new Map();

/** @param {string} currency */
function format(currency) {
  let found = formats.get(currency);
  if (found === undefined) {
    found = new Intl.NumberFormat(document.documentElement.lang, { style: "currency", currency });
    formats.set(currency, found);
  }
  return found;
}

/** @param {string} currency */
const digits = (currency) => format(currency).resolvedOptions().maximumFractionDigits ?? 2;

/** @param {number} amount @param {string} currency */
export const minor = (amount, currency) => Math.round(amount * 10 ** digits(currency));

/** @param {number} units @param {string} currency */
export const major = (units, currency) => units / 10 ** digits(currency);

/** @param {number} amount @param {string} currency */
export const money = (amount, currency) => format(currency).format(amount);
