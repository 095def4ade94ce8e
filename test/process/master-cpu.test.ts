/** What the master needs while it is watched: below one percent of a CPU, by its own account of CPU time. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { ByteClient } from "../../bench/byte-client.ts";
import { adminArgs, adminUrl, scrape } from "../support/admin.ts";
import { gunicorn, type RunningServer } from "../support/server.ts";
import { get } from "../support/wire.ts";

setDefaultTimeout(180_000);

const files = { "app.ts": `export const fetch = () => new Response("ok");` };
const args = ["-w", "2", ...adminArgs];

const perSecond = 1000;
const most = 0.01;
const windowSeconds = 5;
/** So many are tried: at first its code is compiled, which costs more than all that it does. */
const windows = 12;

interface Clients extends Disposable {
  readonly answered: number;
}

/** So many requests a second, however long their answers take. */
function paced(send: () => void): Disposable {
  const begunMs = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const due = ((performance.now() - begunMs) / 1000) * perSecond;
    for (; sent < due; sent += 1) send();
  }, 5);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

async function keptAlive({ port }: RunningServer): Promise<Clients> {
  let answered = 0;
  let turn = 0;
  const stack = new DisposableStack();
  const all: ByteClient[] = [];
  while (all.length < 64) {
    const client = await ByteClient.connect({ port }, { data: () => void (answered += 1) });
    all.push(stack.use(client));
  }
  stack.use(paced(() => all[turn++ % all.length]?.send(get("/"))));
  return {
    get answered() {
      return answered;
    },
    [Symbol.dispose]: () => stack.dispose(),
  };
}

async function newEach({ port }: RunningServer): Promise<Clients> {
  let answered = 0;
  const receiver = {
    data: (client: ByteClient) => {
      answered += 1;
      client.close();
    },
  };
  const pace = paced(
    () =>
      void ByteClient.connect({ port }, receiver).then((client) =>
        client.send(get("/", "Connection: close")),
      ),
  );
  return {
    get answered() {
      return answered;
    },
    [Symbol.dispose]: () => pace[Symbol.dispose](),
  };
}

test.if(process.platform === "linux").each<[string, (server: RunningServer) => Promise<Clients>]>([
  ["kept-alive connections", keptAlive],
  ["a new connection for each", newEach],
])(`${perSecond} requests a second, its metrics asked for each second: %s`, async (_what, open) => {
  await using server = await gunicorn({ files, args });
  const url = await adminUrl(server);
  using clients = await open(server);
  const seen: string[] = [];
  let reached = false;
  while (!reached && seen.length < windows) {
    const [answered, begunMs] = [clients.answered, performance.now()];
    const before = await masterSeconds(url);
    for (let second = 1; second < windowSeconds; second += 1) {
      await Bun.sleep(1000);
      await scrape(url);
    }
    await Bun.sleep(1000);
    const spent = (await masterSeconds(url)) - before;
    const seconds = (performance.now() - begunMs) / 1000;
    const rate = (clients.answered - answered) / seconds;
    reached = spent / seconds < most && rate > 0.9 * perSecond;
    seen.push(`${((100 * spent) / seconds).toFixed(2)} % at ${Math.round(rate)} requests/s`);
  }
  expect(reached, seen.join(", ")).toBe(true);
});

async function masterSeconds(url: string): Promise<number> {
  return (await scrape(url)).get("process_cpu_seconds_total") ?? Number.NaN;
}
