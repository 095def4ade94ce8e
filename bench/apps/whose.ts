/** Which worker answers. With BLOCKED, that of slot 0 stands still half of the time. */

const slot = process.env["GUNICORN_SLOT"] ?? "0";

const blockMs = 50;

if (process.env["BLOCKED"] !== undefined && slot === "0") {
  setInterval(() => Bun.sleepSync(blockMs), 2 * blockMs);
}

export function fetch(): Response {
  return new Response(slot);
}
