/** The date of answers (RFC 9110 §6.6.1), as text that is made once a second. */

let cachedSecond = -1;
let cachedDate = "";

/** The value of a Date field (RFC 9110 §5.6.7), made once per second. */
export function httpDate(nowMs: number): string {
  const second = Math.floor(nowMs / 1000);
  if (second !== cachedSecond) {
    cachedSecond = second;
    cachedDate = new Date(second * 1000).toUTCString();
  }
  return cachedDate;
}

let date = "";

/**
 * What currentDate() gives until the next call. A server calls it a few times a second: the clock costs 30 ns (bench:
 * hello).
 */
export function refreshDate(nowMs: number): void {
  date = httpDate(nowMs);
}

/** The value of a Date field as of the last refreshDate(). */
export function currentDate(): string {
  if (date === "") refreshDate(Date.now());
  return date;
}
