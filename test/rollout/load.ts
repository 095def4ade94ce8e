/** Clients of a proxy, while a version is rolled out behind it: what each was answered, and what was lost. */
import { Load } from "../support/loads/load.ts";
import { until } from "../support/server.ts";

/** Answers with its version, some time after it was asked: so there are requests under way whatever happens. */
export const app = (version: string): string => `
export const fetch = async (request: Request): Promise<Response> => {
  if (request.method === "POST" && (await request.text()).length !== 1000) return new Response("cut", { status: 400 });
  await Bun.sleep(2);
  return new Response("version " + ${version});
};
`;

export interface Outcome {
  readonly what: string;
  readonly requests: number;
  /** How many answers were of each version. */
  readonly versions: ReadonlyMap<string, number>;
  /** The versions that answered when it was over. */
  readonly last: readonly string[];
  readonly failures: readonly string[];
}

/** Waits for more answers; other than Load.more(), whatever is lost meanwhile. */
async function more(load: Load, count: number): Promise<void> {
  const goal = load.requests + count;
  await until("more answers", () => load.requests >= goal, 600_000);
}

/**
 * Does something while clients ask through the proxy's socket: half of them on new connections.
 * @param requests so many are answered at the least, before, meanwhile and after
 */
export async function underLoad(
  what: string,
  socket: string,
  requests: number,
  act: (load: Load) => Promise<void>,
): Promise<Outcome> {
  const clients = { fresh: 6, kept: 4, posting: 2, expected: /^version \d$/ };
  const load = new Load({ port: 0, unix: socket, ...clients });
  try {
    await more(load, requests / 10);
    await act(load);
    // What was under way then has been answered.
    await more(load, 100);
    const before = new Map(load.bodies);
    await more(load, Math.max(300, requests - load.requests));
    const last = [...load.bodies].filter(([body, count]) => count > (before.get(body) ?? 0));
    const ended = await load.stop();
    return { what, ...ended, versions: load.bodies, last: last.map(([body]) => body).sort() };
  } finally {
    await load.stop();
  }
}

/** How often each failure has come; an answer is told by its first line. */
export function counted(failures: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const failure of failures) {
    const [line = ""] = failure.split("\r\n");
    counts.set(line, (counts.get(line) ?? 0) + 1);
  }
  return counts;
}
