/** So many clients that ask again as soon as they are answered, each time on a connection of its own. */
import type { RunningServer } from "../server.ts";

export interface ClosedLoad extends AsyncDisposable {
  readonly answered: number;
  /** What clients got in place of an answer. */
  readonly losses: readonly string[];
}

export function closedLoad(server: Pick<RunningServer, "fetch">, clients: number): ClosedLoad {
  let answered = 0;
  const over = new AbortController();
  const losses: string[] = [];
  const client = async () => {
    while (!over.signal.aborted) {
      try {
        const response = await server.fetch();
        const text = await response.text();
        if (response.status === 200) answered += 1;
        else losses.push(`${response.status} ${text}`);
      } catch (error) {
        losses.push(String(error));
      }
    }
  };
  const all = Array.from({ length: clients }, client);
  return {
    get answered() {
      return answered;
    },
    losses,
    async [Symbol.asyncDispose]() {
      over.abort();
      await Promise.all(all);
    },
  };
}
