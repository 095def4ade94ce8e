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
