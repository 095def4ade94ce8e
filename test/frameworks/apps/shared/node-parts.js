/** The same with node:http's request and response. */
import { events, left, measure, wordByWord } from "./parts.js";

export async function stream(req, res) {
  res.writeHead(200, { "Content-Type": "text/plain" });
  for await (const word of wordByWord()) res.write(word);
  res.end();
}

export async function sse(req, res) {
  res.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-cache" });
  res.flushHeaders();
  for await (const event of events()) res.write(event);
  res.end();
}

export function leave(req, res) {
  res.writeHead(200, { "Content-Type": "text/plain" });
  res.write("waiting\n");
  const timer = setInterval(() => res.write(".\n"), 50);
  res.on("close", () => {
    clearInterval(timer);
    left.count += 1;
  });
}

export const measured = (req) => measure(req);
