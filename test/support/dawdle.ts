/** Who takes their time on purpose: a client that is slow, or an operator. Whoever waits for something asks until(). */
export function dawdle(ms: number): Promise<void> {
  return Bun.sleep(ms);
}
