/** What both servers of the suite run, once bare and once with an `error` hook. */
import { poorHooks } from "./heads.ts";
import { rows } from "./rows.ts";

const answers = new Map(rows.map(([name, answer]) => [name, answer]));

await Promise.all([
  Bun.write("small.txt", "a small file\n"),
  Bun.write("small.html", "<p>small\n"),
  Bun.write("small", "a small file\n"),
  Bun.write("empty.txt", ""),
  Bun.write("large.bin", "0123456789".repeat(20_000)),
]);

function fetch(request: Request): Response {
  const name = decodeURIComponent(new URL(request.url).pathname.slice(1));
  const answer = answers.get(name);
  // Some rows return what no handler may.
  return answer === undefined ? new Response(name) : (answer() as Response);
}

export const bare = { fetch };

export const hooked = {
  fetch,
  error(error: unknown): Response {
    const poor = error instanceof Error ? poorHooks.get(error.message) : undefined;
    if (poor !== undefined) return poor() as Response;
    // What is thrown has different words on the two servers.
    return new Response(error instanceof Error ? "an Error" : typeof error, {
      status: 503,
      headers: { "x-hook": "yes" },
    });
  },
};
